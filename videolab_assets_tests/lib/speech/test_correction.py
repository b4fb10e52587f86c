from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import Cue, Segment, Transcript, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.correction import corrected
from videolab_assets.lib.subtitles import cues_of, read_srt, to_srt
from videolab_assets.lib.summary.sentences import tokens_of
from videolab_assets_tests.lib.summary.spoken import spoken, talk

Times = list[tuple[str, float, float]]

HEARD: Times = [
    ("the", 1.0, 1.2),
    ("old", 1.2, 1.5),
    ("lamp", 1.5, 2.0),
    ("guides", 2.1, 2.6),
    ("sailors", 2.6, 3.2),
    ("past", 5.0, 5.3),
    ("the", 5.3, 5.5),
    ("northern", 5.5, 6.1),
    ("reefs", 6.1, 6.8),
]
CUES = [("The old lamp guides sailors", 1.0, 3.5), ("past the northern reefs.", 5.0, 7.1)]


def heard_as(words: Sequence[tuple[str, float, float]], language: str | None = None) -> list[Segment]:
    said = [Word(text=text, start=start, end=end, confidence=0.4) for text, start, end in words]
    text = " ".join(text for text, _, _ in words)
    return [Segment(start=said[0].start, end=said[-1].end, text=text, words=said, language=language)] if said else []


def times(segments: Sequence[Segment]) -> Times:
    return [(word.text, word.start, word.end) for segment in segments for word in segment.words]


def cues_as(*cues: tuple[str, float, float]) -> list[Cue]:
    return [Cue(start=start, end=end, text=text) for text, start, end in cues]


def test_words_that_were_heard_keep_their_times_whatever_their_spelling() -> None:
    """Prevents a comma, a capital or an accent from costing a word its time."""
    heard = heard_as([("la", 1.0, 1.2), ("camion", 1.2, 1.8), ("segun", 2.0, 2.4), ("nunez", 2.4, 3.0)])
    segments = corrected(heard, cues_as(("¡La Camión!,\n«según» Núñez…", 0.8, 3.5)))
    assert times(segments) == [("¡La", 1.0, 1.2), ("Camión!,", 1.2, 1.8), ("«según»", 2.0, 2.4), ("Núñez…", 2.4, 3.0)]
    assert [segment.text for segment in segments] == ["¡La Camión!, «según» Núñez…"]
    assert [(segment.start, segment.end) for segment in segments] == [(1.0, 3.0)]
    assert {word.confidence for segment in segments for word in segment.words} == {1.0}


def test_an_accent_the_engine_left_out_costs_no_word_its_time() -> None:
    """Prevents a word from being taken for misheard, and sharing the time of those beside it that were."""
    heard = heard_as([("camion", 1.0, 1.8), ("ex", 1.8, 2.4), ("traño", 2.4, 3.0)])
    assert times(corrected(heard, cues_as(("Camión extraño", 1.0, 3.0)))) == [("Camión", 1.0, 1.8), ("extraño", 1.8, 3.0)]


def test_a_misheard_word_takes_the_place_of_what_was_heard() -> None:
    """Prevents the most common correction from moving its word: the engine knew when, only not what."""
    heard = heard_as([*HEARD[:2], ("lump", 1.5, 2.0), *HEARD[3:]])
    assert times(corrected(heard, cues_as(*CUES))) == [
        ("The", 1.0, 1.2),
        *HEARD[1:5],
        *HEARD[5:8],
        ("reefs.", 6.1, 6.8),
    ]


def test_several_misheard_words_in_a_row_take_their_places_one_by_one() -> None:
    """Prevents words of one length from sharing what the engine divided rightly."""
    heard = heard_as([*HEARD[:1], ("cold", 1.2, 1.5), ("lump", 1.5, 2.0), ("guys", 2.1, 2.6), *HEARD[4:]])
    assert times(corrected(heard, cues_as(*CUES)))[1:4] == HEARD[1:4]


def test_an_inserted_word_finds_room_beside_the_word_with_most() -> None:
    """Prevents a word without length, or one that overlaps its neighbours, where the engine left no gap."""
    heard = heard_as([*HEARD[:1], ("lamp", 1.2, 2.0), *HEARD[3:]])
    segments = corrected(heard, cues_as(*CUES))
    assert times(segments)[0] == ("The", 1.0, 1.2)
    (_, old_start, old_end), (_, lamp_start, lamp_end) = times(segments)[1:3]
    assert (old_start, lamp_end) == (1.2, 2.0)
    assert old_end == lamp_start == pytest.approx(1.2 + 0.8 * 3 / 7, abs=0.001)


