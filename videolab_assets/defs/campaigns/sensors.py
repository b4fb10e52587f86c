"""The sensor over requests: it registers campaigns and asks for runs; `videolab_assets.lib.requests` decides."""

import time
from typing import Any

import dagster as dg

from videolab_assets.defs.campaigns.jobs import REQUESTED
from videolab_assets.defs.campaigns.partitions import campaigns
from videolab_assets.defs.outcomes import ATTEMPT_TAG
from videolab_assets.defs.resources import StoreResource, database
from videolab_assets.defs.runs import LAUNCHED, abandon_killed, latest_runs
from videolab_assets.lib.requests.desk import Ask, Refused, look
from videolab_assets.lib.requests.taking import Clerk
from videolab_assets.settings import Settings

REQUEST_TAG = "videolab/request"


@dg.sensor(
    jobs=[one.job for one in REQUESTED.values()],
    minimum_interval_seconds=Settings().sensor_seconds,
    # What it starts at Meta is made PAUSED, for tenants that whoever runs VideoLab has given an account and caps; so it is on.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notices what is asked for in the inbox: campaigns, that one be turned on or all be stopped, posts that are out, and rules "
    "that a person approves.",
)
def requests(context: dg.SensorEvaluationContext, store: StoreResource) -> dg.SensorResult | dg.SkipReason:
    """A look at the requests. It keeps no cursor: a request stays in the inbox until its run has ended."""
    instance, opened = context.instance, store.open()
    abandon_killed(instance, [one.name for one in REQUESTED.values()])
    clerk = Clerk(opened, database(), time.time())
    seen = look(opened, clerk.take, lambda ids: latest_runs(instance, REQUEST_TAG, ids, LAUNCHED), Settings().settle_seconds, time.time())
    for note in seen.notes:
        context.log.warning(note)
    if not seen.asks and not seen.refused:
        return dg.SkipReason(f"{seen.waiting} waiting" if seen.waiting else "nothing is asked for in the inbox")
    partitions = sorted({ask.taken.partition for ask in seen.asks if ask.taken.partition and ask.request.kind.job == "create_campaign"})
    return dg.SensorResult(
        run_requests=[run_request(ask) for ask in seen.asks],
        dynamic_partitions_requests=[campaigns.build_add_request(partitions)] if partitions else [],
        asset_events=[observation(refused) for refused in seen.refused],
    )


def run_request(ask: Ask) -> dg.RunRequest:
    """The run of one attempt."""
    request, following = ask.request, REQUESTED[ask.request.kind]
    tags = {REQUEST_TAG: request.request_id, ATTEMPT_TAG: str(ask.attempt), "videolab/tenant": request.tenant}
    config: dict[str, Any] = {"ops": {following.op: {"config": dict(ask.taken.config)}}} if ask.taken.config else {}
    return dg.RunRequest(run_key=ask.run_key, job_name=following.name, partition_key=ask.taken.partition, tags=tags, run_config=config)


def observation(refused: Refused) -> dg.AssetObservation:
    """What a person sees in the UI of a request that is not followed: the reason with its line, on the asset that it was about."""
    metadata: dict[str, Any] = {"refused": refused.sentence, "file": refused.name, "tenant": refused.tenant, "reason_in": refused.kept_as}
    if refused.detail:
        metadata["all_problems"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in refused.detail.splitlines()))
    return dg.AssetObservation(refused.kind.asset, metadata=metadata)
