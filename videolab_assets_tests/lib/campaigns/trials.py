"""What is done to a campaign in each seeded run: every step and every fault has its turn, the rest is chance."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from videolab_assets_tests.graph_server import FAULTS
from videolab_assets_tests.lib.campaigns.ordeal import CALM, DONE, MOST_ROUNDS, Job, Ordeal, Ran, Trouble, problems

Fault = tuple[str, str | None, int, tuple[tuple[str, object], ...]]

EDGES = (
    ("POST */campaigns", 1),
    ("POST */adsets", 1),
    ("POST */advideos", 0),
    ("POST */advideos", 1),
    ("POST */advideos", 3),
    ("POST */adimages", 0),
    ("POST */adcreatives", 3),
    ("POST */ads", 1),
    ("POST */ad_studies", 0),
)
"""Requests that make something, each by how many of its pattern pass before: first comes one that only validates."""

VALIDATING = (("POST */campaigns", 0), ("POST */adcreatives", 0), ("POST */ads", 2))
STATUSES = tuple(("POST 1202*", place) for place in (0, 2, 4))
"""Requests that turn on the first ad, the first ad set and the campaign, of two ads in an ad set each."""
SETTINGS = {
    "slow_drip": (("seconds", 0.04),),
    "huge_answer": (("megabytes", 33),),
    "connection_refused": (("seconds", 0.05),),
    "late_listing": (("seconds", 20.0),),
    "in_process": (("seconds", 20.0),),
}
LISTS = ("empty_page", "next_without_cursors", "empty_last_page", "next_elsewhere", "repeated_rows", "filter_ignored", "filter_refused")
BENDING = ("late_listing", "with_issues", "in_process", "upload_offset", "upload_lost", "video_error", "video_never_ready")
OTHERS = ("connection_refused", "reduce_data", "without_id")
NOT_HERE = frozenset({"summary_refused", "restated", "today_refused", "report_expired"})
"""Faults of insights, and one of a parameter that is never sent."""

SLOW = frozenset({"timeout_before", "timeout_after", "slow_drip", "huge_answer"})
"""Faults that take a second of real time: each has its turn at fewer requests."""


def applicable() -> list[str]:
    """The faults that can happen to what makes, turns on and stops campaigns."""
    return [name for name, fault in FAULTS.items() if not fault.on.endswith("/insights") and name not in NOT_HERE]


def spoiling() -> list[str]:
    """Those that spoil the answer of any request."""
    return [name for name in applicable() if name not in (*LISTS, *BENDING, *OTHERS)]


@dataclass(frozen=True)
class Turn:
    """A trouble, and the job that it befalls."""

    job: Job
    trouble: Trouble
    name: str


def kills(steps: dict[Job, int], requests: dict[Job, int]) -> Iterator[Turn]:
    """One for each of the worker's own steps, and for each request before and after its effect."""
    for job, count in steps.items():
        yield from (Turn(job, Trouble(step=step), f"{job} killed at step {step}") for step in range(1, count + 1))
    for job, count in requests.items():
        for phase in ("before", "after"):
            for number in range(1, count + 1):
                yield Turn(job, Trouble(phase=phase, request=number), f"{job} killed {phase} the effect of request {number}")


def failures() -> Iterator[Turn]:
    """One for each fault at each request that changes something, and each fault of lists while something is looked for."""
    for name in spoiling():
        for job, places in (("build", (*EDGES, *VALIDATING)), ("activate", STATUSES), ("pause", STATUSES[:1])):
            for on, skip in places[:2] if name in SLOW else places:
                yield _failing(job, (name, on, skip, SETTINGS.get(name, ())))  # type: ignore[arg-type]
    lost: Fault = ("reset_after", "POST */adcreatives", 3, ())
    for name in LISTS:
        yield _failing(
            "build", lost, (name, "GET */adcreatives" if "filter" not in name else "GET */ads", 0, ()), ("reset_after", "POST */ads", 3, ())
        )
    for name in (*BENDING, *OTHERS):
        yield _failing("build", (name, None, 0, SETTINGS.get(name, ())))
    for name in ("late_listing", "in_process"):
        for on, skip in EDGES:
            yield _failing("build", (name, on, skip, SETTINGS[name]), ("reset_after", on, skip, ()))


