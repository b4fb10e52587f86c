"""Pictures of what was learned, as PNG for the UI: drawn without a display, colours that the colour-blind tell apart, no mark-up read.

Colours are Okabe and Ito's (jfly.uni-koeln.de/color). Every picture copes with nothing, one and a thousand things to show.
"""

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from videolab_assets.lib.learning.calibration import Calibration
from videolab_assets.lib.learning.evidence import OUTCOMES, Counts
from videolab_assets.lib.learning.posterior import ClipPosterior, Posterior
from videolab_assets.lib.money import Money
from videolab_assets.lib.platforms import PLATFORMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6E6E6E"
RATES = (
    ("3-second plays", "plays_3s", BLUE, "-"),
    ("ThruPlays", "thruplays", ORANGE, "--"),
    ("link clicks", "link_clicks", GREEN, ":"),
)
MOST_CLIPS = 25
LONGEST_NAME = 20
LONGEST_LINE = 132
FONT = "DejaVu Sans"
"""Comes with matplotlib."""
DPI = 100
WIDTH = 8.0
"""Inches; 800 pixels."""
FEW_DAYS = 45
"""With up to so many days, each is marked."""
MOST_BARS = 200
"""More than these are lines: a bar would be no wider, and each is a shape of its own to draw."""


class Day(Counts, Protocol):
    """What `lib/insights` has of a day."""

    @property
    def date(self) -> date: ...


@dataclass
class _Page:
    """A figure with its axes, from the top, and what it becomes."""

    figure: "Figure"
    axes: "list[Axes]"
    png: bytes = b""


def plot_posterior(posterior: Posterior) -> bytes:
    """The best clips, the best at the top: a dot for the posterior's mean, a bar for 90 % of it, a circle for the raw rate."""
    shown = posterior.clips[:MOST_CLIPS]
    left_out = len(posterior.clips) - len(shown)
    title = f"{_capital(OUTCOMES[posterior.outcome])}, by clip"
    with _page(title, height=1.9 + 0.26 * max(3, len(shown))) as page:
        axes = page.axes[0]
        axes.set_xlabel(f"{OUTCOMES[posterior.outcome]}, %")
        if not shown:
            _nothing(axes, "No clip has been shown yet.")
        else:
            _draw_clips(axes, shown)
        left = f" {left_out} more clips with lower means are not shown." if left_out else ""
        words = "Different ads were shown to different people: what differs between them is an association, not an effect."
        _below(page, f"{posterior.impressions:,} impressions of {_clips(len(posterior.clips))}.{left} {words}")
    return page.png


def _draw_clips(axes: "Axes", shown: Sequence[ClipPosterior]) -> None:
    rows = range(len(shown))
    for row, clip in zip(rows, shown, strict=True):
        axes.plot([100 * clip.low, 100 * clip.high], [row, row], color=BLUE, linewidth=3, alpha=0.45, solid_capstyle="round")
    axes.plot([100 * clip.mean for clip in shown], rows, "o", color=BLUE, markersize=6, label="posterior mean and 90 %")
    raw = [(100 * clip.raw, row) for row, clip in zip(rows, shown, strict=True) if clip.raw is not None]
    if raw:
        axes.plot(*zip(*raw, strict=True), "o", markerfacecolor="none", markeredgecolor=ORANGE, markersize=8, label="raw rate")
    axes.set_yticks(list(rows), [_called(clip) for clip in shown], size=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(list(rows), [f"best: {100 * clip.best:.0f} %" if clip.best >= 0.005 else "" for clip in shown], size=8, color=GREY)
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)
    _legend(axes)


def plot_days(days: Sequence[Day], currency: str) -> bytes:
    """What was spent, and what came of it, by day; days in the account's time zone.

    Raises:
        PermanentError: the currency is unknown.
    """
    with _page("Spend and results by day", height=5.2, panels=2) as page:
        spend, results = page.axes
        spend.set_ylabel(f"Spend, {currency}")
        results.set_ylabel("Per impression, %")
        results.set_xlabel("Day in the account's time zone")
        if not days:
            _nothing(spend, "No day has been synced yet.")
            _nothing(results, "")
        else:
            _draw_days(spend, results, sorted(days, key=lambda day: day.date), currency)
    return page.png


