"""Plans: whatever is said and shown, no clip passes a word or another clip; what a person wants is in, exactly."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE, Burst
from videolab_assets.lib.clips.plan import MOST_RIVALS, Fixed, Planned, plan_of
from videolab_assets.lib.clips.rules import ClipRules, Rules, Weights, default_rules
from videolab_assets.lib.decode import decode
from videolab_assets.lib.documents import Clip, Segment, Shots, Transcript, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.gate import admit
from videolab_assets.lib.speech.pocketsphinx import PocketSphinx
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets_tests.lib.clips import made
from videolab_assets_tests.lib.speech import sounds
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, spoken, talk

RULES = default_rules().rules
RATES = (10.0, 24.0, 25.0, 29.97002997002997, 60.0)


def rules(least: int = 3, most: int = 5, shortest: float = 15.0, longest: float = 60.0, **weights: float) -> Rules:
    chosen = Weights(**{part: weights.get(part, 0.0) for part in Weights.model_fields}) if weights else Weights()
    return Rules(version="made", clips=ClipRules(least=least, most=most, shortest=shortest, longest=longest), weights=chosen)


def crossed(clip: Clip, words: list[Word]) -> list[str]:
    """The words that one of the clip's edges lies inside of."""
    return [word.text for word in words for edge in (clip.start, clip.end) if word.start + 1e-5 < edge < word.end - 1e-5]


def assert_sound(planned: Planned, evidence: Evidence, wanted: Rules) -> None:
    """What holds for every plan in which nobody wants anything."""
    words = [Word(text=word.text, start=word.start, end=word.end, confidence=1.0) for word in evidence.words]
    everything = [*planned.clips, *planned.rivals]
    for clip in everything:
        assert not crossed(clip, words)
        assert 0.0 <= clip.start < clip.end <= evidence.duration + 1e-6
        for edge in (clip.start, clip.end):
            assert edge * evidence.frame_rate == pytest.approx(round(edge * evidence.frame_rate), abs=1e-6)
        assert wanted.clips.shortest - 1e-6 <= clip.duration <= wanted.clips.longest + 1e-6 or evidence.duration < wanted.clips.shortest
        assert all(clip.start - 1e-5 <= word.start and word.end <= clip.end + 1e-5 for word in clip.words)
        assert 0 < len(clip.title) <= 80
        assert clip.reason.endswith(".")
    for before, after in pairwise(sorted(everything, key=lambda clip: clip.start)):
        assert before.end <= after.start + 1e-9
    assert [clip.clip_id for clip in everything] == [f"c{number:02d}" for number in range(1, len(everything) + 1)]
    assert len(planned.clips) <= wanted.clips.most
    assert len(planned.rivals) <= MOST_RIVALS
    assert (planned.reason is None) == (len(planned.clips) >= wanted.clips.least)


TEXTS = st.sampled_from(["the", "lamp", "and", "he", "It", "stone.", "Why?", "2001", "of", "ships,", "eh", "No", "¿Qué", "él", "…"])
LENGTHS = st.integers(0, 900)
GAPS = st.one_of(st.integers(-400, 400), st.sampled_from([0, 0, 500, 1000, 4000, 20_000]))


@st.composite
def videos(draw: st.DrawFn) -> Evidence:
    """Any words, some of two people at once, any shots at any frame, with a sound or without."""
    rate, duration = draw(st.sampled_from(RATES)), draw(st.floats(1.0, 90.0))
    frames = max(2, int(duration * rate))
    cuts = draw(st.lists(st.integers(1, frames - 1), max_size=8, unique=True))
    now, words = draw(st.integers(0, 5000)), list[Word]()
    for text, length, gap in draw(st.lists(st.tuples(TEXTS, LENGTHS, GAPS), max_size=80)):
        if now + length > frames / rate * 1000:
            break
        words.append(Word(text=text, start=now / 1000, end=(now + length) / 1000, confidence=0.8))
        now = max(now, now + length + gap)
    size = draw(st.integers(1, 12))
    parts = [words[first : first + size] for first in range(0, len(words), size)]
    segments = [Segment(start=part[0].start, end=part[-1].end, text=" ".join(word.text for word in part), words=part) for part in parts]
    transcript = Transcript(engine="", model="", language="en", draft=draw(st.booleans()), duration=duration, segments=segments)
    pictures = made.shots([cut / rate for cut in sorted(cuts)], frames / rate, rate, motion=lambda n: n % 3 / 500, faces=lambda n: n % 2)
    levels = draw(st.sampled_from([None, np.zeros(int(duration * CURVE_RATE), np.float32)]))
    laughs = [Burst(duration / 3, duration / 3 + 1.5)] if draw(st.booleans()) else []
    return made.evidence(pictures, transcript, levels=levels, laughs=laughs)


