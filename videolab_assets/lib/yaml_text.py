"""YAML that people write, into a pydantic model: every problem with its line, what stands there and what was expected.

A subset that means what it looks like. Plain text stays text until a model asks for something else, so that `off`, `1:30` and `1.10`
are no boolean, no base 60 and no 1.1; there are no tags, anchors, aliases or duplicate keys. Values that did not come from a file, as
those of the launchpad, are held against the same models by `model_of`.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from videolab_assets.lib.errors import PermanentError

DEEPEST = 12
MOST_NODES = 5000
LONGEST_SHOWN = 40
MOST_DETAILED = 50
MICROSECONDS = 6

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]

_ABSENT = object()
_NOTHING = re.compile(r"|~|null|Null|NULL")
_SECONDS = re.compile(r"(\d{1,7})([.,]\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):([0-5]\d)|(\d{1,4})):([0-5]\d)([.,]\d{1,9})?", re.ASCII)


class Unsuitable(ValueError):
    """What a model's own validator raises: what was expected, and of which of its fields, where it is not the one being validated."""

    def __init__(self, expected: str, *path: str | int) -> None:
        super().__init__(expected)
        self.path = path


def _seconds(given: object) -> object:
    if isinstance(given, str):
        text = given.strip()
        if match := _SECONDS.fullmatch(text):
            hours, minutes, seconds, part = "0", "0", match[1], match[2]
        elif match := _CLOCK.fullmatch(text):
            hours, minutes, seconds, part = match[1] or "0", match[2] or match[3], match[4], match[5]
        else:
            raise Unsuitable(TIME_EXPECTED)
        fraction = float(part.replace(",", ".")) if part else 0.0
        return round(int(hours) * 3600 + int(minutes) * 60 + int(seconds) + fraction, MICROSECONDS)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Unsuitable(TIME_EXPECTED)
    return round(given, MICROSECONDS) if isinstance(given, float) else given


TIME_EXPECTED = "a time in seconds (83.5) or minutes and seconds (1:23.5)"

Seconds = Annotated[
    float, BeforeValidator(_seconds), Field(ge=0, lt=10_000_000, allow_inf_nan=False, json_schema_extra={"expected": TIME_EXPECTED})
]
"""A time: seconds with or without a fraction, m:ss or h:mm:ss; microseconds count."""


def clock(seconds: float) -> str:
    """A time as `Seconds` reads it: m:ss or h:mm:ss, with the fraction that it has."""
    whole, fraction = divmod(round(round(seconds, MICROSECONDS) * 10**MICROSECONDS), 10**MICROSECONDS)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    part = f".{fraction:0{MICROSECONDS}d}".rstrip("0").rstrip(".")
    return f"{hours}:{minute:02d}:{second:02d}{part}" if hours else f"{minute}:{second:02d}{part}"


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise Unsuitable("text in one line, without control characters")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)]
"""A line of text to show, as a title is."""


def read_yaml(data: bytes, model: type[M], *, longest: int, what: str, context: Mapping[str, Any] | None = None) -> M:
    """The model that a person's file describes. A file with nothing in it is one without any field.

    Args:
        data: the file.
        model: gives its fields' bounds, and with `expected` in a field's `json_schema_extra` the words for what may stand there.
        longest: bytes.
        what: the file in words, as in "rules file".
        context: for the model's own validators.

    Raises:
        PermanentError: it is too long, no UTF-8, no YAML of this subset, or not what the model wants. The sentence names the first line
            that is wrong, what stands there and what was expected; the detail all of them.
    """
    if len(data) > longest:
        raise PermanentError(f"This {what} is larger than {longest // 1024} KiB: nothing that long was expected.")
    node = _tree(_decoded(data, what), what)
    return _validated(node.plain() if node else {}, model, context, node or _Node(1, {}))


def model_of(value: object, model: type[M], context: Mapping[str, Any] | None = None) -> M:
    """The model that plain values describe, held to the same rules as a file.

    Raises:
        PermanentError: as `read_yaml`, without lines.
    """
    return _validated(value, model, context, None)


def yaml_of(value: Mapping[str, Any], comment: str) -> bytes:
    """A file that `read_yaml` reads back as the same values, for a person to edit; times as in `clock` are not quoted.

    Args:
        value: mappings, lists, text, numbers and booleans.
        comment: lines above it, without their marks.
    """
    marked = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    body = yaml.dump(dict(value), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=1_000_000) if value else ""
    return (marked + body).encode()


class _PlainDumper(yaml.SafeDumper):
    """Quotes only what this module would not read as text: nothing else is taken for a number or a date."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


_PlainDumper.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(rf"^(?:{_NOTHING.pattern})$"), ["~", "n", "N", ""])
for _kind in (int, float):
    _PlainDumper.add_representer(_kind, lambda dumper, number: dumper.represent_str(repr(number)))
_PlainDumper.add_representer(bool, lambda dumper, truth: dumper.represent_str(str(truth).lower()))


def _decoded(data: bytes, what: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PermanentError(f"Line {line}: this {what} is not UTF-8 text there: save it as UTF-8.", str(error)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass
class _Node:
    """One value of a file, and the line that it, or in a mapping its key, stands on."""

    line: int
    value: "str | list[_Node] | dict[str, _Node] | None"

    def plain(self) -> object:
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value


def _tree(text: str, what: str) -> _Node | None:
    """The file's only document; None where it holds nothing."""
    try:
        return _Composer(text).document()
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(error, text, what) from error
    except yaml.reader.ReaderError as error:
        line = _line(text, error.position)
        raise PermanentError(f"Line {line}: a character that cannot be seen stands there, and text was expected.", str(error)) from error


