"""A whole VideoLab inside a test: the real sensor and the real job over a real Dagster instance, with the daemon's part played here."""

import dataclasses
import hashlib
import json
import os
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from videolab_assets.definitions import build_definitions
from videolab_assets.defs.outcomes import OWNER_TAG
from videolab_assets.defs.resources import CatalogueResource, StoreResource
from videolab_assets.lib.catalogue import Catalogue, Upload
from videolab_assets.lib.documents import DOCUMENTS, VARIANTS
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.library import Library
from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.settings import Settings

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"
ASSETS = tuple(DOCUMENTS)

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
CLIPS = {
    "clip.mp4": ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", *H264, "-c:a", "aac"),
    "silent.mp4": ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=1", *H264),
    "talk.mp4": ("-t", "10.2", "-i", f"file:{SAMPLE}", "-vf", "scale=160:90", *H264, "-c:a", "aac"),
    "sound.m4a": ("-t", "5", "-i", f"file:{SAMPLE}", "-vn", "-c:a", "aac"),
}
"""Tiny uploads: a picture with a tone, a picture without sound, two spoken sentences with a picture, and one without."""


def make_clips(folder: Path) -> None:
    """Writes every one of `CLIPS` into `folder`."""
    for name, arguments in CLIPS.items():
        command = [str(binary()), "-nostdin", "-v", "error", *arguments, "-movflags", "+faststart", f"file:{folder / name}"]
        subprocess.run(command, check=True, timeout=60)


def variant(clip: Path, mark: bytes = b"another") -> bytes:
    """The same video in other bytes: with a box at its end that every player skips."""
    return clip.read_bytes() + struct.pack(">I4s", 8 + len(mark), b"free") + mark


