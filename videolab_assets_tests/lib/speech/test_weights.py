"""Models by name and by path."""

import os
from pathlib import Path

import pytest

from videolab_assets.lib.speech.weights import Weights

MEBIBYTE = 1024**2


def test_the_content_counts_and_nothing_else(tmp_path: Path) -> None:
    """Prevents words of exchanged weights passing for the old model's, and a copied file making every transcript stale."""
    original = tmp_path / "a" / "model.pt"
    original.parent.mkdir()
    content = os.urandom(3 * MEBIBYTE)
    original.write_bytes(content)
    known = Weights(str(original)).identity
    copy = tmp_path / "b" / "model.pt"
    copy.parent.mkdir()
    copy.write_bytes(content)
    os.utime(copy, (0, 0))
    assert Weights(str(copy)).identity == known
    for changed in (b"x" + content[1:], content[:-1] + b"x", content + b"x"):
        copy.write_bytes(changed)
        assert Weights(str(copy)).identity != known


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE])
def test_every_byte_of_a_small_file_counts(size: int, tmp_path: Path) -> None:
    """Prevents an off-by-one where the first and the last part meet."""
    path = tmp_path / "model.pt"
    path.write_bytes(bytes(size))
    seen = {Weights(str(path)).identity}
    for at in {0, size // 2, size - 1} if size else set[int]():
        path.write_bytes(bytes(at) + b"x" + bytes(size - at - 1))
        seen.add(Weights(str(path)).identity)
    assert len(seen) == 1 + len({0, size // 2, size - 1} if size else ())


def test_a_folder_is_its_files(tmp_path: Path) -> None:
    """Prevents a renamed or exchanged part of a converted model from going unseen."""
    folder = tmp_path / "ct2"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"one")
    known = Weights(str(folder)).identity
    assert known.startswith("ct2 ")
    (folder / "config.json").write_bytes(b"{}")
    assert Weights(str(folder)).identity != known


def test_names_are_not_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a folder called `small` in the working directory from replacing the model of that name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine").mkdir()
    assert Weights("small").path is None
    assert Weights("Systran/faster-whisper-small").path is None
    assert Weights("Systran/faster-whisper-small").identity == "Systran/faster-whisper-small"
    assert Weights("models/mine").path == Path("models/mine")
    assert Weights("mine.pt").path == Path("mine.pt")


def test_a_path_that_is_not_there_still_has_an_identity(tmp_path: Path) -> None:
    """Prevents a moved file from keeping the definitions, and with them all of Dagster, from loading."""
    assert Weights(str(tmp_path / "gone.pt")).identity == "gone.pt missing"
