"""What is burnt in, judged by the pixels that libass paints."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.captions import STYLES, captions_of, cover_ass, srt_of
from videolab_assets.lib.documents import Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.platforms import PLATFORMS, Margins
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.subtitles import breaches, parse_srt
from videolab_assets_tests.lib.captions.painted import SAFE, SIZE, TALK, bounds, is_painted, painted, said, texts_of

PIXEL = 1.01 / SIZE[0]
RATE = 10
LOW_FACE = Box(0.3, 0.6, 0.4, 0.2)
SHORT_TALK = "Just try it. ¿Y cómo lo arreglas? MAÑANA ¡Ángel! jugará conmigo."
HEADLINE = "Why your battery really dies every single winter"
EVENT = re.compile(
    r"Dialogue: \d,\d+:\d\d:\d\d\.\d\d,\d+:\d\d:\d\d\.\d\d,(Text|Box),,0,0,0,,"
    r"\{(\\(an5|p1|(pos|fad|t)\([^()]*(\\fsc[xy]\d+)*\)|(fs|bord|shad)[\d.]+|1c&H[0-9A-F]{6}&))+\}[^{}\\]+(\{\\p0\})?"
)
NASTY = r"{\p1}m 0 0 l 500 0 500 900{\p0} {\an8\fs200}BIG \Nnew\hline C:\N \{ } {{ a,b,,c Dialogue:0,0:00,x"


@pytest.mark.parametrize("style", STYLES)
def test_areas_are_true_to_what_is_painted(style: str, tmp_path: Path) -> None:
    """An area reckoned with wrong font measures passes the safe-area check while the words lie under the platform's buttons."""
    captions = captions_of(said(SHORT_TALK, each=0.12, pause=0.4), "es", SIZE, SAFE, style)
    assert (captions.outside, captions.over_faces) == (0, 0)
    frames = is_painted(painted(captions.ass, tmp_path, rate=RATE, seconds=captions.cues[-1].end + 0.3))
    times = np.arange(len(frames)) / RATE
    on_screen = np.zeros(len(frames), bool)
    for cue, area in zip(captions.cues, captions.areas, strict=True):
        inside = (times >= cue.start - 1e-9) & (times < cue.end - 1e-9)
        on_screen |= inside
        assert all(frame.any() for frame in frames[inside])
        found = bounds(frames[inside])
        assert found is not None
        assert found.within(_with_a_pixel_around(area)) > 0.9999
        # A word in the middle swells into no edge, and a frame may miss the moment in which one at an edge is largest.
        assert area.area <= found.area * (1.35 if STYLES[style].swell > 1 else 1.12)
    assert not frames[~on_screen].any()
    left, top = SAFE.left / SIZE[0], SAFE.top / SIZE[1]
    everything = bounds(frames)
    assert everything is not None
    assert everything.within(Box(left, top, 1 - left - SAFE.right / SIZE[0], 1 - top - SAFE.bottom / SIZE[1])) == pytest.approx(1.0)


def _with_a_pixel_around(area: Box) -> Box:
    return Box(area.x - PIXEL, area.y - PIXEL, area.width + 2 * PIXEL, area.height + 2 * PIXEL)


