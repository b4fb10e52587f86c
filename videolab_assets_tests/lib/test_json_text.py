"""JSON that others wrote: the same values as everyone reads, with lines, and bounds."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.json_text import DEEPEST, MOST_VALUES, Placed, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(text: str | bytes) -> Any:
    return read_json(text if isinstance(text, bytes) else text.encode(), longest=1 << 20, what="timeline")


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 1, "\t"]))
def test_the_same_as_everyone_reads(value: Any, ascii_only: bool, indent: int | str | None) -> None:
    """A file that every other program opens is refused, or holds something else here."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    found = (
        read(text.encode("utf-8", "surrogatepass")) if text.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in text) else value
    )
    assert found == value
    assert json.dumps(found) == json.dumps(value)


@given(st.binary(max_size=100) | st.text(st.sampled_from('{}[]:,"\\ntrue1.e-+0 \n'), max_size=60).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """Somebody's file raises what nobody catches; or what is no JSON passes for it."""
    try:
        value = read(data)
    except PermanentError as refusal:
        assert refusal.sentence.startswith("Line ") and refusal.sentence.isprintable()
    else:
        assert value == json.loads(data.decode("utf-8-sig"))


def test_lines() -> None:
    """The line that a person is sent to is another one."""
    value = read('\n{\n "a": 1,\r\n "b": {\n\n  "c":\n [ {"d": 2} ]\n }\n}')
    inner = value["b"]
    assert isinstance(value, Placed) and isinstance(inner, Placed)
    assert (value.line, value.line_of("a"), value.line_of("b"), inner.line, inner.line_of("c"), inner["c"][0].line) == (2, 3, 4, 4, 6, 7)
    assert inner.line_of("x") == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{\n"a": NaN}', "Line 2: 'NaN}' stands there, and JSON was expected."),
        ('{\n"a": -Infinity}', "Line 2: '-Infinity}' stands there, and JSON was expected."),
        ('{"a":\n1e999}', "Line 2: '1e999' stands there, and a number of ordinary size was expected."),
        ("[" + "9" * 5000 + "]", f"Line 1: '{'9' * 40}' stands there, and a number of ordinary size was expected."),
        ('{"a": 1,\n"a": 2}', "Line 2: '\"a\"' stands there, and each name once in its object was expected."),
        ('{"a": 1,\n}', "Line 2: '}' stands there, and another value after the comma was expected."),
        ("[1\n2]", "Line 2: '2' stands there, and a comma or ] was expected."),
        ('{"a"\n1}', "Line 2: '1' stands there, and a : was expected."),
        ("{\n1: 2}", "Line 2: '1' stands there, and a name in quotes was expected."),
        ("[1]\n[2]", "Line 2: '[' stands there, and the end of the file was expected."),
        ('["a\\x"]', "Line 1: '\"a\\\\x\"' stands there, and text in JSON's way was expected."),
        ('["a\nb"]', "Line 1: '\"a' stands there, and JSON was expected."),
        ("", "Line 1: the end of the file stands there, and a value was expected."),
        ("{", "Line 1: the end of the file stands there, and a name in quotes was expected."),
        (b'["\xff"]', "Line 1: this timeline is not UTF-8 text there: save it as UTF-8."),
        ("[" * 100_000, f"Line 1: '[' stands there, and no more than {DEEPEST} levels, one in another, was expected."),
        ('{"a":' * 100_000, f"Line 1: '{{' stands there, and no more than {DEEPEST} levels, one in another, was expected."),
        ("[" + "0," * MOST_VALUES + "0]", f"Line 1: '0' stands there, and no more than {MOST_VALUES:,} values was expected."),
        (" " * (1 << 21), "This timeline is larger than 1024 KiB: nothing that long was expected."),
    ],
)
def test_what_is_refused(text: str | bytes, sentence: str) -> None:
    """A bomb takes the process, a number without end reaches the arithmetic, or nobody learns where the mistake is."""
    with pytest.raises(PermanentError) as refusal:
        read(text)
    assert refusal.value.sentence == sentence


def test_a_long_text_costs_its_length() -> None:
    """A megabyte in one text takes all memory for the way back."""
    for text in ("a" * 1_000_000, '\\"' * 500_000, "\\" * 1_000_001, "é" * 400_000):
        try:
            assert len(read(f'["{text}"]')[0]) in (len(text), len(text) // 2)
        except PermanentError as refusal:
            assert "Line 1" in refusal.sentence
    assert math.isfinite(read("[" + "1" * 40 + "]")[0])
