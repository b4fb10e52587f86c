"""Where boxes of the source come to lie, and which moment makes the cover."""

import pytest

from videolab_assets.lib.documents import Framing, PathPoint
from videolab_assets.lib.reframe import Box, Sample, Seen, cover_time, faces_kept, placed, shown
from videolab_assets_tests.lib.reframe.scenes import LANDSCAPE, UPRIGHT, face

CROP = UPRIGHT / LANDSCAPE


def framing(mode: str, width: float, *points: tuple[float, float], end: float = 10.0) -> Framing:
    path = [PathPoint(time=time, x=x, y=0.0) for time, x in points]
    return Framing.model_validate(
        {"start": 0.0, "end": end, "mode": mode, "subject": "faces", "why": "", "width": width, "height": 1.0, "path": path}
    )


def test_the_crop_moves_in_a_straight_line_and_rests_at_both_ends() -> None:
    """Captions are kept off faces by this very reckoning."""
    moving = framing("follow", CROP, (2.0, 0.1), (4.0, 0.5))
    assert [round(shown(moving, time).x, 6) for time in (0.0, 2.0, 3.0, 4.0, 9.0)] == [0.1, 0.1, 0.3, 0.5, 0.5]


def test_a_box_in_the_middle_of_the_crop_is_in_the_middle_of_the_picture() -> None:
    """And as much larger as the crop is smaller."""
    still = framing("still", CROP, (0.0, 0.4))
    box = placed(Box(0.4 + CROP / 4, 0.25, CROP / 2, 0.5), still, 1.0, LANDSCAPE, UPRIGHT)
    assert box == pytest.approx((0.25, 0.25, 0.5, 0.5))


def test_what_is_beyond_the_edge_is_cut_off_or_gone() -> None:
    """A face outside the picture is nothing that a caption could cover."""
    still = framing("still", CROP, (0.0, 0.4))
    half = placed(Box(0.3, 0.0, 0.2, 0.5), still, 1.0, LANDSCAPE, UPRIGHT)
    assert half == pytest.approx((0.0, 0.0, 0.1 / CROP, 0.5))
    assert placed(Box(0.1, 0.1, 0.2, 0.2), still, 1.0, LANDSCAPE, UPRIGHT) is None


def test_a_fitted_picture_lies_in_the_middle() -> None:
    """All of a landscape frame in an upright picture: as wide, and a third as high."""
    fit = framing("fit", 1.0, (0.0, 0.0))
    box = placed(Box(0.0, 0.0, 1.0, 1.0), fit, 1.0, LANDSCAPE, UPRIGHT)
    height = UPRIGHT / LANDSCAPE
    assert box == pytest.approx((0.0, (1 - height) / 2, 1.0, height))


def test_the_share_of_kept_faces() -> None:
    """Half a face is a face cut off; no face at all is no zero."""
    still = framing("still", CROP, (0.0, 0.4))
    look = Seen(LANDSCAPE, [Sample(0.0, faces=[face(0.55)]), Sample(0.2, faces=[face(0.55), face(0.4)])])
    assert faces_kept(look, [still]) == pytest.approx(2 / 3)
    assert faces_kept(Seen(LANDSCAPE, [Sample(0.0)]), [still]) is None


def test_the_cover_is_sharp_and_bright_and_has_a_whole_face() -> None:
    """The first frame, black or mid-blink, is what platforms take otherwise."""
    still = framing("still", CROP, (0.0, 0.4))
    samples = [
        Sample(0.0, faces=[face(0.55)], sharpness=900.0),
        Sample(1.0, sharpness=900.0),
        Sample(2.0, faces=[face(0.4)], sharpness=900.0),
        Sample(3.0, faces=[face(0.55)], sharpness=40.0, brightness=0.02),
        Sample(4.0, faces=[face(0.55)], sharpness=800.0),
        Sample(5.0, faces=[face(0.55)], sharpness=30.0),
    ]
    assert cover_time(Seen(LANDSCAPE, samples), [still]) == 4.0
    assert cover_time(Seen(LANDSCAPE, []), [still]) == 0.0