@settings(max_examples=80)
@given(evidence=videos(), least=st.integers(1, 3), shortest=st.sampled_from([2.0, 5.0, 15.0]))
def test_no_plan_passes_a_word_or_a_clip_or_its_bounds(evidence: Evidence, least: int, shortest: float) -> None:
    """Prevents what open tools do: cut in the middle of a word, by rounding or by not looking."""
    wanted = rules(least=least, shortest=shortest, longest=4 * shortest)
    assert_sound(plan_of(evidence, wanted), evidence, wanted)


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_talks_have_three_to_five_clips_of_whole_sentences(name: str, draft: bool) -> None:
    """Prevents rules of beginnings and ends so strict that a real talk has no clips, in Spanish or English."""
    told = talk(name)
    transcript = spoken(told["utterances"], told["language"], draft=draft)
    evidence = made.evidence(made.shots([], transcript.duration), transcript)
    planned = plan_of(evidence, RULES)
    assert_sound(planned, evidence, RULES)
    assert 3 <= len(planned.clips) <= 5
    first_words = {segment.words[0].start for segment in transcript.segments}
    last_words = {segment.words[-1].end for segment in transcript.segments}
    assert all(clip.words[0].start in first_words and clip.words[-1].end in last_words for clip in planned.clips)


def test_the_same_evidence_gives_the_same_plan() -> None:
    """Prevents clips that move each time a run is repeated."""
    told = talk("bakery_es")
    transcript = spoken(told["utterances"], "es")
    plans = [plan_of(made.evidence(made.shots([20.0, 60.0], transcript.duration), transcript), RULES) for _ in range(2)]
    assert plans[0] == plans[1]


def faces_at(*shares: float) -> Evidence:
    """Silent shots of five seconds, with so much of a face in each."""
    duration = 5.0 * len(shares)
    return made.evidence(made.shots([5.0 * n for n in range(1, len(shares))], duration, faces=lambda n: shares[n]))


def test_a_long_mediocre_clip_does_not_keep_out_two_good_ones() -> None:
    """Prevents taking the best candidate first: it lies across two that are nearly as good."""
    planned = plan_of(faces_at(0.8, 1.0, 1.0, 0.8), rules(1, 2, 10.0, 12.0, faces=1.0))
    assert sorted((clip.start, clip.end) for clip in planned.clips) == [(0.0, 10.0), (10.0, 20.0)]


def test_two_poor_clips_do_not_keep_out_an_excellent_one() -> None:
    """Prevents the opposite: as many clips as fit in, none of them good."""
    planned = plan_of(faces_at(0.1, 1.0, 1.0, 0.1), rules(1, 2, 10.0, 12.0, faces=1.0))
    assert [(clip.start, clip.end) for clip in planned.clips] == [(5.0, 15.0)]


def test_enough_clips_come_before_the_best_one() -> None:
    """Prevents a short video from having one clip where the rules ask for two that fit."""
    planned = plan_of(faces_at(0.6, 1.0, 1.0, 0.6), rules(2, 2, 10.0, 12.0, faces=1.0))
    assert len(planned.clips) == 2


def test_clips_that_nobody_would_post_are_left_out() -> None:
    """Prevents filling up to the number with a stretch in which nothing happens, and says why there are fewer."""
    planned = plan_of(faces_at(1.0, 1.0, 0.1, 0.1, 0.1, 0.1), rules(3, 5, 10.0, 10.5, faces=1.0))
    assert [(clip.start, clip.end) for clip in planned.clips] == [(0.0, 10.0)]
    assert planned.reason is not None
    assert "stands out too little" in planned.reason


