"""What Gemini is asked, and what its answer must be."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import KeyPoint, Segment, Transcript, Word
from videolab_assets.lib.summary.gemini_answer import GeminiAnswer, answer_of, language_code, request_of, timed_lines
from videolab_assets_tests.gemini_server import ANSWER
from videolab_assets_tests.lib.summary.spoken import spoken, talk

TALK = spoken([f"Sentence number {number} tells something." for number in range(40)])


def answered(**changes: Any) -> tuple[GeminiAnswer, list[KeyPoint]]:
    return answer_of(json.dumps({**ANSWER, **changes}), TALK)


def points(*times: str) -> list[float]:
    return [point.time for point in answered(key_points=[{"time": time, "text": f"At {time}."} for time in times])[1]]


def test_times_become_exact_and_sorted() -> None:
    """Prevents key points that jump back, and a player that lands in the middle of a sentence."""
    starts = [segment.start for segment in TALK.segments]
    shown = [line[1 : line.index("]")] for line in request_of(TALK, None)[1].splitlines() if line.startswith("[")]
    assert points(shown[20], shown[3], f"[{shown[9]}]") == [round(starts[place], 3) for place in (3, 9, 20)]
    assert points("0:02") == [2.0], "between two lines, the time itself"


def test_times_read_as_hours_too() -> None:
    """Prevents the second hour of a talk from being the first minute."""
    long = TALK.model_copy(update={"duration": 7200.0})
    text = json.dumps({**ANSWER, "key_points": [{"time": "1:02:03", "text": "a"}, {"time": "62:04", "text": "b"}]})
    assert [point.time for point in answer_of(text, long)[1]] == [3723.0, 3724.0]


def test_a_line_covers_some_seconds_only() -> None:
    """Prevents one time for a whole monologue, because the engine heard no pause in it."""
    words = [Word(text=f"w{number}", start=number / 2, end=number / 2 + 0.4, confidence=1.0) for number in range(400)]
    segment = Segment(start=0.0, end=200.0, text=" ".join(word.text for word in words), words=words)
    monologue = Transcript(engine="", model="", language="en", draft=False, duration=200.0, segments=[segment])
    lines = list(timed_lines(monologue))
    assert [time for time, _ in lines] == [15.0 * place for place in range(14)]
    assert " ".join(text for _, text in lines) == segment.text


def test_the_language_is_the_transcripts() -> None:
    """Prevents an English summary of a Spanish talk where the engine could not tell the language."""
    said = talk("balcony_es")["utterances"]
    assert language_code(spoken(said, "pt")) == "pt"
    assert language_code(spoken(said, "und")) == "es"
    assert "ISO 639-1 code is es" in request_of(spoken(said, "und"), None)[0]
    assert "the language of the transcript" in request_of(spoken(["zzz"], "und"), None)[0]


def test_words_are_all_that_is_left_of_markup() -> None:
    """Prevents links, tags and invisible characters of a model that was talked into them from reaching the page or a platform."""
    answer, _ = answered(
        title="**Free** <b>money</b> at [this page](https://evil.example/?a=(b)) \u202eseman",
        description="See https://evil.example and &lt;script&gt;alert(1)&lt;/script&gt; ![x](http://evil.example/x.png)",
        tags=["#garden", "Garden", "`soil`", "", " , ", "2*3*4"],
    )
    assert answer.title == "Free money at this page seman"
    assert answer.description == "See evil.example and alert(1) x"
    assert answer.tags == ["garden", "soil", "2*3*4"]


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(json.dumps)
)
def test_any_text_is_an_answer_or_a_plain_refusal(text: str) -> None:
    """Prevents an answer of any shape from ending as a traceback."""
    with contextlib.suppress(ValueError):
        answer_of(text, TALK)


@given(st.fixed_dictionaries({name: st.just(value) | st.text() | st.lists(st.text()) for name, value in ANSWER.items()}))
def test_what_is_accepted_keeps_the_limits(answer: dict[str, Any]) -> None:
    """Prevents an empty or endless part, and a time outside the recording."""
    try:
        accepted, found = answer_of(json.dumps(answer), TALK)
    except ValueError as refused:
        assert "input" not in str(refused)
        return
    assert 1 <= len(accepted.title) <= 120 and 1 <= len(accepted.description) <= 1000
    assert len({tag.casefold() for tag in accepted.tags}) == len(accepted.tags) <= 20
    assert all(0 <= point.time <= TALK.duration for point in found)
    assert accepted.title == " ".join(accepted.title.split())


def test_no_limit_is_sent() -> None:
    """Prevents a schema that the service refuses as too complex."""
    sent = json.dumps(GeminiAnswer.model_json_schema())
    assert not [word for word in ("maxLength", "minLength", "maxItems", "pattern", "additionalProperties") if word in sent]


@pytest.mark.parametrize("time", ["", "1", "-1:00", "1:60", "1:2", "99:99:99", "１:00x", "1:00 am", "nan"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    """Prevents a key point at a made-up moment."""
    with pytest.raises(ValueError, match="time"):
        points(time)
