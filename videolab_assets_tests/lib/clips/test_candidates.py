"""Candidates: where they begin and end, around words, shots and laughs of which the times are known."""

import numpy as np

from videolab_assets.lib.clips.candidates import ENDS_TRIED, Stretch, stretch_between, stretches_of
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE, Burst
from videolab_assets_tests.lib.clips import made

RATE = 25.0
STORY = [
    (1.0, "The tower was built of local stone."),  # until 3.333
    (4.0, "Nobody knows who drew the plans."),  # until 6.0
    (7.0, "The lamp came by ship from Paris."),  # until 9.333
    (10.0, "Every keeper wrote his name down."),  # until 12.0
]


def edges_of(evidence: Evidence, shortest: float = 4.0, longest: float = 8.0) -> tuple[set[float], set[float]]:
    """All seconds at which candidates begin, and at which they end."""
    found = stretches_of(evidence, shortest, longest, 1)
    return {round(one.start / RATE, 3) for one in found}, {round(one.end / RATE, 3) for one in found}


def test_a_breath_is_left_on_either_side() -> None:
    """Prevents clips whose first sound is bitten off: 0.2 s of the pause come before the first word, 0.25 s after the last."""
    starts, ends = edges_of(made.evidence(made.shots([], 13.0), made.said(STORY, 13.0)))
    assert starts == {0.0, 0.8, 3.8, 6.8}
    assert {6.24, 9.6, 12.24} <= ends <= {6.24, 9.6, 12.24, 13.0}


def test_a_short_pause_is_shared() -> None:
    """Prevents a cut close to a word where an engine's times are off by a few hundredths of a second."""
    transcript = made.said([(1.0, "The tower was built of local stone again."), (3.8667, "Nobody knows who drew the plans up then.")], 7.0)
    starts, ends = edges_of(made.evidence(made.shots([], 7.0), transcript), 2.0, 4.0)
    assert 3.76 in starts
    assert 3.76 in ends


def test_shot_changes_in_the_pause_are_where_clips_begin_and_end() -> None:
    """Prevents a flash of the shot before: the cut moves onto the change, as long as no word is in between."""
    found = made.evidence(made.shots([3.6, 6.68, 9.2, 12.4], 13.0), made.said(STORY, 13.0))
    starts, ends = edges_of(found)
    assert {3.6, 6.68} <= starts
    assert {6.68, 12.4} <= ends
    assert 9.2 not in starts | ends  # inside "Paris"


def test_a_laugh_belongs_to_what_it_laughs_at() -> None:
    """Prevents a joke from being cut off from its laughter."""
    found = made.evidence(made.shots([], 16.0), made.said([*STORY[:2], (12.0, STORY[3][1])], 16.0), laughs=[Burst(6.2, 8.0)])
    assert 8.12 in edges_of(found)[1]


def test_the_quietest_frame_is_taken() -> None:
    """Prevents a cut into a word that sounds longer than the engine says."""
    levels = np.zeros(round(13.0 * CURVE_RATE), np.float32)
    levels[round(3.86 * CURVE_RATE) : round(3.98 * CURVE_RATE)] = -45.0
    starts, _ = edges_of(made.evidence(made.shots([], 13.0), made.said(STORY, 13.0), levels=levels))
    assert any(3.86 < start < 3.98 for start in starts)


def test_no_cut_where_no_frame_fits_between_two_words() -> None:
    """Prevents rounding into a word: sentences that follow each other within a frame are not parted."""
    joined = [(1.01, "The tower was built of local stone."), (3.35, "Nobody knows who drew the plans."), (7.0, STORY[2][1])]
    starts, ends = edges_of(made.evidence(made.shots([], 10.0), made.said(joined, 10.0)))
    assert not any(3.0 < edge < 4.0 for edge in starts | ends)


def test_clips_do_not_open_on_words_that_point_back() -> None:
    """Prevents "It fell down in a storm" as the first thing that anybody hears."""
    pointing = [STORY[0], (4.0, "It fell down in a storm."), *STORY[2:]]
    starts, _ = edges_of(made.evidence(made.shots([], 13.0), made.said(pointing, 13.0)))
    assert not any(3.4 < start < 6.0 for start in starts)
    first = [(1.0, "It fell down in a storm."), *STORY[1:]]
    assert any(start < 1.0 for start in edges_of(made.evidence(made.shots([], 13.0), made.said(first, 13.0)))[0])


def test_clips_do_not_end_on_words_that_wait_for_more() -> None:
    """Prevents a draft's "because the" as the last thing that anybody hears."""
    hanging = [STORY[0], (4.0, "Nobody knows the name of the."), *STORY[2:]]
    found = made.evidence(made.shots([], 13.0), made.said(hanging, 13.0, draft=True))
    assert not any(6.0 <= end < 7.0 for end in edges_of(found)[1])


def test_shots_alone_where_nobody_speaks() -> None:
    """Prevents clips of silent footage that begin in the middle of a shot."""
    cuts = [6.0, 11.0, 19.0, 26.0, 34.0, 41.0]
    starts, ends = edges_of(made.evidence(made.shots(cuts, 48.0)), 10.0, 20.0)
    assert starts | ends <= {0.0, *cuts, 48.0}
    assert len(starts) > 4


def test_one_long_shot_in_silence_has_candidates() -> None:
    """Prevents a fixed camera's recording from having no clip at all."""
    assert len(stretches_of(made.evidence(made.shots([], 120.0)), 15.0, 60.0, 3)) > 10


def test_running_speech_is_cut_between_words_as_a_last_resort() -> None:
    """Prevents no clip at all from somebody who never pauses, as long as frames fit between the words."""
    words = " ".join(f"word{number}" for number in range(150))
    transcript = made.said([(0.2, words)], 51.0)
    segment = transcript.segments[0]
    spaced = [word.model_copy(update={"end": word.end - 0.1}) for word in segment.words]
    transcript = transcript.model_copy(update={"segments": [segment.model_copy(update={"words": spaced})]})
    found = stretches_of(made.evidence(made.shots([], 51.0), transcript), 10.0, 20.0, 3)
    assert found
    assert not any(word.start < edge / RATE < word.end for one in found for edge in (one.start, one.end) for word in spaced)


def test_candidates_grow_no_faster_than_words() -> None:
    """Prevents hours of speech from costing the square of their sentences."""
    transcript = made.said([(4.0 * number, "The tower was built of local stone.") for number in range(900)], 3600.0)
    found = stretches_of(made.evidence(made.shots([], 3600.0), transcript), 15.0, 60.0, 3)
    assert 900 < len(found) <= 903 * ENDS_TRIED


def test_a_stretch_that_somebody_else_chose_has_its_whole_words() -> None:
    """Prevents captions of words that a pinned clip cuts in two."""
    found = made.evidence(made.shots([], 13.0), made.said(STORY, 13.0))
    stretch = stretch_between(found, round(1.4 * RATE), round(4.4 * RATE))
    assert [word.text for word in found.words[stretch.first : stretch.last]] == ["was", "built", "of", "local", "stone.", "Nobody"]
    assert (stretch.opens, stretch.closes) == (0.0, 0.0)
    assert stretch_between(found, 0, 10) == Stretch(0, 10, 0, 0, 1.0, 1.0)
