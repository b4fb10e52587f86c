"""A campaign turned on, by a step of its own that names its budget; and everything turned off.

Ads and ad sets are turned on first and the campaign last, so that nothing can spend before that one request. Whoever stops a campaign first
says so in the ledger and then pauses; whoever turns one on first writes down that a request is about to leave and then looks whether it is
stopped: of two at the same time, at least one sees the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from videolab_assets.lib.campaigns.building import Guard, Patience, check_plan, nobody
from videolab_assets.lib.campaigns.ledger import Intent, Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan, PlannedObject
from videolab_assets.lib.campaigns.request import Activation
from videolab_assets.lib.campaigns.searching import tagged_campaigns
from videolab_assets.lib.campaigns.stops import Stopped
from videolab_assets.lib.campaigns.verifying import RUNNING, read, verify
from videolab_assets.lib.errors import PermanentError, TransientError, VideoLabError
from videolab_assets.lib.meta.accounts import ACCOUNTS, AdAccount
from videolab_assets.lib.meta.errors import GraphError, OutcomeUnknown
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.money import Money

MOST_TRIES = 4
"""Requests that set one object's status, each after a look at it."""

STATUS = "name,status,effective_status"
OVER = ("PAUSED", "ARCHIVED", "DELETED")
"""A campaign's own statuses in which nothing of it is shown."""


@dataclass(frozen=True)
class TurnedOn:
    """A campaign that runs.

    Attributes:
        budget: all that it may ever spend.
        campaign_id: Meta's.
        changed: roles of what this run has turned on.
        issues: what Meta says is wrong with it, in sentences.
    """

    budget: Money
    campaign_id: str
    changed: list[str]
    issues: list[str]


@dataclass
class Paused:
    """What a stop came to.

    Attributes:
        paused: ids of the campaigns that this run has paused.
        still: ids of those that did not run anyway.
        problems: sentences; empty where nothing of the tenant can spend any more.
    """

    paused: list[str] = field(default_factory=list)
    still: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def activate(
    plan: CampaignPlan,
    activation: Activation,
    account: AdAccount,
    graph: Graph,
    ledger: Ledger,
    *,
    patience: Patience | None = None,
    stopped: Callable[[], str | None] = nobody,
    progress: Callable[[str], None] | None = None,
) -> TurnedOn:
    """Turns a campaign on that has been made as planned. May be run again after any failure.

    Args:
        plan: as the store keeps it.
        activation: a person's word, which has to name the campaign and exactly its budget.
        account: with the caps as they are now.
        graph: as whom.
        ledger: where the money is reserved first.
        patience: how long to wait where an outcome is unknown.
        stopped: see `Guard`.
        progress: told a sentence before each step.

    Raises:
        PermanentError: it names something else, what is at Meta differs from the plan, it is over, a cap is reached, or it is stopped.
        TransientError: Meta could not be reached, is busy or did not answer: run it again.
    """
    patience = patience or Patience()
    guard = Guard(ledger, plan.tenant, plan.campaign_key, stopped)
    ids = ledger.ids(plan.campaign_key)
    switch = _Switch(graph, guard, patience, progress or _silent)
    if guard.reason() is not None and ledger.commitments.reserved(plan.campaign_key) and "campaign" in ids:
        switch.pause(ids["campaign"], plan.title)  # an earlier run may have died between turning it on and seeing the stop
    guard.check()
    check_plan(plan, account, graph)
    _check_word(plan, activation, account, patience.clock())
    issues = _check_made(plan, ids, graph)
    ledger.commitments.reserve(plan.campaign_key, plan.budget, cap=_month_cap(account), by=activation.by)
    order = (*plan.of_kind("ad"), *plan.of_kind("adset"), *plan.of_kind("campaign"))
    changed = [planned.role for planned in order if switch.turn_on(planned, ids[planned.role])]
    if (reason := guard.reason()) is not None:
        switch.pause(ids["campaign"], plan.title)
        raise Stopped(f"{plan.campaign_key} was stopped while it was turned on ({reason}), and is paused.")
    ledger.commitments.turned_on(plan.campaign_key)
    return TurnedOn(plan.budget, ids["campaign"], changed, issues)


