"""A plan made at Meta, all of it paused: each object once, whatever fails or dies in between.

Meta has no idempotency key. So an attempt is written down before its request leaves, with an object's own tag in its name, and after any
attempt whose outcome is not known for certain the object is looked for, once the time is over in which it may still appear, before the
same intent gets another attempt. Nothing is repeated blindly, and there is no other way to create than this one.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from videolab_assets.lib.campaigns.ledger import Intent, Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan, Params, PlannedObject, filled
from videolab_assets.lib.campaigns.searching import edge_of, find
from videolab_assets.lib.campaigns.stops import Stopped
from videolab_assets.lib.campaigns.verifying import MADE, RUNNING, Checked, verify
from videolab_assets.lib.errors import PermanentError, TransientError, VideoLabError
from videolab_assets.lib.meta.accounts import ACCOUNTS, AdAccount, check_account
from videolab_assets.lib.meta.errors import GraphRefused, OutcomeUnknown
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.meta.video_upload import UploadSession, until_ready, upload_video
from videolab_assets.lib.store import Store

SETTLE_SECONDS = 900.0
"""After an attempt of unknown outcome. A request leaves within the first half of this time or not at all; the second half has to be longer
than it can last (two minutes) and than a new object can stay out of Meta's lists, which nobody states; minutes are assumed."""

MOST_ROUNDS = 4
"""Attempts for one object in one run."""

MOST_ATTEMPTS = 20
"""For one object in all; then a person has to look."""

VALIDATED = ("campaign", "adset", "creative", "ad")
"""Kinds for which Meta checks the parameters without making anything, where it is asked to."""

VALIDATE_ONLY: Params = {"execution_options": ["validate_only"]}


def nobody() -> str | None:
    """For `stopped`, where nothing but the ledger can stop a run."""
    return None


@dataclass(frozen=True)
class Built:
    """What there is at Meta after a run.

    Attributes:
        ids: Meta's, by role.
        created: roles of what this run made.
        adopted: roles of what an earlier attempt had made and this run has found.
        checked: the comparison with the plan.
    """

    ids: dict[str, str]
    created: list[str]
    adopted: list[str]
    checked: Checked


@dataclass(frozen=True)
class Patience:
    """How long to wait for what is not known, and with which clock.

    Attributes:
        settle_seconds: see `SETTLE_SECONDS`.
        clock: epoch seconds; the ledger's.
        sleep: waits a number of seconds.
    """

    settle_seconds: float = SETTLE_SECONDS
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def in_time(self, since: float) -> Callable[[], bool]:
        """Whether a request that was written down at `since` may still leave, so that it takes effect before others stop waiting for it."""
        return lambda: self.clock() < since + self.settle_seconds / 2

    def wait_out(self, since: float) -> None:
        """Returns once nothing that was sent at `since` can still take effect unseen."""
        while (left := since + self.settle_seconds - self.clock()) > 0:
            self.sleep(left)


@dataclass
class Guard:
    """Looks, directly before each request that changes something, whether it is still wanted.

    Args:
        stopped: why all of VideoLab's campaigns stand still, as an environment variable may say; None where they do not.
    """

    ledger: Ledger
    tenant: str
    campaign_key: str
    stopped: Callable[[], str | None] = nobody

    def reason(self) -> str | None:
        """Why nothing may go on; None where it may."""
        return self.stopped() or self.ledger.stops.standing(self.tenant, self.campaign_key)

    def check(self) -> None:
        """Raises `Stopped` where somebody has stopped it."""
        reason = self.reason()
        if reason is not None:
            raise Stopped(f"{self.campaign_key} stands still ({reason}): lift the stop first, by a stop file with `resume: true`.")