def test_the_spoken_word_is_lit_with_its_own_frames(tmp_path: Path) -> None:
    """A highlight that runs ahead of the voice, or a frame in which none or two words are lit, looks broken."""
    rate = 30
    spoken = (("left", 4, 17), ("right", 17, 29))
    words = [Word(text=text, start=first / rate, end=last / rate, confidence=1.0) for text, first, last in spoken]
    captions = captions_of(words, "en", SIZE, SAFE, "clear")
    assert [cue.text for cue in captions.cues] == ["left right"]
    frames = painted(captions.ass, tmp_path, rate=rate, seconds=captions.cues[0].end + 0.2).astype(np.int16)
    lit = (frames[..., 0] > 200) & (frames[..., 1] > 180) & (frames[..., 2] < 110)
    left, right = lit[..., : SIZE[0] // 2 - 6].any(axis=(1, 2)), lit[..., SIZE[0] // 2 + 6 :].any(axis=(1, 2))
    assert np.flatnonzero(left).tolist() == list(range(4, 17))
    assert np.flatnonzero(right)[0] == 17
    assert 29 <= np.flatnonzero(right)[-1] + 1 <= 39
    shapes = {bounds(frame) for frame in is_painted(frames.astype(np.uint8))}
    assert len(shapes - {None}) == 1, "words must not move while another is lit"


def test_text_keeps_off_a_face_and_stays_there(tmp_path: Path) -> None:
    """Captions over the speaker's mouth, or jumping up and down with a face that comes and goes."""
    words = said(TALK, each=0.3)
    faces = [(time / 5, [LOW_FACE] if time % 30 < 15 else []) for time in range(80)]
    captions = captions_of(words, "en", SIZE, SAFE, "clear", faces)
    middles = {round(area.centre[1], 2) for area in captions.areas}
    assert (captions.over_faces, captions.outside) == (0, 0)
    assert max(middles) - min(middles) < 0.03
    mask = is_painted(painted(captions.ass, tmp_path, rate=2, seconds=8))
    rows, columns = slice(int(0.6 * SIZE[1]), int(0.8 * SIZE[1])), slice(int(0.3 * SIZE[0]), int(0.7 * SIZE[0]))
    assert not mask[:, rows, columns].any()
    low = captions_of(words, "en", SIZE, SAFE, "clear")
    assert min(area.y for area in low.areas) > 0.6, "without a face they stand in the lower third"


def test_a_face_that_fills_the_picture_is_counted() -> None:
    """A check that says captions are clear of faces where they cannot be."""
    words = said("one two three four five six seven eight")
    captions = captions_of(words, "en", SIZE, SAFE, "clear", [(time / 5, [Box(0.1, 0.05, 0.8, 0.9)]) for time in range(20)])
    assert captions.over_faces == len(captions.cues) > 0
    beside = captions_of(words, "en", SIZE, SAFE, "clear", [(time / 5, [Box(0.1, 0.1, 0.8, 0.3)]) for time in range(20)])
    assert beside.over_faces == 0


@pytest.mark.parametrize("face", [Box(0.3, 0.1, 0.4, 0.25), Box(0.3, 0.6, 0.4, 0.2)])
def test_the_headline_lasts_three_seconds_and_shares_the_picture(face: Box, tmp_path: Path) -> None:
    """A headline that hides the face or the captions, or stays."""
    captions = captions_of(said(TALK, start=0.2), "en", SIZE, SAFE, "bold", [(time / 5, [face]) for time in range(80)], HEADLINE)
    assert captions.headline is not None
    assert (captions.over_faces, captions.outside) == (0, 0)
    assert all(area.overlap(captions.headline) == 0 for area, cue in zip(captions.areas, captions.cues, strict=True) if cue.start < 3)
    alone = captions_of([], "en", SIZE, SAFE, "bold", (), HEADLINE)
    mask = is_painted(painted(alone.ass, tmp_path, rate=RATE, seconds=3.5))
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == list(range(30))
    found = bounds(mask)
    assert found is not None and alone.headline is not None
    assert found.within(alone.headline) > 0.999
    assert alone.headline.area < found.area * 1.03
    assert alone.headline.y < 0.2
    assert alone.cues == []


def test_captions_cover_a_face_rather_than_the_headline() -> None:
    """Two texts over each other can be read neither."""
    captions = captions_of(said("one two three four five six"), "en", SIZE, SAFE, "clear", [(0.5, [Box(0.1, 0.28, 0.8, 0.7)])], HEADLINE)
    assert captions.headline is not None
    assert captions.over_faces == len(captions.cues)
    assert all(area.overlap(captions.headline) == 0 for area in captions.areas)


def test_a_long_headline_ends_with_a_word() -> None:
    """A headline of a paragraph fills the picture or runs out of it."""
    captions = captions_of([], "en", SIZE, SAFE, "clear", (), HEADLINE + " " + "which nobody had ever told you before " * 50)
    assert captions.outside == 0
    shown = texts_of(captions.ass)
    assert shown[-1].endswith("…")
    assert shown[:5] == HEADLINE.split()[:5]
    assert captions_of([], "en", SIZE, SAFE, "clear", (), "W" * 400).outside == 0


def test_hostile_words_are_words(tmp_path: Path) -> None:
    """An upload's transcript draws over the whole picture, or ends its event and begins another."""
    captions = captions_of(said(NASTY, each=0.2), "en", SIZE, SAFE, "clear")
    assert all(EVENT.fullmatch(line) for line in captions.ass.splitlines() if line.startswith("Dialogue"))
    frames = is_painted(painted(captions.ass, tmp_path, rate=5, seconds=captions.cues[-1].end))
    found = bounds(frames)
    assert found is not None
    whole = captions.areas[0]
    for area in captions.areas[1:]:
        whole = whole.around(area)
    assert found.within(_with_a_pixel_around(whole)) > 0.9999


def test_what_the_font_lacks_is_left_out(tmp_path: Path) -> None:
    """Emoji and other scripts become empty frames in the picture."""
    words = said("Привет 😀 mundo 👍🏽 שלום ﬁn! مرحبا 你好 \u202eolleh 𝓗𝓮𝓵𝓵𝓸 Ελλάδα —")
    captions = captions_of(words, "en", SIZE, SAFE, "clear")
    assert " ".join(cue.text for cue in captions.cues).split() == ["Привет", "mundo", "ﬁn!", "olleh", "Hello", "Ελλάδα—"]
    painted(captions.ass, tmp_path, rate=1, seconds=captions.cues[-1].end)  # fails where libass misses a glyph
    assert captions_of(said("😀 你好"), "zh", SIZE, SAFE, "clear").cues == []


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("style", STYLES)
def test_long_words_stay_inside_everywhere(name: str, style: str) -> None:
    """A compound or an address runs out of the picture."""
    platform = PLATFORMS[name]
    whole = ["https://www.example.com/a/very/long/path?query=123456", "Donaudampfschifffahrtsgesellschaft", "desproporcionadamente"]
    words = said(" ".join([*whole, "x" * 3000]))
    captions = captions_of(words, "de", (platform.width, platform.height), platform.safe, style, (), whole[1])
    assert captions.outside == 0
    shown = "".join(cue.text for cue in captions.cues).replace("\n", "").replace("-", "").lower()
    assert all(word.lower() in shown for word in whole)
    assert captions.cues[-1].end < 5, "what is no word must not hold up the others"


def test_phrases_are_few_words_that_belong_together() -> None:
    """An article left alone at the end of a cue or a line, a cue across a long pause, or one that nobody can read in time."""
    words = said(TALK, each=0.33, pause=0.9)
    for style, look in STYLES.items():
        captions = captions_of(words, "en", (1080, 1920), Margins(60, 220, 140, 420), style)
        assert " ".join(cue.text.replace("\n", " ") for cue in captions.cues).lower() == TALK.lower()
        for cue in captions.cues:
            assert 1 <= len(cue.text.split()) <= look.most_words
            assert all(line.split()[-1].lower() not in ("a", "the", "la", "una", "el") for line in cue.text.split("\n"))
            assert not re.search(r"[.?!]\s", cue.text), "sentences share no cue"
            assert cue.end - cue.start > 0.55
    gaps = [after.start - before.end for before, after in zip(captions.cues, captions.cues[1:], strict=False)]
    assert all(gap == 0 or gap >= 0.3 for gap in np.round(gaps, 2))


def test_short_sentences_share_no_cue_and_fast_ones_stay_readable() -> None:
    """Two people's sentences in one cue, or cues that flicker when somebody speaks fast."""
    talk = "Stop it. Go now. Look up. We can."
    assert [cue.text for cue in captions_of(said(talk, each=0.4, pause=0), "en", SIZE, SAFE, "clear").cues] == talk.replace(
        ". ", ".|"
    ).split("|")
    fast = captions_of(said(TALK.split("!")[0], each=0.14, pause=0), "en", SIZE, SAFE, "clear")
    assert min(cue.end - cue.start for cue in fast.cues) > 0.5


seconds = st.one_of(st.floats(0, 60), st.sampled_from([0.0, float("nan"), float("inf"), -5.0, 1e9]))
any_words = st.lists(st.builds(Word, text=st.text(max_size=12), start=seconds, end=seconds, confidence=st.just(1.0)), max_size=25)


@settings(max_examples=60)
@given(words=any_words, style=st.sampled_from(sorted(STYLES)), headline=st.none() | st.text(max_size=60))
def test_any_words_at_any_times(words: list[Word], style: str, headline: str | None) -> None:
    """A strange engine's times or letters stop a clip's rendering, or put two cues on screen at once."""
    captions = captions_of(words, "es", SIZE, SAFE, style, [(0.0, [LOW_FACE])], headline)
    assert captions.outside == 0
    assert len(captions.areas) == len(captions.cues)
    events = [line for line in captions.ass.splitlines() if line.startswith("Dialogue")]
    assert all(EVENT.fullmatch(line) for line in events)
    assert captions.ass.count("\n") == len(events) + captions.ass[: captions.ass.find("Dialogue")].count("\n") or not events
    for before, after in zip(captions.cues, captions.cues[1:], strict=False):
        assert before.start < before.end <= after.start
    for line in events:
        start, end = line.split(",")[1:3]
        assert start < end or len(start) != len(end)


def test_thousands_of_words_at_once() -> None:
    """A transcript without times keeps a worker busy for minutes."""
    words = [Word(text=f"word{number}", start=1.0, end=1.0, confidence=1.0) for number in range(6_000)]
    captions = captions_of(words, "en", SIZE, SAFE, "clear")
    assert sum(len(cue.text.split()) for cue in captions.cues) == 6_000


def test_the_sidecar_is_made_of_readable_cues() -> None:
    """A sidecar in bursts of three words is unreadable where the platform shows it as subtitles."""
    words = said(TALK, each=0.35)
    cues = parse_srt(srt_of(words, "en"))
    assert " ".join(cue.text.replace("\n", " ") for cue in cues) == TALK
    assert not any(breaches(cues).values())
    assert srt_of([], "en") == ""


@pytest.mark.parametrize("shape", [(540, 960), (540, 540)])
def test_the_cover_has_its_headline_on_any_frame(shape: tuple[int, int], tmp_path: Path) -> None:
    """A cover taken from the clip's fortieth second has no headline, or has it over the face."""
    safe, face = Margins(30, 30, 60, 100), Box(0.3, 0.1, 0.4, 0.3)
    frames = painted(cover_ass(shape, safe, HEADLINE, "bold", [face]), tmp_path, size=shape, rate=1, seconds=1)
    found = bounds(is_painted(frames))
    assert found is not None
    assert found.overlap(face) == 0
    assert found.x * shape[0] >= safe.left and found.right * shape[0] <= shape[0] - safe.right
    assert "Dialogue: 1,0:00:00.00,1:00:00.00" in cover_ass(shape, safe, HEADLINE, "bold")
    assert "Dialogue" not in cover_ass(shape, safe, " ", "bold")


def test_a_style_that_does_not_exist() -> None:
    """A misspelt style in the launchpad ends in a KeyError."""
    with pytest.raises(PermanentError, match="'cleer' is not a caption style: choose one of clear, bold"):
        captions_of([], "en", SIZE, SAFE, "cleer")
