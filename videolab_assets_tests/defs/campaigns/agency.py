"""A VideoLab with clips to advertise, an account at a Graph server, and the daemon's part played here."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from videolab_assets.defs.resources import database
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.documents import VARIANTS, Clip, ClipPlan, Look, ScoreParts, Variant
from videolab_assets.lib.insights import InsightsTable
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets_tests.graph_server import GraphServer
from videolab_assets_tests.lab import QUIET, Lab
from videolab_assets_tests.lib.campaigns import stage
from videolab_assets_tests.lib.campaigns.stage import VIDEO

ACCOUNT = "act_1001"
ACCOUNTS_YAML = stage.ACCOUNTS.decode()


class Agency:
    """One tenant of a lab, with an account."""

    def __init__(self, lab: Lab, server: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lab, self.server = lab, server
        server.processing_polls = 0  # seconds each, and tested by the upload's own tests
        monkeypatch.setenv("META_ACCESS_TOKEN", server.token)
        monkeypatch.setenv("VIDEOLAB_META_ENDPOINT", server.endpoint)
        monkeypatch.setenv("VIDEOLAB_META_SETTLE_SECONDS", "0.2")
        monkeypatch.setenv("VIDEOLAB_META_TIMEOUT", "5")
        self.account = server.add_account(ACCOUNT, currency="EUR", timezone="Europe/Madrid", business="701", page="501", instagram="601")
        self.write(ACCOUNTS, ACCOUNTS_YAML)
        self.refused: list[Mapping[str, Any]] = []

    def write(self, key: str, text: str) -> None:
        self.lab.library.store.write_bytes(key, text.encode(), media_type="application/yaml")

    @property
    def ledger(self) -> Ledger:
        return Ledger(database())

    @property
    def table(self) -> InsightsTable:
        return InsightsTable(database())

    def tick(self) -> list[dg.RunRequest]:
        """Evaluates the sensor of requests as the daemon does, and keeps what it says of refused ones."""
        sensor = self.lab.repository.get_sensor_def("requests")
        resources = {"store": self.lab.repository.get_top_level_resources()["store"]}
        with dg.build_sensor_context(instance=self.lab.instance, repository_def=self.lab.repository, resources=resources) as context:
            result = sensor(context)
        if not isinstance(result, dg.SensorResult):
            return []
        for event in result.asset_events or []:
            assert isinstance(event, dg.AssetObservation)
            self.lab.instance.report_runless_asset_event(event)
            self.refused.append({name: value.value for name, value in event.metadata.items()})
        for request in result.dynamic_partitions_requests or []:
            self.lab.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return list(result.run_requests or [])

    def run(self, request: dg.RunRequest, job: str = "") -> dg.ExecuteInProcessResult:
        """Does what the run's worker would; `job` is the one of a schedule, whose requests do not name it."""
        return self.lab.repository.get_job(job or str(request.job_name)).execute_in_process(
            instance=self.lab.instance,
            partition_key=request.partition_key,
            tags={**request.tags, "dagster/run_key": str(request.run_key)},
            run_config={**QUIET, **(request.run_config or {})},
            raise_on_error=False,
        )

    def work(self) -> list[dg.ExecuteInProcessResult]:
        """Ticks and runs until a tick asks for nothing."""
        results = []
        while requests := self.tick():
            results += [self.run(request) for request in requests]
        return results

    def ask(self, text: str, name: str) -> dg.ExecuteInProcessResult:
        """Lays a request into the inbox, and gives back the one run that comes of it."""
        self.lab.put(text.encode(), name)
        (result,) = self.work()
        return result

    def launch(self, job: str, config: Mapping[str, Any], op: str, partition: str | None = None) -> dg.ExecuteInProcessResult:
        """Launches a job as a person does from the launchpad."""
        return self.lab.repository.get_job(job).execute_in_process(
            instance=self.lab.instance,
            partition_key=partition,
            run_config={**QUIET, "ops": {op: {"config": dict(config)}}},
            raise_on_error=False,
        )

    def statuses(self, kind: str) -> list[str]:
        return [str(one["status"]) for one in self.server.objects(kind)]

    def secrets_in(self, *folders: Path) -> list[str]:
        """Files below the folders, and events of the instance, that hold the token."""
        token = self.server.token
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        found = [str(path) for path in files if token.encode() in path.read_bytes()]
        entries = (entry for run in self.lab.instance.get_runs() for entry in self.lab.instance.all_logs(run.run_id))
        found += [entry.user_message[:100] for entry in entries if token in repr(entry)]
        return found


def lay_clips(library: Library, count: int = 4, video_key: str = VIDEO, looks: tuple[str, ...] = ("a", "b")) -> None:
    """Variants of `count` clips for Meta's platforms and the plan that they are of, as documents with small files."""
    clips = []
    for number in range(1, count + 1):
        drawn = random.Random(f"{video_key} {number}")
        parts = ScoreParts(**{name: round(drawn.random(), 3) for name in ScoreParts.model_fields})
        clips.append(
            Clip(
                clip_id=f"c{number:02d}",
                start=20.0 * number,
                end=20.0 * number + 15,
                score=round(1 - number / (count + 1), 3),
                parts=parts,
                reason="It is there.",
                title=f"Clip {number}",
                words=[],
            )
        )
    plan = ClipPlan(
        frame_rate=25,
        duration=600,
        language="en",
        rules_version="1",
        rules_sha256="0" * 64,
        ranker="rules",
        clips=clips,
        looks={"a": Look()},
    )
    library.write(video_key, plan)
    for platform in ("instagram_reel", "facebook_feed_video"):
        made = [_variant(library, video_key, platform, clip, label) for clip in clips for label in looks]
        library.write(video_key, VARIANTS[platform](clips=made))


def _variant(library: Library, video_key: str, platform: str, clip: Clip, label: Any) -> Variant:
    name = f"{clip.clip_id}{'' if label == 'a' else '.b'}"
    named = f"{video_key} {platform} {name} ".encode()
    video = library.add_bytes(video_key, f"variants/{platform}/{name}.mp4", named * 50, "video/mp4")
    cover = library.add_bytes(video_key, f"variants/{platform}/{name}.jpg", named, "image/jpeg")
    return Variant(
        clip_id=clip.clip_id,
        label=label,
        recipe="0" * 64,
        video=video,
        cover=cover,
        subtitles=None,
        post=cover,
        drawing=cover,
        title=clip.title,
        description=f"What {clip.title} says.",
        width=1080,
        height=1920,
        frame_rate=25,
        variable_frame_rate=False,
        codec="h264",
        pixel_format="yuv420p",
        fast_start=True,
        duration=clip.duration,
        planned_duration=clip.duration,
        loudness=-14,
        true_peak=-1,
        faces_kept=1,
        look=Look(captions="clear" if label == "a" else "bold"),
        captions=1,
        captions_outside=0,
        captions_over_faces=0,
        black=0,
        frozen=0,
        framings=[],
        encoded_for=[platform],
    )
