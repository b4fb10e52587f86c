"""The rules of a person: which are followed, and what a mistake in them leaves standing."""

import contextlib
import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.captions.styles import STYLES
from videolab_assets.lib.clips.rules import (
    ACCEPTED,
    LATEST,
    RULES_KEY,
    OrderedLook,
    Rules,
    RulesInForce,
    Weights,
    default_rules,
    read_rules,
    rules_in_force,
)
from videolab_assets.lib.documents import Look, ScoreParts
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.store import Store, open_store
from videolab_assets.lib.store.local import LocalStore

FIRST = b"version: spring\nweights: {hook: 9}\n"
SECOND = b"version: summer\nclips: {most: 4, longest: 1:30}\nlooks: {a: {captions: off}, b: {captions: bold}}\n"
BROKEN = b"version: autumn\nclips:\n  most: many\n"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return LocalStore(tmp_path / "store")
    bucket, client = request.getfixturevalue("s3_bucket"), request.getfixturevalue("s3_client")
    return open_store(f"s3://{bucket}/some/prefix", s3_client=client)


def lay(store: Store, data: bytes) -> None:
    store.write_bytes(RULES_KEY, data, media_type="application/yaml")


def kept(store: Store) -> dict[str, bytes]:
    return {entry.key: store.read_bytes(entry.key, 1 << 20) for entry in store.list("rules")}


def accepted_as(data: bytes) -> str:
    return f"{ACCEPTED}/{hashlib.sha256(data).hexdigest()[:8]}.yaml"


def test_the_default_ships() -> None:
    """The file that ships is left out of the package, or says other than what a person who leaves something out gets."""
    data = files("videolab_assets.lib.clips").joinpath("platform_rules.yaml").read_bytes()
    assert default_rules() == RulesInForce(Rules(version="default 1"), hashlib.sha256(data).hexdigest())
    written = data.decode()
    assert all(f" {name}: " in written for name in (*Weights.model_fields, *Look.model_fields)), "not everything can be found in it"
    assert f"a style ({', '.join(STYLES)}), or off" in written
    uncommented = written.replace("  # b:", "  b:").replace("  #   ", "    ")
    assert read_rules(uncommented.encode()).looks.by_label()["b"] == Look(captions="bold", hook="headline", cover="headline")


def test_weights_and_parts_have_the_same_names() -> None:
    """A part of the score has no weight, or a weight is for nothing."""
    assert Weights.model_fields.keys() == ScoreParts.model_fields.keys()
    assert OrderedLook() == OrderedLook.model_validate(Look().model_dump())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clips: {}", "Line 1: version is missing, and text of at most 100 characters was expected."),
        ("version: 1\nclips:\n  least: 6\n", "Line 3: clips.least is '6', and a number no larger than most (5) was expected."),
        ("version: 1\nclips: {most: 21}", "Line 2: clips.most is '21', and a whole number from 1 to 20 was expected."),
        ("version: 1\nclips: {shortest: 0.5}", "Line 2: clips.shortest is '0.5', and a time from 0:01 to 10:00 was expected."),
        (
            "version: 1\nclips:\n  shortest: 1:10",
            "Line 2: clips.longest is missing, and a time above shortest (1:10) and up to 10:00 was expected.",
        ),
        (
            "version: 1\nclips:\n  longest: 15",
            "Line 3: clips.longest is '15', and a time above shortest (0:15) and up to 10:00 was expected.",
        ),
        ("version: 1\nclips:\n  longest: 11:00", "Line 3: clips.longest is '11:00', and a time above shortest (0:15) and up to"),
        ("version: 1\nweights: {hook: 11}", "Line 2: weights.hook is '11', and a number from 0 to 10 was expected."),
        ("version: 1\nweights:\n  hok: 1", "Line 3: 'hok' is not known in weights, and 'hook' was expected."),
        ("version: 1\nlooks:\n  a:\n    captions: cler", "Line 4: looks.a.captions is 'cler', and clear, bold, "),
        ("version: 1\nlooks:\n  a: {cover: last}", "Line 3: looks.a.cover is 'last', and best, first or headline was expected."),
        ("version: 1\nlooks:\n  c: {}", "Line 3: 'c' is not known in looks, and 'a' or 'b' was expected."),
        ('version: 1\nlooks: {a: {headline: "a\\nb"}}', "Line 2: looks.a.headline is 'a\\nb', and text in one line"),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, sentence: str) -> None:
    """Rules that contradict each other are followed, or nobody learns which line is wrong."""
    with pytest.raises(PermanentError) as refusal:
        read_rules(text.encode())
    assert refusal.value.sentence.startswith(sentence)


