import re
import unicodedata
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.subtitles import LONGEST_LINE, breaches, cues_of
from videolab_assets_tests.lib.subtitles.said import NO_BREACH, evenly, lines_of, segment_of, timed, transcript_of, words_in
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, spoken, talk

ARTICLES_AND_PREPOSITIONS = {
    "es": re.compile(r"\b(el|la|los|las|una?|unos|unas|al|del?|a|ante|con|desde|en|entre|hacia|para|por|según|sin|sobre|sus?|mi|y)$", re.I),
    "en": re.compile(r"\b(an?|the|of|to|in|on|at|by|for|with|from|into|its|our|their|my|your|and)$", re.IGNORECASE),
}
REAL_RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_a_talk_becomes_cues_that_break_no_rule(name: str, draft: bool) -> None:
    """Prevents cues that are too long, too short, too fast or too close at an ordinary speaker's pace, and words lost on the way."""
    said = talk(name)
    transcript = spoken(said["utterances"], said["language"], draft=draft, pause=0.4)
    shots = [2.5 * number for number in range(200)]
    cues = cues_of(transcript, frame_rate=25, shot_times=shots)
    assert breaches(cues, 25, shots) == NO_BREACH
    assert words_in(cues) == transcript.text.split()


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_lines_never_end_between_an_article_and_its_noun(name: str, draft: bool) -> None:
    """Prevents "the / lamp" and "de / barro", at line ends and at cue ends."""
    said = talk(name)
    cues = cues_of(spoken(said["utterances"], said["language"], draft=draft, pause=0.4))
    assert [line for line in lines_of(cues) if ARTICLES_AND_PREPOSITIONS[said["language"]].search(line)] == []


@pytest.mark.parametrize("pause", [0.9, 1.4, 1.6, 2.8])
@pytest.mark.parametrize(
    ("text", "language"), [("We then opened the lamp shop.", "en"), ("Entonces abrimos la tienda vieja.", "es"), ("see the lamp", "und")]
)
def test_a_speaker_who_hesitates_after_an_article_does_not_part_it_from_its_noun(text: str, language: str, pause: float) -> None:
    """Prevents "the", a pause that looks like an utterance's end, and "lamp" in the next cue."""
    words, at = [], 0.5
    for word in text.split():
        words.append(Word(text=word, start=at, end=at + 0.3, confidence=0.9))
        at += 0.3 + (pause if word in ("the", "la") else 0.05)
    cues = cues_of(transcript_of(words, language))
    assert not [line for line in lines_of(cues) if re.search(r"\b(the|la)$", line)]
    assert words_in(cues) == text.split()


def test_an_engine_that_ends_its_segment_after_an_article_does_not_end_the_cue_there() -> None:
    """Prevents the engine's window, which ends anywhere, from becoming the reader's."""
    first = evenly("we walked along the river until we saw the", 0.0, 3.6).segments[0]
    second = evenly("lighthouse on the hill", 3.6, 5.4).segments[0]
    transcript = Transcript(engine="made", model="", language="en", draft=True, duration=8.0, segments=[first, second])
    assert not [line for line in lines_of(cues_of(transcript)) if line.endswith(" the")]


def test_a_draft_in_spanish_breaks_before_its_clauses() -> None:
    """Prevents breaks inside phrases where no comma shows the clause."""
    clauses = ["los vecinos plantaron tomates grandes", "porque llegaban semillas nuevas", "cuando terminaba aquel invierno largo"]
    assert lines_of(cues_of(evenly(" ".join(clauses), 0.0, 6.5, "es"))) == clauses


def test_a_speaker_who_changes_the_language_gets_the_rules_of_both() -> None:
    """Prevents Spanish prepositions at line ends in a recording that is mostly English."""
    english = spoken([*talk("bridges_en")["utterances"]], "en", pause=0.4)
    spanish = spoken([*talk("balcony_es")["utterances"]], "es", pause=0.4)
    later = [
        segment_of([word.model_copy(update={"start": word.start + 500, "end": word.end + 500}) for word in segment.words], "es")
        for segment in spanish.segments
    ]
    mixed = english.model_copy(update={"segments": [*english.segments, *later], "duration": 0.0})
    cues = cues_of(mixed)
    in_spanish = [cue for cue in cues if cue.start > 499]
    assert [line for line in lines_of(in_spanish) if ARTICLES_AND_PREPOSITIONS["es"].search(line)] == []
    assert words_in(cues) == mixed.text.split()


