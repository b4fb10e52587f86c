"""The ffmpeg that runs: found, complete, and kept from other files by its own lists even where there is no sandbox."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from videolab_assets.lib import ffmpeg, sandbox
from videolab_assets.lib.errors import PermanentError

GUARD = [word for name, value in ffmpeg.HOSTILE_INPUT.items() for word in (f"-{name}", str(value))]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets a test choose another ffmpeg, and forgets it afterwards."""
    ffmpeg.binary.cache_clear()
    ffmpeg.version.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    ffmpeg.binary.cache_clear()
    ffmpeg.version.cache_clear()


def make(*arguments: str, folder: Path) -> None:
    command = [str(ffmpeg.binary()), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, cwd=folder, check=True, timeout=60)


def decode(folder: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(ffmpeg.binary()), "-nostdin", "-v", "error", *options, "-i", f"file:{name}", "-f", "null", "-"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_wheel_s_ffmpeg_is_complete(chosen: pytest.MonkeyPatch) -> None:
    """An install with nothing but pip fails at the first video."""
    chosen.delenv(ffmpeg.BINARY_VARIABLE, raising=False)
    assert ffmpeg.missing_features() == []
    assert ffmpeg.has_magicyuv_hole(ffmpeg.version()) is False


def test_a_chosen_ffmpeg_is_used(chosen: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The setting is ignored, or a poor build is only noticed in the middle of a run."""
    poor = tmp_path / "ffmpeg"
    poor.write_text("#!/bin/sh\necho ffmpeg version 4.4.2-poor Copyright\necho ' V....D libx264 H.264'\n")
    poor.chmod(0o755)
    chosen.setenv(ffmpeg.BINARY_VARIABLE, str(poor))
    chosen.setattr(sandbox, "level", lambda: "rlimits")
    assert ffmpeg.binary() == poor
    assert ffmpeg.version() == "4.4.2-poor"
    missing = ffmpeg.missing_features()
    assert "encoder libx264" not in missing
    assert {"encoder aac", "filter zscale"} <= set(missing)


def test_a_chosen_ffmpeg_that_is_not_there(chosen: pytest.MonkeyPatch) -> None:
    """A mistyped path quietly falls back to another ffmpeg."""
    chosen.setenv(ffmpeg.BINARY_VARIABLE, "/nowhere/ffmpeg")
    with pytest.raises(PermanentError, match="VIDEOLAB_FFMPEG"):
        ffmpeg.binary()


def test_a_chosen_ffmpeg_that_does_not_run(chosen: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broken build rejects every upload as damaged."""
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    chosen.setenv(ffmpeg.BINARY_VARIABLE, str(broken))
    chosen.setattr(sandbox, "level", lambda: "rlimits")
    with pytest.raises(PermanentError, match="does not run"):
        ffmpeg.missing_features()


@pytest.mark.parametrize(
    ("said", "hole"),
    [
        ("5.1.9-0+deb12u1", True),
        ("5.1.10", False),
        ("7.1.4", True),
        ("8.1.1", True),
        ("8.1", True),
        ("8.1.2", False),
        ("n9.0.2-17-g2a571b6068", False),
        ("4.4.2-0ubuntu0.22.04.1", True),
        ("10.0", False),
        ("N-118000-gabcdef", None),
        ("2026-01-02-git", None),
    ],
)
def test_magicyuv_floor(said: str, hole: bool | None) -> None:
    """`doctor` stays silent about an ffmpeg with a known heap overflow, or warns of a fixed one."""
    assert ffmpeg.has_magicyuv_hole(said) is hole


def test_linked_ffmpegs() -> None:
    """A pip upgrade of PyAV or OpenCV brings an old ffmpeg along and nobody sees it; asking must not load them here."""
    code = """
import json, sys
from videolab_assets.lib.ffmpeg import linked_ffmpegs
print(json.dumps(linked_ffmpegs()), sorted({"av", "cv2"} & set(sys.modules)))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    versions, loaded = said.strip().rsplit(" ", 1)
    assert loaded == "[]"
    assert {module: version[0].isdigit() for module, version in json.loads(versions).items()} == {"av": True, "cv2": True}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder with another tenant's video."""
    make("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.4", "-c:v", "libx264", "victim.mp4", folder=tmp_path)
    make("-i", "victim.mp4", "-c", "copy", "victim.ts", folder=tmp_path)
    return tmp_path


def test_playlists_read_nothing_even_without_a_sandbox(victim: Path) -> None:
    """An upload of two lines publishes another tenant's video. ffmpeg alone does read it: the first assertion says so."""
    (victim / "upload").write_text("ffconcat version 1.0\nfile 'victim.mp4'\n")
    assert decode(victim, "upload").returncode == 0
    for text in (
        "ffconcat version 1.0\nfile 'victim.mp4'\n",
        "#EXTM3U\n#EXTINF:1,\nvictim.ts\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXTINF:1,\nfile://{victim}/victim.ts\n#EXT-X-ENDLIST\n",
    ):
        for name in ("upload", "upload.mp4", "upload.m3u8"):
            (victim / name).write_text(text)
            done = decode(victim, name, *GUARD)
            assert done.returncode != 0, text


@pytest.mark.parametrize("encoder", ["magicyuv", "rawvideo", "ffv1"])
def test_other_decoders_do_not_run(encoder: str, tmp_path: Path) -> None:
    """A rare decoder with a known or unknown hole is reachable by anyone who uploads."""
    make("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.2", "-c:v", encoder, "upload.avi", folder=tmp_path)
    assert decode(tmp_path, "upload.avi").returncode == 0
    assert decode(tmp_path, "upload.avi", *GUARD).returncode != 0
