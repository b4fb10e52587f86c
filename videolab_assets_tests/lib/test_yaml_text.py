"""YAML that people write: it means what it looks like, and what is wrong in it is pointed at by line."""

import string
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, ValidationError, field_validator

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.yaml_text import Line, Seconds, Unsuitable, clock, model_of, read_yaml, yaml_of

LONGEST = 4096


class Weights(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hook: float = Field(default=1.0, ge=0, le=10, allow_inf_nan=False)
    most: int = Field(default=3, ge=1, le=20)


class Stretch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: Seconds
    end: Seconds

    @field_validator("end")
    @classmethod
    def _later(cls, end: float) -> float:
        if end == 13:
            raise Unsuitable("a luckier number")
        return end


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Line
    weights: Weights = Weights()
    pin: list[Stretch] = Field(default_factory=list, max_length=2)
    style: Literal["clear", "off"] = "clear"
    discard: bool = False
    note: str | None = None
    least: Annotated[float, Field(ge=1)] = 1.0


def read(text: str | bytes) -> Settings:
    return read_yaml(text if isinstance(text, bytes) else text.encode(), Settings, longest=LONGEST, what="settings file")


def refused(text: str | bytes) -> PermanentError:
    with pytest.raises(PermanentError) as refusal:
        read(text)
    return refusal.value


def test_it_means_what_it_looks_like() -> None:
    """YAML 1.1: off is a boolean, 1:30 is 90 in base 60, 1.10 is 1.1, 010 is 8, 2024-01-01 is a date."""
    settings = read(
        "version: 1.10\nstyle: off\ndiscard: yes\nnote: 2024-01-01\nweights: {hook: 010, most: 5}\n"
        "pin:\n- start: 1:30\n  end: 0:01:40.25\n- {start: 90, end: '1:31,5'}\n"
    )
    assert (settings.version, settings.style, settings.discard, settings.note) == ("1.10", "off", True, "2024-01-01")
    assert (settings.weights.hook, settings.weights.most) == (10.0, 5)
    assert [(one.start, one.end) for one in settings.pin] == [(90.0, 100.25), (90.0, 91.5)]
    assert read("\ufeffversion: no\r\nnote: ~\r\nweights:\r\n  hook: 2\r\n") == Settings(version="no", weights=Weights(hook=2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# a\nversion: 1\nweights:\n  most: 2\n  hook: lots\n", "Line 5: weights.hook is 'lots', and a number from 0 to 10 was expected."),
        ("version: 1\nweights:\n  hook: .nan\n", "Line 3: weights.hook is '.nan', and a number from 0 to 10 was expected."),
        ("version: 1\nweights: {most: 2.5}\n", "Line 2: weights.most is '2.5', and a whole number from 1 to 20 was expected."),
        ("version: 1\nleast: 0\n", "Line 2: least is '0', and a number of at least 1 was expected."),
        ("version: 1\nwieghts: {}\n", "Line 2: 'wieghts' is not known, and 'weights' was expected."),
        ("version: 1\nweights:\n  x: {}\n", "Line 3: 'x' is not known in weights, and 'hook' or 'most' was expected."),
        ("version: 1\nweights: 3\n", "Line 2: weights is '3', and a group of `name: value` lines was expected."),
        ("version: 1\nweights:\n- 3\n", "Line 2: weights is a list of 1, and a group of `name: value` lines was expected."),
        ("version: 1\nstyle: loud\n", "Line 2: style is 'loud', and clear or off was expected."),
        ("version: 1\ndiscard: perhaps\n", "Line 2: discard is 'perhaps', and true or false was expected."),
        ("version: 1\npin: [1, 2, 3]\n", "Line 2: pin is a list of 3, and a list of at most 2 entries was expected."),
        ("version: 1\npin:\n", "Line 2: pin is empty, and a list of at most 2 entries was expected."),
        (
            "version: 1\npin:\n- start: 1\n  end: 2\n-\n  start: 1:75\n  end: 2\n",
            "Line 6: pin 2.start is '1:75', and a time in seconds (83.5) or minutes and seconds (1:23.5) was expected.",
        ),
        (
            "version: 1\npin:\n- start: 1\n",
            "Line 3: pin 1.end is missing, and a time in seconds (83.5) or minutes and seconds (1:23.5) was expected.",
        ),
        ("version: 1\npin:\n- start: 1\n  end: 13\n", "Line 4: pin 1.end is '13', and a luckier number was expected."),
        ("", "Line 1: version is missing, and text of at most 100 characters was expected."),
        ("# nothing\n", "Line 1: version is missing, and text of at most 100 characters was expected."),
        ("- a\n- b\n", "Line 1: a list of 2 stands there, and a group of `name: value` lines was expected."),
        ("version: 1\n\nversion: 2\n", "Line 3: 'version' stands here again after line 1, and it was expected once."),
        ("a: &x 1\n", "Line 1: '&x' refers to another place, and the value itself was expected."),
        ("version: 1\nnote: *x\n", "Line 2: '*x' refers to another place, and the value itself was expected."),
        ("version: !!str 1\n", "Line 1: 'tag:yaml.org,2002:str' is a tag, and a plain value was expected."),
        ("? [a]\n: 1\n", "Line 1: a list or group stands in the place of a name, and `name: value` was expected."),
        ("version: 1\n---\nversion: 2\n", "Line 2: a second document begins here, and the end of the file was expected."),
        ('version: 1\nnote: "\\ud800"\n', "Line 2: half a character stands there, and text was expected."),
        ('version: "\\e[2J"\n', "Line 1: version is '\\x1b[2J', and text in one line, without control characters was expected."),
        ('version: 1\nnote: "\\UFFFFFFFF"\n', "Line 2: a number that YAML cannot hold stands there, and text was expected."),
        ("version: 1\nnote: \x07\n", "Line 2: a character that cannot be seen stands there, and text was expected."),
        (b"version: 1\nnote: \xe9t\xe9\n", "Line 2: this settings file is not UTF-8 text there: save it as UTF-8."),
        ("v: " + "x" * LONGEST, "This settings file is larger than 4 KiB: nothing that long was expected."),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str | bytes, sentence: str) -> None:
    """A person searches a file for a mistake that the machine has found, or is told of it in the words of a schema."""
    assert refused(text).sentence == sentence


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 1\n\tnote: x\n", 2, "a tab stands where only spaces may"),
        ("version: 1\nnote: 'abc\nleast: 2\n", 2, "what begins there has no end"),
        ("version: 1\nnote: a: b\n", 2, "mapping values are not allowed here"),
        ("version: [1\nnote: 2\n", 2, "in what begins on line 1"),
    ],
)
def test_what_is_no_yaml(text: str, line: int, words: str) -> None:
    """A slip of the keyboard is answered with a traceback of the parser."""
    sentence = refused(text).sentence
    assert sentence.startswith(f"Line {line}: ") and words in sentence and "was expected" in sentence