def build(
    plan: CampaignPlan,
    account: AdAccount,
    graph: Graph,
    ledger: Ledger,
    store: Store,
    scratch: Path,
    *,
    patience: Patience | None = None,
    stopped: Callable[[], str | None] = nobody,
    progress: Callable[[str], None] | None = None,
) -> Built:
    """Makes all of a plan that is not there yet, paused, and compares everything with the plan.

    May be run again after any failure and beside itself: the outcome is one tree.

    Args:
        plan: as the store keeps it.
        account: whose currency and time zone are compared with Meta's before anything is made.
        graph: as whom; its longest request has to end well within the time to settle.
        store: holds the videos and covers.
        scratch: a folder for downloads.
        patience: how long to wait where an outcome is unknown.
        stopped: see `Guard`.
        progress: told a sentence before each step.

    Raises:
        PermanentError: Meta refuses something, in its words; two objects carry one tag; the campaign was stopped; another plan was begun.
        TransientError: Meta could not be reached, is busy or did not answer: run it again.
    """
    check_plan(plan, account, graph)
    ledger.enter(plan)
    builder = _Builder(
        plan, graph, ledger, store, scratch, patience or Patience(), Guard(ledger, plan.tenant, plan.campaign_key, stopped), progress
    )
    for planned in plan.objects:
        builder.ids[planned.role] = builder.made(planned)
    turned_on = ledger.commitments.reserved(plan.campaign_key) is not None
    checked = verify(plan, builder.ids, graph, RUNNING if turned_on else MADE)
    if not checked.differences:
        ledger.verified(plan.campaign_key)
    return Built(builder.ids, builder.created, builder.adopted, checked)


def check_plan(plan: CampaignPlan, account: AdAccount, graph: Graph) -> None:
    """Holds a plan against the account that it is for, and the account against Meta.

    Raises:
        PermanentError: the file of accounts names another one now, or says something else of it than Meta.
        GraphError: Meta cannot be read.
    """
    if (account.account, account.currency) != (plan.account_id, plan.currency):
        raise PermanentError(
            f"{plan.campaign_key} was planned for {plan.account_id} ({plan.currency}), and {ACCOUNTS} now names {account.account} "
            f"({account.currency}): order it anew."
        )
    check_account(graph, account)