def test_something_has_to_count() -> None:
    """With every weight 0 each clip's score is a division by nothing."""
    nothing = "".join(f"  {name}: 0\n" for name in Weights.model_fields)
    with pytest.raises(PermanentError, match="Line 2: at least one number above 0 was expected in weights"):
        read_rules(f"version: 1\nweights:\n{nothing}".encode())


def test_a_broken_file_changes_nothing(store: Store) -> None:
    """A typing mistake brings back the default in the middle of a campaign, or stops every plan; or a person's file is rewritten."""
    assert rules_in_force(store) == default_rules()
    assert kept(store) == {}
    lay(store, BROKEN)
    before = rules_in_force(store)
    assert (before.rules, before.sha256) == (default_rules().rules, default_rules().sha256)
    assert before.problem and before.problem.startswith(f"{RULES_KEY}: Line 3: clips.most is 'many', and a whole number from 1 to 20 was")

    lay(store, FIRST)
    first = rules_in_force(store)
    assert (first.rules.version, first.rules.weights.hook, first.problem) == ("spring", 9.0, None)
    assert first.sha256 == hashlib.sha256(FIRST).hexdigest()
    assert rules_in_force(store) == first
    lay(store, SECOND)
    second = rules_in_force(store)
    assert (second.rules.clips.most, second.rules.clips.longest, list(second.rules.looks.by_label())) == (4, 90.0, ["a", "b"])
    lay(store, FIRST)
    assert rules_in_force(store) == first

    lay(store, BROKEN)
    after = rules_in_force(store)
    assert (after.rules, after.sha256) == (first.rules, first.sha256), "the last one accepted was the first again"
    assert after.problem and "Line 3" in after.problem and "spring" in after.problem
    expected = {RULES_KEY: BROKEN, accepted_as(FIRST): FIRST, accepted_as(SECOND): SECOND}
    assert {key: data for key, data in kept(store).items() if key != LATEST} == expected


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"sha256": "../../secret"}', b'{"sha256": "0", "version": ""}', b"x" * 5000])
def test_a_damaged_memory(damage: bytes, tmp_path: Path) -> None:
    """What says which rules were accepted last is damaged, and nothing can be planned any more."""
    store = LocalStore(tmp_path)
    lay(store, FIRST)
    first = rules_in_force(store)
    store.write_bytes(LATEST, damage, media_type="application/json")
    lay(store, BROKEN)
    assert rules_in_force(store).rules == default_rules().rules
    lay(store, FIRST)
    assert rules_in_force(store) == first
    lay(store, BROKEN)
    assert rules_in_force(store).rules == first.rules


@pytest.mark.parametrize("data", [None, SECOND, b"version: 0\nold: true\n"])
def test_what_was_accepted_is_not_believed(data: bytes | None, tmp_path: Path) -> None:
    """Rules that a later version of VideoLab cannot read, or that somebody changed or removed, stop every plan or pass for the others."""
    store = LocalStore(tmp_path)
    lay(store, FIRST)
    rules_in_force(store)
    path = Path(store.uri(accepted_as(FIRST)).removeprefix("file://"))
    path.unlink()
    if data:
        store.write_bytes(accepted_as(FIRST), data, media_type="application/yaml")
    lay(store, BROKEN)
    found = rules_in_force(store)
    assert found.rules == default_rules().rules
    assert found.problem and "that ship" in found.problem


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """The rules file is a link to somebody's secrets, and the first line of them is shown as a mistake."""
    store = LocalStore(tmp_path / "store")
    path = Path(store.uri(RULES_KEY).removeprefix("file://"))
    path.parent.mkdir(parents=True)
    (tmp_path / "secret").write_text("password: hunter2")
    path.symlink_to(tmp_path / "secret")
    found = rules_in_force(store)
    assert found.rules == default_rules().rules
    assert found.problem and "password" not in found.problem


class Killed(BaseException):
    """The process ends here."""


def dying_at(count: int, write: Callable[..., bool]) -> Callable[..., bool]:
    """Ends the process in place of the `count`-th write."""
    calls = iter(range(1, 100))

    def dying(*arguments: Any, **options: Any) -> bool:
        if next(calls) == count:
            raise Killed
        return write(*arguments, **options)

    return dying


def test_no_crash_forgets_what_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is killed between keeping a version and noting it: the note leads nowhere, and the next mistake brings the default."""
    for count in range(1, 4):
        store = LocalStore(tmp_path / str(count))
        lay(store, FIRST)
        rules_in_force(store)
        lay(store, SECOND)
        with monkeypatch.context() as killed:
            killed.setattr(store, "write_bytes", dying_at(count, store.write_bytes))
            with contextlib.suppress(Killed):
                rules_in_force(store)
        lay(store, BROKEN)
        assert rules_in_force(store).rules.version == ("spring" if count < 3 else "summer")
        lay(store, SECOND)
        assert rules_in_force(store).rules.version == "summer"