def test_what_was_told_before_makes_way_for_something_new() -> None:
    """Prevents three clips of the same anecdote."""
    told = ["Towers have round walls of stone.", "Round walls break the waves."]
    texts = [*told, "The sea was calm.", *told, "The sea was wild.", "Sailors bought bread.", "Fresh bread smelled."]
    sentences = [(0.5 + 5.0 * number, text) for number, text in enumerate(texts)]
    evidence = made.evidence(made.shots([], 41.0), made.said(sentences, 41.0))
    planned = plan_of(evidence, rules(2, 2, 6.0, 9.0, novelty=1.0, speech_density=0.1))
    spoken_words = [{word.text for word in clip.words} for clip in planned.clips]
    assert "bought" in spoken_words[0] ^ spoken_words[1]
    assert planned.clips[0].parts.novelty == 1.0


def test_what_a_person_wants_is_in_exactly() -> None:
    """Prevents a pinned clip from being moved, dropped, renamed or overlapped by a found one."""
    transcript = spoken(talk("bridges_en")["utterances"], "en")
    evidence = made.evidence(made.shots([], transcript.duration), transcript)
    wanted = [Fixed(40.013, 51.0, "Rust", "pinned"), Fixed(45.0, 130.0, None, "retimed")]
    planned = plan_of(evidence, RULES, wanted)
    by_origin = {clip.origin: clip for clip in planned.clips}
    assert (by_origin["pinned"].start, by_origin["pinned"].end, by_origin["pinned"].title) == (40.0, 51.0, "Rust")
    assert (by_origin["retimed"].start, by_origin["retimed"].end) == (45.0, 130.0)
    assert by_origin["pinned"].reason.startswith("Pinned by a person: ")
    assert by_origin["retimed"].title
    found = [clip for clip in [*planned.clips, *planned.rivals] if clip.origin == "found"]
    assert found
    assert all(clip.end <= 40.0 or clip.start >= 130.0 for clip in found)
    assert len(planned.clips) <= 5
    assert [clip.score for clip in planned.clips] == sorted((clip.score for clip in planned.clips), reverse=True)


def test_more_wanted_than_the_rules_allow() -> None:
    """Prevents the rules' number from overruling a person."""
    evidence = made.evidence(made.shots([], 120.0))
    planned = plan_of(evidence, RULES, [Fixed(10.0 * number, 10.0 * number + 5) for number in range(8)])
    assert len(planned.clips) == 8
    assert {clip.origin for clip in planned.clips} == {"pinned"}


@pytest.mark.parametrize(("start", "end"), [(50.0, 60.0), (10.0, 10.01), (20.0, 10.0), (-3.0, 10.0)])
def test_a_wanted_clip_outside_the_video_is_refused(start: float, end: float) -> None:
    """Prevents an empty file, or one of other seconds than those that were asked for."""
    with pytest.raises(PermanentError, match="the video lasts 0:40"):
        plan_of(made.evidence(made.shots([], 40.0)), RULES, [Fixed(start, end)])


def test_what_a_person_excludes_stays_out() -> None:
    """Prevents a clip that a person threw out from coming back; one that only contains the moment goes as well."""
    transcript = spoken(talk("bridges_en")["utterances"], "en")
    evidence = made.evidence(made.shots([], transcript.duration), transcript)
    best = plan_of(evidence, RULES).clips[0]
    without = plan_of(evidence, RULES, excluded=[(best.start, best.end)])
    assert without.clips
    assert all(clip.end <= best.start or clip.start >= best.end for clip in [*without.clips, *without.rivals])
    moment = (best.start + best.end) / 2
    kept = plan_of(evidence, RULES, excluded=[(moment, moment)])
    assert kept.clips
    assert not any(clip.start <= moment < clip.end for clip in [*kept.clips, *kept.rivals])
    nothing = plan_of(evidence, RULES, excluded=[(0.0, evidence.duration)])
    assert nothing.clips == []
    assert nothing.reason == "What a person wants or has excluded leaves room for no clip in all."