def _no_yaml(error: yaml.MarkedYAMLError, text: str, what: str) -> PermanentError:
    """What PyYAML says of a mistake. Where something has no end, the line is that of its beginning."""
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark is not None]
    begun, line = (_line(text, marks[place].index) if marks else 1 for place in (0, -1))
    problem = "a tab stands where only spaces may" if r"'\t'" in (error.problem or "") else error.problem or "something unknown"
    if marks and marks[-1].index >= len(text.rstrip()):
        line, problem = begun, "what begins there has no end"
    elif begun != line:
        problem += f", in what begins on line {begun}"
    sentence = f"Line {line}: this {what} cannot be read as YAML there ({problem}); `name: value` or `- value` was expected."
    return PermanentError(sentence, str(error))


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


@dataclass
class _Composer:
    """Builds the tree out of PyYAML's events, which neither recurse nor construct anything."""

    text: str
    nodes: int = 0
    events: Any = field(init=False)

    def __post_init__(self) -> None:
        self.events = yaml.SafeLoader(self.text)

    def document(self) -> _Node | None:
        try:
            return self._document()
        except (ValueError, OverflowError) as error:  # PyYAML hands an escape such as "\UFFFFFFFF" to chr() as it is
            line = _line(self.text, self.events.index)
            raise PermanentError(f"Line {line}: a number that YAML cannot hold stands there, and text was expected.", str(error)) from error

    def _document(self) -> _Node | None:
        self.events.get_event()
        if self.events.check_event(yaml.StreamEndEvent):
            return None
        self.events.get_event()
        node = self._node(self.events.get_event(), 1)
        self.events.get_event()
        if not self.events.check_event(yaml.StreamEndEvent):
            raise _problem(self._line_of(self.events.peek_event()), "a second document begins here, and the end of the file was expected")
        return None if node.value is None else node

    def _line_of(self, event: Any) -> int:
        return _line(self.text, event.start_mark.index)

    def _node(self, event: Any, depth: int) -> _Node:
        line = self._line_of(event)
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _problem(line, f"the file has more than {MOST_NODES} values by here, and far fewer were expected")
        if depth > DEEPEST:
            raise _problem(line, f"more than {DEEPEST} levels stand one in another here, and far fewer were expected")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise _problem(line, f"{_shown(mark + event.anchor)} refers to another place, and the value itself was expected")
        if event.tag is not None:
            raise _problem(line, f"{_shown(event.tag)} is a tag, and a plain value was expected")
        if isinstance(event, yaml.ScalarEvent):
            return _Node(line, self._scalar(event, line))
        if isinstance(event, yaml.SequenceStartEvent):
            return _Node(line, self._list(depth))
        return _Node(line, self._mapping(depth))

    def _scalar(self, event: Any, line: int) -> str | None:
        text = str(event.value)
        if any("\ud800" <= mark <= "\udfff" for mark in text):
            raise _problem(line, "half a character stands there, and text was expected")
        return None if event.style is None and _NOTHING.fullmatch(text) else text

    def _list(self, depth: int) -> list[_Node]:
        items = []
        while not self.events.check_event(yaml.SequenceEndEvent):
            items.append(self._node(self.events.get_event(), depth + 1))
        self.events.get_event()
        return items

    def _mapping(self, depth: int) -> dict[str, _Node]:
        fields: dict[str, _Node] = {}
        while not self.events.check_event(yaml.MappingEndEvent):
            event = self.events.get_event()
            name = self._node(event, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise _problem(name.line, "a list or group stands in the place of a name, and `name: value` was expected")
            key = str(event.value)
            if key in fields:
                raise _problem(name.line, f"{_shown(key)} stands here again after line {fields[key].line}, and it was expected once")
            value = self._node(self.events.get_event(), depth + 1)
            fields[key] = _Node(name.line, value.value)
        self.events.get_event()
        return fields


def _problem(line: int, sentence: str) -> PermanentError:
    return PermanentError(f"Line {line}: {sentence}.")


def _validated(value: object, model: type[M], context: Mapping[str, Any] | None, node: _Node | None) -> M:
    try:
        return model.model_validate(value, context=dict(context) if context else None)
    except ValidationError as error:
        schema = model.model_json_schema()
        problems = error.errors(include_url=False)
        meant = {(*problem["loc"][:-1], _near(problem["loc"], schema)) for problem in problems if problem["type"] == "extra_forbidden"}
        told = (problem for problem in problems if not (problem["type"] == "missing" and problem["loc"] in meant))
        found = {_told(problem, value, schema, node) for problem in told}
        sentences = [f"Line {line}: {said}." if line else f"{said[:1].upper()}{said[1:]}." for line, said in sorted(found)]
        raise PermanentError(sentences[0], "\n".join(sentences[:MOST_DETAILED]) if len(sentences) > 1 else "") from error


def _told(problem: ErrorDetails, value: object, schema: Mapping[str, Any], node: _Node | None) -> tuple[int, str]:
    """A problem's line, 0 where there is none, and its sentence without the full stop."""
    own = (problem.get("ctx") or {}).get("error")
    path: Path = (*problem["loc"], *(own.path if isinstance(own, Unsuitable) else ()))
    place, parent = _named(path), path[:-1]
    if problem["type"] == "extra_forbidden":
        near = _near(path, schema)
        expected = f"'{near}'" if near else _either([f"'{name}'" for name in _known(parent, schema)])
        where = f" in {_named(parent)}" if parent else ""
        return _line_at(path, node), f"{_shown(str(path[-1]))} is not known{where}, and {expected} was expected"
    expected = str(own) if isinstance(own, Unsuitable) else _expected(_schema_at(path, schema))
    there = _value_at(path, value)
    if there is _ABSENT:
        return _line_at(path, node), f"{place} is missing, and {expected} was expected"
    if isinstance(own, Unsuitable) and isinstance(there, dict | list):
        return _line_at(path, node), f"{expected} was expected" + (f" in {place}" if place else "")
    found = f"{place} is {_described(there)}" if place else f"{_described(there)} stands there"
    return _line_at(path, node), f"{found}, and {expected} was expected"


def _near(path: Path, schema: Mapping[str, Any]) -> str | None:
    """The name that was probably meant by an unknown one: it is not also told to be missing."""
    return next(iter(difflib.get_close_matches(str(path[-1]), _known(path[:-1], schema), 1)), None)


def _known(parent: Path, schema: Mapping[str, Any]) -> list[str]:
    return sorted(_entered(_place(parent, schema), "", schema).get("properties", {}))


def _named(path: Path) -> str:
    """`pin 2.start` for the start of the second pin."""
    return "".join(f" {part + 1}" if isinstance(part, int) else f".{part}" for part in path).lstrip(". ")


def _line_at(path: Path, node: _Node | None) -> int:
    """The line of the innermost part of a path that is in the file."""
    if node is None:
        return 0
    for part in path:
        inner = node.value.get(str(part)) if isinstance(node.value, dict) else None
        if isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            inner = node.value[part]
        if inner is None:
            break
        node = inner
    return node.line


def _value_at(path: Path, value: object) -> object:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part, _ABSENT)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return value


