"""The job that the upload sensor starts: everything that is made per video, in one process."""

import dagster as dg

process_video = dg.define_asset_job(
    "process_video",
    selection=dg.AssetSelection.groups("ingest", "media", "speech", "editorial"),
    executor_def=dg.in_process_executor,
    description="One video from the inbox to its summary, in one process: a subprocess for each step costs more than the step.",
)