@dataclass
class _Builder:
    plan: CampaignPlan
    graph: Graph
    ledger: Ledger
    store: Store
    scratch: Path
    patience: Patience
    guard: Guard
    progress: Callable[[str], None] | None
    ids: dict[str, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)

    def made(self, planned: PlannedObject) -> str:
        """Meta's id of the object, which is made if it is not there."""
        for _ in range(MOST_ROUNDS):
            # What is seen here is what a claim is compared with: another run's attempt during the search makes it fail.
            seen = self.ledger.intent(self.plan.campaign_key, planned.role)
            if seen.spec != planned.spec:
                raise TransientError(f"Another run has changed the plan of {self.plan.campaign_key}: run it again.")
            if seen.object_id and seen.state in ("created", "verified"):
                return seen.object_id
            if seen.state != "new":
                seen, found = self._searched(planned, seen)
                if found:
                    self.ledger.created(seen, found, adopted=True)
                    self.adopted.append(planned.role)
                    return found
            self._attempt(planned, seen)
        seen = self.ledger.intent(self.plan.campaign_key, planned.role)
        if seen.object_id and seen.state in ("created", "verified"):
            return seen.object_id
        raise TransientError(
            f"Meta has not answered {MOST_ROUNDS} attempts to make {planned.name}: run it again later.", seen.problem or ""
        )

    def _searched(self, planned: PlannedObject, seen: Intent) -> tuple[Intent, str | None]:
        """What an earlier attempt has made, once that must be visible; None where it has made nothing.

        A row that is held is looked at anew, as a person may have deleted what was too much.
        """
        self._say(f"Looking at Meta for {planned.name}, which an earlier attempt may have made")
        self.patience.wait_out(seen.attempted_at)
        ids = find(self.graph, planned.kind, planned.tag, self.plan.account_id, self.plan.business)
        if len(ids) > 1:
            raise self.ledger.hold(seen, ids)
        if seen.state == "hold":
            seen = self.ledger.freed(seen)
        if ids and planned.kind == "video":
            until_ready(self.graph, ids[0], sleep=self.patience.sleep, clock=self.patience.clock)
        return seen, ids[0] if ids else None

    def _attempt(self, planned: PlannedObject, seen: Intent) -> None:
        """One attempt, unless another run was quicker. Where nobody knows what became of it, it returns as well."""
        if seen.attempt >= MOST_ATTEMPTS:
            raise PermanentError(
                f"{planned.name} could not be made in {seen.attempt} attempts: look at it in Ads Manager.", seen.problem or ""
            )
        self._say(f"Making {planned.name}")
        params = filled(planned.params, self.ids)
        self.guard.check()
        if planned.kind in VALIDATED:
            validate(self.graph, planned, params, self.plan)
        mine = self.ledger.claim(seen)
        if mine is None:
            return
        try:
            self.guard.check()
            made = self._sent(planned, mine, params)
        except OutcomeUnknown as error:
            self.ledger.note(mine, error.sentence)
        except VideoLabError as error:
            self.ledger.note(mine, error.sentence)
            raise
        else:
            self.ledger.created(mine, made)
            self.created.append(planned.role)

    def _sent(self, planned: PlannedObject, mine: Intent, params: Params) -> str:
        """Sends what makes it, exactly once, and returns its id."""
        edge = edge_of(planned.kind, self.plan.account_id, self.plan.business)
        if planned.kind == "video":
            session = UploadSession.model_validate_json(mine.upload) if mine.upload else None
            try:
                return self._upload(planned, mine, session)
            except GraphRefused:
                # A video that Meta cannot use stays unusable: once a person has deleted it, the next attempt is to upload anew. One that is
                # whole all the same is found by its title before that.
                self.ledger.keep_upload(mine, None)
                raise
        if planned.kind == "image":
            return self._image(planned, mine, edge)
        return str(self.graph.post(edge, params, wanted=self.patience.in_time(mine.attempted_at))["id"])

    def _upload(self, planned: PlannedObject, mine: Intent, session: UploadSession | None) -> str:
        def keep(session: UploadSession) -> None:
            self.guard.check()
            if not self.ledger.keep_upload(mine, session.model_dump_json()):
                raise TransientError(f"Another run has taken over the upload of {planned.name}: look at that one.")

        with self._file(planned) as path:
            return upload_video(
                self.graph,
                self.plan.account_id,
                path,
                planned.name,
                keep=keep,
                session=session,
                sleep=self.patience.sleep,
                clock=self.patience.clock,
            )

    def _image(self, planned: PlannedObject, mine: Intent, edge: str) -> str:
        with self._file(planned) as path:
            files = {"filename": (planned.name, path.read_bytes(), "image/jpeg")}
        in_time = self.patience.in_time(mine.attempted_at)
        images = self.graph.post(edge, {}, files=files, expects=("images",), wanted=in_time)["images"]
        hashes = (
            {str(one["hash"]) for one in images.values() if isinstance(one, dict) and one.get("hash")}
            if isinstance(images, dict)
            else set()
        )
        if len(hashes) != 1:
            raise OutcomeUnknown(f"Meta does not say what became of the image {planned.name}.")
        return hashes.pop()

    def _file(self, planned: PlannedObject) -> AbstractContextManager[Path]:
        if planned.file is None:
            raise PermanentError(f"The plan of {self.plan.campaign_key} has no file for {planned.role}: order the campaign anew.")
        return self.store.local(planned.file.key, self.scratch)

    def _say(self, sentence: str) -> None:
        if self.progress:
            self.progress(sentence)


def validate(graph: Graph, planned: PlannedObject, params: Params, plan: CampaignPlan) -> None:
    """Has Meta check an object's parameters without making it.

    Raises:
        GraphRefused: it would not be made, in Meta's words.
        PermanentError: Meta has made it, although it was asked not to.
        GraphError: as `Graph.post`; nothing has happened.
    """
    edge = edge_of(planned.kind, plan.account_id, plan.business)
    answer = graph.post(edge, {**params, **VALIDATE_ONLY}, expects=("success", "id"))
    if answer.get("id"):
        raise PermanentError(
            f"Meta was asked to check {planned.name} only, and has made it as {str(answer['id'])[:40]}: delete that in Ads Manager, and "
            "nothing more is made before it is known why."
        )