def _draw_days(spend: "Axes", results: "Axes", days: Sequence[Day], currency: str) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    at = [float(date2num(day.date)) for day in days]  # type: ignore[no-untyped-call]
    mark = "o" if len(days) <= FEW_DAYS else ""
    spent = [float(Money(day.spend_minor, currency).amount()) for day in days]
    if len(days) <= MOST_BARS:
        spend.bar(at, spent, width=0.8, color=BLUE)
    else:
        spend.vlines(at, 0, spent, color=BLUE, linewidth=1)
    for label, name, colour, line in RATES:
        shares = [100 * getattr(day, name) / day.impressions if day.impressions else float("nan") for day in days]
        results.plot(at, shares, color=colour, linestyle=line, marker=mark, markersize=4, label=label)
    results.set_ylim(bottom=0)
    spend.set_ylim(bottom=0)
    results.set_xlim(at[0] - 1, at[-1] + 1)
    locator = AutoDateLocator(minticks=1, maxticks=9, interval_multiples=True)  # type: ignore[no-untyped-call]
    results.xaxis.set_major_locator(locator)
    results.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    _legend(results)


def plot_calibration(calibration: Calibration) -> bytes:
    """Results by the score that the clips were chosen by, about as many clips in each dot, and how well the two go together."""
    title = f"Score against {OUTCOMES[calibration.outcome]}"
    value, low, high = calibration.rank_correlation, calibration.low, calibration.high
    if value is not None:
        title += f"\nSpearman's rank correlation {value:+.2f} (90 %: {low:+.2f} to {high:+.2f})"
    with _page(title, height=4.2) as page:
        axes = page.axes[0]
        axes.set_xlabel("Score in the clip plan, 0 to 1")
        axes.set_ylabel(f"{OUTCOMES[calibration.outcome]}, %")
        if not calibration.bins:
            _nothing(axes, calibration.words)
        else:
            _draw_bins(axes, calibration)
            _below(page, calibration.words)
    return page.png


def _draw_bins(axes: "Axes", calibration: Calibration) -> None:
    bins = calibration.bins
    rates = [100 * one.rate for one in bins]
    around = [[100 * (one.rate - one.low) for one in bins], [100 * (one.high - one.rate) for one in bins]]
    spans = [[one.score - one.lowest for one in bins], [one.highest - one.score for one in bins]]
    scores = [one.score for one in bins]
    each = round(calibration.clips / len(bins))
    axes.errorbar(scores, rates, xerr=spans, fmt="none", ecolor=GREY, elinewidth=1, label="their scores")
    axes.errorbar(scores, rates, yerr=around, fmt="o", color=BLUE, markersize=7, capsize=4, label=f"about {_clips(each)}, rate and 90 %")
    axes.set_xlim(max(-0.02, bins[0].lowest - 0.05), min(1.02, bins[-1].highest + 0.05))
    axes.set_ylim(0, 1.15 * max(100 * one.high for one in bins) + 0.01)
    _legend(axes)


@contextmanager
def _page(title: str, *, height: float, panels: int = 1) -> Iterator[_Page]:
    """An empty picture of so many panels over one another; what is drawn in the block becomes its PNG."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": [FONT], "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        page = _Page(figure, list(figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]))
        figure.suptitle(title, size=12, weight="bold", parse_math=False)
        for axes in page.axes:
            axes.grid(axis="both", color="#DDDDDD", linewidth=0.6)
            axes.set_axisbelow(True)
        yield page
        written = io.BytesIO()
        figure.savefig(written, format="png", metadata={"Software": None})
        page.png = written.getvalue()


def _nothing(axes: "Axes", words: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=GREY, wrap=True, parse_math=False)


def _legend(axes: "Axes") -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=9)


def _below(page: _Page, words: str) -> None:
    page.figure.supxlabel("\n".join(textwrap.wrap(words, LONGEST_LINE)), size=8, color=GREY, parse_math=False)


def _clips(number: int) -> str:
    return "1 clip" if number == 1 else f"{number:,} clips"


def _called(posterior: ClipPosterior) -> str:
    """The video's name, the clip's and the platform's; the keys, hashes included, are in the table."""
    clip = posterior.clip
    video = clip.video_key.partition(".")[2].rpartition(".")[0] or clip.video_key
    platform = PLATFORMS[clip.platform].title if clip.platform in PLATFORMS else clip.platform
    name = clip.clip_id if clip.label == "a" else f"{clip.clip_id}.{clip.label}"
    return f"{_shortened(video)}  {name}  {_shortened(platform)}"


def _shortened(name: str) -> str:
    """Both ends of a long name; what the font cannot draw is shown as a question mark."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(FONT))
    drawable = "".join(mark if mark.isprintable() and font.get_char_index(ord(mark)) else "?" for mark in name)
    half = LONGEST_NAME // 2
    return drawable if len(drawable) <= LONGEST_NAME else f"{drawable[: half - 1]}…{drawable[-half:]}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
