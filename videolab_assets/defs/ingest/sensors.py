"""The sensor over the inbox: it registers partitions and asks for runs; `videolab_assets.lib.intake` decides."""

import time
from collections.abc import Mapping, Sequence

import dagster as dg

from videolab_assets.defs.ingest.jobs import process_video
from videolab_assets.defs.outcomes import ATTEMPT_TAG, PERMANENT_TAG, UPLOAD_TAG
from videolab_assets.defs.partitions import videos
from videolab_assets.defs.resources import CatalogueResource, StoreResource
from videolab_assets.lib.catalogue import Upload
from videolab_assets.lib.intake import Ask, Rules, Run, RunState, look
from videolab_assets.settings import Settings

_STATES = {
    dg.DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
    dg.DagsterRunStatus.CANCELED: RunState.STOPPED,
}


@dg.sensor(
    job=process_video,
    minimum_interval_seconds=Settings().sensor_seconds,
    # It starts nothing but local work on files that somebody put into the inbox, so it is on from the beginning.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notices finished uploads in the inbox, one partition and one run each, and looks after runs that died.",
)
def uploads(context: dg.SensorEvaluationContext, store: StoreResource, catalogue: CatalogueResource) -> dg.SensorResult | dg.SkipReason:
    """A look at the inbox. It keeps no cursor: what has been seen is in the catalogue, because Dagster forgets a run key with its run."""
    settings = Settings()
    rules = Rules(settings.settle_seconds, settings.max_in_flight, settings.max_attempts)
    instance = context.instance
    seen = look(
        store.open(),
        catalogue.open(),
        lambda in_flight: latest_runs(instance, in_flight),
        lambda run, sentence: abandon(instance, run, sentence),
        rules,
        time.time(),
    )
    for note in seen.notes:
        context.log.warning(note)
    if not seen.asks:
        waiting = f"{seen.waiting} still being uploaded" if seen.waiting else "nothing new in the inbox"
        return dg.SkipReason(waiting)
    return dg.SensorResult(
        run_requests=[run_request(ask) for ask in seen.asks],
        dynamic_partitions_requests=[videos.build_add_request(sorted({ask.upload.video_key for ask in seen.asks}))],
    )


def run_request(ask: Ask) -> dg.RunRequest:
    """The run of one attempt. Its tags hold nothing that an uploader chose."""
    tags = {UPLOAD_TAG: ask.upload.upload_id, ATTEMPT_TAG: str(ask.attempt), "videolab/tenant": ask.upload.tenant}
    return dg.RunRequest(run_key=ask.run_key, partition_key=ask.upload.video_key, tags=tags)


def latest_runs(instance: dg.DagsterInstance, in_flight: Sequence[Upload]) -> Mapping[str, Run]:
    """The newest run of each upload, with one query."""
    asked = dg.RunsFilter(tags={UPLOAD_TAG: [upload.upload_id for upload in in_flight]})
    newest: dict[str, Run] = {}
    for record in instance.get_run_records(asked, ascending=True):
        run = record.dagster_run
        state = _STATES.get(run.status, RunState.ALIVE)
        if state is RunState.FAILED and PERMANENT_TAG in run.tags:
            state = RunState.FAILED_FOR_GOOD
        newest[run.tags[UPLOAD_TAG]] = Run(
            run.run_id,
            int(run.tags.get(ATTEMPT_TAG, "1")),
            state,
            record.end_time,
            _first_failure(instance, run.run_id) if state in (RunState.FAILED, RunState.FAILED_FOR_GOOD) else None,
        )
    return newest


def _first_failure(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The sentence of the step that failed first."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    if not records:
        return None
    event = records[0].event_log_entry.dagster_event
    data = event.step_failure_data if event else None
    if data is None:
        return None
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = data.error.cause or data.error if data.error else None  # Dagster wraps what a step raised
    return error.message.strip().splitlines()[0] if error else None


def abandon(instance: dg.DagsterInstance, run: Run, sentence: str) -> None:
    """Marks a run as failed that nobody works on any more; Dagster's own monitoring cannot see that after a power cut."""
    dagster_run = instance.get_run_by_id(run.run_id)
    if dagster_run and not dagster_run.is_finished:
        instance.report_run_failed(dagster_run, sentence)
