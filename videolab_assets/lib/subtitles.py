"""Subtitles that people can read: words with times become cues, and cues become SRT and WebVTT.

The limits are those of broadcasters' style guides: two lines of 42 characters, 17 characters a second, 1 to 7 seconds, two frames
between cues. Times are whole milliseconds inside, because both formats write milliseconds: nothing is rounded twice.
"""

import html
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from videolab_assets.lib.documents import Cue, Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.language import Language, bare, language_of
from videolab_assets.lib.summary.sentences import LATEST, sentences_of, tokens_of

LONGEST_LINE = 42
MOST_LINES = 2
SHORTEST_MS, LONGEST_MS = 1000, 7000
CHARACTERS_PER_SECOND = 17
FRAMES_BETWEEN = 2
DEFAULT_FRAME_RATE = 25.0
SHOT_REACH_MS = 500
"""A cue's edge this near to a shot change moves onto it: a cue that flashes over a cut is read twice."""
LINGER_MS = 300
"""A cue stays this long after its last word, where there is room."""
FLICKER_MS = 500
"""A gap shorter than this is closed to the two frames."""
LEAD_MS = 1000
"""How early a cue may come when its words leave too little time to read them."""
SILENCE_MS = 1500
"""No cue reaches across a pause this long."""

COST_PER_CUE = 5.0
COST_INSIDE_PHRASE, COST_AT_PHRASE_END, COST_AT_CLAUSE, COST_AT_SENTENCE = 9.0, 4.0, 2.0, 0.0
COST_AFTER_TIE = 25.0
COST_OF_SENTENCE_INSIDE = 8.0
COST_PER_MISSING_SECOND = 12.0
COST_OF_SECOND_LINE = 1.0
LINE_SHARE = 0.6
"""A bad end of a line disturbs less than the same at the end of a cue."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word as it stands in a line, at most `LONGEST_LINE` characters; `cost` is that of ending a line or cue after it."""

    text: str
    start: int
    end: int
    cost: float
    ends_sentence: bool


def cues_of(transcript: Transcript, *, frame_rate: float = DEFAULT_FRAME_RATE, shot_times: Sequence[float] = ()) -> list[Cue]:
    """Every word of the transcript, in order, in cues that keep the rules wherever the words allow.

    Always: at most two lines of 42 characters, 1 to 7 seconds, no overlap, two frames apart. As far as the speech allows: at
    most 17 characters a second, line and cue ends at clauses and never after an article or preposition. Words that come faster
    than anyone speaks are shown later than they are said. A word longer than a line is divided.

    Args:
        transcript: of any length; empty gives no cues.
        frame_rate: frames a second of the picture; 25 where it is not a usable number.
        shot_times: seconds of the shot changes; cue edges within half a second move onto them.
    """
    pieces = _pieces_of(transcript)
    if not pieces:
        return []
    gap = _gap_ms(frame_rate)
    groups = [pieces[first:last] for first, last in pairwise(_divided(pieces, gap))]
    texts = [_in_lines(group) for group in groups]
    shots = sorted({round(time * 1000) for time in shot_times if 0 < time < LATEST})
    starts = _starts(groups, texts, gap, shots)
    ends = _ends(groups, texts, starts, gap, shots)
    return [Cue(start=start / 1000, end=end / 1000, text=text) for start, end, text in zip(starts, ends, texts, strict=True)]


def _gap_ms(frame_rate: float) -> int:
    usable = frame_rate if math.isfinite(frame_rate) and 1.0 <= frame_rate <= 1000.0 else DEFAULT_FRAME_RATE
    return math.ceil(FRAMES_BETWEEN * 1000 / usable)


