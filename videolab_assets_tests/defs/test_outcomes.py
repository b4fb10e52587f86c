"""How a step's end reaches the person who looks at the run."""

import dagster as dg
import pytest

from videolab_assets.defs.outcomes import PERMANENT_TAG, RETRIES, told
from videolab_assets.lib.errors import PermanentError, TransientError, VideoLabError
from videolab_assets_tests.lab import QUIET


def run_of(error: Exception, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    @dg.asset
    def thing(context: dg.AssetExecutionContext) -> None:
        with told(context):
            raise error

    job = dg.Definitions(assets=[thing], jobs=[dg.define_asset_job("job", "*")]).resolve_job_def("job")
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


@pytest.mark.parametrize(
    ("error", "restarts"),
    [(PermanentError("It is damaged.", "exit 1 ``` x"), 0), (TransientError("The disk is full.", "errno 28"), RETRIES)],
)
def test_a_failure_is_a_sentence(error: VideoLabError, restarts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is buried in a traceback, a hopeless step is repeated, or one that could work is not."""
    monkeypatch.setattr("videolab_assets.defs.outcomes.FIRST_WAIT_SECONDS", 0)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_of(error, instance)
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        told_of = failure.step_failure_data.user_failure_data
        assert told_of
        assert told_of.description == error.sentence
        detail = str(told_of.metadata["detail"].value)
        assert detail.startswith("```\n")
        assert detail.count("```") == 2, "an error's text breaks out of its frame"
        assert sum(event.is_step_restarted for event in result.all_events) == restarts
        run = instance.get_run_by_id(result.run_id)
        assert run
        assert (PERMANENT_TAG in run.tags) == isinstance(error, PermanentError)


def test_other_errors_pass() -> None:
    """A bug of ours is dressed up as the uploader's fault."""
    with dg.DagsterInstance.ephemeral() as instance:
        (failure,) = [event for event in run_of(ZeroDivisionError("x"), instance).all_events if event.is_step_failure]
        assert failure.step_failure_data.user_failure_data is None
