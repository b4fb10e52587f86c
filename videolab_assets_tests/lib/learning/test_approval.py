"""Approving: whole, once, on the rules that it was about, and with nothing lost."""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.clips.rules import RULES_KEY, default_rules, read_rules, rules_in_force
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.learning.approval import APPROVED, REPLACED, Approval, approve, read_approval
from videolab_assets.lib.learning.proposal import PROPOSALS, Proposal, keep, propose
from videolab_assets.lib.store import Store, open_store
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.learning.made import observed

EVIDENCE = observed(60, 3, effects={"hook": 1.5})
OTHER = observed(60, 4, effects={"motion": 1.5})
OWN = b"# by hand\nversion: spring\nweights: {hook: 4}\n"
BROKEN = b"version: autumn\nclips: {most: many}\n"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return LocalStore(tmp_path / "store")
    bucket, client = request.getfixturevalue("s3_bucket"), request.getfixturevalue("s3_client")
    return open_store(f"s3://{bucket}/some/prefix", s3_client=client)


def lay(store: Store, data: bytes) -> None:
    store.write_bytes(RULES_KEY, data, media_type="application/yaml")


def proposed(store: Store, evidence: Any = EVIDENCE) -> Proposal:
    proposal = propose(evidence, rules_in_force(store))
    assert keep(proposal, store)
    return proposal


def contents(store: Store) -> list[bytes]:
    return [store.read_bytes(entry.key, 1 << 20) for entry in store.list("rules")]


def test_approved_rules_are_followed(store: Store) -> None:
    """A person says yes and the next plan follows the old rules."""
    proposal = proposed(store)
    approved = approve(store, proposal.id, "Ana", 1000.0)
    in_force = rules_in_force(store)
    assert in_force.sha256 == proposal.rules_sha256 == approved.sha256
    assert in_force.rules == read_rules(proposal.rules_yaml)
    assert in_force.problem is None
    assert (approved.by, approved.at, approved.replaced, approved.kept_as) == ("Ana", 1000.0, None, None)
    assert approve(store, proposal.id, "Bea", 2000.0) == approved, "who approved it first is lost"


def test_the_replaced_file_stays(store: Store) -> None:
    """What a person wrote is gone, comments and all, because a machine had a better idea."""
    lay(store, OWN)
    proposal = proposed(store)
    approved = approve(store, proposal.id, "Ana", 1000.0)
    assert approved.replaced == hashlib.sha256(OWN).hexdigest()
    assert approved.kept_as and store.read_bytes(approved.kept_as, 1000) == OWN
    second = proposed(store, OTHER)
    assert second.version == f"spring + {second.id}"
    approve(store, second.id, "Ana", 2000.0)
    assert OWN in contents(store) and proposal.rules_yaml in contents(store)


def test_even_a_broken_file_stays(store: Store) -> None:
    """A file with a typing mistake is what somebody meant to have, and an approval deletes it."""
    proposal = proposed(store)
    lay(store, BROKEN)
    approved = approve(store, proposal.id, "Ana", 1000.0)
    assert approved.kept_as == f"{REPLACED}/{hashlib.sha256(BROKEN).hexdigest()}.yaml"
    assert store.read_bytes(approved.kept_as, 1000) == BROKEN
    assert rules_in_force(store).sha256 == proposal.rules_sha256


def test_rules_that_have_changed_are_not_overwritten(store: Store) -> None:
    """A person changes the rules, and an older proposal quietly takes the change back."""
    proposal = proposed(store)
    lay(store, OWN)
    with pytest.raises(PermanentError, match=f"changed since proposal {proposal.id} was made: it is about 'default 1', and 'spring' is"):
        approve(store, proposal.id, "Ana", 1000.0)
    assert store.read_bytes(RULES_KEY, 1000) == OWN
    assert not list(store.list(APPROVED))


def test_an_older_approval_is_not_repeated(store: Store) -> None:
    """A sensor reads an old approval again and the rules go back in time."""
    first = proposed(store)
    approve(store, first.id, "Ana", 1000.0)
    second = proposed(store, OTHER)
    approve(store, second.id, "Ana", 2000.0)
    with pytest.raises(PermanentError, match="Make a new proposal"):
        approve(store, first.id, "Ana", 3000.0)
    assert rules_in_force(store).sha256 == second.rules_sha256


def test_unknown_ids_are_refused_with_what_there_is(store: Store) -> None:
    """A digit typed wrong, and nobody can tell what would have been right."""
    with pytest.raises(PermanentError, match="nor any other: materialize proposed_rules first"):
        approve(store, "0" * 8, "Ana", 1.0)
    proposal = proposed(store)
    wrong = proposal.id[:-1] + ("0" if proposal.id[-1] != "0" else "1")
    with pytest.raises(PermanentError, match=f"no proposal '{wrong}': did you mean {proposal.id}"):
        approve(store, wrong, "Ana", 1.0)


