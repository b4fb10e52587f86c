"""What `make` publishes: the right files with nothing private in them, once, whole or not at all."""

import hashlib
import json
from pathlib import Path

import pytest

from videolab_assets.lib import decode as decoding
from videolab_assets.lib import media, sandbox
from videolab_assets.lib.documents import Audio, Document, Proxy, Shots, SourceVideo, Storyboard, Thumbnail, Waveform
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.library import Library
from videolab_assets.lib.media import MEDIA_ASSETS, MediaAsset, absence, make
from videolab_assets.lib.probe import probe
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests import sources
from videolab_assets_tests.sources import H264

EVERY: frozenset[MediaAsset] = frozenset(MEDIA_ASSETS)
EVENTS = {0.6, 1.6}
FILES = {"proxy.mp4", "audio.flac", "peaks.json", "waveform.png", "thumbnail.jpg", "storyboard.jpg", "storyboard.vtt"}
PRIVATE = ("GPSMARKER", "+40.4168-003.7038", "TITLEMARKER", "COMMENTMARKER", "CHAPTERMARKER", "SUBTITLEMARKER", "ARTISTMARKER")


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2.4 s with everything that phones and editors write beside picture and sound."""
    folder = tmp_path_factory.mktemp("upload")
    sound = sources.wav(folder / "a.wav", sources.beeping(44_100, 2.4, EVENTS), 44_100)
    (folder / "notes").write_text(
        ";FFMETADATA1\ntitle=TITLEMARKER\ncomment=COMMENTMARKER GPSMARKER\nartist=ARTISTMARKER\nlocation=+40.4168-003.7038/\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\ntitle=CHAPTERMARKER\n"
    )
    (folder / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nSUBTITLEMARKER\n")
    others = ("-i", sound, "-i", folder / "notes", "-i", folder / "a.srt")
    streams = ("-map", "0:v", "-map", "1:a", "-map", "3:s", "-c:s", "mov_text", "-c:a", "aac", "-timecode", "01:00:00:00")
    described = ("-map_metadata", "2", "-map_chapters", "2", "-metadata:s:v", "title=TITLEMARKER", "-metadata:s:a", "title=TITLEMARKER")
    frames = sources.flashing(160, 90, 25, 2.4, EVENTS)
    options = (*sources.in_yuv(), *streams, *described, *H264, "-movflags", "use_metadata_tags")
    path = sources.video(folder / "a.mov", frames, 25, *options, inputs=others)
    written = path.read_bytes()
    assert all(mark.encode() in written for mark in PRIVATE)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(LocalStore(tmp_path / "store"))


def ingested(library: Library, upload: Path) -> SourceVideo:
    digest = hashlib.sha256(upload.read_bytes()).hexdigest()
    key = "library/acme/acme.clip.0123abcd/source"
    library.store.put_file(upload, key, media_type="video/mp4", sha256=digest)
    return sources.source_video(upload, key, digest)


def names(library: Library) -> set[str]:
    return {found.key.rpartition("/")[2] for found in library.store.list("library")} - {"source"}


def write(library: Library, made: media.Made) -> None:
    for document in made.documents.values():
        library.write("acme.clip.0123abcd", document)


@pytest.fixture(scope="module")
def published(upload: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[MediaAsset, Document]]:
    folder = tmp_path_factory.mktemp("published")
    library = Library(LocalStore(folder))
    made = make(library, ingested(library, upload), EVERY, folder / "scratch")
    assert names(library) == FILES
    return folder / "library/acme/acme.clip.0123abcd", made.documents


def test_documents_say_what_the_files_are(published: tuple[Path, dict[MediaAsset, Document]]) -> None:
    """What the UI and later assets are told differs from what lies in the store."""
    folder, documents = published
    assert set(documents) == EVERY
    for document in documents.values():
        assert len(document.recipe) == 64
        for file in document.files:
            data = (folder / file.key.rpartition("/")[2]).read_bytes()
            assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    proxy, audio, waveform = documents["proxy"], documents["audio"], documents["waveform"]
    thumbnail, storyboard, shots = documents["thumbnail"], documents["storyboard"], documents["shots"]
    assert isinstance(proxy, Proxy)
    assert (proxy.width, proxy.height, proxy.frame_rate) == (160, 90, 25)
    assert proxy.duration == pytest.approx(2.4, abs=0.04)
    assert abs(proxy.audio_video_offset) <= 0.03
    assert isinstance(audio, Audio)
    assert audio.duration == pytest.approx(2.4, abs=0.03)
    assert isinstance(waveform, Waveform)
    peaks = json.loads((folder / "peaks.json").read_text())
    assert len(peaks["data"]) == 2 * waveform.length == 2 * peaks["length"]
    assert waveform.length * waveform.samples_per_pixel / 16_000 == pytest.approx(audio.duration, abs=0.02)
    assert isinstance(thumbnail, Thumbnail)
    assert (thumbnail.width, thumbnail.height) == (160, 90)
    assert isinstance(storyboard, Storyboard)
    assert (folder / "storyboard.vtt").read_text().count("-->") == storyboard.tiles
    assert isinstance(shots, Shots)
    assert shots.duration == pytest.approx(2.4)


def test_the_proxy_plays_everywhere(published: tuple[Path, dict[MediaAsset, Document]]) -> None:
    """Safari shows nothing without `avc1` and `yuv420p`, a browser loads the whole file where the index comes last."""
    proxy = published[0] / "proxy.mp4"
    data = proxy.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert b"avc1" in data
    found = probe(proxy).probe
    assert found.video
    assert found.audio
    assert (found.video.codec, found.video.profile, found.video.pixel_format) == ("h264", "High", "yuv420p")
    video = found.video
    assert (video.color_space, video.color_primaries, video.color_transfer, video.color_range) == ("bt709", "bt709", "bt709", "tv")
    assert not video.variable_frame_rate
    assert (found.audio.codec, found.audio.sample_rate, found.audio.channels) == ("aac", 48_000, 2)
    assert found.streams == 2


def test_nothing_private_is_passed_on(published: tuple[Path, dict[MediaAsset, Document]]) -> None:
    """Where a video was filmed leaves the house in a proxy's metadata."""
    for file in published[0].iterdir():
        if file.name != "source":
            assert not [mark for mark in PRIVATE if mark.encode() in file.read_bytes()], file.name


