"""The same upload over S3, PostgreSQL and a full disk."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.instance import open_instance
from videolab_assets.lib import intake
from videolab_assets.lib.catalogue import State
from videolab_assets.settings import Settings
from videolab_assets_tests.lab import Lab, failures_of, materialized, variant, video_key_of


def test_over_s3(home: Path, clips: Path, s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An asset works on local paths only, so nothing works on a bucket."""
    monkeypatch.setenv("VIDEOLAB_STORE", f"s3://{s3_bucket}/some/prefix")
    monkeypatch.setenv("VIDEOLAB_S3_ENDPOINT", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with dg.DagsterInstance.ephemeral() as instance:
        lab = Lab(instance)
        store = lab.library.store
        store.write_bytes("inbox/acme/clip.mp4", (clips / "clip.mp4").read_bytes(), media_type="video/mp4")
        store.write_bytes("inbox/acme/same.mp4", (clips / "clip.mp4").read_bytes(), media_type="video/mp4")
        store.write_bytes("inbox/acme/text.mp4", b"text\n" * 100, media_type="video/mp4")
        results = lab.work()
        states = {lab.upload_of(result).state: result for result in results}
        assert states.keys() == {State.DONE, State.DUPLICATE, State.REJECTED}, [failures_of(result) for result in results]
        made = materialized(states[State.DONE])
        assert len(made) == 11  # nothing is said in it, so it has no summary, and it is too short for clips
        uri = str(made["proxy"].metadata["proxy.mp4"].value)
        assert uri == f"s3://{s3_bucket}/some/prefix/library/acme/{video_key_of(states[State.DONE])}/proxy.mp4"
        lab.assert_nothing_is_half_there()
        assert list(store.list("inbox")) == []
        assert [reason["code"] for reason in lab.rejections()] == ["not_a_video"]
        assert [path for path in lab.settings.scratch.rglob("*") if path.is_file()] == []
    assert not (home / "store").exists()


@pytest.mark.long
def test_over_postgresql(home: Path, clips: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of VideoLab and of Dagster do not live in one server, or the password of it is written into a file."""
    monkeypatch.setenv("VIDEOLAB_DATABASE_URL", postgres_url)
    monkeypatch.setenv("VIDEOLAB_DAGSTER_POSTGRES_URL", postgres_url)
    home.mkdir()
    with open_instance(Settings()) as instance:
        lab = Lab(instance)
        result = lab.process(clips / "silent.mp4")
        assert result.success, failures_of(result)
        assert lab.upload_of(result).state is State.DONE
        assert "PostgresRunStorage" in type(instance.run_storage).__name__ or "Postgres" in str(instance.info_str())
    with open_instance(Settings()) as again:
        assert [run.status for run in again.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        assert again.get_dynamic_partitions("videos") == [video_key_of(result)]
    assert postgres_url not in (home / "dagster" / "dagster.yaml").read_text()
    assert not (home / "videolab.db").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let the tests mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("where", ["store", "home"])
def test_a_full_disk(where: str, small_disk: Path, home: Path, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk blames the file, or leaves a stump that the next run takes for finished."""
    monkeypatch.setenv(f"VIDEOLAB_{where.upper()}", str(small_disk))
    monkeypatch.setenv("VIDEOLAB_DATABASE_URL", f"sqlite:///{home.parent / 'videolab.db'}")
    if where == "home":
        monkeypatch.setenv("VIDEOLAB_STORE", str(home.parent / "store"))
    monkeypatch.setattr(intake, "FIRST_BACKOFF_SECONDS", 0)
    monkeypatch.setattr("videolab_assets.defs.outcomes.RETRIES", 0)
    with dg.DagsterInstance.ephemeral() as instance:
        lab = Lab(instance)
        lab.put(variant(clips / "silent.mp4", b"x" * 100_000))
        (request,) = lab.tick()
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            free = os.statvfs(small_disk)
            file.write(b"x" * (free.f_bavail * free.f_frsize - 40_000))
        failed = lab.run(request)
        assert not failed.success
        (sentence,) = failures_of(failed).values()
        assert "full" in sentence
        assert "\n" not in sentence
        lab.assert_nothing_is_half_there()
        filler.unlink()
        (result,) = lab.work()
        assert result.success, failures_of(result)
        assert (lab.upload_of(result).state, lab.upload_of(result).attempt) == (State.DONE, 2)
        assert lab.rejections() == []
        lab.assert_tidy()
        lab.assert_nothing_is_half_there()
