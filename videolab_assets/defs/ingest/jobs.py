"""The jobs that the upload sensor starts: everything that is made per video, and what follows a person's corrections and wishes."""

import dagster as dg

_FROM_THE_WORDS = dg.AssetSelection.groups("speech", "editorial") | dg.AssetSelection.assets("search_entry")

process_video = dg.define_asset_job(
    "process_video",
    selection=dg.AssetSelection.groups("ingest", "media") | _FROM_THE_WORDS,
    executor_def=dg.in_process_executor,
    description="One video from the inbox to its summary, in one process: a subprocess for each step costs more than the step.",
)

amend_video = dg.define_asset_job(
    "amend_video",
    selection=_FROM_THE_WORDS,
    executor_def=dg.in_process_executor,
    description="What is made of a video's words, anew where a person laid corrected subtitles or a wish for the summary into the inbox.",
)