@pytest.mark.parametrize("name", TALK_NAMES)
def test_cues_end_where_sentences_and_clauses_do(name: str) -> None:
    """Prevents cues cut anywhere: a sentence's end followed by the next one's beginning makes a reader stumble."""
    said = talk(name)
    cues = cues_of(spoken(said["utterances"], said["language"], pause=0.4))
    ends_well = [cue for cue in cues if cue.text[-1] in ".?!,;:"]
    assert len(ends_well) >= 0.8 * len(cues)
    ends = {text.split()[-1] for text in said["utterances"]}
    starts_late = [cue for cue in cues if any(word in ends for word in cue.text.split()[:-1]) and cue.text.split()[-1] not in ends]
    assert len(starts_late) <= 0.05 * len(cues)


def test_two_lines_are_of_like_length() -> None:
    """Prevents a full line above a single word."""
    (cue,) = cues_of(spoken(["Bright lamps guide tired sailors past dangerous northern reefs."]))
    assert cue.text == "Bright lamps guide tired sailors\npast dangerous northern reefs."


def test_words_appear_when_they_are_said() -> None:
    """Prevents subtitles that drift: each cue starts within a quarter of a second of its first word."""
    transcript = spoken(talk("bridges_en")["utterances"], pause=0.4)
    words = [word for segment in transcript.segments for word in segment.words]
    at = 0
    for cue in cues_of(transcript):
        assert cue.start == pytest.approx(words[at].start, abs=0.25)
        at += len(cue.text.split())
        assert cue.end >= words[at - 1].end - 0.25


def test_a_quick_word_in_silence_stays_long_enough_to_read() -> None:
    """Prevents "Yes." from flashing for a fifth of a second."""
    cues = cues_of(timed(("Yes.", 5.0, 5.2), ("No.", 9.0, 9.1)))
    assert [(cue.start, cue.text) for cue in cues] == [(5.0, "Yes."), (9.0, "No.")]
    assert all(1.0 <= cue.end - cue.start <= 2.0 for cue in cues)


def test_a_cue_with_time_to_spare_waits_until_the_one_before_it_is_read() -> None:
    """Prevents a quick sentence from being unreadable for want of a tenth of a second that the next one does not need."""
    quick = [("Nobody", 0.0, 0.3), ("expected", 0.3, 0.7), ("thunder.", 0.7, 1.4)]
    cues = cues_of(timed(*quick, ("Rain", 1.4, 2.2), ("fell.", 2.2, 3.4)))
    assert [cue.text for cue in cues] == ["Nobody expected thunder.", "Rain fell."]
    assert breaches(cues)["too_fast"] == 0
    assert 1.4 < cues[1].start <= 1.6


def test_a_quick_cue_comes_early_only_when_the_one_before_it_is_read() -> None:
    """Prevents one cue's reading time from being taken for another's that is too fast anyway."""
    calm = [("Yes,", 0.0, 0.2), ("certainly,", 0.2, 0.5), ("we", 0.5, 0.6), ("definitely", 0.6, 0.9), ("should.", 0.9, 1.0)]
    hasty = ["Extraordinarily", "complicated", "circumstances,", "notwithstanding", "administrators"]
    said = [(text, 2.4 + 0.3 * place, 2.7 + 0.3 * place) for place, text in enumerate(hasty)]
    cues = cues_of(timed(*calm, *said, ("celebrated", 3.9, 4.2), ("unconditionally.", 4.2, 4.5)))
    assert cues[0].text == "Yes, certainly, we definitely should."
    assert len(cues[0].text) / (cues[0].end - cues[0].start) <= 17


def test_no_cue_stands_through_a_long_silence() -> None:
    """Prevents words from being shown seconds before they are said."""
    cues = cues_of(timed(("Wait", 1.0, 1.4), ("here.", 4.0, 4.4)))
    assert [cue.start for cue in cues] == [1.0, 4.0]
    assert cues[0].end < 3.0


@pytest.mark.parametrize("frame_rate", [10.0, 23.976, 25.0, 29.97, 60.0, 0.0, float("nan")])
def test_cues_are_two_frames_apart(frame_rate: float) -> None:
    """Prevents cues that touch: players then show one text change instead of two, and delivery checks refuse the file."""
    cues = cues_of(spoken(talk("bakery_es")["utterances"], "es", pause=0.0), frame_rate=frame_rate)
    frames = 2 / (frame_rate if frame_rate > 0 else 25.0)
    assert min(after.start - before.end for before, after in pairwise(cues)) >= frames - 1e-9
    assert breaches(cues, frame_rate)["too_close"] == 0


def test_a_slide_show_of_a_frame_a_second_keeps_its_words_on_screen() -> None:
    """Prevents two seconds of nothing between any two cues of a screen recording."""
    cues = cues_of(spoken(talk("bridges_en")["utterances"], pause=0.0), frame_rate=1.0)
    assert max(after.start - before.end for before, after in pairwise(cues)) <= 0.5


