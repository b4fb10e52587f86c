"""Looking at real pictures: a filmed head at known places, filmed people, a drawn film, and what is no proxy."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

import benchmarks.reframe as footage
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.reframe import Seen, cover_time, faces_kept, framing_at, framings_of, look, shown
from videolab_assets_tests.lib.reframe.scenes import UPRIGHT

MEDIA = Path(__file__).resolve().parents[4] / "shared" / "media"
SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "lighthouse.mp4"


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[footage.Footage, Seen]:
    """A head that stands left, then, after a cut between two samples, one that crosses; and the look at it."""
    if not MEDIA.is_dir():
        pytest.skip("../shared/media is not there, and with it the head that is pasted into the footage.")
    scenes: tuple[tuple[float, float, tuple[footage.Across, ...]], ...] = (
        (1.5, 2.6, (lambda _: 0.2,)),
        (2.6, 2.4, (lambda at: 0.75 - 0.3 * at,)),
    )
    made = footage.generated(tmp_path_factory.mktemp("heads"), scenes)
    return made, look(made.path, made.start, made.end)


def film(folder: Path, name: str, start: float, seconds: float) -> Path:
    if not (MEDIA / name).exists():
        pytest.skip(f"{name} is not in ../shared/media.")
    path = folder / "proxy.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", str(start), "-t", str(seconds), "-i", str(MEDIA / name), "-an"]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def test_each_sample_has_its_own_time_and_the_frames_shape(heads: tuple[footage.Footage, Seen]) -> None:
    """A face a fifth of a second beside its time is a face beside the crop."""
    made, seen = heads
    times = [sample.time for sample in seen.samples]
    assert times == pytest.approx([number / 5 for number in range(round(made.end * 5 + 0.5))], abs=0.001)
    assert seen.aspect == pytest.approx(16 / 9)
    assert seen.picture == (0.0, 0.0, 1.0, 1.0)


def test_the_head_is_found_where_it_was_pasted_and_nowhere_else(heads: tuple[footage.Footage, Seen]) -> None:
    """The painted ground is all edges, as a bookshelf is; a second face in it would make the picture small."""
    made, seen = heads
    truth = {round(time, 3): boxes[0] for time, boxes in made.truth}
    found = [(sample, truth[round(sample.time, 3)]) for sample in seen.samples]
    assert sum(len(sample.faces) for sample, _ in found) >= 0.9 * len(found)
    for sample, known in found:
        assert len(sample.faces) <= 1
        for box in sample.faces:
            assert abs(box.centre[0] - known.centre[0]) < 0.4 * known.width
            assert abs(box.centre[1] - known.centre[1]) < 0.4 * known.height


def test_every_frame_keeps_the_head_whole(heads: tuple[footage.Footage, Seen]) -> None:
    """Between samples and on both sides of the cut too."""
    made, seen = heads
    framings = framings_of(seen, made.cuts, UPRIGHT, [], made.end)
    lost = [time for time, boxes in made.truth if boxes[0].within(shown(framing_at(framings, time), time)) < 0.98]
    assert lost == []
    assert [framing.mode for framing in framings] == ["still", "follow"]
    assert faces_kept(seen, framings) == 1.0
    assert 0.0 < cover_time(seen, framings) < made.end


def test_a_stretch_in_the_middle_counts_from_its_own_start(heads: tuple[footage.Footage, Seen]) -> None:
    """Times of the proxy instead of the clip would frame everything by what came before."""
    made, _ = heads
    seen = look(made.path, made.cuts[0], made.cuts[0] + 1.0)
    assert seen.samples[0].time == pytest.approx(0.0, abs=0.04)
    assert len(seen.samples) == 5
    assert seen.samples[0].faces[0].centre[0] == pytest.approx(0.75, abs=0.03)


def test_two_looks_see_the_same(heads: tuple[footage.Footage, Seen]) -> None:
    """A variant's recipe says what decides its content; chance is not in it."""
    made, _ = heads
    assert look(made.path, 1.0, 2.0) == look(made.path, 1.0, 2.0)


def test_somebody_whose_back_is_turned_is_a_person(tmp_path: Path) -> None:
    """The woman stands from 0.50 to 0.67 of the width, as one sees, head and feet near the frame's edges."""
    seen = look(film(tmp_path, "one-by-one-people.mp4", 10.0, 3.0), 0.0, 3.0)
    bodies = [box for sample in seen.samples for box in sample.people]
    assert len(bodies) >= 12
    assert all(abs(box.centre[0] - 0.585) < 0.04 for box in bodies)
    assert not any(sample.faces for sample in seen.samples)


def test_the_bars_beside_an_old_film_are_no_picture(tmp_path: Path) -> None:
    """Its picture reaches from 0.113 to 0.887 of the width."""
    seen = look(film(tmp_path, "chaplin.mp4", 6.0, 2.0), 0.0, 2.0)
    assert seen.picture.x == pytest.approx(0.113, abs=0.01)
    assert seen.picture.right == pytest.approx(0.887, abs=0.01)
    assert sum(bool(sample.faces) for sample in seen.samples) >= 4


def test_a_title_beside_what_it_names_is_not_cut() -> None:
    """The drawn sample opens with a title over half of the width and a lighthouse at its right; nobody is in it."""
    seen = look(SAMPLE, 3.0, 5.0)
    [framing] = framings_of(seen, [], UPRIGHT, [], 2.0)
    assert framing.mode == "fit"
    assert not any(sample.faces or sample.people for sample in seen.samples)


def test_what_is_no_proxy_says_so(tmp_path: Path) -> None:
    """A truncated download must not end in a StopIteration, nor a text file given as the detector in a traceback of C++."""
    broken = tmp_path / "proxy.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(PermanentError, match="no picture"):
        look(broken, 0.0, 1.0)
    with pytest.raises(PermanentError, match="no picture"):
        look(SAMPLE, 500.0, 510.0)
    with pytest.raises(PermanentError, match="YuNet"):
        look(SAMPLE, 0.0, 1.0, broken)