def _schema_at(path: Path, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the model's JSON schema says of the place; empty where it says nothing."""
    return _resolved(_place(path, schema), schema)


def _place(path: Path, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema
    for part in path:
        found = _entered(found, part, schema)
        inner = found.get("items") if isinstance(part, int) else found.get("properties", {}).get(part, found.get("additionalProperties"))
        found = inner or {}
    return found


def _entered(found: Mapping[str, Any], part: str | int, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema whose part is looked for: of one that may be a list or a group, the list for a number and the group for a name."""
    choices = [_resolved(one, schema) for one in found.get("anyOf", [])]
    kind = "array" if isinstance(part, int) else "object"
    return next((one for one in choices if one.get("type") == kind), None) or _resolved(found, schema)


def _resolved(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself behind references, and of one that may also be nothing the other."""
    if "anyOf" in found and "expected" not in found:
        found = next((one for one in found["anyOf"] if one.get("type") != "null"), {})
    if "$ref" in found:
        found = {**schema["$defs"][found["$ref"].rpartition("/")[2]], **{name: said for name, said in found.items() if name == "expected"}}
    return found


def _expected(schema: Mapping[str, Any]) -> str:
    """The schema in words."""
    if "expected" in schema:
        return str(schema["expected"])
    if "enum" in schema or "const" in schema:
        return _either([str(one) for one in schema.get("enum", [schema.get("const")])])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _bounded("a whole number" if kind == "integer" else "a number", schema.get("minimum"), schema.get("maximum"))
    if kind == "array":
        return _bounded("a list", None, schema.get("maxItems"), " entries")
    if kind == "string":
        return _bounded("text", None, schema.get("maxLength"), " characters")
    return {"boolean": "true or false", "object": "a group of `name: value` lines"}.get(str(kind), "something else")


def _bounded(noun: str, least: float | None, most: float | None, unit: str = "") -> str:
    if least is not None and most is not None:
        return f"{noun} from {least:g} to {most:g}{unit}"
    if most is not None:
        return f"{noun} of at most {most:g}{unit}"
    return noun if least is None else f"{noun} of at least {least:g}{unit}"


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names) or "nothing more"


def _described(value: object) -> str:
    if isinstance(value, dict):
        return "a group of values"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "empty" if value is None or value == "" else _shown(value)


def _shown(value: object) -> str:
    """What a person wrote, cut short, with everything escaped that could disturb the page that shows it."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