@pytest.mark.parametrize("rate", REAL_RATES)
@pytest.mark.parametrize("late", [-0.45, -0.2, -0.01, 0.01, 0.2, 0.45])
def test_edges_near_a_shot_change_move_onto_its_frame(rate: Fraction, late: float) -> None:
    """Prevents a cue that hangs over a cut for a few frames, and one that is a rounded millisecond late for the shot's first frame."""
    cut_out, cut_in = Fraction(round(3 * rate)) / rate, Fraction(round(5.1 * float(rate))) / rate
    said_out, said_in = float(cut_out) + late - 0.3, float(cut_in) + late
    said = timed(("First", 1.0, 1.5), ("shot.", 1.5, said_out), ("Second", said_in, said_in + 0.6), ("shot.", said_in + 0.6, 7.5))
    first, second = cues_of(said, frame_rate=float(rate), shot_times=[float(cut_out), float(cut_in)])
    frames = [Fraction(number) / rate for number in range(int(8 * rate))]
    showing = [[frame for frame in frames if cue.start <= float(frame) < cue.end] for cue in (first, second)]
    assert showing[1][0] == cut_in
    clear = round((cut_out - showing[0][-1]) * rate) - 1
    assert clear in (2, 3)


@pytest.mark.parametrize(("away", "snaps"), [(0.5, True), (0.49, True), (0.52, False)])
def test_half_a_second_is_near_and_more_is_not(away: float, snaps: bool) -> None:
    """Prevents a reach that is a rounding short, and cues dragged to cuts that have nothing to do with them."""
    said = timed(("Listen", 10.0, 11.0), ("carefully.", 11.0, 13.0))
    (early,) = cues_of(said, shot_times=[10.0 - away])
    (late,) = cues_of(said, shot_times=[10.0 + away])
    assert (early.start, late.start) == ((10.0 - away, 10.0 + away) if snaps else (10.0, 10.0))
    end = cues_of(said)[0].end
    (early,) = cues_of(said, shot_times=[end - away])
    (late,) = cues_of(said, shot_times=[end + away])
    found = (early.end, late.end)
    assert found == (pytest.approx((end - away - 0.08, end + away - 0.08)) if snaps else (end, end))


def test_speech_that_runs_over_a_cut_changes_cues_on_the_cut() -> None:
    """Prevents a cut in the midst of a change of cues from being missed by both: the one before cannot stay, nor the one after come."""
    for cut in (3.8, 4.2):
        said = timed(("One", 1.0, 2.0), ("sentence.", 2.0, 4.0), ("Another", 4.0, 5.0), ("sentence.", 5.0, 7.0))
        first, second = cues_of(said, frame_rate=25, shot_times=[cut])
        assert (first.end, second.start) == pytest.approx((cut - 0.08, cut))


def test_no_snap_makes_a_cue_unreadable() -> None:
    """Prevents a cue of less than a second, or one nobody can read, for the sake of a cut."""
    short = timed(("Yes.", 5.0, 5.2), ("No.", 6.1, 6.4))
    assert [cue.start for cue in cues_of(short, shot_times=[5.4])] == [5.0, 6.1]
    quick = evenly("Thirty-four characters in 2 seconds", 1.0, 3.0)
    (cue,) = cues_of(quick, shot_times=[1.4, 2.9])
    assert (cue.start, cue.end >= 3.0) == (1.0, True)


@pytest.mark.parametrize("last_word", [(19.8, 20.0), (20.0, 20.0), (19.99, 20.4)])
def test_the_last_cue_ends_with_the_recording(last_word: tuple[float, float]) -> None:
    """Prevents a last word that is cut off by the end of the video, and a check that finds subtitles after it."""
    cues = cues_of(timed(("Well,", 15.0, 15.5), ("goodbye.", *last_word), duration=20.0))
    assert cues[-1].end == 20.0
    assert breaches(cues) == NO_BREACH


def test_words_without_length_and_all_at_once_are_still_shown_one_after_another() -> None:
    """Prevents an engine that gives every word of a segment the same moment from piling up cues."""
    cues = cues_of(timed(*[("word", 3.0, 3.0)] * 60))
    assert words_in(cues) == ["word"] * 60
    found = breaches(cues)
    found.pop("too_fast")
    assert not any(found.values())