def test_an_inserted_word_takes_the_silence_it_was_said_in() -> None:
    """Prevents a neighbour from giving up its time where there is a gap."""
    heard = heard_as([*HEARD[:2], *HEARD[3:]])
    assert times(corrected(heard, cues_as(*CUES)))[2] == ("lamp", 1.5, 2.1)


def test_words_after_the_last_one_heard_share_the_rest_of_the_cue() -> None:
    """Prevents words that the engine missed at the end from being piled up or left out."""
    segments = corrected(heard_as(HEARD[:3]), cues_as(("The old lamp shines on", 1.0, 4.4)))
    assert times(segments)[3:] == [("shines", 2.0, 3.8), ("on", 3.8, 4.4)]


def test_deleted_words_leave_the_others_where_they_are() -> None:
    """Prevents a stammer that a person takes out from moving what follows."""
    stammer: Times = [("the", 0.4, 0.6), ("the", 0.7, 0.9), *HEARD[:5]]
    segments = corrected(heard_as(stammer), cues_as(("The lamp guides sailors", 0.3, 3.5)))
    assert times(segments)[1:] == HEARD[2:5]
    kept = corrected(heard_as(stammer), cues_as(("The old lamp guides sailors", 0.3, 3.5)))
    assert times(kept) == [("The", 1.0, 1.2), *HEARD[1:5]]


@pytest.mark.parametrize("words_before", range(4))
@pytest.mark.parametrize(
    ("said", "written", "meant"),
    [("the lamp uh er lamp shines", "the shiny lamp shines", 4), ("old lamp uh lamp er shines", "old lamp also shines", 1)],
)
def test_of_two_equal_words_the_one_with_equal_neighbours_is_meant(said: str, written: str, meant: int, words_before: int) -> None:
    """Prevents a word from being timed as its false start: what stands beside it tells the two apart."""
    texts = ["mumble"] * words_before + said.split()
    heard: Times = [(text, 1.0 + 0.5 * place, 1.5 + 0.5 * place) for place, text in enumerate(texts)]
    cue = Cue(start=0.9 + 0.5 * words_before, end=4.1 + 0.5 * words_before, text=written)
    (segment,) = corrected(heard_as(heard), [cue])
    (lamp,) = (word for word in segment.words if word.text == "lamp")
    assert (lamp.text, lamp.start, lamp.end) == heard[words_before + meant]


def test_words_that_the_engine_overlaps_end_where_the_next_begins() -> None:
    """Prevents two words at one moment: engines place each word by itself."""
    heard = heard_as([("old", 1.0, 1.6), ("lamps", 1.4, 2.0)])
    assert times(corrected(heard, cues_as(("Old lamps", 1.0, 3.0)))) == [("Old", 1.0, 1.4), ("lamps", 1.4, 2.0)]


def test_a_short_cue_keeps_room_for_its_words_beside_those_that_run_over() -> None:
    """Prevents a quick "No!" from having no time of its own because the words before or after it were heard at that time."""
    early = heard_as([("old", 1.0, 1.9), ("lamps", 2.3, 2.5), ("guide", 2.5, 2.7), ("sailors", 2.7, 2.95)])
    first, second = corrected(early, cues_as(("Old lamps guide sailors", 1.0, 2.0), ("No!", 2.1, 2.7)))
    assert first.end <= second.start
    assert second.end - second.start >= 0.2
    late = heard_as([("old", 2.05, 2.2), ("lamps", 2.2, 2.4), ("guide", 2.4, 2.6), ("sailors", 3.0, 3.9)])
    first, second = corrected(late, cues_as(("No!", 2.1, 2.7), ("Old lamps guide sailors", 2.8, 4.0)))
    assert first.end <= second.start
    assert first.end - first.start >= 0.2


def test_a_rewritten_cue_lies_where_speech_was_heard_and_leaves_its_neighbours_alone() -> None:
    """Prevents new words from spreading over silence, or into the next cue."""
    segments = corrected(heard_as(HEARD), cues_as(("Beacons rescue everyone aboard ships tonight", 0.2, 4.8), CUES[1]))
    first, second = segments
    assert (first.start, first.end) == (1.0, 3.2)
    letters = [len(word.text) for word in first.words]
    shares = [(word.end - word.start) / 2.2 for word in first.words]
    assert shares == pytest.approx([count / sum(letters) for count in letters], abs=0.001)
    assert [(word.start, word.end) for word in second.words] == [(start, end) for _, start, end in HEARD[5:]]


