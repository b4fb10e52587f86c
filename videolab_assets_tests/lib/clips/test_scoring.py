"""Scores: each part moves with what it stands for, is None where nothing can be judged, and counts by its weight."""

from collections.abc import Sequence

import numpy as np
import pytest

from videolab_assets.lib.clips.candidates import stretch_between
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE, Burst
from videolab_assets.lib.clips.naming import reason_of, title_of
from videolab_assets.lib.clips.scoring import PARTS, Judge, as_document, weighed
from videolab_assets.lib.documents import ScoreParts
from videolab_assets_tests.lib.clips import made

RATE = 25.0


def parts_of(evidence: Evidence, *spans: tuple[float, float]) -> list[ScoreParts]:
    stretches = [stretch_between(evidence, round(start * RATE), round(end * RATE)) for start, end in spans]
    return [as_document(row) for row in Judge(evidence).parts(stretches)]


def talk(first: str, *others: str, language: str = "en") -> Evidence:
    """`first` at one second, the others every five seconds after it."""
    sentences = [(1.0 + 5 * number, text) for number, text in enumerate((first, *others))]
    duration = 5.0 * len(sentences) + 1
    return made.evidence(made.shots([], duration), made.said(sentences, duration, language=language))


REST = ("The keeper cleaned the lamp every morning.", "Ships could see the light from far away.")


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Why do towers have round walls?", "Towers have round walls of stone."),
        ("Nine of ten towers have lost their keeper.", "Many of the towers have lost their keeper."),
        ("The biggest mistake is a dirty lamp.", "The usual thing is a dirty lamp."),
        ("Your kitchen lamp would reach the harbour.", "Some kitchen lamp would reach the harbour."),
        ("Towers have round walls of stone.", "Hello and welcome to the channel everybody."),
        ("Towers have round walls of stone.", "Okay, um, is this thing on?"),
    ],
)
def test_hooks(better: str, worse: str) -> None:
    """Prevents greetings from winning over questions, numbers, strong words and "you"."""
    hooks = [parts_of(talk(text, *REST), (0.8, 15.0))[0].hook for text in (better, worse)]
    assert hooks[0] is not None
    assert hooks[1] is not None
    assert hooks[0] > hooks[1] + 0.04


def test_spanish_hooks() -> None:
    """Prevents a score that only understands English."""
    questions, statements = (
        parts_of(talk(text, "El faro se ve desde muy lejos por la noche.", language="es"), (0.8, 10.0))[0].hook
        for text in ("¿Por qué las torres tienen muros redondos?", "Las torres tienen muros redondos de piedra.")
    )
    assert questions is not None
    assert statements is not None
    assert questions > statements + 0.1


def test_speaking_late_is_a_weak_hook() -> None:
    """Prevents clips that begin with seconds of nothing."""
    found = made.evidence(made.shots([], 30.0), made.said([(8.0, "Why do towers have round walls?")], 30.0))
    hooks = [part.hook or 0.0 for part in parts_of(found, (3.0, 20.0), (5.4, 22.4), (7.8, 24.8))]
    assert hooks[0] < hooks[1] - 0.3
    assert hooks[1] < hooks[2] - 0.1


def test_a_whole_thought_is_complete() -> None:
    """Prevents stretches that begin or end inside a sentence, or point back, from counting as whole."""
    found = talk(
        "Towers have round walls.", "He cleaned the lamp every morning.", "Ships saw the light from afar.", "Stone is cheap.", *REST
    )
    whole, begins_inside, ends_inside, points_back = (
        part.completeness or 0.0 for part in parts_of(found, (0.8, 15.8), (1.5, 15.8), (0.8, 12.0), (5.8, 20.8))
    )
    assert whole > 0.8
    assert max(begins_inside, ends_inside) < whole - 0.2
    assert points_back < whole - 0.2


def test_a_question_left_open_is_no_whole_thought() -> None:
    """Prevents clips that stop right before the answer; at the video's end there is none to miss."""
    asked, told = (
        parts_of(talk("Towers have round walls.", "Ships saw the light.", last, *REST), (0.8, 14.0))[0].completeness
        for last in ("Why did the lamp go out?", "The lamp did go out.")
    )
    assert asked is not None
    assert asked == pytest.approx((told or 0.0) - 0.2, abs=0.01)


def test_a_goodbye_is_no_part_of_a_thought() -> None:
    """Prevents clips that end with "thanks for watching"."""
    with_it, without = (
        parts_of(talk("Towers have round walls.", "Ships saw the light.", last), (0.8, 15.0))[0].completeness
        for last in ("Thanks for watching and goodbye everybody.", "Nobody lives on the island today.")
    )
    assert with_it is not None
    assert without is not None
    assert with_it < without


def test_a_flash_of_another_shot_costs() -> None:
    """Prevents clips with three frames of the shot before at their front."""
    transcript = made.said([(1.0, "Towers have round walls."), (6.0, "Ships saw the light.")], 12.0)
    clean, flashing = (parts_of(made.evidence(made.shots([cut], 12.0), transcript), (0.8, 8.0))[0].completeness for cut in (4.0, 0.92))
    assert clean is not None
    assert flashing == pytest.approx(clean - 0.1, abs=1e-6)


def test_speech_density_is_the_share_of_speech() -> None:
    """Prevents pauses within a sentence from counting as silence, and silence from counting as speech."""
    [part] = parts_of(made.evidence(made.shots([], 20.0), made.said([(2.0, "one two three four five six")], 20.0)), (0.0, 10.0))
    assert part.speech_density == pytest.approx(0.2)


