"""The plan of a proxy, and the command that follows it."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import AudioStream, Probe, VideoStream
from videolab_assets.lib.gate import Caps
from videolab_assets.lib.graph import LONGEST_GAP, RATES, Pipes, Plan, command, constant_rate, enough_for

SIDES = st.integers(16, 8192)
MEAN_RATES = st.floats(0.001, 100_000)


def picture(width: int, height: int, rate: float = 25.0, *, variable: bool = False) -> VideoStream:
    return VideoStream(
        index=0,
        codec="h264",
        width=width,
        height=height,
        coded_width=width,
        coded_height=height,
        frame_rate=rate,
        variable_frame_rate=variable,
        pixel_format="yuv420p",
    )


def arguments(*wanted: str, sound: bool = True) -> list[str]:
    audio = AudioStream(index=1, codec="aac", sample_rate=48_000, channels=2, layout="stereo") if sound else None
    probe = Probe(container="mov", duration=2, bytes=1, bit_rate=1, streams=2, video=picture(640, 360), audio=audio)
    assert probe.video
    return command("ffmpeg", probe, Plan.of(probe.video), frozenset(wanted), Pipes(progress=9, frames=8, stills=7, samples=6))


@given(SIDES, SIDES)
def test_plan_sizes(width: int, height: int) -> None:
    """x264 refuses odd sizes, a proxy beyond 720p costs what it should save, and an enlarged one shows nothing more."""
    plan = Plan.of(picture(width, height))
    assert plan.width % 2 == plan.height % 2 == 0
    assert 2 <= plan.width <= width
    assert 2 <= plan.height <= height
    assert max(plan.width, plan.height) <= 1280
    assert min(plan.width, plan.height) <= 720
    if max(width, height) <= 1280 and min(width, height) <= 720:
        assert plan.width >= width - 1
        assert plan.height >= height - 1


@given(SIDES, SIDES)
def test_plan_keeps_the_aspect(width: int, height: int) -> None:
    """A circle becomes an egg. Each side is within a pixel of where the exact aspect would have it, or two of an odd small one."""
    plan = Plan.of(picture(width, height))
    shrink = min(1.0, (720 if height > width else 1280) / width, (1280 if height > width else 720) / height)
    assert plan.width == pytest.approx(width * shrink, abs=1.0001) or width * shrink < 2
    assert plan.height == pytest.approx(height * shrink, abs=1.0001) or height * shrink < 2


@given(MEAN_RATES)
def test_constant_rates(mean: float) -> None:
    """A rate of 0 or of 90,000 frames a second, as headers claim, fills the disk or makes no frame at all."""
    rate = constant_rate(mean)
    assert 1 <= rate <= 60
    assert float(rate) == pytest.approx(min(60, max(1, mean)), rel=0.0006, abs=0.0006)


@pytest.mark.parametrize("rate", RATES)
def test_usual_rates_are_met_exactly(rate: Fraction) -> None:
    """29.97 for 30000/1001 is a frame off after nine hours, and no editor conforms to 29.969."""
    assert constant_rate(float(rate)) == rate
    assert constant_rate(round(float(rate), 3)) == rate


@given(MEAN_RATES)
def test_variable_rates_lose_no_frame_of_the_mean(mean: float) -> None:
    """A screen recording of two frames a second becomes a slide show whose pictures come half a second beside the sound."""
    rate = enough_for(mean)
    assert rate in RATES
    assert rate >= Fraction(24_000, 1001)
    assert float(rate) >= min(60, 0.99 * mean)
    assert Plan.of(picture(640, 360, mean, variable=True)).frame_rate == rate


def test_nearly_constant_phones() -> None:
    """A phone's 29.6 frames a second, a few of thirty late, become 29.97 rather than drop frames or double."""
    assert [enough_for(mean) for mean in (23.9, 24.8, 29.6, 30.28, 59.2)] == [
        Fraction(24_000, 1001),
        25,
        Fraction(30_000, 1001),
        30,
        Fraction(60_000, 1001),
    ]


def test_sound_alone_decodes_no_picture() -> None:
    """Only the audio of an hour of 4K asked for, and the picture decoded with it."""
    told = arguments("audio", "waveform")
    graph = told[told.index("-filter_complex") + 1]
    assert "[0:0]" not in graph
    assert "fps" not in graph
    assert "out/proxy.mp4" not in told


def test_picture_alone_decodes_no_sound() -> None:
    """A thumbnail that costs the loudness of an hour."""
    assert "[0:1]" not in (told := " ".join(arguments("thumbnail", "shots")))
    assert "audio" not in told


def test_only_analysis_skips_the_loop_filter() -> None:
    """The proxy shows blocks, or the shots alone cost a fifth more."""
    assert "-skip_loop_filter" in arguments("shots")
    assert "-skip_loop_filter" not in arguments("shots", "proxy")
    assert "-skip_loop_filter" not in arguments("shots", "thumbnail")


def test_the_source_is_opened_with_the_lists() -> None:
    """A playlist reads other files: the lists have to stand before the input, and the input has a fixed name."""
    told = arguments("proxy")
    assert told[told.index("-i") + 1] == "file:in/source"
    for option in ("-protocol_whitelist", "-format_whitelist", "-codec_whitelist", "-max_pixels"):
        assert told.index(option) < told.index("-i")
    assert [after for before, after in pairwise(told) if before == "-i"] == ["file:in/source"]


def test_no_gap_that_the_gate_allows_is_closed() -> None:
    """The gate lets longer gaps pass one day, and ffmpeg cuts them out: sound, picture and the probe's duration disagree."""
    assert Caps().gap_seconds < LONGEST_GAP
    given = arguments("proxy")
    assert float(given[given.index("-dts_delta_threshold") + 1]) == LONGEST_GAP
