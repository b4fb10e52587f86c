"""Reading errors that may be anything at all."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.meta import errors
from videolab_assets.lib.meta.errors import GraphError, GraphRefused, OutcomeUnknown, Throttled, Told

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("code", "error_subcode", "message", "error_user_title", "error_user_msg", "is_transient", "fbtrace_id", "error_data", "type")
errors_of_any_kind = st.fixed_dictionaries({"error": st.dictionaries(st.sampled_from(FIELDS), anything)})


@given(anything | errors_of_any_kind, st.integers(100, 599))
@example({"error": {"code": 10**400, "message": -(10**5000)}}, 400)
@example({"error": {"error_data": "[" * 100_000}}, 400)
@example({"error": {"code": "１７", "error_subcode": float("nan")}}, 400)
def test_any_answer_can_be_read(body: Any, status: int) -> None:
    """Prevents an exception while an error is read, which hides the error: the SDK's way (defect 3)."""
    told = errors.told(body)
    if told is None:
        assert not (isinstance(body, dict) and isinstance(body.get("error"), dict))
        return
    failure = errors.failure("POST act_1/ads", status, told)
    assert isinstance(failure, GraphError) and isinstance(failure, PermanentError | TransientError)
    assert failure.sentence.isprintable() and len(failure.sentence) < 500
    if status >= 500 or told.code is None:
        assert isinstance(failure, Throttled | OutcomeUnknown | errors.TooMuchData)


@given(st.integers(-5, 90_000), st.sampled_from([200, 400, 403]))
def test_each_code_means_one_thing(code: int, status: int) -> None:
    """Prevents a code that is read differently by the status beside it, and one that is both certain and uncertain."""
    kinds = {type(errors.failure("POST act_1/ads", one, Told(code=code, said="no", message="no"))) for one in (status, 400)}
    assert len(kinds) == 1
    unclear = code in errors.UNCLEAR_CODES
    assert (kinds == {OutcomeUnknown}) is unclear


@pytest.mark.parametrize("data", [{"start_offset": "5"}, json.dumps({"start_offset": "5"})])
def test_error_data_comes_in_two_ways(data: object) -> None:
    """Prevents an upload that cannot go on because the offsets were told as text instead of as an object."""
    told = errors.told({"error": {"code": 6000, "error_subcode": 1363037, "error_data": data}})
    assert told is not None and told.data == {"start_offset": "5"}
    assert errors.failure("POST x", 400, told).data == {"start_offset": "5"}


@pytest.mark.parametrize("data", ["", "null", "[]", "{", None, 7, [1]])
def test_error_data_may_be_nothing(data: object) -> None:
    """Prevents the code lost over error_data that is no object."""
    told = errors.told({"error": {"code": 100, "message": "no", "error_data": data}})
    assert told is not None and told.code == 100 and told.data == {}
    assert isinstance(errors.failure("POST x", 400, told), GraphRefused)


def test_a_report_that_failed_is_no_error_of_the_request() -> None:
    """Prevents the state of a report run, which has `error_code` among its fields, taken for a failed question about it."""
    assert errors.told({"id": "1", "async_status": "Job Failed", "error_code": 2, "error_message": "no"}) is None


def test_errors_keep_what_callers_decide_by() -> None:
    """Prevents a throttle without its time, and a refusal without its codes."""
    told = Told(code=17, subcode=2446079, trace="T")
    failure = errors.failure("GET act_1", 400, told, wait=77.0)
    assert isinstance(failure, Throttled) and failure.wait == 77.0
    assert (failure.code, failure.subcode, failure.status, failure.trace) == (17, 2446079, 400, "T")
    other = errors.failure("GET act_1", 400, told)
    assert isinstance(other, Throttled) and other.wait == 300.0