def _pieces_of(transcript: Transcript) -> list[_Piece]:
    tokens = tokens_of(transcript)
    texts = [token.text for token in tokens]
    language = language_of(texts, transcript.language)
    stops = [place == len(sentence.tokens) - 1 for sentence in sentences_of(tokens, language) for place in range(len(sentence.tokens))]
    pieces: list[_Piece] = []
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        pause = after.start - token.end if after else math.inf
        cost = _break_cost(token.text, after.text if after else "", stops[index], token.closes_segment, pause, language)
        parts = [token.text[at : at + LONGEST_LINE] for at in range(0, len(token.text), LONGEST_LINE)]
        start, length = round(token.start * 1000), round((token.end - token.start) * 1000)
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            span = (start + length * place // len(parts), start + length * (place + 1) // len(parts))
            pieces.append(_Piece(part, *span, cost if last else COST_AFTER_TIE, stops[index] and last))
    return pieces


def _break_cost(text: str, following: str, ends_sentence: bool, ends_segment: bool, pause: float, language: Language) -> float:
    """What it costs the reader when a line or a cue ends after this word."""
    if ends_sentence or not following:
        return COST_AT_SENTENCE
    if text[-1] in ",;:—–…?!":
        return COST_AT_CLAUSE
    rest = min(max(pause, 0.0), 1.0) * 6
    if bare(text) in language.ties or bare(text) in language.titles or text[-1].isdigit():
        return COST_AFTER_TIE - rest
    if ends_segment:
        return COST_AT_CLAUSE
    opens_phrase = bare(following) in language.ties
    return max(COST_AT_CLAUSE, (COST_AT_PHRASE_END if opens_phrase else COST_INSIDE_PHRASE) - rest)


def _divided(pieces: Sequence[_Piece], gap: int) -> list[int]:
    """Where cues begin, and the end: the division of least cost (dynamic programming over every cue that fits two lines)."""
    count = len(pieces)
    offsets = [0, *accumulate(len(piece.text) + 1 for piece in pieces)]
    least = [0.0] + [math.inf] * count
    came_from = [0] * (count + 1)
    for first in range(count):
        opened, so_far = pieces[first].start, least[first] + COST_PER_CUE
        easiest = _easiest_line_breaks(pieces, offsets, first)
        lower_line = first + 1
        for last in range(first, count):
            piece = pieces[last]
            if last > first:
                before = pieces[last - 1]
                if piece.end - opened > LONGEST_MS or piece.start - before.end > SILENCE_MS:
                    break
                so_far += COST_OF_SENTENCE_INSIDE if before.ends_sentence else 0.0
            cost = so_far + piece.cost
            characters = offsets[last + 1] - offsets[first] - 1
            if characters > LONGEST_LINE:
                while offsets[last + 1] - offsets[lower_line] - 1 > LONGEST_LINE:
                    lower_line += 1
                if lower_line not in easiest:
                    break
                cost += COST_OF_SECOND_LINE + LINE_SHARE * easiest[lower_line]
            room = pieces[last + 1].start - gap - opened if last + 1 < count else LONGEST_MS
            missing = max(SHORTEST_MS, characters * 1000 / CHARACTERS_PER_SECOND) - min(room, LONGEST_MS)
            cost += max(0.0, missing) / 1000 * COST_PER_MISSING_SECOND
            if cost < least[last + 1]:
                least[last + 1], came_from[last + 1] = cost, first
    edges = [count]
    while edges[-1] > 0:
        edges.append(came_from[edges[-1]])
    return edges[::-1]


def _easiest_line_breaks(pieces: Sequence[_Piece], offsets: Sequence[int], first: int) -> dict[int, float]:
    """By the earliest place where a lower line may begin: the least cost of parting a cue that begins at `first` there or later,
    while the upper line fits."""
    easiest: dict[int, float] = {}
    cost = math.inf
    for lower_line in range(bisect_right(offsets, offsets[first] + LONGEST_LINE + 1) - 1, first, -1):
        cost = min(cost, pieces[lower_line - 1].cost)
        easiest[lower_line] = cost
    return easiest


def _in_lines(group: Sequence[_Piece]) -> str:
    """The cue's text in one line, or in two of like length that part at a clause."""
    words = [piece.text for piece in group]
    whole = " ".join(words)
    if len(whole) <= LONGEST_LINE:
        return whole

    def cost(cut: int) -> float:
        upper = len(" ".join(words[:cut]))
        lower = len(whole) - upper - 1
        if upper > LONGEST_LINE or lower > LONGEST_LINE:
            return math.inf
        return group[cut - 1].cost + abs(upper - lower) / 6

    best = min(range(1, len(words)), key=cost)
    return " ".join(words[:best]) + "\n" + " ".join(words[best:])


def _needed_ms(text: str) -> int:
    return min(LONGEST_MS, max(SHORTEST_MS, math.ceil(len(text) * 1000 / CHARACTERS_PER_SECOND)))


def _starts(groups: Sequence[Sequence[_Piece]], texts: Sequence[str], gap: int, shots: Sequence[int]) -> list[int]:
    """When each cue appears: with its first word; earlier where it would be too short to read; later only behind the cue before."""
    starts: list[int] = []
    for index, (group, text) in enumerate(zip(groups, texts, strict=True)):
        said = group[0].start
        earliest = starts[-1] + SHORTEST_MS + gap if starts else 0
        quiet_since = min(groups[index - 1][-1].end + gap, said) if index else 0
        limit = groups[index + 1][0].start - gap if index + 1 < len(groups) else said + LONGEST_MS
        needed = _needed_ms(text)
        lead = min(LEAD_MS, max(0, needed - (limit - said)))
        start = max(earliest, quiet_since, said - lead)
        for shot in _near(start, shots):
            if shot >= max(earliest, quiet_since) and (shot <= start or limit - shot >= needed):
                start = shot
                break
        starts.append(max(start, earliest))
    return starts


def _ends(groups: Sequence[Sequence[_Piece]], texts: Sequence[str], starts: Sequence[int], gap: int, shots: Sequence[int]) -> list[int]:
    """When each cue goes: after its last word and after the time it takes to read, but before the next."""
    ends: list[int] = []
    for index, (group, text) in enumerate(zip(groups, texts, strict=True)):
        start = starts[index]
        latest = min(start + LONGEST_MS, starts[index + 1] - gap if index + 1 < len(starts) else start + LONGEST_MS)
        needed = start + _needed_ms(text)
        end = min(latest, max(needed, group[-1].end + LINGER_MS))
        if latest - end < FLICKER_MS and index + 1 < len(starts) and starts[index + 1] - gap == latest:
            end = latest
        for shot in _near(end, shots):
            if min(needed, end) <= shot - gap <= latest:
                end = shot - gap
                break
        ends.append(end)
    return ends


def _near(moment: int, shots: Sequence[int]) -> list[int]:
    """The shot changes within reach, nearest first."""
    first = bisect_left(shots, moment - SHOT_REACH_MS)
    last = bisect_left(shots, moment + SHOT_REACH_MS + 1)
    return sorted(shots[first:last], key=lambda shot: abs(shot - moment))


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip, UTF-8 text with a blank line after each cue; empty for no cues.

    The format has no escapes: an arrow in the text, which readers would take for times, loses its length.
    """
    blocks = [
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{re.sub('-{2,}>', '->', _lines(cue))}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def to_webvtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with `&`, `<` and `>` escaped; a header alone, which is a valid file, for no cues."""
    blocks = [f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{html.escape(_lines(cue), quote=False)}\n" for cue in cues]
    return "\n".join(["WEBVTT\n", *blocks])


def _lines(cue: Cue) -> str:
    """The cue's lines; blank ones, which would end it, left out."""
    return "\n".join(line.strip() for line in cue.text.splitlines() if line.strip())


def _stamp(seconds: float, point: str) -> str:
    """Hours (two digits or more), minutes, seconds and milliseconds."""
    whole, milliseconds = divmod(max(0, round(seconds * 1000)), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{point}{milliseconds:03d}"


_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-{{2,}}>\s*{_TIME}(?:\s.*)?")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|\{\\[^{}]*\}")


def parse_srt(text: str) -> list[Cue]:
    """Cues as people write them: any line ends, numbers missing or wrong, dots for commas, no hours, styling (left out).

    Cues keep the file's order and times; empty cues are left out.

    Raises:
        PermanentError: there is text but not one line of times, or a cue ends before it starts.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    timed = [(number, match) for number, line in enumerate(lines) if (match := _TIMING.fullmatch(line))]
    if not timed and text.strip("\ufeff \r\n\t"):
        raise PermanentError("This is not an SRT file: no line of it gives times, as in 00:00:01,000 --> 00:00:02,500.")
    cues: list[Cue] = []
    for place, (number, match) in enumerate(timed):
        following = timed[place + 1][0] if place + 1 < len(timed) else len(lines)
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        if end < start:
            raise PermanentError(f"Line {number + 1} of the SRT file ends before it starts: correct its times.", lines[number])
        body = lines[number + 1 : following]
        if body and following < len(lines) and body[-1].strip().isdigit():
            body.pop()
        shown = [plain for line in body if (plain := " ".join(_MARKUP.sub("", line).split()))]
        if shown:
            cues.append(Cue(start=start, end=end, text="\n".join(shown)))
    return cues


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return (int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds) * 1000 + int(fraction.ljust(3, "0"))) / 1000


def breaches(cues: Sequence[Cue], frame_rate: float = DEFAULT_FRAME_RATE) -> dict[str, int]:
    """How many cues break each rule; every rule is named, most with 0.

    `too_fast` may be the speaker's doing; the others are the subtitler's.
    """
    gap = _gap_ms(frame_rate)
    spans = [(round(cue.start * 1000), round(cue.end * 1000), cue.text) for cue in cues]
    return {
        "too_many_lines": sum(text.count("\n") >= MOST_LINES for _, _, text in spans),
        "line_too_long": sum(any(len(line) > LONGEST_LINE for line in text.split("\n")) for _, _, text in spans),
        "too_short": sum(end - start < SHORTEST_MS for start, end, _ in spans),
        "too_long": sum(end - start > LONGEST_MS for start, end, _ in spans),
        "too_fast": sum(len(text) * 1000 > CHARACTERS_PER_SECOND * max(0, end - start) for start, end, text in spans),
        "overlapping": sum(after[0] < before[1] for before, after in pairwise(spans)),
        "too_close": sum(0 <= after[0] - before[1] < gap for before, after in pairwise(spans)),
    }