def test_a_proposal_that_somebody_edited_is_refused(store: Store) -> None:
    """Somebody changes the file after it was looked at, and the yes counts for what nobody has seen."""
    proposal = proposed(store)
    edited = proposal.rules_yaml.replace(b"novelty: 1.5", b"novelty: 9.5")
    assert edited != proposal.rules_yaml
    store.write_bytes(f"{PROPOSALS}/{proposal.id}.yaml", edited, media_type="application/yaml")
    with pytest.raises(PermanentError, match="was changed since it was proposed"):
        approve(store, proposal.id, "Ana", 1.0)
    store.write_bytes(f"{PROPOSALS}/{proposal.id}.json", b"{}", media_type="application/json")
    with pytest.raises(PermanentError, match="cannot be read by this version"):
        approve(store, proposal.id, "Ana", 1.0)
    assert rules_in_force(store) == default_rules()


class Killed(BaseException):
    """As if the process ended."""


def dying(store: LocalStore, monkeypatch: pytest.MonkeyPatch, at: int, after: bool) -> Callable[[], int]:
    """The store's process is killed at its write of that number; tells how many there were."""
    written, real = [0], store.write_bytes

    def write(key: str, data: bytes, **how: Any) -> bool:
        written[0] += 1
        if written[0] == at and not after:
            raise Killed
        done = real(key, data, **how)
        if written[0] == at:
            raise Killed
        return done

    monkeypatch.setattr(store, "write_bytes", write)
    return lambda: written[0]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("standing", [None, OWN, BROKEN])
def test_killed_at_any_write_it_comes_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing: bytes | None, after: bool
) -> None:
    """Killed half-way, the rules are half a file or nobody's, the old ones are lost, or a second try refuses its own work."""
    for at in range(1, 10):
        store = LocalStore(tmp_path / f"{at}")
        if standing == OWN:
            lay(store, OWN)
        proposal = proposed(store)
        if standing == BROKEN:
            lay(store, BROKEN)
        with monkeypatch.context() as patched:
            written = dying(store, patched, at, after)
            with contextlib.suppress(Killed):
                approve(store, proposal.id, "Ana", 1.0)
            reached = written() >= at
        assert rules_in_force(store).sha256 in (proposal.based_on, proposal.rules_sha256)
        assert approve(store, proposal.id, "Ana", 2.0).by == "Ana"
        assert rules_in_force(store).sha256 == proposal.rules_sha256
        assert standing is None or standing in contents(store)
        assert store.stat(f"{APPROVED}/{proposal.id}.json")
        if not reached:
            return
    pytest.fail("more writes than were thought of")


@pytest.mark.parametrize("standing", [None, OWN])
def test_rules_laid_in_this_very_moment_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing: bytes | None) -> None:
    """Between the look at the rules and the write somebody lays new ones, which are gone unseen."""
    store = LocalStore(tmp_path / "store")
    if standing:
        lay(store, standing)
    proposal, real = proposed(store), store.read_bytes
    looked = [0]

    def read(key: str, limit: int) -> bytes:
        if key == RULES_KEY:
            looked[0] += 1
            if looked[0] == 3:  # the look, the rules in force, and then once more
                lay(store, b"version: hers\n")
        return real(key, limit)

    monkeypatch.setattr(store, "read_bytes", read)
    with pytest.raises(TransientError, match="trying again will look at it"):
        approve(store, proposal.id, "Ana", 1.0)
    assert real(RULES_KEY, 1000) == b"version: hers\n"
    with pytest.raises(PermanentError, match="Make a new proposal"):
        approve(store, proposal.id, "Ana", 1.0)


def test_the_first_rules_of_all_are_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's very first rules arrive after the last look, and are gone before anybody followed them."""
    store = LocalStore(tmp_path / "store")
    proposal, real = proposed(store), store.write_bytes

    def write(key: str, data: bytes, **how: Any) -> bool:
        if key == RULES_KEY:
            real(key, OWN, media_type="application/yaml")
        return real(key, data, **how)

    monkeypatch.setattr(store, "write_bytes", write)
    with pytest.raises(TransientError, match="trying again will look at it"):
        approve(store, proposal.id, "Ana", 1.0)
    assert store.read_bytes(RULES_KEY, 1000) == OWN


def test_an_approval_is_read_with_its_lines() -> None:
    """A slip in the file is answered by a traceback."""
    assert read_approval(b"proposal: 1a2b3c4d\nby: Ana\n") == Approval(proposal="1a2b3c4d", by="Ana")
    assert read_approval(b"proposal: 12345678\nby: Ana\n").proposal == "12345678"
    for text, sentence in (
        (
            b"proposal: 1a2b\nby: Ana\n",
            "Line 1: proposal is '1a2b', and the 8 digits and letters a to f by which the proposal is called was",
        ),
        (b"proposal: 1a2b3c4d\n", "Line 1: by is missing"),
        (b"proposal: 1a2b3c4d\nbye: Ana\n", "Line 2: 'bye' is not known, and 'by' was expected"),
    ):
        with pytest.raises(PermanentError) as refusal:
            read_approval(text)
        assert sentence in str(refusal.value)