def test_where_nothing_was_heard_words_share_their_cue_by_letters() -> None:
    """Prevents a video whose speech no engine understands from having no searchable words."""
    segments = corrected([], cues_as(("Ay mamá", 2.0, 5.0), ("♪ ♪", 6.0, 7.0)))
    assert times(segments) == [("Ay", 2.0, 3.0), ("mamá", 3.0, 5.0), ("♪", 6.0, 6.5), ("♪", 6.5, 7.0)]


@pytest.mark.parametrize("moved", [-0.9, -0.4, 0.4, 0.9])
def test_a_cue_a_little_off_its_words_leaves_them_where_they_were_said(moved: float) -> None:
    """Prevents a cue that was snapped to a cut, or comes early to be read, from shifting its words: clips are cut at them."""
    segments = corrected(heard_as(HEARD), cues_as(("Hello.", 0.0, 0.05), (CUES[0][0], 1.0 + moved, 3.2 + moved), ("Bye.", 30.0, 31.0)))
    assert times(segments)[1:6] == [("The", 1.0, 1.2), *HEARD[1:5]]


@pytest.mark.parametrize("moved", [-20.0, -3.0, -1.5, 1.5, 3.0, 20.0])
def test_a_cue_that_a_person_moved_far_is_believed(moved: float) -> None:
    """Prevents the engine's times from undoing a person's, for all of a cue or for the end of it that still touches its words."""
    heard = heard_as([(text, start + 30, end + 30) for text, start, end in HEARD[:5]])
    cue = Cue(start=31.0 + moved, end=33.2 + moved, text=CUES[0][0])
    segments = corrected(heard, [*cues_as(("Hello.", 1.0, 2.0)), cue, *cues_as(("Bye.", 90.0, 91.0))])
    moved_words = segments[1].words
    assert (moved_words[0].start, moved_words[-1].end) == pytest.approx((cue.start, cue.end))
    shares = [(word.end - word.start) / 2.2 for word in moved_words]
    assert shares == pytest.approx([count / 23 for count in (3, 3, 4, 6, 7)], abs=0.001)


def test_a_word_heard_in_the_neighbouring_cue_is_not_taken_from_there() -> None:
    """Prevents "the" of one cue from being found in another, and words that run backwards across cues."""
    swapped = cues_as(("past the northern reefs.", 1.0, 3.5), ("The old lamp guides sailors", 5.0, 7.1))
    first, second = corrected(heard_as(HEARD), swapped)
    assert 1.0 <= first.start < first.end <= 3.5
    assert 5.0 <= second.start < second.end <= 7.1


def test_a_chance_short_word_in_a_rewritten_cue_is_no_anchor() -> None:
    """Prevents "de", which is everywhere, from squeezing all that follows into what is left."""
    heard = heard_as([("uno", 1.0, 1.5), ("dos", 1.5, 2.0), ("tres", 2.0, 2.5), ("de", 2.8, 3.0)])
    (segment,) = corrected(heard, cues_as(("de verdad nunca imaginamos semejante maravilla", 1.0, 3.0)))
    assert segment.words[0].start == 1.0
    assert segment.words[0].end < 1.3


def test_words_that_the_engine_gives_one_moment_share_their_cue() -> None:
    """Prevents a cue without length from an engine that knows only when a segment is said."""
    heard = heard_as([("old", 2.0, 2.0), ("lamps", 2.0, 2.0)])
    assert times(corrected(heard, cues_as(("Old lamps", 1.0, 3.4)))) == [("Old", 1.0, 1.9), ("lamps", 1.9, 3.4)]


def test_each_segment_keeps_the_language_heard_at_its_time() -> None:
    """Prevents a recording that changes its language from being all in one once it is corrected."""
    heard = [*heard_as(HEARD[:5]), *heard_as([("pasa", 5.0, 5.3), ("los", 5.3, 5.5), ("arrecifes", 5.5, 6.8)], "es")]
    segments = corrected(heard, cues_as(CUES[0], ("pasa los arrecifes", 5.0, 7.0)))
    assert [segment.language for segment in segments] == [None, "es"]


def test_segments_read_as_the_person_wrote_them() -> None:
    """Prevents summaries and search from showing words other than the person's: they read tokens, not cues."""
    segments = corrected(heard_as(HEARD), cues_as(*CUES, ("  \n ", 8.0, 9.0)))
    transcript = Transcript(engine="", model="", language="en", draft=False, duration=9.0, segments=segments)
    assert transcript.text == "The old lamp guides sailors past the northern reefs."
    assert [token.text for token in tokens_of(transcript)] == transcript.text.split()


