"""Which platforms share a file, and at which frame rate it plays."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.platforms import PLATFORMS, Margins
from videolab_assets.lib.variants.renditions import output_rate, renditions_of

NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("source", "lowest", "highest", "shown"),
    [
        (Fraction(25), 23, 60, Fraction(25)),
        (NTSC, 23, 30, NTSC),
        (2 * NTSC, 23, 30, NTSC),
        (Fraction(60), 23, 30, Fraction(30)),
        (Fraction(50), 23, 30, Fraction(25)),
        (Fraction(120), 23, 60, Fraction(60)),
        (Fraction(10), 23, 60, Fraction(30)),
        (Fraction(15), 23, 30, Fraction(30)),
        (Fraction(12), 23, 30, Fraction(24)),
        (Fraction(35), 23, 30, Fraction(30)),
        (Fraction(20), 23, 30, Fraction(30)),
    ],
)
def test_output_rates(source: Fraction, lowest: float, highest: float, shown: Fraction) -> None:
    """25 frames a second shown at 30 repeat every fifth: what one sees is judder. And 29.97 taken for 30 drifts."""
    assert output_rate(source, lowest, highest) == shown


@given(
    source=st.fractions(1, 240, max_denominator=1001),
    lowest=st.integers(1, 60).map(float),
    span=st.integers(0, 60),
)
def test_output_rate_is_one_that_the_platform_takes(source: Fraction, lowest: float, span: int) -> None:
    """A rate outside the platform's terms gets the whole post refused."""
    assert lowest <= output_rate(source, lowest, lowest + span) <= lowest + span


def test_platforms_of_the_same_terms_share_a_file() -> None:
    """Three platforms that take the same file would have it encoded three times."""
    vertical, square = renditions_of(30)
    assert vertical.platforms == ("instagram_reel", "tiktok_video", "youtube_short")
    assert square.platforms == ("facebook_feed_video",)
    assert [rendition.platforms for rendition in renditions_of(60)] == [vertical.platforms, square.platforms]
    assert [rendition.frame_rate for rendition in renditions_of(60)] == [60, 30]
    assert renditions_of(29.97)[0].frame_rate == NTSC


def test_a_shared_file_suits_the_strictest_of_its_platforms() -> None:
    """Captions placed for one platform lie under the buttons of another that shows the same file."""
    one = PLATFORMS["instagram_reel"]
    other = replace(one, video_bit_rate=5_000_000, largest_bytes=7, safe=Margins(left=10, top=500, right=300, bottom=20))
    (shared,) = renditions_of(30, {"one": one, "other": other})
    assert shared.safe == Margins(left=60, top=500, right=300, bottom=420)
    assert (shared.video_bit_rate, shared.largest_bytes) == (5_000_000, 7)


def test_captions_stay_where_they_are_when_the_frame_rate_parts_two_platforms() -> None:
    """Two files of one size whose captions stand in two places look like a mistake side by side."""
    one = PLATFORMS["instagram_reel"]
    other = replace(one, highest_frame_rate=30, safe=Margins(left=10, top=500, right=300, bottom=20))
    margins = [rendition.safe for rate in (30, 60) for rendition in renditions_of(rate, {"one": one, "other": other})]
    assert margins == [Margins(left=60, top=500, right=300, bottom=420)] * 3


@pytest.mark.parametrize(
    "terms",
    [{"highest_frame_rate": 25}, {"loudness": -16.0}, {"true_peak": -2.0}, {"audio_bit_rate": 192_000}, {"width": 720, "height": 1280}],
)
def test_platforms_that_want_another_file_get_one(terms: dict[str, float]) -> None:
    """A file at -14 LUFS is no file at -16."""
    one = PLATFORMS["instagram_reel"]
    renditions = renditions_of(30, {"one": one, "other": replace(one, **terms)})  # type: ignore[arg-type]
    assert [rendition.platforms for rendition in renditions] == [("one",), ("other",)]