def test_motion_and_faces_follow_the_shots() -> None:
    """Prevents a clip's pictures from being judged by those of its neighbours."""
    pictures = made.shots([10.0, 20.0], 30.0, motion=lambda n: (0.0, 0.003, 0.03)[n], faces=lambda n: (2.0, 0.5, 0.0)[n])
    first, second, third = parts_of(made.evidence(pictures), (0.0, 10.0), (10.0, 20.0), (20.0, 30.0))
    assert first.motion == 0.0
    assert second.motion == pytest.approx(0.632, abs=0.001)
    assert third.motion is not None
    assert third.motion > 0.99
    assert (first.faces, second.faces, third.faces) == (1.0, 0.5, 0.0)


def test_nothing_to_judge_by_is_none() -> None:
    """Prevents a silent, black or wordless video from being marked down for what nobody could hear or see."""
    [part] = parts_of(made.evidence(made.shots([], 20.0, brightness=0.0)), (0.0, 10.0))
    assert part.model_dump(exclude={"motion"}) == dict.fromkeys(set(PARTS) - {"motion"})


def test_loudness_and_laughter_follow_the_sound() -> None:
    """Prevents the loudest and merriest minute from scoring like the others; pauses make no clip quieter."""
    levels = np.full(round(40 * CURVE_RATE), -2.0, np.float32)
    levels[20 * CURVE_RATE : 30 * CURVE_RATE] = 4.0
    levels[5 * CURVE_RATE : 9 * CURVE_RATE] = -60.0
    found = made.evidence(made.shots([], 40.0), levels=levels, laughs=[Burst(22.0, 24.0)])
    paused, plain, loud = parts_of(found, (0.0, 10.0), (10.0, 20.0), (20.0, 30.0))
    assert plain.loudness == pytest.approx(0.5 - 2 / 12, abs=0.001)
    assert paused.loudness == plain.loudness
    assert loud.loudness == pytest.approx(0.5 + 4 / 12, abs=0.001)
    assert plain.laughter == 0.0
    assert loud.laughter == pytest.approx(0.736, abs=0.001)


def test_likeness_of_words_and_of_pictures() -> None:
    """Prevents the same thing told twice, or shown twice, from being two clips as good as one."""
    found = talk("Towers have round walls.", "Sailors buy fresh bread.", "Walls of towers are round.")
    by_words = Judge(found).likeness([stretch_between(found, round(a * RATE), round(b * RATE)) for a, b in ((0, 5), (5, 10), (10, 16))])
    assert by_words[0, 2] > 0.9
    assert by_words[0, 1] == pytest.approx(0.0)
    pictures = made.evidence(made.shots([10, 20], 30.0, motion=lambda n: (0.001, 0.02, 0.0011)[n], faces=lambda n: n % 2))
    by_look = Judge(pictures).likeness([stretch_between(pictures, round(a * RATE), round((a + 10) * RATE)) for a in (0, 10, 20)])
    assert by_look[0, 2] > 0.9
    assert by_look[0, 1] < 0.2
    alone = made.evidence(made.shots([], 30.0))
    assert np.isnan(Judge(alone).likeness([stretch_between(alone, 0, 100)])).all()


@pytest.mark.parametrize(
    ("parts", "expected"), [((1.0, np.nan, 0.0), 0.75), ((np.nan, 0.5, np.nan), 0.5), ((np.nan,) * 3, 0.0), ((np.nan, np.nan, 1.0), 1.0)]
)
def test_the_score_is_the_mean_of_what_is_known(parts: Sequence[float], expected: float) -> None:
    """Prevents a missing part from counting as zero, and a video without any from dividing by it."""
    assert weighed(np.array(parts), np.array([3.0, 2.0, 1.0])) == pytest.approx(expected)
    assert weighed(np.array(parts), np.zeros(3)) == 0.0


def test_reasons_name_what_stands_out() -> None:
    """Prevents "score 0.7" as the only thing that a person is told."""
    found = made.evidence(
        made.shots([], 16.0, faces=lambda _: 1.0),
        made.said(
            [(1.0, "Why do 40 towers have round walls?"), (3.6, "Ships saw the light from afar."), (6.0, "Stone is cheap there.")], 16.0
        ),
        laughs=[Burst(7.5, 10.0)],
    )
    judge, stretch = Judge(found), stretch_between(found, round(0.8 * RATE), round(10.2 * RATE))
    assert reason_of(judge, stretch, judge.parts([stretch])[0], 0) == (
        "Opens with a question, is a whole thought of 3 sentences, is 63 % speech, has 2.5 s of laughter or applause, "
        "and shows a face nearly all the time."
    )


def test_titles_stand_alone_and_are_short() -> None:
    """Prevents titles like "And then it", the channel's greeting, and half a sentence that the clip cuts in two."""
    weak = ("Hello and welcome everybody, towers have round walls of stone.", "It was a tower of stone with round walls.")
    long = "Round towers of stone stand where many ships were lost on rocks before anybody thought of lighting fires there at night."
    sentences = [(1.0 + 5 * number, text) for number, text in enumerate((*weak, "Stone is cheap there today.", long))]
    found = made.evidence(made.shots([], 25.0), made.said(sentences, 25.0))

    def title(start: float, end: float) -> str:
        return title_of(Judge(found), stretch_between(found, round(start * RATE), round(end * RATE)))

    assert title(0.0, 15.0) == "Stone is cheap there today"
    assert title(0.0, 20.0) == "Stone is cheap there today"
    assert title(15.5, 20.0) == "Moment at 0:15"
    assert title(15.5, 25.0).startswith("Round towers of stone stand")
    assert len(title(15.5, 25.0)) <= 80