@pytest.mark.parametrize("name", ["balcony_es", "bridges_en"])
def test_a_talk_corrected_word_for_word_is_timed_as_it_was_said(name: str) -> None:
    """Prevents drift over a whole talk, a fifth of whose words the engine got wrong, from a file that went through an editor."""
    said = talk(name)
    spoken_so = spoken(said["utterances"], said["language"], pause=0.4)
    draft = spoken(said["utterances"], said["language"], draft=True, pause=0.4)
    misheard = [
        segment.model_copy(
            update={
                "text": "",
                "words": [
                    word.model_copy(update={"text": "mumble" if index % 5 == 2 else word.text}) for index, word in enumerate(segment.words)
                ],
            }
        )
        for segment in draft.segments
    ]
    cues = read_srt(to_srt(cues_of(spoken_so)).encode("cp1252"), duration=spoken_so.duration)
    true = [word for segment in spoken_so.segments for word in segment.words]
    found = times(corrected(misheard, cues))
    assert [text for text, _, _ in found] == [word.text for word in true]
    late = [abs(start - word.start) for (_, start, _), word in zip(found, true, strict=True)]
    assert sum(late) / len(late) < 0.02
    assert max(late) < 0.5


@pytest.mark.long
def test_no_input_makes_the_work_grow_with_the_square_of_its_length() -> None:
    """Prevents a day of "de de de" from holding a worker for hours: quadratic work on these takes minutes."""
    same = heard_as([("de", 0.35 * at, 0.35 * at + 0.3) for at in range(30_000)])
    segments = corrected(same, [Cue(start=4.0 * at, end=4.0 * at + 3.9, text="de " * 12) for at in range(2600)])
    assert sum(len(segment.words) for segment in segments) == 12 * 2600
    assert corrected(same, [Cue(start=0.0, end=9000.0, text="de " * 300)])


words = st.sampled_from(["de", "la", "lamp", "Lámp.", "the", "THE", "sailors", "—", "♪", "a,", "x" * 30]) | st.text(max_size=8)
heard_times = st.floats(0, 40) | st.floats()
written_cues = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 5000), st.lists(words, max_size=14)), max_size=12)


def in_order_and_within_their_cues(heard: Sequence[Segment], written: Sequence[tuple[int, int, list[str]]]) -> None:
    """`written`: milliseconds of pause, milliseconds of length, words."""
    lines, at = [], 0
    for pause, length, texts in written:
        lines.append(Cue(start=(at + pause) / 1000, end=(at + pause + length) / 1000, text=" ".join(texts)))
        at += pause + length
    try:
        cues = read_srt(to_srt(lines).encode(), duration=at / 1000 + 1)
    except PermanentError:
        return
    result = corrected(heard, cues)
    found = [word for segment in result for word in segment.words]
    assert [word.text for word in found] == [text for cue in cues for text in cue.text.split()]
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(cues[0].start <= word.start <= word.end <= cues[-1].end for word in found)
    for segment, cue in zip(result, cues, strict=True):
        assert cue.start - 1.0001 <= segment.start <= segment.end <= cue.end + 1.0001  # milliseconds are no binary fractions
        assert segment.end > segment.start or cue.end - cue.start < 0.1
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)


@given(st.lists(st.lists(st.tuples(words, heard_times, heard_times), max_size=12), max_size=6), written_cues)
def test_any_correction_of_anything_is_in_order_and_within_its_cues(
    heard: list[list[tuple[str, float, float]]], written: list[tuple[int, int, list[str]]]
) -> None:
    """Prevents words that overlap, run backwards, leave the subtitles' span, or are lost, whatever was heard and written."""
    in_order_and_within_their_cues([segment for said in heard for segment in heard_as(said)], written)


@given(written_cues, st.data())
def test_a_correction_of_what_was_heard_elsewhere_is_in_order_and_within_its_cues(
    written: list[tuple[int, int, list[str]]], data: st.DataObject
) -> None:
    """Prevents the same where most words are found again, but cues were moved, shortened and reworded."""
    heard: Times = []
    at = 0.0
    for pause, length, texts in written:
        at += pause / 1000
        start = at + data.draw(st.floats(-1.5, 1.5))
        step = data.draw(st.floats(0.02, 0.6))
        for place, text in enumerate(texts):
            said = data.draw(st.sampled_from([text, text, text, "lamp"]))
            heard.append(
                (said, max(0.0, start + step * place), max(0.0, start + step * (place + data.draw(st.sampled_from([0.0, 0.9, 1.5])))))
            )
        at += length / 1000
    in_order_and_within_their_cues(heard_as(sorted(heard, key=lambda word: word[1])), written)