@pytest.mark.parametrize(
    ("pictures", "count", "why"),
    [
        (made.shots([], 4.0), 0, "The video lasts 4.0 s: too short for a clip."),
        (made.shots([], 9.0), 1, "less than the 15 s of the shortest clip: all of it is one clip."),
        (made.shots([], 36.0), 2, "The video lasts 36 s: there is room for 2 clips of 15 to 60 s."),
        (Shots(frame_rate=0.0, duration=30.0, shots=[]), 0, "The file has no picture to cut clips from."),
    ],
)
def test_short_videos_say_why(pictures: Shots, count: int, why: str) -> None:
    """Prevents an error, or an empty plan without a word, where a video is too short for the rules."""
    planned = plan_of(made.evidence(pictures), RULES)
    assert len(planned.clips) == count
    assert planned.reason is not None
    assert why in planned.reason
    if pictures.duration == 9.0:
        assert (planned.clips[0].start, planned.clips[0].end) == (0.0, 9.0)


def sample_truth() -> dict[str, Any]:
    return sounds.truth()


def test_the_sample_is_cut_at_its_sentences_and_shots(tmp_path: Path) -> None:
    """Prevents a planner that is right about made documents alone: real sound, with the sample's true words and cuts."""
    truth = sample_truth()
    told = [(sentence["start"], sentence["end"], sentence["text"]) for sentence in truth["sentences"]]
    segments = []
    for start, end, text in told:
        texts = text.split()
        step = (end - start) / len(texts)
        words = [Word(text=one, start=start + n * step, end=start + (n + 1) * step, confidence=1.0) for n, one in enumerate(texts)]
        segments.append(Segment(start=start, end=end, text=text, words=words))
    duration = truth["video"]["duration"]
    transcript = Transcript(engine="truth", model="", language="en", draft=False, duration=duration, segments=segments)
    pictures = made.shots(sorted([*truth["cuts"], truth["fade"]["black"]]), round(duration * 30) / 30, 30.0)
    sound = sounds.flac_of(sounds.SAMPLE, tmp_path)
    evidence = Evidence.of(pictures, transcript, sound, duration)
    assert_sample(plan_of(evidence, RULES), evidence, truth)


def assert_sample(planned: Planned, evidence: Evidence, truth: dict[str, Any]) -> None:
    assert_sound(planned, evidence, RULES)
    assert 3 <= len(planned.clips) <= 5
    assert evidence.sound is not None
    assert evidence.sound.bursts == ()
    cuts = [*truth["cuts"], truth["fade"]["black"]]
    for clip in planned.clips:
        for edge in (clip.start, clip.end):
            at_cut = any(abs(edge - cut) <= 0.05 for cut in cuts)
            in_silence = not any(sentence["start"] - 0.02 < edge < sentence["end"] + 0.02 for sentence in truth["sentences"])
            assert at_cut or in_silence
    assert sum(any(abs(edge - cut) <= 0.05 for cut in cuts) for clip in planned.clips for edge in (clip.start, clip.end)) >= 2


@pytest.mark.long
def test_the_sample_from_its_file_to_its_plan(tmp_path: Path) -> None:
    """Prevents documents of our own decode and engine from fitting together worse than the truth does."""
    probe = admit(sounds.SAMPLE).probe
    assert probe.video is not None
    detected = decode(sounds.SAMPLE, probe, {"shots"}, tmp_path).shots
    assert detected is not None
    pictures = Shots(frame_rate=probe.video.frame_rate, duration=detected.duration, shots=detected.shots)
    sound = sounds.flac_of(sounds.SAMPLE, tmp_path)
    heard = transcribe(sound, PocketSphinx(), duration=probe.duration).spoken
    transcript = Transcript(
        engine="pocketsphinx", model="", language=heard.language, draft=True, duration=probe.duration, segments=heard.segments
    )
    evidence = Evidence.of(pictures, transcript, sound, probe.duration)
    assert_sample(plan_of(evidence, RULES), evidence, sample_truth())