class Lab:
    """VideoLab as the environment's `VIDEOLAB_…` variables describe it.

    Args:
        instance: where runs and partitions are kept.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.settings = Settings()
        self.instance = instance
        self.repository = build_definitions().get_repository_def()
        resources = self.repository.get_top_level_resources()
        self._resources = {name: resources[name] for name in ("store", "catalogue")}
        self.inbox = Path(self.settings.store_location) / "inbox"

    @property
    def catalogue(self) -> Catalogue:
        return CatalogueResource().open()

    @property
    def library(self) -> Library:
        settings = self.settings
        return StoreResource(
            location=settings.store_location, s3_endpoint=settings.s3_endpoint or None, s3_region=settings.s3_region
        ).library()

    def put(self, content: Path | bytes, name: str | bytes = "clip.mp4", tenant: str = "acme") -> Path:
        """Lays a file into the tenant's inbox, under a name that may be any bytes."""
        path = self.inbox / tenant / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        return path

    def tick(self) -> list[dg.RunRequest]:
        """Evaluates the upload sensor, applies its partition changes, and returns the runs that the daemon would start.

        As the daemon does, it drops requests whose run key some run of this sensor has already.
        """
        sensor = self.repository.get_sensor_def("uploads")
        with dg.build_sensor_context(instance=self.instance, repository_def=self.repository, resources=self._resources) as context:
            result = sensor(context)
        if not isinstance(result, dg.SensorResult):
            return []
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return [request for request in result.run_requests or [] if not self.instance.get_runs(dg.RunsFilter(tags=_daemon_tags(request)))]

    def start(self, request: dg.RunRequest) -> dg.DagsterRun:
        """Notes the run as started and leaves it there, as a worker does that is killed."""
        return self.instance.create_run_for_job(
            self.repository.get_job(request.job_name or "process_video"), tags=_run_tags(request), status=dg.DagsterRunStatus.STARTED
        )

    def own(self, run: dg.DagsterRun, owner: ProcessIdentity) -> None:
        """Notes the run as another process's, in the words of that one's first step."""
        self.instance.add_run_tags(run.run_id, {OWNER_TAG: f"{run.run_id}:{owner.token}"})

    def kill(self, run: dg.DagsterRun) -> None:
        """Leaves the run as a power cut does: started, by a process of an earlier boot."""
        self.own(run, dataclasses.replace(this_process(), boot="00000000"))

    def run(self, request: dg.RunRequest, assets: Sequence[str] | None = None) -> dg.ExecuteInProcessResult:
        """Does what the run's worker would: the real job that is asked for, or some assets of it, in this process.

        Of itself it leaves out the platforms' variants: encoding them takes longer than all the rest.
        """
        job = self.repository.get_job(request.job_name or "process_video")
        whole = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
        return job.execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            tags=_run_tags(request),
            asset_selection=[dg.AssetKey(asset) for asset in (sorted(whole - VARIANTS.keys()) if assets is None else assets)],
            run_config=QUIET,
            raise_on_error=False,
        )

    def work(self) -> list[dg.ExecuteInProcessResult]:
        """Ticks and runs until a tick asks for nothing."""
        results = []
        while requests := self.tick():
            results += [self.run(request) for request in requests]
        return results

    def process(self, content: Path | bytes, name: str | bytes = "clip.mp4", tenant: str = "acme") -> dg.ExecuteInProcessResult:
        """Puts one file into the inbox and gives back the one run that comes of it."""
        self.put(content, name, tenant)
        (result,) = self.work()
        return result

    def upload_of(self, result: dg.ExecuteInProcessResult) -> Upload:
        """What the catalogue says of the upload that the run was for."""
        upload = self.catalogue.by_video_key(video_key_of(result))
        assert upload is not None
        return upload

    @property
    def partitions(self) -> set[str]:
        return set(self.instance.get_dynamic_partitions("videos"))

    def made(self, video_key: str) -> set[str]:
        """The assets of which a document exists."""
        return {asset for asset, kind in DOCUMENTS.items() if self.library.document(video_key, kind)}

    def told(self, video_key: str) -> dict[str, dict[str, str]]:
        """What the latest observation of each asset tells of this video, under `skipped`, `duplicate` or `rejected`."""
        told = {}
        for asset in ASSETS:
            wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[video_key])
            for record in self.instance.fetch_observations(wanted, limit=1).records:
                observation = record.asset_observation
                assert observation is not None
                told[asset] = {name: str(value.value) for name, value in observation.metadata.items()}
        return told

    def skipped(self, video_key: str) -> dict[str, str]:
        """The reason on each asset that the UI shows as skipped for this video."""
        return {asset: metadata["skipped"] for asset, metadata in self.told(video_key).items() if "skipped" in metadata}

    def rejections(self, folder: str = "acme") -> list[dict[str, Any]]:
        """The reasons in `rejected/<folder>/`; each says which object it was kept as."""
        store = self.library.store
        found = [entry.key for entry in store.list(f"rejected/{folder}") if entry.key.endswith(".json")]
        return [json.loads(store.read_bytes(key, 1 << 20)) for key in sorted(found)]

    def assert_nothing_is_half_there(self) -> None:
        """Every document's files exist with the content that it states, and work in progress is gone or swept with the next step."""
        for entry in list(self.library.store.list("library")):
            asset = entry.key.rpartition("/")[2].removesuffix(".json")
            if asset not in DOCUMENTS or not entry.key.endswith(".json"):
                continue
            document = DOCUMENTS[asset].model_validate_json(self.library.store.read_bytes(entry.key, 1 << 24))
            for file in document.files:
                content = self.library.store.read_bytes(file.key, 1 << 28)
                assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256), file.key

    def assert_tidy(self) -> None:
        """Nothing waits in the inbox and nothing is left of work in progress."""
        assert list(self.library.store.list("inbox")) == []
        assert [path for path in self.settings.scratch.rglob("*") if path.is_file()] == []
        assert list(Path(self.settings.store_location, ".tmp").glob("*")) == []


def video_key_of(result: dg.ExecuteInProcessResult) -> str:
    """The partition that a run was for."""
    return result.dagster_run.tags["dagster/partition"]


def failures_of(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The sentence of each failed step."""
    failures = {}
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            told = data.user_failure_data.description if data.user_failure_data else None
            failures[str(event.step_key)] = told or str(data.error_display_string)
    return failures


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    """What a run materialized, by asset, without the rules that it came upon."""
    return {
        event.asset_key.to_user_string(): event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key and event.asset_key != dg.AssetKey("platform_rules")
    }


def fingerprint(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, modification time and size of each file below `folder`."""
    found = {str(path.relative_to(folder)): path.lstat() for path in folder.rglob("*") if not path.is_dir()}
    return {name: (status.st_ino, status.st_mtime_ns, status.st_size) for name, status in found.items()}


def _daemon_tags(request: dg.RunRequest) -> dict[str, str]:
    return {"dagster/run_key": str(request.run_key), "dagster/sensor_name": "uploads"}


def _run_tags(request: dg.RunRequest) -> dict[str, str]:
    return {**request.tags, **_daemon_tags(request), "dagster/partition": str(request.partition_key)}
