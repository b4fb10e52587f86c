"""Boxes linked over time."""

from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.faces import Face
from videolab_assets.lib.reframe.faces import believed as believed_faces
from videolab_assets.lib.reframe.people import believed as believed_people
from videolab_assets.lib.reframe.tracks import linked
from videolab_assets_tests.lib.reframe.scenes import face

TIMES = [number / 5 for number in range(20)]
ONE_SCENE = [0] * 20


def hits(*places: int, middle: float = 0.5, frontal: bool = True, agreed: bool = True) -> list[list[Face]]:
    return [[Face(face(middle), frontal, agreed)] if place in places else [] for place in range(20)]


def test_two_people_who_stand_side_by_side_stay_two() -> None:
    """Detections come in no order; swapped tracks would make a standing camera jump between them."""
    found = [[face(0.3), face(0.5)] if number % 2 else [face(0.5), face(0.3)] for number in range(20)]
    tracks = linked(TIMES, found)
    assert sorted(round(track.boxes[0].centre[0], 3) for track in tracks) == [0.3, 0.5]
    assert all(len({round(box.centre[0], 3) for box in track.boxes}) == 1 for track in tracks)


def test_a_face_that_was_missed_for_a_moment_is_reckoned_in_between() -> None:
    """A detector blinks; a camera must not."""
    [track] = linked(TIMES, [[face(0.3 + 0.01 * number)] if number not in (7, 8) else [] for number in range(20)])
    missing = track.at(7, TIMES)
    assert missing is not None
    assert abs(missing.centre[0] - 0.37) < 1e-6
    assert track.at(19, TIMES) == face(0.3 + 0.19)


def test_who_comes_back_elsewhere_after_a_while_is_another() -> None:
    """Else a camera pans through an empty room from who left to who entered."""
    found = [[face(0.2)] if number < 5 else [face(0.8)] if number > 15 else [] for number in range(20)]
    assert len(linked(TIMES, found)) == 2


def test_one_hit_is_no_face() -> None:
    """Cascades see faces in foliage, each in one moment only."""
    assert not any(believed_faces(TIMES, hits(4), ONE_SCENE))
    assert sum(map(len, believed_faces(TIMES, hits(4, 5, 6, 8), ONE_SCENE))) == 5


def test_a_pattern_that_no_second_cascade_agrees_with_is_no_face() -> None:
    """A still picture's texture fools one cascade in every moment alike."""
    assert not any(believed_faces(TIMES, hits(*range(20), agreed=False), ONE_SCENE))


def test_a_profile_alone_needs_more_moments() -> None:
    """The cascade for profiles is the most gullible, and no second one can be asked."""
    assert not any(believed_faces(TIMES, hits(4, 5, 6, frontal=False, agreed=False), ONE_SCENE))
    assert sum(map(len, believed_faces(TIMES, hits(*range(4, 12), frontal=False, agreed=False), ONE_SCENE))) == 8


def test_nothing_is_linked_across_a_cut() -> None:
    """Two hits before and two after a cut are two times a pattern, not one face."""
    assert not any(believed_faces(TIMES, hits(8, 9, 10, 11), [0] * 10 + [1] * 10))


def test_a_face_looks_back_to_its_place_after_seconds() -> None:
    """A speaker looked down for three seconds: both parts count, what is between is not made up."""
    found = believed_faces(TIMES, hits(0, 1, 2, 3, 16, 17, 18, 19), ONE_SCENE)
    assert [len(faces) for faces in found] == [1] * 4 + [0] * 12 + [1] * 4


def test_a_person_is_believed_by_score_and_repetition() -> None:
    """A tree is a person for a moment, or for long with a poor score."""
    box = Box(0.4, 0.1, 0.2, 0.8)
    searched = [number % 2 == 0 for number in range(20)]

    def found(score: float, places: range) -> list[list[tuple[Box, float]] | None]:
        return [[(box, score)] if number in places else [] if looked else None for number, looked in enumerate(searched)]

    assert sum(map(len, believed_people(TIMES, found(1.2, range(0, 20, 2)), ONE_SCENE))) == 19
    assert not any(believed_people(TIMES, found(0.4, range(0, 20, 2)), ONE_SCENE))
    assert not any(believed_people(TIMES, found(1.2, range(4, 8, 2)), ONE_SCENE))
