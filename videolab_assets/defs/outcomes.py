"""What a run tells the person, failures in one sentence and assets that cannot exist with the reason, and the sensor: whose it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.processes import ProcessIdentity, this_process

UPLOAD_TAG = "videolab/upload"
ATTEMPT_TAG = "videolab/attempt"
OWNER_TAG = "videolab/owner"
PERMANENT_TAG = "videolab/permanent_failure"
TOLERANT_TAG = "videolab/makes_do"
"""On an asset that is made of whatever there is of the ones before it."""
RETRIES = 2
FIRST_WAIT_SECONDS = 5

Context = dg.AssetExecutionContext | dg.OpExecutionContext


@contextmanager
def told(context: Context) -> Iterator[None]:
    """Turns the library's errors into what Dagster shows.

    A permanent one fails the step at once with its sentence, and tags the run: `allow_retries=False` stops only the step's own
    retries, so that whoever decides about another run has to be told as well. A transient one is retried with growing waits first.

    Raises:
        dg.Failure: in place of a VideoLabError.
        dg.RetryRequested: in place of the first TransientErrors.
    """
    try:
        yield
    except PermanentError as error:
        context.instance.add_run_tags(context.run.run_id, {PERMANENT_TAG: "true"})
        raise dg.Failure(error.sentence, metadata=_detail(error.detail), allow_retries=False) from error
    except TransientError as error:
        if context.retry_number < RETRIES:
            context.log.warning(error.sentence)
            raise dg.RetryRequested(RETRIES, seconds_to_wait=FIRST_WAIT_SECONDS * 3**context.retry_number) from error
        raise dg.Failure(error.sentence, metadata=_detail(error.detail)) from error


def _detail(detail: str) -> dict[str, dg.MetadataValue]:
    return {"detail": dg.MetadataValue.md(f"```\n{detail.replace('```', '')}\n```")} if detail else {}


def warned(passed: bool, **metadata: float | int | str) -> dg.AssetCheckResult:
    """A check's result that colours the asset without stopping anything: what was made can be used all the same."""
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def tell_owner(context: Context) -> None:
    """Notes on the run that this process works on it, so that `owner_of` can tell when that was killed."""
    run_id = context.run.run_id
    context.instance.add_run_tags(run_id, {OWNER_TAG: f"{run_id}:{this_process().token}"})


def owner_of(run: dg.DagsterRun) -> ProcessIdentity | None:
    """The process that works on the run, or did last; None before it said so."""
    # A run that is executed again takes over the tags of the one before, and must not pass for killed because that one was.
    run_id, _, token = run.tags.get(OWNER_TAG, "").partition(":")
    return ProcessIdentity.of_token(token) if run_id == run.run_id else None


def tell_skipped(context: Context, asset: str, reason: str) -> None:
    """Records on `asset`, and on everything in this run that follows from it, that it is not made for this video and why.

    Dagster shows a skipped step but not why; an observation stays with the partition. Only assets that a data dependency ties to the
    absent one are skipped, and those are what this walks; one that makes do without speaks for itself.
    """
    graph = context.job_def.asset_layer.asset_graph
    selected = context.run.asset_selection or context.job_def.asset_layer.executable_asset_keys
    left, seen = [dg.AssetKey(asset)], set[dg.AssetKey]()
    while left:
        key = left.pop()
        if key in seen:
            continue
        seen.add(key)
        sentence = reason if key == dg.AssetKey(asset) else f"Not made, because there is no {asset}. {reason}"
        context.log.info(f"{key.to_user_string()}: {sentence}")
        context.log_event(dg.AssetObservation(key, partition=context.partition_key, metadata={"skipped": sentence}))
        left += [child for child in graph.get(key).child_keys if child in selected and TOLERANT_TAG not in graph.get(child).tags]