def _silent(_: str) -> None:
    """Where nobody wants to know."""


def _check_word(plan: CampaignPlan, activation: Activation, account: AdAccount, now: float) -> None:
    """What the person has said, held against the plan, the calendar and the caps."""
    if activation.campaign != plan.campaign_key:
        raise PermanentError(f"The activation names {activation.campaign}, and this is {plan.campaign_key}: nothing was turned on.")
    if activation.money() != plan.budget:
        raise PermanentError(
            f"The activation names {activation.money().in_words()}, and {plan.campaign_key} may spend {plan.budget.in_words()}: "
            "nothing was turned on. Name exactly that budget to allow it."
        )
    if plan.end.timestamp() <= now:
        raise PermanentError(f"{plan.campaign_key} ended on {plan.end:%Y-%m-%d %H:%M}: order it anew with later dates.")
    cap = account.campaign_cap
    if cap is None or plan.budget > cap:
        allowed = f"at most {cap.in_words()} are allowed for one" if cap else "without caps none is"
        raise PermanentError(f"{plan.campaign_key} may spend {plan.budget.in_words()}, and {allowed} in {ACCOUNTS}: nothing was turned on.")


def _month_cap(account: AdAccount) -> Money:
    cap = account.month_cap
    if cap is None:
        raise PermanentError(f"{account.tenant} has no caps in {ACCOUNTS}: nothing is turned on without.")
    return cap


def _check_made(plan: CampaignPlan, ids: Mapping[str, str], graph: Graph) -> list[str]:
    """What is at Meta, held against the plan to the minor unit; Meta's own complaints."""
    missing = [planned.role for planned in plan.objects if planned.role not in ids]
    if missing:
        raise PermanentError(
            f"{plan.campaign_key} has not been made as a whole ({', '.join(missing[:5])} missing): run meta_campaign first."
        )
    checked = verify(plan, ids, graph, RUNNING)
    if checked.differences:
        sentence = f"What is at Meta for {plan.campaign_key} differs from its plan, so nothing was turned on: {checked.differences[0]}"
        raise PermanentError(sentence, "\n".join(checked.differences))
    return checked.issues


@dataclass
class _Switch:
    """Sets statuses, each request after a look at what the status is."""

    graph: Graph
    guard: Guard
    patience: Patience
    progress: Callable[[str], None]

    def turn_on(self, planned: PlannedObject, object_id: str) -> bool:
        """Whether it was off. Directly before the request it is written down, and only then looked for a stop."""

        def announced() -> Callable[[], bool]:
            since = self.guard.ledger.commitments.turning_on(self.guard.campaign_key)
            self.guard.check()
            return self.patience.in_time(since)

        return self._set(object_id, planned.name, "ACTIVE", announced)

    def pause(self, object_id: str, name: str) -> bool:
        """Whether it ran. No stop keeps anybody from this."""
        return self._set(object_id, name, "PAUSED", lambda: None)

    def _set(self, object_id: str, name: str, wanted: str, announced: Callable[[], Callable[[], bool] | None]) -> bool:
        changed, problem = False, ""
        for _ in range(MOST_TRIES):
            row = read(self.graph, [object_id], STATUS).get(object_id)
            status = str(row.get("status")) if row else "gone"
            if status == wanted or (wanted == "PAUSED" and status in (*OVER, "gone")):
                return changed
            if status not in RUNNING:
                raise PermanentError(f"{name} is {status} at Meta, and can no longer be turned on.")
            self.progress(f"Setting {name} to {wanted}")
            in_time = announced()
            changed = True
            try:
                self.graph.post(object_id, {"status": wanted}, expects=("success",), wanted=in_time)
            except OutcomeUnknown as error:
                problem = error.sentence
        raise TransientError(f"{name} could not be set to {wanted} at Meta: run it again.", problem)