def _failing(job: Job, *faults: Fault) -> Turn:
    words = " and ".join(f"{name} on {on or 'its own'} after {skip}" for name, on, skip, _ in faults)
    return Turn(job, Trouble(faults=faults), f"{job} with {words}")


@dataclass
class Outcome:
    """What came of a run: sentences of what is wrong, and what has happened in it.

    Attributes:
        killed: whether the turn's kill has hit.
        played: names of the faults that have happened.
    """

    wrong: list[str]
    killed: bool
    played: set[str]


class Trial:
    """One run: the turn's trouble first, then chance, then calm until it is done."""

    def __init__(self, ordeal: Ordeal, turn: Turn, rng: random.Random, cap: int) -> None:
        self.ordeal = ordeal
        self.turn = turn
        self.rng = rng
        self.cap = cap
        self.outcome = Outcome([], False, set())

    def run(self) -> Outcome:
        """Builds, turns on, and in some runs or where the turn says so stops."""
        self.through("build")
        self._check_built()
        stop = self.turn.job == "pause" or self.rng.random() < 0.2
        if stop and self.turn.job == "build" and self.rng.random() < 0.5:
            self._stopped_half_way()
        else:
            self.through("activate")
            self._check("turned on", spends=self.ordeal.plans[0].budget_minor)
            if stop:
                self.through("pause")
                self._check("stopped", spends=0)
        self.outcome.wrong += [f"the token stands in {name}" for name in self.ordeal.leaks()]
        return self.outcome

    def through(self, job: Job) -> None:
        """Until a worker has done it."""
        for number in range(MOST_ROUNDS):
            mine = job == self.turn.job and number == 0
            ran = self.ordeal.round(job, 0, self.turn.trouble if mine else self._chance(number))
            self._note(mine, ran)
            if ran.code == DONE:
                return
        self.outcome.wrong.append(f"{job} is not done after {MOST_ROUNDS} rounds")

    def _chance(self, number: int) -> Trouble:
        if number == 0 or number > 3 or self.rng.random() < 0.7:
            return CALM
        return Trouble(step=self.rng.randint(1, 60))

    def _note(self, mine: bool, ran: Ran) -> None:
        referee = self.ordeal.referee
        self.outcome.killed |= mine and ran.killed
        truth = referee.truth()
        self.outcome.played |= set(truth.played)
        referee.cleared()
        if ran.code != DONE:
            referee.mended()
        if truth.could_ever > self.cap:
            self.outcome.wrong.append(f"{truth.could_ever} could have been spent, above the cap of {self.cap}")

    def _check_built(self) -> None:
        self._check("built", spends=0)
        truth = self.ordeal.referee.truth()
        if truth.could_ever:
            self.outcome.wrong.append(f"{truth.could_ever} could have been spent before it was turned on")
        for kind in ("campaign", "adset", "ad"):
            running = [thing["id"] for thing in truth.objects[kind] if thing["status"] != "PAUSED"]
            self.outcome.wrong += [f"{kind} {one} is not paused" for one in running]

    def _check(self, when: str, *, spends: int) -> None:
        truth = self.ordeal.referee.truth()
        wrong = [f"duplicates: {group}" for group in truth.duplicates]
        wrong += problems(self.ordeal.plans[0], truth, self.ordeal.ids())
        if truth.could_spend != spends:
            wrong.append(f"{truth.could_spend} can be spent, and not {spends}")
        self.outcome.wrong += [f"{when}: {one}" for one in wrong]

    def _stopped_half_way(self) -> None:
        """Turning on is killed somewhere, everything is stopped, turning on is refused, and works after the stop is lifted."""
        self._note(False, self.ordeal.round("activate", 0, Trouble(step=self.rng.randint(1, 50))))
        self.through("pause")
        self._check("stopped half-way", spends=0)
        refused = self.ordeal.round("activate")
        if refused.code == DONE:
            self.outcome.wrong.append("it was turned on while everything was stopped")
        self._check("refused", spends=0)
        self.ordeal.round("resume")
        self._check("lifted", spends=0)
        self.through("activate")
        self._check("turned on after the stop", spends=self.ordeal.plans[0].budget_minor)


def spread(turns: Sequence[Turn], count: int) -> list[Turn]:
    """So many of them, evenly spread."""
    return [turns[place * len(turns) // count] for place in range(count)]