def test_everything_wrong_is_told_at_once() -> None:
    """Five mistakes take a person five rounds."""
    refusal = refused("version: 1\nleast: 0\nweights:\n  most: x\n  hok: 1\nstyle: no\n")
    assert [line.split(":")[0] for line in refusal.detail.splitlines()] == ["Line 2", "Line 4", "Line 5", "Line 6"]
    assert refusal.detail.startswith(refusal.sentence)


@pytest.mark.parametrize(
    "text",
    [
        "[" * LONGEST,
        "- " * (LONGEST // 2),
        "{a: " * (LONGEST // 4),
        "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
        "? " * (LONGEST // 2),
        "- a\n" * (LONGEST // 4),
    ],
)
def test_bombs(text: str) -> None:
    """A few bytes take minutes, all memory, or the process."""
    assert refused(text).sentence.startswith("Line ")


def test_too_many_values() -> None:
    """A file within its size holds so many values that holding them against a model takes minutes."""
    data = b"- 1\n" * 6000
    with pytest.raises(PermanentError, match="Line 5000: the file has more than 5000 values"):
        read_yaml(data, Settings, longest=1 << 20, what="file")


PIECES = st.lists(
    st.sampled_from(
        ["version", ": ", ":", "\n", "  ", "- ", "pin", "start", "end", "weights", "hook", "1:30", "5", "{", "}", "[", "]", "'", '"', "\\",
         "\\U", "\\x", "F", "&a", "*a", "!", "!!", "%YAML ", "---", "...", "|", ">", "#", "?", ",", "<<", "\t", "\r", "\ud800", "é", "~"]
    )
).map(lambda pieces: "".join(pieces).encode("utf-8", "surrogatepass"))  # fmt: skip


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")), PIECES))
def test_any_bytes(data: bytes) -> None:
    """Somebody's file raises what nobody catches, and the sensor stands still."""
    try:
        settings = read_yaml(data, Settings, longest=LONGEST, what="settings file")
    except PermanentError as refusal:
        assert "expected" in refusal.sentence or "UTF-8" in refusal.sentence
        assert refusal.sentence.isprintable()
    else:
        assert settings == Settings.model_validate(settings.model_dump())


@given(st.floats(min_value=0, max_value=9_999_999))
@example(2199023.6060355)
def test_times_come_back(seconds: float) -> None:
    """A time that we wrote is another one when it is read, or cannot be read."""
    assert TypeAdapter(Seconds).validate_python(clock(seconds)) == round(seconds, 6)


@given(st.one_of(st.text(st.sampled_from(string.digits + ":.,+-e _"), max_size=12), st.floats(), st.integers(), st.booleans(), st.none()))
def test_every_time_is_one_or_none(given: object) -> None:
    """Something like a time is taken for another one than a person would, or is infinite."""
    try:
        seconds = TypeAdapter(Seconds).validate_python(given)
    except ValidationError:
        return
    assert 0 <= seconds < 10_000_000
    if isinstance(given, str):
        whole, *part = given.strip().replace(",", ".").split(".")
        expected = sum(int(one) * 60**place for place, one in enumerate(reversed(whole.split(":"))))
        assert seconds == round(expected + float(f"0.{part[0]}" if part else 0), 6)


PLAIN_TEXT = st.text(min_size=1, max_size=60).filter(str.isprintable)


@given(st.recursive(PLAIN_TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_TEXT, inner, max_size=3), max_leaves=8))
@example("null")
@example(["~", {"- a": "a: b"}, "off", "1:30", "# no"])
def test_what_is_written_is_read_again(value: object) -> None:
    """A title such as `null`, `- a` or `a: b` becomes something else on its way through a file that we wrote."""

    class Holder(BaseModel):
        value: object

    text = yaml_of({"value": value}, "A comment: with marks\n\n# and lines")
    assert read_yaml(text, Holder, longest=1 << 20, what="file").value == value
    assert text.startswith(b"# A comment: with marks\n#\n# # and lines\n")


def test_what_is_written_reads_well() -> None:
    """A person who is to edit the file finds every time in quotes."""
    text = yaml_of({"pin": [{"start": clock(90), "end": clock(3723.25)}], "discard": True, "title": "Ünïcode 😀"}, "Orders")
    assert text.decode() == "# Orders\npin:\n- start: 1:30\n  end: 1:02:03.25\ndiscard: true\ntitle: Ünïcode 😀\n"
    assert yaml.safe_load(text)["title"] == "Ünïcode 😀"
    assert yaml_of({}, "Nothing") == b"# Nothing\n"


def test_values_without_a_file() -> None:
    """What comes from the launchpad is held to other rules than what comes from a file."""
    assert model_of({"version": "1", "pin": [{"start": "1:30", "end": 95}]}, Settings).pin[0].start == 90.0
    with pytest.raises(PermanentError) as refusal:
        model_of({"version": "1", "pin": [{"start": "1:75", "end": 10**400}]}, Settings)
    assert refusal.value.sentence.startswith("Pin 1.end is 1000")
    assert "Pin 1.start is '1:75', and a time in seconds" in refusal.value.detail


class Named(RootModel[dict[str, Weights]]):
    """Groups under names that the person chooses."""


def test_groups_under_free_names_have_their_own_words() -> None:
    """Where names are free, what stands under one is told as "something else was expected", or not found in the file at all."""
    text = b"a:\n  hook: 2\nb:\n  most: many\n  hok: 1\n"
    with pytest.raises(PermanentError) as caught:
        read_yaml(text, Named, longest=LONGEST, what="file")
    assert caught.value.detail.splitlines() == [
        "Line 4: b.most is 'many', and a whole number from 1 to 20 was expected.",
        "Line 5: 'hok' is not known in b, and 'hook' was expected.",
    ]
    with pytest.raises(PermanentError, match=r"Line 1: a is '5', and a group of `name: value` lines was expected\."):
        read_yaml(b"a: 5\n", Named, longest=LONGEST, what="file")


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wanted: int


def test_a_mistyped_name_is_not_also_missing() -> None:
    """A person reads first that something is missing that stands there, and only then of the typo."""
    with pytest.raises(PermanentError) as caught:
        read_yaml(b"wantd: 3\n", Wanted, longest=100, what="file")
    assert str(caught.value) == "Line 1: 'wantd' is not known, and 'wanted' was expected."
