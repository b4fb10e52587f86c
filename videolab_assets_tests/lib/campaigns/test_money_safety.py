"""Nothing is made twice, nothing is lost, nothing is spent beyond the cap and the token is nowhere, whatever dies or fails when."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.campaigns.ordeal import CALM, REAL_SETTLE, SETTLE, Job, Ordeal, Trouble, campaign_of, problems
from videolab_assets_tests.lib.campaigns.referee import Referee
from videolab_assets_tests.lib.campaigns.stage import Clips
from videolab_assets_tests.lib.campaigns.trials import Trial, Turn, applicable, failures, kills, spread

JOBS: tuple[Job, ...] = ("build", "activate", "pause")
CAP = 90_000
RUNS = 1000
REFERENCE = (2, "clip")
"""The campaign at whose every step something happens: two clips against each other."""


class Field:
    """Where ordeals take place: a server, clips in a store, and the steps that a campaign takes when nothing goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.referee = Referee()
        self.clips = Clips(LocalStore(folder / "store"))
        self.count = 0
        warm = self.ordeal(random.Random(0), *REFERENCE)
        for job in JOBS:  # what is compiled and loaded here, each worker has from its birth
            warm.do(job)
        calm = self.ordeal(random.Random(0), *REFERENCE)
        self.steps: dict[Job, int] = {}
        self.requests: dict[Job, int] = {}
        sent = 0
        for job in JOBS:
            self.steps[job] = calm.round(job).steps
            now = self.referee.truth().requests
            self.requests[job], sent = now - sent, now

    def ordeal(self, rng: random.Random, count: int, split: str | None, campaigns: int = 1, real: bool = False) -> Ordeal:
        """A fresh account with campaigns that are still to be made."""
        self.count += 1
        settle = REAL_SETTLE if real else SETTLE
        polls = 1 if (count, split) == REFERENCE else rng.randint(0, 1)
        endpoint = self.referee.reset(settle=settle / 4, polls=polls, chunk=1500)
        folder = self.folder / f"{self.count}"
        folder.mkdir()
        plans = [campaign_of(rng, self.clips, count, split, f"spring{number}") for number in range(campaigns)]
        return Ordeal(self.referee, folder, endpoint, plans, settle, real)

    def turns(self) -> list[Turn]:
        """Every step of a campaign's life, and every fault at every request."""
        return [*kills(self.steps, self.requests), *failures()]


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    memory = Path("/dev/shm")  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="videolab-", dir=memory if memory.is_dir() else None))
    field = Field(folder)
    yield field
    field.referee.close()
    shutil.rmtree(folder)


def tried(field: Field, seed: int, turn: Turn | None) -> tuple[set[str], bool]:
    """One run; the faults that have happened in it, and whether its kill has hit."""
    rng = random.Random(seed)
    count, split = REFERENCE if turn else rng.choice([(1, None), (1, None), (1, "look"), (2, None), (3, "clip"), (4, None)])
    ordeal = field.ordeal(rng, count, split)
    chance = turn or Turn(rng.choice(JOBS), Trouble(step=rng.randint(1, 250)), "chance")
    outcome = Trial(ordeal, chance, rng, CAP).run()
    assert not outcome.wrong, f"seed {seed}, {chance.name}: {outcome.wrong}\n{ordeal.log()}"
    shutil.rmtree(ordeal.folder)
    return outcome.played, outcome.killed


def test_some_of_the_runs(field: Field) -> None:
    """Prevents what the thousand runs prevent, as far as a few seconds go."""
    for seed, turn in enumerate(spread(field.turns(), 12)):
        tried(field, seed, turn)


@pytest.mark.long
def test_a_thousand_runs(field: Field) -> None:
    """Prevents duplicates, losses, spending beyond the cap and leaks of the token for every step at which a process may be killed and
    every fault of the server, each at least once, and for as many mixtures of them as a thousand runs hold.
    """
    turns = field.turns()
    assert len(turns) <= RUNS
    missed, played = [], set()
    for seed in range(RUNS):
        turn = turns[seed] if seed < len(turns) else None
        happened, killed = tried(field, seed, turn)
        played |= happened
        if turn and not killed and not turn.trouble.faults:
            missed.append(turn.name)
    assert not missed
    assert not set(applicable()) - played


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_two_runs_at_once_make_one_tree(field: Field, seed: int) -> None:
    """Prevents two runs of the same campaign, as after a lost heartbeat, from making two of something."""
    two_at_once(field, seed)


@pytest.mark.long
def test_many_runs_at_once_make_one_tree(field: Field) -> None:
    """Prevents the same for more interleavings, some with a killed run among them."""
    for seed in range(2, 60):
        two_at_once(field, seed)


def two_at_once(field: Field, seed: int) -> None:
    rng = random.Random(seed)
    ordeal = field.ordeal(rng, 1, None, real=True)
    for job in ("build", "activate"):
        for _ in range(6):
            kill = Trouble(step=rng.randint(1, 90)) if rng.random() < 0.3 else CALM
            pids = [ordeal.start(job, 0, kill), ordeal.start(job)]
            codes = [ordeal.wait(pid).code for pid in pids]
            if 0 in codes:
                break
        assert 0 in codes, ordeal.log()
        field.referee.cleared()
    truth = field.referee.truth()
    assert not truth.duplicates
    assert not problems(ordeal.plans[0], truth, ordeal.ids())
    assert truth.could_spend == truth.could_ever == ordeal.plans[0].budget_minor


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1))
def test_campaigns_turned_on_at_once_keep_the_cap(field: Field, seed: int) -> None:
    """Prevents each of several campaigns from seeing the same money left in the month, killed in the middle or not."""
    cap_kept(field, seed)


@pytest.mark.long
def test_many_campaigns_at_once_keep_the_cap(field: Field) -> None:
    """Prevents the same for more interleavings."""
    for seed in range(1, 20):
        cap_kept(field, seed)


def cap_kept(field: Field, seed: int) -> None:
    rng = random.Random(seed)
    ordeal = field.ordeal(rng, 1, None, campaigns=4, real=True)
    for number in range(4):
        assert ordeal.round("build", number).code == 0, ordeal.log()
    for _ in range(3):
        pids = [ordeal.start("activate", number, Trouble(step=rng.choice([0, rng.randint(1, 60)]))) for number in range(4)]
        for pid in pids:
            ordeal.wait(pid)
    for number in range(4):
        ordeal.round("activate", number)
    truth = field.referee.truth()
    budgets = sorted(plan.budget_minor for plan in ordeal.plans)
    assert truth.could_ever == truth.could_spend <= CAP
    assert sum(budgets) <= CAP or truth.could_ever + budgets[-1] > CAP - budgets[-1]
    assert not truth.duplicates


@pytest.mark.long
def test_a_stop_wins_over_a_run_that_turns_on_at_the_same_time(field: Field) -> None:
    """Prevents a campaign that runs although everything was stopped, because it was turned on a moment later."""
    for seed in range(3):
        rng = random.Random(seed)
        ordeal = field.ordeal(rng, 1, None, real=True)
        assert ordeal.round("build").code == 0, ordeal.log()
        on, off = ordeal.start("activate", 0, Trouble(step=rng.choice([0, rng.randint(30, 54)]))), ordeal.start("pause")
        ordeal.wait(on)
        assert ordeal.wait(off).code == 0, ordeal.log()
        field.referee.cleared()
        assert field.referee.truth().could_spend == 0
        assert not ordeal.leaks()