def pause_all(
    tenant: str,
    graph: Graph,
    ledger: Ledger,
    account_id: str,
    *,
    reason: str,
    campaign_key: str = "",
    patience: Patience | None = None,
    progress: Callable[[str], None] | None = None,
) -> Paused:
    """The kill switch: nothing of a tenant, or of one campaign of it, can spend when this returns without problems. May be repeated.

    The stop is written down first and stands until it is lifted, so that nothing is made or turned on meanwhile; then every campaign that
    the ledger knows or that carries a tag at Meta is paused and read back. It needs no more than an access token: where the database
    cannot be reached, what carries a tag is paused all the same.

    Args:
        account_id: where the tenant's campaigns are.
        reason: why, for whoever finds it stopped.
        campaign_key: the one campaign; empty for all.
        patience: how long a request that turns something on may still be under way.

    Raises:
        TransientError: something could not be paused, looked for or written down: run it again, at once.
    """
    return _Stopping(tenant, graph, ledger, account_id, campaign_key, patience or Patience(), progress or _silent).done(reason)


@dataclass
class _Stopping:
    tenant: str
    graph: Graph
    ledger: Ledger
    account_id: str
    campaign_key: str
    patience: Patience
    progress: Callable[[str], None]
    known: dict[str, Intent] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    paused: Paused = field(default_factory=Paused)

    def done(self, reason: str) -> Paused:
        written = self._written_down(reason)
        problems = self._pause_everything(written is None)
        if written is None and self._was_under_way():
            problems = self._pause_everything(True)
        self.paused.problems = [*([written] if written else []), *problems]
        if self.paused.problems:
            sentence = f"Not everything of {self.tenant} could be paused: run it again at once, or pause it in Ads Manager."
            raise TransientError(sentence, "\n".join(self.paused.problems))
        return self.paused

    def _written_down(self, reason: str) -> str | None:
        """None once the stop is in the ledger, and the campaigns that it concerns are known from there; else why not."""
        try:
            self.ledger.stops.stop(self.tenant, reason, self.campaign_key)
            concerned = [one for one in self.ledger.campaigns(self.tenant) if self.campaign_key in ("", one.campaign_key)]
        except TransientError as error:
            return f"The stop could not be written down: {error.sentence}"
        self.known = {one.tag: one for one in concerned}
        return None

    def _was_under_way(self) -> bool:
        """Whether a request that turns one of them on may have left shortly before the stop; returns once it has ended."""
        since = self.ledger.commitments.last_turning_on([one.campaign_key for one in self.known.values()])
        recent = since + self.patience.settle_seconds > self.patience.clock()
        if recent:
            left = since + self.patience.settle_seconds - self.patience.clock()
            self.progress(f"All is paused; in {left:.0f} s it is paused once more, as a request that turns something on may be under way")
            self.patience.wait_out(since)
        return recent

    def _pause_everything(self, written: bool) -> list[str]:
        """Pauses one campaign after the other; sentences about those that may still run."""
        switch = _Switch(self.graph, Guard(self.ledger, self.tenant, self.campaign_key), self.patience, self.progress)
        found, problems = self._campaigns(written)
        for campaign_id in sorted(found):
            try:
                if switch.pause(campaign_id, f"campaign {campaign_id}"):
                    self.ran.add(campaign_id)
            except VideoLabError as error:
                problems.append(f"Campaign {campaign_id} may still run: {error.sentence}")
        self.paused.paused, self.paused.still = sorted(found & self.ran), sorted(found - self.ran)
        return problems

    def _campaigns(self, written: bool) -> tuple[set[str], list[str]]:
        """Ids of the campaigns that are concerned: from the ledger, and by their tags from Meta, where an id was lost."""
        found = {one.object_id for one in self.known.values() if one.object_id}
        try:
            tagged = tagged_campaigns(self.graph, self.account_id)
        except GraphError as error:
            return found, [f"Campaigns could not be looked for: {error.sentence}"]
        owners = self.ledger.tenants_of_tags(tagged.values()) if written else {}
        everything = not self.campaign_key
        return found | {
            campaign_id
            for campaign_id, tag in tagged.items()
            if tag in self.known or (everything and owners.get(tag, self.tenant) == self.tenant)
        }, []
