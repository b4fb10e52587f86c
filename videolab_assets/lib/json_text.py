"""JSON that others wrote, as plain values whose objects know their lines, so that what is wrong in them can be pointed at.

Everything is bounded while it is read: bytes, depth, values, digits. NaN, infinities and names that stand twice are refused.
"""

import json
import math
import re
from typing import Any, NoReturn

from videolab_assets.lib.errors import PermanentError

DEEPEST = 64
MOST_VALUES = 200_000
LONGEST_NUMBER = 40

# Possessive, so that nothing that was read is ever gone back to: a long text costs its length once.
_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<mark>[{}\[\],:])
      | (?P<text>"(?>[^"\\\x00-\x1f]++|\\.)*+")
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)
      | (?P<word>true|false|null)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}


class Placed(dict[str, Any]):
    """A JSON object.

    Attributes:
        line: where it begins, from 1.
        lines: where each of its names stands.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, name: str) -> int:
        """The line of one of its names; its own where it has no such name."""
        return self.lines.get(name, self.line)


def read_json(data: bytes, *, longest: int, what: str) -> Any:
    """The value in a file: None, bool, int, float, str, list or `Placed`. Numbers are finite.

    Args:
        data: UTF-8, with or without its mark.
        longest: bytes.
        what: the file in words, as in "timeline".

    Raises:
        PermanentError: it is too long, no JSON, nested too deep, or holds too many values; the sentence names the line, what stands there
            and what was expected.
    """
    if len(data) > longest:
        raise PermanentError(f"This {what} is larger than {longest // 1024} KiB: nothing that long was expected.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PermanentError(f"Line {line}: this {what} is not UTF-8 text there: save it as UTF-8.", str(error)) from error
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.values = 0

    def document(self) -> Any:
        value = self._value(*self._token(), depth=1)
        kind, found = self._token()
        if kind != "end":
            self._refuse(found, "the end of the file")
        return value

    def _token(self) -> tuple[str, str]:
        """The kind and the text of the next one."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            begun = self.at + len(self.text[self.at :]) - len(self.text[self.at :].lstrip(" \t\n\r"))
            self.line += self.text.count("\n", self.at, begun)
            self._refuse(self.text[begun : begun + 20].partition("\n")[0], "JSON")
        kind = str(match.lastgroup)
        self.line += self.text.count("\n", self.at, match.start(kind))
        self.at = match.end()
        return kind, match[kind]

    def _value(self, kind: str, found: str, depth: int) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            self._refuse(found, f"no more than {MOST_VALUES:,} values")
        if depth > DEEPEST:
            self._refuse(found, f"no more than {DEEPEST} levels, one in another,")
        if kind == "text":
            return self._text(found)
        if kind == "number":
            return self._number(found)
        if kind == "word":
            return _WORDS[found]
        if found == "{":
            return self._object(depth)
        if found == "[":
            return self._list(depth)
        self._refuse(found, "a value")

    def _text(self, found: str) -> str:
        try:
            return str(json.loads(found)) if "\\" in found else found[1:-1]
        except json.JSONDecodeError:
            self._refuse(found, "text in JSON's way")

    def _number(self, found: str) -> int | float:
        value = float(found) if len(found) <= LONGEST_NUMBER else math.inf
        if not math.isfinite(value):
            self._refuse(found, "a number of ordinary size")
        return int(found) if found.lstrip("-").isdigit() else value

    def _object(self, depth: int) -> Placed:
        placed = Placed(self.line)
        kind, found = self._token()
        while found != "}" or kind != "mark":
            if kind != "text":
                self._refuse(found, "a name in quotes")
            name = self._text(found)
            if name in placed:
                self._refuse(found, "each name once in its object")
            placed.lines[name] = self.line
            self._mark(":")
            placed[name] = self._value(*self._token(), depth + 1)
            kind, found = self._after_value("}")
        return placed

    def _list(self, depth: int) -> list[Any]:
        values: list[Any] = []
        kind, found = self._token()
        while found != "]" or kind != "mark":
            values.append(self._value(kind, found, depth + 1))
            kind, found = self._after_value("]")
        return values

    def _after_value(self, end: str) -> tuple[str, str]:
        """The end of what the value is part of, or what comes after a comma."""
        kind, found = self._token()
        if kind == "mark" and found == end:
            return kind, found
        if kind != "mark" or found != ",":
            self._refuse(found, f"a comma or {end}")
        kind, found = self._token()
        if kind == "mark" and found == end:
            self._refuse(found, "another value after the comma")
        return kind, found

    def _mark(self, wanted: str) -> None:
        kind, found = self._token()
        if kind != "mark" or found != wanted:
            self._refuse(found, f"a {wanted}")

    def _refuse(self, found: str, expected: str) -> NoReturn:
        shown = repr(found[:40]) if found else "the end of the file"
        raise PermanentError(f"Line {self.line}: {shown} stands there, and {expected} was expected.")