@pytest.mark.long
def test_three_hours_are_as_good_as_a_minute() -> None:
    """Prevents drift that grows with length: the last cue of three hours is as near to its words as the first."""
    utterances = talk("onboarding_en")["utterances"]
    transcript = spoken((utterances * (28_000 // sum(len(text.split()) for text in utterances) + 1)), pause=0.4)
    assert transcript.duration > 3 * 3600
    shots = [7.0 * number for number in range(1600)]
    cues = cues_of(transcript, frame_rate=29.97, shot_times=shots)
    assert {**breaches(cues, 29.97, shots), "too_fast": 0} == NO_BREACH
    assert breaches(cues, 29.97)["too_fast"] < 0.001 * len(cues)
    words = [word for segment in transcript.segments for word in segment.words]
    at = 0
    for cue in cues:
        assert abs(cue.start - words[at].start) <= 0.75
        at += len(cue.text.split())


def test_nothing_said_gives_no_cue() -> None:
    """Prevents a failing asset for a video in which nobody speaks."""
    assert cues_of(transcript_of([])) == []
    assert cues_of(Transcript(engine="", model="", language="und", draft=False, duration=9.0, segments=[])) == []
    empty = Segment(start=0.0, end=1.0, text="", words=[])
    assert cues_of(Transcript(engine="", model="", language="en", draft=False, duration=9.0, segments=[empty])) == []


def test_control_characters_and_overlong_words_are_made_showable() -> None:
    """Prevents invisible characters in players, and a word that runs out of the picture."""
    cues = cues_of(timed(("be\x07ll\u2028tower\x00", 0.0, 2.0), ("x" * 100, 2.0, 6.0)))
    assert words_in(cues)[:2] == ["bell", "tower"]
    assert "".join(words_in(cues)[2:]) == "x" * 100
    assert max(len(line) for line in lines_of(cues)) <= LONGEST_LINE


articles = st.sampled_from(["the", "a", "an", "The", "el", "la", "las", "una", "del", "La"])
nouns = st.sampled_from(["lamp", "window", "neighbour's", "casa", "ventana", "ciudades", "extraordinario", "Torre,", "fin.", "qué?"])
phrases = st.tuples(st.lists(articles, max_size=3), nouns).map(lambda phrase: [*phrase[0], phrase[1]])


@given(
    st.lists(phrases, min_size=1, max_size=30).map(lambda said: [word for phrase in said for word in phrase]),
    st.data(),
    st.sampled_from(["en", "es", "und"]),
    st.lists(st.floats(0, 100), max_size=30),
    st.sampled_from(REAL_RATES),
)
def test_speech_at_any_pace_never_parts_an_article_from_its_noun(
    texts: list[str], data: st.DataObject, language: str, shots: list[float], rate: Fraction
) -> None:
    """Prevents "la / casa" wherever the speaker stammers or pauses, whatever the cuts, in a language known or not."""
    paces = st.lists(st.tuples(st.floats(0, 4), st.floats(0, 2.9)), min_size=len(texts), max_size=len(texts))
    words, at = [], 0.0
    for text, (length, pause) in zip(texts, data.draw(paces), strict=True):
        words.append(Word(text=text, start=at, end=at + length, confidence=0.9))
        at += length + pause
    cues = cues_of(transcript_of(words, language), frame_rate=float(rate), shot_times=shots)
    assert {**breaches(cues, float(rate), shots), "too_fast": 0} == NO_BREACH
    assert words_in(cues) == texts


anything = st.text(max_size=60) | st.sampled_from(["the", "de", "-->", "&amp;", "<b>", "end.", "uno,"])


@given(
    st.lists(st.tuples(anything, st.floats(), st.floats()) | st.tuples(anything, st.floats(0, 60), st.floats(0, 60)), max_size=80),
    st.sampled_from(["en", "es", "und"]),
    st.floats(),
    st.lists(st.floats() | st.floats(0, 60), max_size=10),
    st.floats(),
)
def test_any_words_give_cues_within_the_rules(
    words: list[tuple[str, float, float]], language: str, frame_rate: float, shots: list[float], duration: float
) -> None:
    """Prevents overlaps, long lines, flashes, negative times and lost or reordered words, whatever an engine returns."""
    said = [Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in words]
    cues = cues_of(transcript_of(said, language, duration), frame_rate=frame_rate, shot_times=shots)
    found = breaches(cues, frame_rate, shots)
    assert {**found, "too_fast": 0, "article_parted": 0} == NO_BREACH
    assert all(0 <= cue.start < cue.end for cue in cues)
    shown = "".join(words_in(cues))
    said_aloud = "".join("".join(word.split()) for word, _, _ in words)
    assert shown == "".join(mark for mark in said_aloud if unicodedata.category(mark) != "Cc" and mark != "\ufeff")
