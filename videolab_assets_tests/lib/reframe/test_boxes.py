"""Rectangles: the arithmetic that all else stands on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.reframe import Box

SHARES = st.floats(0.01, 1.0)
BOXES = st.builds(Box, SHARES, SHARES, SHARES, SHARES)


@given(BOXES, BOXES)
def test_two_boxes_agree_on_what_they_share(one: Box, other: Box) -> None:
    """A likeness that depends on who asks makes tracks depend on the order of detections."""
    assert one.overlap(other) == pytest.approx(other.overlap(one))
    assert one.likeness(other) == pytest.approx(other.likeness(one))
    assert 0.0 <= one.likeness(other) <= 1.0 + 1e-9
    assert one.likeness(one) == pytest.approx(1.0)
    assert one.within(one.around(other)) == pytest.approx(1.0)


def test_boxes_beside_each_other_share_nothing() -> None:
    """Two negative differences multiply to an area."""
    assert Box(0.0, 0.0, 0.1, 0.1).overlap(Box(0.5, 0.5, 0.1, 0.1)) == 0.0
    assert Box(0.0, 0.0, 0.0, 0.1).within(Box(0.0, 0.0, 1.0, 1.0)) == 0.0