def test_a_second_run_makes_nothing(library: Library, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retried run decodes an hour again."""
    source = ingested(library, upload)
    first = make(library, source, EVERY, tmp_path / "scratch")
    assert first.found == frozenset()
    write(library, first)
    monkeypatch.setattr(media, "decode", None)
    second = make(library, source, EVERY, tmp_path / "scratch")
    assert second.found == EVERY
    assert second.documents == first.documents
    assert list((tmp_path / "scratch").iterdir()) == []


def test_only_what_is_missing_or_outdated_is_made(library: Library, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost thumbnail stays lost, a better algorithm never reaches old videos, or all six are made anew for one."""
    source = ingested(library, upload)
    write(library, make(library, source, EVERY, tmp_path / "scratch"))
    (tmp_path / "store/library/acme/acme.clip.0123abcd/thumbnail.jpg").unlink()
    again = make(library, source, EVERY, tmp_path / "scratch")
    assert again.found == EVERY - {"thumbnail"}
    assert names(library) >= FILES
    monkeypatch.setitem(media.CODE_VERSIONS, "waveform", "another")
    again = make(library, source, EVERY, tmp_path / "scratch")
    assert again.found == EVERY - {"waveform"}
    write(library, again)
    assert make(library, source, EVERY, tmp_path / "scratch").found == EVERY


@pytest.mark.parametrize("asset", MEDIA_ASSETS)
def test_one_asset_makes_its_own_files_only(asset: MediaAsset, library: Library, upload: Path, tmp_path: Path) -> None:
    """Asking for the thumbnail replaces the proxy that somebody is watching."""
    made = make(library, ingested(library, upload), frozenset({asset}), tmp_path / "scratch")
    assert set(made.documents) == {asset}
    assert names(library) == {file.key.rpartition("/")[2] for file in made.documents[asset].files}


@pytest.mark.parametrize(
    "limits", [sandbox.Limits(wall_seconds=0.05), sandbox.Limits(memory_bytes=4 << 30, file_bytes=512, open_files=128)]
)
def test_a_machine_that_fails_publishes_nothing(
    limits: sandbox.Limits, library: Library, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a proxy under its final name, and its scratch left behind."""
    source = ingested(library, upload)
    monkeypatch.setattr(decoding, "_limits", lambda _: limits)
    with pytest.raises(TransientError):
        make(library, source, EVERY, tmp_path / "scratch")
    assert names(library) == set()
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """14 s: the gate tries the first ten."""
    path = tmp_path_factory.mktemp("long") / "a.mp4"
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=160x90:d=14", "-f", "lavfi", "-i", "sine=d=14")
    sources.ffmpeg(*inputs, *H264, "-g", "50", "-c:a", "aac", path)
    return path.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize(("first", "last", "whole"), [(0.78, 0.8, True), (0.9, 1.0, False)])
def test_damage_beyond_what_the_gate_tried(
    first: float, last: float, whole: bool, long_video: bytes, library: Library, tmp_path: Path
) -> None:
    """A proxy that ends early, silently, because ffmpeg ends with 0 after the last frame that it could read."""
    data = bytearray(long_video)
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    zeroed = slice(round(start + (end - start) * first), round(start + (end - start) * last))
    data[zeroed] = bytes(zeroed.stop - zeroed.start)
    (tmp_path / "damaged.mp4").write_bytes(data)
    source = ingested(library, tmp_path / "damaged.mp4")
    if whole:
        proxy = make(library, source, EVERY, tmp_path / "scratch").documents["proxy"]
        assert isinstance(proxy, Proxy)
        assert proxy.duration == pytest.approx(14, abs=0.1)
        return
    with pytest.raises(PermanentError, match=r"^Only 1\d\.\d of the 14\.0 s of this file's picture could be") as refused:
        make(library, source, EVERY, tmp_path / "scratch")
    assert "\n" not in refused.value.sentence
    assert names(library) == set()


@pytest.mark.long
@pytest.mark.parametrize(("asset", "damaged"), [("proxy", "picture"), ("audio", "sound")])
def test_damage_at_the_end_of_one_stream(asset: MediaAsset, damaged: str, library: Library, tmp_path: Path) -> None:
    """The last minutes of a film are a frozen picture, or missing in its transcript, because the other stream is whole."""
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=160x90:d=14", "-f", "lavfi", "-i", "sine=d=14")
    sources.ffmpeg(*inputs, *H264, "-g", "50", "-c:a", "flac", tmp_path / "whole.mkv")
    noise = (f"-bsf:{'v' if damaged == 'picture' else 'a'}", r"noise=amount=gt(pts*tb\,12)")
    sources.ffmpeg("-i", tmp_path / "whole.mkv", "-c", "copy", *noise, tmp_path / "damaged.mkv")
    source = ingested(library, tmp_path / "damaged.mkv")
    with pytest.raises(PermanentError, match=rf"^Only 1[12]\.\d of the 14\.0 s of this file's {damaged} could be decoded"):
        make(library, source, frozenset({asset}), tmp_path / "scratch")
    assert names(library) == set()
    other: MediaAsset = "audio" if asset == "proxy" else "proxy"
    assert set(make(library, source, frozenset({other}), tmp_path / "scratch").documents) == {other}


def test_sound_that_ends_early(library: Library, tmp_path: Path) -> None:
    """The transcript of half a podcast passes for the whole."""
    path = sources.wav(tmp_path / "a.wav", sources.sine(16_000, 2, -12), 16_000)
    source = ingested(library, path)
    assert source.probe.audio
    longer = source.probe.audio.model_copy(update={"duration": 4.0})
    claimed = source.model_copy(update={"probe": source.probe.model_copy(update={"audio": longer})})
    with pytest.raises(PermanentError, match=r"^Only 2\.0 of the 4\.0 s of this file's sound"):
        make(library, claimed, frozenset({"audio"}), tmp_path / "scratch")
    assert names(library) == set()


@pytest.mark.parametrize("begins", [(0, 50), (0, 50, 45)])
def test_gaps_are_no_damage(begins: tuple[float, ...], library: Library, tmp_path: Path) -> None:
    """A recording with a minute of bad reception is refused for ever as damaged, with or without a jump back that is shorter."""
    path = tmp_path / "joined.ts"
    sources.video(tmp_path / "whole.mp4", sources.flashing(64, 48, 25, 2.4, EVENTS), 25, *sources.in_yuv(), *H264)
    for begin in begins:
        sources.ffmpeg("-i", tmp_path / "whole.mp4", "-c", "copy", "-output_ts_offset", str(begin), tmp_path / "part.ts")
        with path.open("ab") as joined:
            joined.write((tmp_path / "part.ts").read_bytes())
    assert "proxy" in make(library, ingested(library, path), frozenset({"proxy"}), tmp_path / "scratch").documents


def test_what_cannot_be_has_a_reason(upload: Path) -> None:
    """An asset that can't exist fails, or is missing without a word."""
    found = sources.source_video(upload, "k", "0" * 64).probe
    assert {absence(asset, found) for asset in MEDIA_ASSETS} == {None}
    silent, blind = found.model_copy(update={"audio": None}), found.model_copy(update={"video": None})
    assert [asset for asset in MEDIA_ASSETS if absence(asset, silent)] == ["audio", "waveform"]
    assert [asset for asset in MEDIA_ASSETS if absence(asset, blind)] == ["proxy", "thumbnail", "storyboard", "shots"]
