"""The sensor over the inbox: it registers partitions and asks for runs; `videolab_assets.lib.intake` decides."""

import time
from collections.abc import Sequence

import dagster as dg

from videolab_assets.defs.ingest.jobs import FOLLOWING, process_video
from videolab_assets.defs.outcomes import ATTEMPT_TAG, UPLOAD_TAG
from videolab_assets.defs.partitions import videos
from videolab_assets.defs.resources import CatalogueResource, StoreResource
from videolab_assets.defs.runs import ALIVE, LAUNCHED, abandon, abandon_killed, latest_runs, runs_of
from videolab_assets.lib.amendments import Amending, Amendment, AmendRun, Course
from videolab_assets.lib.intake import Ask, Rules, look
from videolab_assets.lib.keys import tenant_of
from videolab_assets.settings import Settings

SIDECAR_TAG = "videolab/sidecar"
_FOLLOWING = [job.name for job in FOLLOWING]

# Dagster's words for failures that a run itself came as far as reporting. Of one whose process was killed or interrupted, or that could
# not be launched, it gives another reason or none.
_FAILURE_REASON_TAG = "dagster/failure_reason"
_OWN_REASONS = ("STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE")


@dg.sensor(
    jobs=[process_video, *FOLLOWING],
    minimum_interval_seconds=Settings().sensor_seconds,
    # It starts nothing but local work on files that somebody put into the inbox, so it is on from the beginning.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notices finished uploads in the inbox, one partition and one run each; subtitles, wishes for summaries, orders for clips "
    "and timelines laid there for known videos; and looks after runs that died.",
)
def uploads(context: dg.SensorEvaluationContext, store: StoreResource, catalogue: CatalogueResource) -> dg.SensorResult | dg.SkipReason:
    """A look at the inbox. It keeps no cursor: what has been seen is in the catalogue, because Dagster forgets a run key with its run."""
    settings = Settings()
    rules = Rules(settings.settle_seconds, settings.max_in_flight, settings.max_attempts)
    instance = context.instance
    abandon_killed(instance, _FOLLOWING)  # of an upload's runs the catalogue knows it
    seen = look(
        store.open(),
        catalogue.open(),
        lambda in_flight: latest_runs(instance, UPLOAD_TAG, [upload.upload_id for upload in in_flight]),
        lambda run, sentence: abandon(instance, run.run_id, sentence),
        rules,
        time.time(),
        lambda sidecars: amending(instance, sidecars),
    )
    for note in seen.notes:
        context.log.warning(note)
    requests = [*map(run_request, seen.asks), *map(amend_request, seen.amendments)]
    if not requests:
        waiting = f"{seen.waiting} still being uploaded or waiting for their video" if seen.waiting else "nothing new in the inbox"
        return dg.SkipReason(waiting)
    partitions = sorted({str(request.partition_key) for request in requests})
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[videos.build_add_request(partitions)])


def run_request(ask: Ask) -> dg.RunRequest:
    """The run of one attempt. Its tags hold nothing that an uploader chose."""
    tags = {UPLOAD_TAG: ask.upload.upload_id, ATTEMPT_TAG: str(ask.attempt), "videolab/tenant": ask.upload.tenant}
    return dg.RunRequest(run_key=ask.run_key, job_name=process_video.name, partition_key=ask.upload.video_key, tags=tags)


def amend_request(amendment: Amendment) -> dg.RunRequest:
    """The run that follows a sidecar."""
    video_key = amendment.video_key
    tags = {SIDECAR_TAG: amendment.sidecar_id, ATTEMPT_TAG: str(amendment.attempt), "videolab/tenant": tenant_of(video_key)}
    return dg.RunRequest(run_key=amendment.run_key, job_name=amendment.job, partition_key=video_key, tags=tags)


def amending(instance: dg.DagsterInstance, sidecars: Sequence[str]) -> Amending:
    """The latest run of each of the given sidecars, and the videos that any run of their jobs is under way for, whoever started it."""
    asked = instance.get_runs(dg.RunsFilter(tags={SIDECAR_TAG: list(sidecars)}, statuses=LAUNCHED), ascending=True)
    alive = runs_of(instance, _FOLLOWING, ALIVE)  # second: no run that starts now is missed
    latest = {
        run.tags[SIDECAR_TAG]: AmendRun(_video_of(run), int(run.tags.get(ATTEMPT_TAG, "1")), _course(run))  # the last one stays
        for run in asked
    }
    return Amending(latest, [_video_of(run) for run in alive])


def _course(run: dg.DagsterRun) -> Course:
    if not run.is_finished:
        return Course.UNDER_WAY
    failed = run.status is dg.DagsterRunStatus.FAILURE
    return Course.KILLED if failed and run.tags.get(_FAILURE_REASON_TAG) not in _OWN_REASONS else Course.OVER


def _video_of(run: dg.DagsterRun) -> str:
    return run.tags.get("dagster/partition", "")
