"""What a person orders for a video's clips: from the file to what the planner is given, and back."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.clips.orders import MOST_FIXED, Orders, merged, orders_of, read_orders, to_yaml
from videolab_assets.lib.clips.plan import Fixed
from videolab_assets.lib.documents import Look
from videolab_assets.lib.errors import PermanentError

SECONDS = 100.0

ORDERS = """
pin:
  - {start: 0:10, end: 0:40, title: The punch line}
  - start: 50
    end: 1:20.5
exclude:
  - {start: 0, end: 5}
retime:
  - {at: 45, start: 42, end: 60}
looks:
  b: {captions: off, hook: headline}
discard_timeline: yes
"""


def test_what_the_planner_is_given() -> None:
    """An order is read and not followed; or the clip that was given new times comes a second time with its old ones."""
    orders = read_orders(ORDERS.encode(), SECONDS)
    assert orders.fixed() == [
        Fixed(10.0, 40.0, "The punch line", "pinned"),
        Fixed(50.0, 80.5, None, "pinned"),
        Fixed(42.0, 60.0, None, "retimed"),
    ]
    assert orders.excluded() == [(0.0, 5.0), (45.0, 45.0)]
    assert orders.looks_by_label() == {"b": Look(captions="off", hook="headline")}
    assert orders.discard_timeline


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "pin:\nexclude:\nretime: []\n"])
def test_nothing_is_ordered(text: str) -> None:
    """A person takes the last entry out of a file, and what is left is an error."""
    assert read_orders(text.encode(), SECONDS) == Orders()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pin:\n- start: 30\n  end: 20\n", "Line 3: pin 1.end is '20', and a time after start (0:30) was expected."),
        ("pin:\n- {start: 30, end: 30.5}\n", "Line 2: pin 1.end is '30.5', and a time from 1 second to 10 minutes after start (0:30) was"),
        ("pin:\n- {start: 30, end: 631}\n", "Line 2: pin 1.end is '631', and a time up to the video's end at 1:40 was expected."),
        ("pin:\n- {start: 1:40, end: 1:41}\n", "Line 2: pin 1.start is '1:40', and a time before the video's end at 1:40 was expected."),
        ("exclude:\n- {start: 0, end: 1:41.5}\n", "Line 2: exclude 1.end is '1:41.5', and a time up to the video's end at 1:40 was"),
        (
            "retime:\n- at: 2:00\n  start: 1\n  end: 9\n",
            "Line 2: retime 1.at is '2:00', and a time before the video's end at 1:40 was expected.",
        ),
        ("retime:\n- start: 1\n  end: 9\n", "Line 2: retime 1.at is missing, and a time in seconds (83.5) or minutes and seconds"),
        ("pin:\n- {start: -1, end: 9}\n", "Line 2: pin 1.start is '-1', and a time in seconds"),
        ("pins: []\n", "Line 1: 'pins' is not known, and 'pin' was expected."),
        ("pin:\n- {start: 1, end: 9, title: ''}\n", "Line 2: pin 1.title is empty, and text of at most 100 characters was expected."),
        ("pin: [" + "{start: 1, end: 9}, " * 21 + "]", "Line 1: pin is a list of 21, and a list of at most 20 entries was expected."),
        (
            "pin: [" + "{start: 1, end: 9}, " * 19 + "]\nretime: [" + "{at: 1, start: 1, end: 9}, " * 2 + "]",
            "Line 2: a sum of at most 20 clips in pin and retime was expected in retime.",
        ),
        ("looks:\n  a: {captions: comic}\n", "Line 2: looks.a.captions is 'comic', and clear, bold, "),
        ("looks:\n  a: off\n", "Line 2: looks.a is 'off', and a group of `name: value` lines was expected."),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, sentence: str) -> None:
    """A clip of no length or outside the video reaches the planner, or nobody learns which line is wrong."""
    with pytest.raises(PermanentError) as refusal:
        read_orders(text.encode(), SECONDS)
    assert refusal.value.sentence.startswith(sentence)


def test_the_longest_clip() -> None:
    """A clip of an hour is rendered for four platforms."""
    assert read_orders(b"pin: [{start: 0, end: 10:00}]", 1e4).pin[0].end == 600.0
    with pytest.raises(PermanentError, match="from 1 second to 10 minutes"):
        read_orders(b"pin: [{start: 0, end: 10:00.01}]", 1e4)


def test_players_round() -> None:
    """A person types the end that the player shows, and it lies a tenth of a second after the last frame."""
    orders = read_orders(b"pin: [{start: 1:00, end: 1:40.9}]\nexclude: [{start: 1:30, end: 1:41}]", SECONDS)
    assert (orders.pin[0].end, orders.exclude[0].end) == (SECONDS, SECONDS)


def test_overlapping_pins_are_two_clips() -> None:
    """The long and the short cut of one moment are refused; or the same one twice becomes two clips."""
    orders = read_orders(b"pin: [{start: 10, end: 40}, {start: 20, end: 35}, {start: 0:10, end: 0:40, title: Again}]", SECONDS)
    assert orders.fixed() == [Fixed(10.0, 40.0, "Again", "pinned"), Fixed(20.0, 35.0, None, "pinned")]


def ordered(**asked: Any) -> Orders:
    return orders_of(asked)


PIN = {"start": "10", "end": "40", "title": "Old"}


def test_orders_from_the_launchpad_join_those_that_stand() -> None:
    """A pin from the launchpad forgets all that stood in the file."""
    standing = ordered(pin=[PIN], exclude=[{"start": "0", "end": "5"}], looks={"a": {"captions": "bold"}, "b": {}})
    both = merged(standing, ordered(pin=[{"start": "60", "end": "70"}], looks={"b": {"captions": "off"}}, discard_timeline=True))
    assert [(one.start, one.title) for one in both.pin] == [(10.0, "Old"), (60.0, None)]
    assert both.excluded() == [(0.0, 5.0)]
    assert both.looks_by_label() == {"a": Look(captions="bold"), "b": Look(captions="off")}
    assert both.discard_timeline
    assert merged(both, Orders()) == both


@pytest.mark.parametrize(
    ("more", "fixed", "excluded"),
    [
        ({"pin": [{"start": 10, "end": 40, "title": "New"}]}, [Fixed(10.0, 40.0, "New", "pinned")], []),
        ({"exclude": [{"start": 30, "end": 50}]}, [], [(30.0, 50.0)]),
        ({"exclude": [{"start": 40, "end": 50}]}, [Fixed(10.0, 40.0, "Old", "pinned")], [(40.0, 50.0)]),
        ({"retime": [{"at": 39.9, "start": 12, "end": 30}]}, [Fixed(12.0, 30.0, "Old", "pinned")], []),
        ({"retime": [{"at": 10, "start": 12, "end": 30, "title": "New"}]}, [Fixed(12.0, 30.0, "New", "pinned")], []),
        (
            {"retime": [{"at": 40, "start": 42, "end": 50}]},
            [Fixed(10.0, 40.0, "Old", "pinned"), Fixed(42.0, 50.0, None, "retimed")],
            [(40.0, 40.0)],
        ),
    ],
)
def test_the_later_order_has_the_last_word(more: dict[str, Any], fixed: list[Fixed], excluded: list[tuple[float, float]]) -> None:
    """What was pinned can never be taken back, or the same moment is cut twice."""
    found = merged(ordered(pin=[PIN]), orders_of(more))
    assert (found.fixed(), found.excluded()) == (fixed, excluded)


def test_a_clip_can_be_given_new_times_again_and_again() -> None:
    """Each correction by a second adds one more clip; or the clip as it was found comes back beside the corrected one."""
    orders = Orders()
    for at, start in ((45, 60), (65, 61), (45, 62)):
        orders = merged(orders, ordered(retime=[{"at": at, "start": start, "end": 80}]))
    assert orders.fixed() == [Fixed(62.0, 80.0, None, "retimed")]
    assert orders.excluded() == [(45.0, 45.0)]


def test_together_they_may_be_too_many() -> None:
    """A loop over the launchpad orders a thousand clips."""
    many = [{"start": number, "end": number + 2} for number in range(MOST_FIXED)]
    assert len(merged(ordered(pin=many), ordered(pin=many)).pin) == MOST_FIXED
    with pytest.raises(PermanentError, match="at most 20"):
        merged(ordered(pin=many), ordered(pin=[{"start": 50, "end": 60}]))


def test_what_the_launchpad_gives_is_checked() -> None:
    """What the file may not say can be said in the launchpad."""
    with pytest.raises(PermanentError, match=r"Pin 1\.end is '5', and a time after start"):
        ordered(pin=[{"start": "10", "end": "5"}])
    with pytest.raises(PermanentError, match="'pins' is not known"):
        ordered(pins=[])


MOMENTS = st.floats(0, 5000)
LETTERS = st.characters(categories=("L", "M", "N", "P", "S"), include_characters=" ")
TITLES = st.none() | st.text(LETTERS, min_size=1, max_size=100).filter(lambda text: text.isprintable() and bool(text.strip()))
LOOKS = st.none() | st.fixed_dictionaries(
    {"captions": st.sampled_from(["clear", "off"]), "headline": TITLES, "cover": st.sampled_from(["best", "first"])}
)
STRETCHES = st.builds(lambda start, length: {"start": start, "end": start + length}, MOMENTS, st.floats(1.001, 599.9))
PINS = st.builds(lambda stretch, title: stretch | {"title": title}, STRETCHES, TITLES)
RETIMES = st.builds(lambda pin, at: pin | {"at": at}, PINS, MOMENTS)
ANY_ORDERS = st.fixed_dictionaries(
    {
        "pin": st.lists(PINS, max_size=5),
        "exclude": st.lists(STRETCHES, max_size=5),
        "retime": st.lists(RETIMES, max_size=5),
        "looks": st.fixed_dictionaries({"a": LOOKS, "b": LOOKS}),
        "discard_timeline": st.booleans(),
    }
).map(orders_of)


@settings(max_examples=40)
@given(ANY_ORDERS)
def test_what_is_written_is_read_again(orders: Orders) -> None:
    """Orders from the launchpad are others after a night in the store."""
    written = to_yaml(orders)
    assert read_orders(written, math.inf) == orders
    assert to_yaml(read_orders(written, math.inf)) == written


@settings(max_examples=40)
@given(ANY_ORDERS, ANY_ORDERS)
def test_merging_repeats_nothing(standing: Orders, more: Orders) -> None:
    """A retried run orders everything twice."""
    once = merged(standing, more)
    assert [(one.start, one.end) for one in once.exclude] == list(
        dict.fromkeys((one.start, one.end) for one in (*standing.exclude, *more.exclude))
    )
    assert {(one.start, one.end) for one in more.pin} <= {(one.start, one.end) for one in once.fixed()}
    assert read_orders(to_yaml(once), math.inf) == once


def test_the_file_reads_well() -> None:
    """A person opens what the launchpad wrote and cannot make sense of it."""
    text = to_yaml(read_orders(ORDERS.encode(), SECONDS)).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")][:7] == [
        "pin:",
        "- start: 0:10",
        "  end: 0:40",
        "  title: The punch line",
        "- start: 0:50",
        "  end: 1:20.5",
        "exclude:",
    ]
    assert "captions: off" in text and "discard_timeline: true" in text
