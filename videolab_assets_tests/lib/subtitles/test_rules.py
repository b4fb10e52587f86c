import pytest

from videolab_assets.lib.documents import Cue
from videolab_assets.lib.subtitles import breaches
from videolab_assets_tests.lib.subtitles.said import NO_BREACH


def cue(start: float, end: float, text: str = "Short enough") -> Cue:
    return Cue(start=start, end=end, text=text)


def test_breaches_name_the_rule() -> None:
    """Prevents a check that counts nothing: each rule is broken once here."""
    cues = [
        cue(0.0, 5.0, "b\nc\nd"),
        cue(6.0, 12.0, "x" * 43),
        cue(13.0, 13.9),
        cue(15.0, 22.001),
        cue(24.0, 26.0, "x" * 35),
        cue(25.0, 28.0),
        cue(28.079, 30.0),
        cue(40.2, 42.0, "lighting the\nlamp"),
    ]
    assert breaches(cues, 25.0, [40.0]) == dict.fromkeys(NO_BREACH, 1)
    assert breaches([]) == NO_BREACH


@pytest.mark.parametrize(
    ("upper", "lower", "apart", "parted"),
    [
        ("We saw the", "lamp", 0.1, 1),
        ("Vimos a LOS", "vecinos", 0.1, 1),
        ("Vinimos del", "mercado", 0.1, 1),
        ("We saw the", "lamp", 2.0, 0),
        ("We saw the…", "lamp", 0.1, 0),
        ("We bathe", "daily", 0.1, 0),
        ("¿Lo viste? Sí", "la vi", 0.1, 0),
    ],
)
def test_an_article_is_parted_from_its_noun_at_a_line_or_at_a_cue(upper: str, lower: str, apart: float, parted: int) -> None:
    """Prevents a count that sees line ends only, or that takes a sentence left unfinished for a bad break."""
    assert breaches([cue(0, 3, f"{upper}\n{lower}")])["article_parted"] == (parted or apart > 1)
    assert breaches([cue(0, 3, upper), cue(3 + apart, 6 + apart, lower)])["article_parted"] == parted


def test_two_frames_written_in_milliseconds_are_two_frames() -> None:
    """Prevents a professional's file from being blamed for its format: 83 ms is how two frames of film are written."""
    assert breaches([cue(1, 3), cue(3.083, 5)], 24000 / 1001)["too_close"] == 0
    assert breaches([cue(1, 3), cue(3.082, 5)], 24000 / 1001)["too_close"] == 1


@pytest.mark.parametrize(
    ("cues", "missed"),
    [
        ([cue(10.3, 12.0)], 1),
        ([cue(9.6, 12.0)], 1),
        ([cue(8.0, 9.7)], 1),
        ([cue(8.0, 10.3)], 1),
        ([cue(10.0, 12.0)], 0),
        ([cue(10.03, 12.0)], 0),
        ([cue(8.0, 9.92)], 0),
        ([cue(8.0, 10.0)], 0),
        ([cue(10.6, 12.0)], 0),
        ([cue(8.0, 9.4)], 0),
        ([cue(9.6, 10.8)], 0),
        ([cue(10.3, 17.2)], 0),
        ([cue(9.9, 11.0, "x" * 18)], 0),
        ([cue(8.0, 9.95), cue(10.3, 12.0)], 0),
        ([cue(8.0, 10.1), cue(10.18, 12.0)], 1),
        ([cue(8.0, 10.4, "x" * 40), cue(10.48, 12.0)], 0),
    ],
)
def test_an_edge_off_a_shot_change_counts_where_it_could_have_moved(cues: list[Cue], missed: int) -> None:
    """Prevents blame for edges that a second, seven seconds, reading speed or the neighbour hold in place, and praise for others."""
    assert breaches(cues, 25.0, [10.0])["off_shot"] == missed
    assert breaches(cues, 25.0)["off_shot"] == 0
