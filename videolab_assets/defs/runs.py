"""What became of runs, in the words in which sensors decide about another one."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from videolab_assets.defs.outcomes import ATTEMPT_TAG, PERMANENT_TAG, owner_of
from videolab_assets.lib.intake import Run, RunState

ENDED = {
    dg.DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
    dg.DagsterRunStatus.CANCELED: RunState.STOPPED,
}
# One that is not even queued died with the daemon before it was launched; asking for it again launches it.
LAUNCHED = [status for status in dg.DagsterRunStatus if status is not dg.DagsterRunStatus.NOT_STARTED]
ALIVE = [status for status in LAUNCHED if status not in ENDED]


def latest_runs(
    instance: dg.DagsterInstance, tag: str, values: Sequence[str], statuses: Sequence[dg.DagsterRunStatus] = ()
) -> Mapping[str, Run]:
    """The newest run of each value of the tag, with one query; values without a run are left out.

    Args:
        statuses: only runs that are this far; all where it is empty.
    """
    newest: dict[str, Run] = {}
    for record in instance.get_run_records(dg.RunsFilter(tags={tag: list(values)}, statuses=list(statuses)), ascending=True):
        run = record.dagster_run
        state = ENDED.get(run.status, RunState.ALIVE)
        if state is RunState.FAILED and PERMANENT_TAG in run.tags:
            state = RunState.FAILED_FOR_GOOD
        newest[run.tags[tag]] = Run(
            run.run_id,
            int(run.tags.get(ATTEMPT_TAG, "1")),
            state,
            record.end_time,
            first_failure(instance, run.run_id) if state in (RunState.FAILED, RunState.FAILED_FOR_GOOD) else None,
        )
    return newest


def first_failure(instance: dg.DagsterInstance, run_id: str) -> str | None:
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


def runs_of(instance: dg.DagsterInstance, jobs: Iterable[str], statuses: Sequence[dg.DagsterRunStatus]) -> list[dg.DagsterRun]:
    """All runs of some jobs that are this far."""
    return [run for job in jobs for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=list(statuses)))]


def abandon_killed(instance: dg.DagsterInstance, jobs: Iterable[str]) -> None:
    """Marks those runs of the jobs as failed whose process certainly ended.

    Otherwise each would take up one of the few places for runs until Dagster ends it, a day later.
    """
    for run in runs_of(instance, jobs, [dg.DagsterRunStatus.STARTED]):
        owner = owner_of(run)
        if owner is not None and owner.is_gone():
            abandon(instance, run.run_id, "The process that worked on this run is gone: it was killed, or the machine went down.")


def abandon(instance: dg.DagsterInstance, run_id: str, sentence: str) -> None:
    """Marks a run as failed that nobody works on any more; Dagster's own monitoring cannot see that after a power cut."""
    run = instance.get_run_by_id(run_id)  # it may have ended by itself since it was listed
    if run and not run.is_finished:
        instance.report_run_failed(run, sentence)
