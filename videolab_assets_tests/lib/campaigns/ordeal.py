"""Campaigns made, turned on and stopped by processes that are killed at any step, against a server that fails at any request.

A worker is a fork of the test's process. Its steps are its SQL statements, what it sends and what it receives; nothing in the package knows
that it is watched.
"""

import contextlib
import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from videolab_assets.lib.campaigns import searching
from videolab_assets.lib.campaigns.arming import activate, pause_all
from videolab_assets.lib.campaigns.building import Patience, build
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.ordering import begin
from videolab_assets.lib.campaigns.plan import CampaignPlan
from videolab_assets.lib.campaigns.request import read_activation
from videolab_assets.lib.database import Database
from videolab_assets.lib.meta import wire
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.graph_server import TOKEN
from videolab_assets_tests.lib.campaigns.referee import FORK, Referee, Truth
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, TENANT, Clips, account, planned

SETTLE = 60.0
"""Seconds of the shared clock."""

REAL_SETTLE = 2.0
"""Seconds of a real clock, for two processes at once."""

TIMEOUT = 0.25
MOST_ROUNDS = 14
DONE, FAILED = 0, 3

Job = Literal["build", "activate", "pause", "resume"]
_COMPILED: dict[Any, Any] = {}


class _Warm(Database):
    """A database whose statements have been compiled already, by whoever ran before the fork."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._engine = self._engine.execution_options(compiled_cache=_COMPILED)


@dataclass(frozen=True)
class Trouble:
    """What befalls the worker of one round.

    Attributes:
        step: the worker's own step before which it is killed; 0 for never.
        phase, request: it is killed before or after the effect of a request, by number; 0 for never.
        faults: name, pattern, requests that pass before, settings.
    """

    step: int = 0
    phase: str = "after"
    request: int = 0
    faults: tuple[tuple[str, str | None, int, tuple[tuple[str, Any], ...]], ...] = ()


CALM = Trouble()


@dataclass
class Ran:
    """How a round ended: killed, or with an exit code; and how many steps the worker got to."""

    killed: bool
    code: int
    steps: int


@dataclass
class Ordeal:
    """One campaign, or a few, in a folder of their own."""

    referee: Referee
    folder: Path
    endpoint: str
    plans: list[CampaignPlan]
    settle: float = SETTLE
    real: bool = False
    steps: Any = field(default_factory=lambda: FORK.RawValue("i", 0))

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder}/videolab.db"

    def start(self, job: Job, number: int = 0, trouble: Trouble = CALM) -> int:
        """Forks a worker; its process id."""
        self.steps.value = 0
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                os.read(ready, 1)
                self._work(job, number, trouble)
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
                os._exit(FAILED)
            os._exit(DONE)
        os.close(ready)
        if trouble.request:
            self.referee.kill(pid, trouble.phase, trouble.request)
        for name, on, skip, settings in trouble.faults:
            self.referee.fault(name, on, skip, **dict(settings))
        os.close(go)
        return pid

    def wait(self, pid: int) -> Ran:
        """Until the worker is gone, and everything that it has sent has been carried out."""
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        return Ran(killed, -1 if killed else os.waitstatus_to_exitcode(status), int(self.steps.value))

    def round(self, job: Job, number: int = 0, trouble: Trouble = CALM) -> Ran:
        """One worker from beginning to end."""
        return self.wait(self.start(job, number, trouble))

    def ids(self, number: int = 0) -> dict[str, str]:
        """Meta's ids as the ledger knows them."""
        database = Database(self.database_url)
        try:
            return Ledger(database).ids(self.plans[number].campaign_key)
        finally:
            database.dispose()

    def _work(self, job: Job, number: int, trouble: Trouble) -> None:
        """What the worker does, in a process of its own."""
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stderr = os.fdopen(2, "w", buffering=1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self._watch(trouble.step)
        self.do(job, number)

    def do(self, job: Job, number: int = 0) -> None:
        """The job itself."""
        clock = self.referee.clock
        patience = Patience(self.settle, clock) if self.real else Patience(self.settle, clock, clock.sleep)
        ledger = Ledger(_Warm(self.database_url), clock)
        graph = Graph(Connection(TOKEN, self.endpoint, timeout=TIMEOUT), sleep=(lambda _: None) if self.real else clock.sleep)
        with contextlib.closing(graph):
            self._do(job, number, graph, ledger, patience)

    def _do(self, job: Job, number: int, graph: Graph, ledger: Ledger, patience: Patience) -> None:
        plan, store = self.plans[number], LocalStore(self.folder.parent / "store")
        if job == "build":
            begin(LocalStore(self.folder / "documents"), plan, ledger)
            told: object = build(plan, account(), graph, ledger, store, self.folder, patience=patience, progress=None)
        elif job == "activate":
            word = f"campaign: {plan.campaign_key}\nbudget: {plan.budget.amount()}\ncurrency: EUR\nby: Ana\n"
            activation = read_activation(word.encode(), TENANT)
            told = activate(plan, activation, account(), graph, ledger, patience=patience, progress=None)
        elif job == "pause":
            told = pause_all(TENANT, graph, ledger, plan.account_id, reason="an ordeal", patience=patience, progress=None)
        else:
            told = ledger.stops.lift(TENANT, "the ordeal is over")
        sys.stderr.write(f"{told!r}\n")

    def _watch(self, kill_at: int) -> None:
        """Counts the worker's steps, and ends it before one of them."""

        def step(*_: Any) -> None:
            self.steps.value += 1
            if self.steps.value == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        sa.event.listen(sa.Engine, "before_cursor_execute", step)
        send: Callable[..., Any] = wire.Wire.send

        def watched(*args: Any, **kwargs: Any) -> Any:
            step()
            answer = send(*args, **kwargs)
            step()
            return answer

        wire.Wire.send = watched  # type: ignore[method-assign]
        searching.ROWS_IN_A_PAGE = 1

    def leaks(self) -> list[str]:
        """Files of this ordeal in which the token stands: the workers' output and exceptions, the database, documents."""
        return [str(path) for path in self.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""


def campaign_of(rng: random.Random, clips: Clips, count: int, split: str | None, name: str = "spring") -> CampaignPlan:
    """A campaign of some clips, with a budget below the cap."""
    both = split is None and rng.random() < 0.3
    lines = [CAMPAIGN[: CAMPAIGN.index("creatives:")].replace("300.00", f"{rng.randint(40, 500)}.00"), "creatives:\n"]
    for number in range(1, count + 1):
        platform = "facebook_feed_video" if both and number % 2 else "instagram_reel"
        lines.append(f"  - {{video: acme.talk.0123abcd, clip: c{number:02d}, platform: {platform}}}\n")
    return planned("".join(lines) + (f"split: {split}\n" if split else ""), clips, f"{name}.campaign.yaml")


def problems(plan: CampaignPlan, truth: Truth, ids: dict[str, str]) -> list[str]:
    """Where what is at Meta is not exactly one tree of the plan, as the ledger knows it."""
    found = []
    kinds = {"study": "ad_study"}
    known = set(ids.values())
    for kind, things in truth.objects.items():
        strangers = [thing for thing in things if thing.get("hash", thing["id"]) not in known and thing.get("status") != "DELETED"]
        found += [f"{kind} {thing['id']} is at Meta and not in the ledger" for thing in strangers]
    for one in plan.objects:
        things = truth.objects[kinds.get(one.kind, one.kind)]
        if one.kind == "image":
            mine = [thing for thing in things if thing["hash"] == ids.get(one.role)]
        else:
            live = [thing for thing in things if thing.get("status") != "DELETED"]
            mine = [thing for thing in live if one.tag in str(thing.get("title") or thing.get("name"))]
        named = [str(thing["hash"] if one.kind == "image" else thing["id"]) for thing in mine]
        if named != [ids.get(one.role)]:
            found.append(f"{one.role} is {named} at Meta and {ids.get(one.role)} in the ledger")
    for one in plan.of_kind("adset"):
        thing = next((thing for thing in truth.objects["adset"] if thing["id"] == ids.get(one.role)), {})
        if int(thing.get("lifetime_budget", 0)) != one.params["lifetime_budget"] or thing.get("campaign_id") != ids.get("campaign"):
            found.append(f"{one.role} may spend {thing.get('lifetime_budget')} in campaign {thing.get('campaign_id')}")
    for one in plan.of_kind("ad"):
        thing = next((thing for thing in truth.objects["ad"] if thing["id"] == ids.get(one.role)), {})
        adset, creative = (ids.get(role) for role in one.parents)
        if (thing.get("adset_id"), (thing.get("creative") or {}).get("creative_id")) != (adset, creative):
            found.append(f"{one.role} is {thing}")
    return found
