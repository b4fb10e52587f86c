"""A tick of the upload sensor with 20,000 videos known and one new file, against a tick with none known and one new file."""

import os
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.measure import in_turn, result, wall_seconds

KNOWN = 20_000
ROUNDS = 9


def run() -> list[dict[str, Any]]:
    """Wall seconds of evaluating the real sensor on an instance of its own, each tick with one new file in the inbox."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as full, tempfile.TemporaryDirectory(prefix="videolab-bench-") as empty:
        crowded, fresh = _Inbox(Path(full), KNOWN), _Inbox(Path(empty), 0)
        for inbox in (crowded, fresh):
            inbox.tick()  # imports and first connections
        ours, peer = in_turn(crowded.tick, fresh.tick, rounds=ROUNDS)
    return [result("sensor", ours * 1000, peer * 1000, f"ms a tick with {KNOWN:,} videos known; peer: with none", 1.5)]


class _Inbox:
    """A home with finished uploads in its catalogue and as many partitions in its instance."""

    def __init__(self, home: Path, known: int) -> None:
        from videolab_assets.lib.catalogue import Catalogue
        from videolab_assets.settings import Settings

        self.environment = {"VIDEOLAB_HOME": str(home), "VIDEOLAB_SETTLE_SECONDS": "0"}
        os.environ.update(self.environment)
        self.settings = Settings().pinned()
        self.inbox = home / "store" / "inbox" / "bench"
        self.inbox.mkdir(parents=True)
        (home / "dagster").mkdir()
        self.instance = dg.DagsterInstance.local_temp(tempdir=str(home / "dagster"))
        self.catalogue = Catalogue(self.settings.database)
        keys = []
        for number in range(known):
            upload, _ = self.catalogue.enqueue("bench", f"inbox/bench/{number}.mp4", "1", 1)
            self.catalogue.mark_rejected(upload.upload_id, "known")
            keys.append(upload.video_key)
        if keys:
            self.instance.add_dynamic_partitions("videos", keys)
        self.ticks = 0

    def tick(self) -> float:
        """Seconds of one tick that finds one new file. The upload is finished afterwards, so that none is in flight at the next."""
        from videolab_assets.definitions import build_definitions
        from videolab_assets.defs.resources import resources_of

        os.environ.update(self.environment)
        repository = build_definitions().get_repository_def()
        sensor = repository.get_sensor_def("uploads")
        self.ticks += 1
        path = self.inbox / f"new-{self.ticks}.mp4"
        path.write_bytes(b"new")
        resources = {name: found for name, found in resources_of(self.settings).items() if name in ("store", "catalogue")}
        found: list[Any] = []
        with dg.build_sensor_context(instance=self.instance, repository_def=repository, resources=resources) as context:
            seconds = wall_seconds(lambda: found.append(self._evaluate(sensor, context)))
        if found != [1]:
            raise RuntimeError(f"the tick asked for {found} runs")
        for upload in self.catalogue.unfinished(10):
            self.catalogue.mark_rejected(upload.upload_id, "measured")
        path.unlink()
        return seconds

    def _evaluate(self, sensor: dg.SensorDefinition, context: dg.SensorEvaluationContext) -> int:
        """The sensor's function, and what the daemon then asks and writes for each partition; returns the number of runs."""
        outcome = sensor(context)
        if not isinstance(outcome, dg.SensorResult):
            return 0
        for request in outcome.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return sum(self.instance.has_dynamic_partition("videos", str(asked.partition_key)) for asked in outcome.run_requests or [])
