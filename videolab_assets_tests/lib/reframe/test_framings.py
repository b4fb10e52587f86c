"""How shots are framed, from hand-made looks whose right framing is known."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.documents import Framing
from videolab_assets.lib.reframe import Box, Sample, Seen, faces_kept, framing_at, framings_of, shown
from videolab_assets_tests.lib.reframe.scenes import LANDSCAPE, PORTRAIT, SQUARE, UPRIGHT, face, moments, people, seen, words


def whole(framings: list[Framing], time: float, box: Box) -> bool:
    return box.within(shown(framing_at(framings, time), time)) > 0.999


def test_one_who_stands_is_shown_by_a_still_picture() -> None:
    """The most common shot of all; a crop that moves in it shows that a machine made it."""
    [framing] = framings_of(seen(10, lambda time: 0.25 + 0.01 * math.sin(time)), [], UPRIGHT, [], 10.0)
    assert (framing.mode, framing.subject, len(framing.path)) == ("still", "faces", 1)
    assert framing.path[0].x + framing.width / 2 == pytest.approx(0.25, abs=0.01)
    assert framing.why.startswith("One face, seen in 100 % of the samples, moves 2 % of the width: the picture stands still.")


def test_one_who_walks_is_followed_and_kept_whole() -> None:
    """The crop of the middle loses three of four such frames."""
    look = seen(10, lambda time: 0.15 + 0.07 * time)
    framings = framings_of(look, [], UPRIGHT, [], 10.0)
    assert [framing.mode for framing in framings] == ["follow"]
    assert framings[0].path[0].time == 0.0
    assert faces_kept(look, framings) == 1.0


def test_at_a_cut_the_picture_jumps_at_once() -> None:
    """A path smoothed across a cut pans for a second from one speaker's place to the other's; this cut lies between two samples."""
    look = seen(10, lambda time: 0.2 if time < 5.05 else 0.8)
    framings = framings_of(look, [5.05], UPRIGHT, [], 10.0)
    assert [(framing.start, framing.end, framing.mode) for framing in framings] == [(0.0, 5.05, "still"), (5.05, 10.0, "still")]
    assert whole(framings, 5.04, face(0.2))
    assert whole(framings, 5.05, face(0.8))


def test_a_sample_on_the_wrong_side_of_a_cut_does_not_count() -> None:
    """Clip and proxy round their frames differently: a sample a frame after the cut may still show the shot before."""
    look = seen(2.8, lambda time: 0.2 if time < 2.01 else 0.8)
    framings = framings_of(look, [1.98], UPRIGHT, [], 2.8)
    assert [framing.mode for framing in framings] == ["still", "still"]
    assert whole(framings, 1.98, face(0.8))


def test_a_face_found_late_and_lost_early_holds_the_whole_shot() -> None:
    """Who turns to the camera after two seconds was there before."""
    framings = framings_of(seen(10, lambda time: 0.8 if 2 <= time <= 7 else None), [], UPRIGHT, [], 10.0)
    assert whole(framings, 0.0, face(0.8))
    assert whole(framings, 9.9, face(0.8))


def test_two_who_fit_are_both_kept() -> None:
    """The crop must lie between them, not on the larger one."""
    [framing] = framings_of(seen(10, lambda _: 0.45, lambda _: 0.6), [], UPRIGHT, [], 10.0)
    assert framing.mode == "still"
    assert whole([framing], 5.0, face(0.45))
    assert whole([framing], 5.0, face(0.6))


def test_two_far_apart_are_fitted_just_wide_enough() -> None:
    """A crop would lose one of them; the whole frame would show them smaller than need be."""
    [framing] = framings_of(seen(10, lambda _: 0.3, lambda _: 0.7), [], UPRIGHT, [], 10.0)
    assert (framing.mode, framing.subject) == ("fit", "faces")
    assert 0.48 < framing.width < 0.65
    assert whole([framing], 5.0, face(0.3))
    assert whole([framing], 5.0, face(0.7))


def test_two_who_take_turns_are_both_kept() -> None:
    """Each is found only while facing the camera; a picture that jumps between them inside one shot looks like a fault."""
    look = seen(16, lambda time: 0.2 if int(time / 4) % 2 == 0 else None, lambda time: 0.8 if int(time / 4) % 2 else None)
    framings = framings_of(look, [], UPRIGHT, [], 16.0)
    assert [framing.mode for framing in framings] == ["fit"]
    assert faces_kept(look, framings) == 1.0


def test_of_two_far_apart_the_one_who_alone_speaks_is_shown() -> None:
    """A listener at the other end need not make the speaker small; without words nobody is left out, nor where both mouths move."""

    def talking(quiet: float) -> Seen:
        return moments(10, lambda time: Sample(time, faces=[face(0.2), face(0.8)], mouths=[0.02 + quiet, 0.3]))

    [framing] = framings_of(talking(0.0), [], UPRIGHT, words((0.0, 9.0)), 10.0)
    assert framing.mode == "still"
    assert whole([framing], 5.0, face(0.8))
    assert "mouth" in framing.why
    assert [framing.mode for framing in framings_of(talking(0.0), [], UPRIGHT, [], 10.0)] == ["fit"]
    assert [framing.mode for framing in framings_of(talking(0.2), [], UPRIGHT, words((0.0, 9.0)), 10.0)] == ["fit"]


def test_a_passer_by_in_the_background_makes_nobody_small() -> None:
    """A face a quarter as wide in the far corner is not the second of two."""
    look = moments(10, lambda time: Sample(time, faces=[face(0.3, width=0.12), face(0.9, width=0.03)]))
    [framing] = framings_of(look, [], UPRIGHT, [], 10.0)
    assert framing.mode == "still"
    assert whole([framing], 5.0, face(0.3, width=0.12))


def test_people_are_followed_where_there_are_no_faces() -> None:
    """Backs turned to the camera are still what the shot is about."""
    body = Box(0.7, 0.1, 0.15, 0.8)
    [framing] = framings_of(moments(10, people([body])), [], UPRIGHT, [], 10.0)
    assert (framing.mode, framing.subject) == ("still", "people")
    assert whole([framing], 5.0, body)


def test_a_group_wider_than_the_crop_is_fitted() -> None:
    """Three in a row lose the outer two in a crop."""
    row = [Box(left, 0.1, 0.15, 0.8) for left in (0.2, 0.45, 0.7)]
    [framing] = framings_of(moments(10, people(row)), [], UPRIGHT, [], 10.0)
    assert framing.mode == "fit"
    assert all(whole([framing], 5.0, body) for body in row)


def test_what_moves_is_followed_where_there_are_no_people() -> None:
    """A dog, a car, a hand that draws."""
    look = moments(10, lambda time: Sample(time, motion=Box(0.1 + 0.07 * time, 0.4, 0.1, 0.2)))
    [framing] = framings_of(look, [], UPRIGHT, [], 10.0)
    assert (framing.mode, framing.subject) == ("follow", "motion")
    assert whole([framing], 5.0, Box(0.45, 0.4, 0.1, 0.2))


def test_a_picture_without_anybody_rests_on_what_stands_out() -> None:
    """Saliency jumps from sample to sample; a picture that follows it is seasick."""
    look = moments(10, lambda time: Sample(time, saliency=Box(0.6 + 0.1 * (int(time * 5) % 2), 0.3, 0.2, 0.3)))
    [framing] = framings_of(look, [], UPRIGHT, [], 10.0)
    assert (framing.mode, framing.subject) == ("still", "saliency")
    assert 0.55 < framing.path[0].x + framing.width / 2 < 0.85


def test_a_black_shot_shows_its_middle() -> None:
    """Nothing to see is no error."""
    [framing] = framings_of(moments(4, Sample), [], UPRIGHT, [], 4.0)
    assert (framing.mode, framing.subject) == ("still", "frame")
    assert framing.path[0].x + framing.width / 2 == pytest.approx(0.5)


def test_wide_text_is_not_cut() -> None:
    """Half a headline is worse than a small one. Text that a crop holds needs no blur; nor does a name below a speaker for a while."""
    line = Box(0.1, 0.1, 0.7, 0.06)
    slide = moments(10, lambda time: Sample(time, saliency=Box(0.3, 0.3, 0.2, 0.2), wide_text=[line]))
    [framing] = framings_of(slide, [], UPRIGHT, [], 10.0)
    assert framing.mode == "fit"
    assert whole([framing], 5.0, line)
    small = Box(0.6, 0.8, 0.25, 0.05)
    [framing] = framings_of(moments(10, lambda time: Sample(time, wide_text=[small])), [], UPRIGHT, [], 10.0)
    assert framing.mode == "still"
    assert whole([framing], 5.0, small)
    titled = moments(10, lambda time: Sample(time, saliency=Box(0.3, 0.3, 0.2, 0.2), wide_text=[line] if time > 7 else []))
    [framing] = framings_of(titled, [], UPRIGHT, [], 10.0)
    assert framing.mode == "fit", "a title over the last third of a landscape is part of it"
    named = moments(10, lambda time: Sample(time, faces=[face(0.6)], wide_text=[line] if 1 < time < 5 else []))
    assert [framing.mode for framing in framings_of(named, [], UPRIGHT, [], 10.0)] == ["still"]


def test_an_upright_source_is_cropped_around_the_head() -> None:
    """The middle of an upright selfie is a chest."""
    head = Box(0.35, 0.15, 0.3, 0.17)
    look = Seen(PORTRAIT, [Sample(number / 5, faces=[head]) for number in range(50)])
    [framing] = framings_of(look, [], SQUARE, [], 10.0)
    assert (framing.mode, framing.width) == ("still", 1.0)
    assert framing.height == pytest.approx(PORTRAIT)
    assert whole([framing], 5.0, head)
    assert 0.2 < (head.centre[1] - framing.path[0].y) / framing.height < 0.5


def test_a_source_of_the_targets_shape_is_shown_whole() -> None:
    """Nothing to choose: every face is kept."""
    look = seen(5, lambda _: 0.95, aspect=UPRIGHT)
    [framing] = framings_of(look, [], UPRIGHT, [], 5.0)
    assert (framing.mode, framing.subject, framing.width, framing.height) == ("still", "frame", 1.0, 1.0)


def test_black_bars_are_not_shown() -> None:
    """A pillarboxed film cropped to its edge would have a black stripe in the picture."""
    look = seen(5, lambda _: 0.15, picture=Box(0.125, 0.0, 0.75, 1.0))
    [framing] = framings_of(look, [], UPRIGHT, [], 5.0)
    assert framing.path[0].x == pytest.approx(0.125)
    wide = Seen(LANDSCAPE, [Sample(0.0, faces=[face(0.5)])], Box(0.0, 0.12, 1.0, 0.76))
    [framing] = framings_of(wide, [], UPRIGHT, [], 5.0)
    assert (framing.path[0].y, framing.height) == (0.12, 0.76)


FACES = st.lists(st.builds(face, st.floats(0.02, 0.98), st.floats(0.1, 0.9), st.floats(0.02, 0.3)), max_size=3)
BOXES = st.builds(Box, st.floats(0, 0.6), st.floats(0, 0.6), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
SAMPLES = st.builds(
    lambda faces, bodies, motion, saliency, text: Sample(0.0, faces, bodies, motion, saliency, text),
    FACES,
    st.lists(BOXES, max_size=2),
    st.none() | BOXES,
    st.none() | BOXES,
    st.lists(BOXES, max_size=2),
)


@settings(max_examples=50)
@given(
    samples=st.lists(SAMPLES, max_size=24),
    cuts=st.lists(st.floats(0.0, 6.0), max_size=4),
    shapes=st.tuples(st.sampled_from([LANDSCAPE, PORTRAIT, 4 / 3, 2.39]), st.sampled_from([UPRIGHT, SQUARE, LANDSCAPE])),
    duration=st.floats(0.1, 6.0),
)
def test_whatever_was_seen_the_framings_can_be_rendered(
    samples: list[Sample], cuts: list[float], shapes: tuple[float, float], duration: float
) -> None:
    """A gap between framings leaves frames unframed, a crop beyond the frame stops ffmpeg, a wrong shape squeezes faces."""
    source, target = shapes
    timed = [Sample(number / 5, s.faces, s.people, s.motion, s.saliency, s.wide_text) for number, s in enumerate(samples)]
    look = Seen(source, timed)
    framings = framings_of(look, cuts, target, [], duration)
    assert framings[0].start == 0.0
    assert framings[-1].end == duration
    assert all(one.end == other.start for one, other in pairwise(framings))
    for framing in framings:
        assert framing.end > framing.start
        assert framing.path[0].time == framing.start
        assert all(one.time < other.time <= framing.end + 1e-9 for one, other in pairwise(framing.path))
        for point in framing.path:
            assert point.x >= 0
            assert point.y >= 0
            assert point.x + framing.width <= 1 + 1e-9
            assert point.y + framing.height <= 1 + 1e-9
        shape = framing.width * source / framing.height
        if framing.mode != "fit":
            assert shape == pytest.approx(target)
        assert (len(framing.path) > 1) <= (framing.mode == "follow")
        assert framing.why.endswith(".")
    assert framings == framings_of(look, cuts, target, [], duration)
    assert faces_kept(look, framings) is None or any(sample.faces for sample in timed)
