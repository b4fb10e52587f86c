"""A clip in words: its title, from what is said in it, and a sentence that says why it was chosen."""

from collections import Counter

import numpy as np

from videolab_assets.lib.clips.beginnings import points_back
from videolab_assets.lib.clips.candidates import Stretch
from videolab_assets.lib.clips.scoring import DB_TO_STAND_OUT, PARTS, Judge, Numbers
from videolab_assets.lib.summary.language import bare
from videolab_assets.lib.summary.markdown import clock
from videolab_assets.lib.summary.wording import contains_any, cut, hangs, tidied, without_full_stop

LONGEST_TITLE = 80
MOST_CLAUSES = 5


def title_of(judge: Judge, stretch: Stretch) -> str:
    """The strongest sentence that is wholly inside, short enough or cut at a word; where none is, the time at which the clip begins."""
    evidence, language = judge.evidence, judge.evidence.wording
    indices = judge.sentences_in(stretch)
    weight_in_clip = Counter(stem for index in indices for stem in judge.stems_of(index))
    punctuated = any(word.text[-1:] in ".?!," for word in evidence.words)
    best, best_worth = "", 0.0
    for index in indices:
        sentence = evidence.sentences[index]
        first = judge.first_word_of(index)
        if first < stretch.first or first + len(sentence.tokens) > stretch.last:
            continue
        text = tidied(sentence, language, punctuated)
        if not text:
            continue
        stems = set(judge.stems_of(index))
        worth = 0.1 + sum(judge.stem_weights[stem] * weight_in_clip[stem] ** 0.5 for stem in stems) / max(2, len(stems)) ** 0.5
        worth *= 1.3 if judge.asks(first) else 1.2 if contains_any(text, language.emphasis) else 1.0
        worth *= 0.3 if points_back(text.split(), language) or hangs(text, language) else 1.0
        worth *= 0.1 if contains_any(text, language.housekeeping) else 1.0
        worth *= 1.0 if len(text) <= LONGEST_TITLE else 0.6
        worth *= 0.4 if len(text.split()) < 4 else 1.0
        if worth > best_worth:
            best, best_worth = text, worth
    return without_full_stop(cut(best, LONGEST_TITLE, language)) if best else f"Moment at {clock(evidence.time_of(stretch.start))}"


def reason_of(judge: Judge, stretch: Stretch, parts: Numbers, rank: int) -> str:
    """One sentence: what speaks for the clip, with figures.

    Args:
        judge: of its video.
        stretch: the clip.
        parts: its scores, novelty against the clips ranked before it included.
        rank: 0 for the best.
    """
    evidence = judge.evidence
    value = dict(zip(PARTS, np.nan_to_num(parts, nan=0.0), strict=True))
    starts, ends = np.array([stretch.start / evidence.frame_rate]), np.array([stretch.end / evidence.frame_rate])
    clauses = [_opening(judge, stretch, value["hook"]), _wholeness(judge, stretch, value["completeness"])]
    if evidence.words and value["speech_density"] >= 0.5:
        clauses.append(f"is {100 * value['speech_density']:.0f} % speech")
    laughing = float(judge.laughter.over(starts, ends)[0])
    if laughing >= 0.5:
        clauses.append(f"has {laughing:.1f} s of laughter or applause")
    if value["faces"] >= 0.5:
        clauses.append("shows a face nearly all the time" if value["faces"] > 0.9 else "shows a face most of the time")
    shots = judge.shots_in(stretch)
    if value["motion"] >= 0.6 or (shots > 1 and not evidence.words):
        clauses.append(("moves a lot" if value["motion"] >= 0.6 else "moves little") + (f" over {shots} shots" if shots > 1 else ""))
    louder = float(judge.louder(starts, ends)[0])
    if louder >= DB_TO_STAND_OUT / 4:
        clauses.append(f"is {louder:.0f} dB louder than the recording as a whole")
    if rank and value["novelty"] >= 0.5 and not np.isnan(parts[PARTS.index("novelty")]):
        likeness = 1.0 - value["novelty"]
        clauses.append(
            "is like none of the clips before it" if likeness < 0.15 else f"has only {100 * likeness:.0f} % in common with those before it"
        )
    told = [clause for clause in clauses if clause][:MOST_CLAUSES] or [
        f"lasts {float(ends[0] - starts[0]):.0f} s, with nothing that stands out"
    ]
    text = told[0] if len(told) == 1 else f"{', '.join(told[:-1])}{',' if len(told) > 2 else ''} and {told[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _opening(judge: Judge, stretch: Stretch, hook: float) -> str:
    if stretch.first >= stretch.last:
        return "opens lively" if hook >= 0.6 else ""
    evidence, language = judge.evidence, judge.evidence.wording
    if judge.asks(stretch.first):
        return "opens with a question"
    first = judge.first_words(stretch.first)
    if any(mark.isdigit() for word in first for mark in word):
        return "opens with a figure"
    marked = next((word for word in first if bare(word) in language.emphasis), "")
    if marked:
        return f"opens with “{bare(marked)}”"
    wait = evidence.words[stretch.first].start - evidence.time_of(stretch.start)
    return "opens at once with words" if hook >= 0.5 and wait < 1.0 else ""


def _wholeness(judge: Judge, stretch: Stretch, completeness: float) -> str:
    sentences = len(judge.sentences_in(stretch))
    if completeness < 0.6:
        return ""
    if not sentences:
        return "begins and ends with a shot" if min(stretch.opens, stretch.closes) >= 0.9 else ""
    return "is one whole sentence" if sentences == 1 else f"is a whole thought of {sentences} sentences"
