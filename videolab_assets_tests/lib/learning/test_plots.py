"""Pictures come out whatever there is to show."""

import dataclasses
import io
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest

from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.learning.calibration import calibrate
from videolab_assets.lib.learning.plots import plot_calibration, plot_days, plot_posterior
from videolab_assets.lib.learning.posterior import fit
from videolab_assets_tests.lib.learning.made import clip_ref, evidence_of, observed


@dataclass(frozen=True)
class ADay:
    date: date
    impressions: int = 1000
    plays_3s: int = 300
    thruplays: int = 150
    link_clicks: int = 10
    spend_minor: int = 1234


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(action="error", category=UserWarning):  # a glyph or a layout that does not fit
        yield


def looked_at(png: bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture that is not blank, and small enough for a table."""
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(png), format="png")
    assert len(png) < 300_000
    assert np.ptp(pixels[..., :3]) > 0.5
    return pixels.shape[1], pixels.shape[0]


@pytest.mark.parametrize("clips", [0, 1, 300])
def test_posteriors(clips: int) -> None:
    """The first day, with nothing to show, or the hundredth, with too much, fails the asset or makes a picture nobody can read."""
    width, height = looked_at(plot_posterior(fit(observed(clips, 1))))
    assert width == 800 and height < 1000


@pytest.mark.parametrize(("days", "currency"), [(0, "EUR"), (1, "JPY"), (1000, "EUR")])
def test_days(days: int, currency: str) -> None:
    """A day without impressions divides by zero; yen are shown as hundredths."""
    shown = [ADay(date(2026, 1, 31) + timedelta(number), impressions=0 if number % 7 == 3 else 1000) for number in range(days)]
    assert looked_at(plot_days(shown[::-1], currency))[0] == 800


@pytest.mark.parametrize("clips", [0, 1, 300])
def test_calibrations(clips: int) -> None:
    """One clip, or none, has no interval and no correlation to draw."""
    assert looked_at(plot_calibration(calibrate(observed(clips, 2))))[0] == 800


def test_odd_names() -> None:
    """A name with dollar signs is read as a formula, and one in a script that no font has fills the log with warnings."""
    names = ["$x_{$", "视频" * 40, "\u202eabc\n\tdef", "العربية", "a" * 500, "Ελληνικά"]
    posterior = fit([evidence_of(clip_ref(place), 1000, 300 + place) for place in range(len(names))])
    odd = [ClipRef.model_construct(video_key=f"acme.{name}.x", clip_id="c01", platform="instagram_reel", label="b") for name in names]
    clips = tuple(dataclasses.replace(one, clip=clip) for one, clip in zip(posterior.clips, odd, strict=True))
    posterior = dataclasses.replace(posterior, clips=clips)
    assert looked_at(plot_posterior(posterior))[0] == 800


def test_drawing_leaves_no_state_behind() -> None:
    """Pictures of two runs in one process are drawn into each other, or figures are kept until memory runs out."""
    first = plot_posterior(fit(observed(5, 3)))
    plot_days([ADay(date(2026, 1, 1))], "EUR")
    assert plot_posterior(fit(observed(5, 3))) == first
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
