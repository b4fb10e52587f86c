"""The jobs that the upload sensor starts: everything that is made per video, and what follows a person's corrections, wishes and orders."""

import dagster as dg

_FROM_THE_PLAN = dg.AssetSelection.groups("clips", "variants")
_FROM_THE_WORDS = dg.AssetSelection.groups("speech", "editorial") | dg.AssetSelection.assets("search_entry") | _FROM_THE_PLAN

process_video = dg.define_asset_job(
    "process_video",
    selection=dg.AssetSelection.groups("ingest", "media") | _FROM_THE_WORDS,
    executor_def=dg.in_process_executor,
    description="One video from the inbox to its variants, in one process: a subprocess for each step costs more than the step.",
)

amend_video = dg.define_asset_job(
    "amend_video",
    selection=_FROM_THE_WORDS,
    executor_def=dg.in_process_executor,
    description="What is made of a video's words, anew where a person laid corrected subtitles or a wish for the summary into the inbox.",
)

replan_clips = dg.define_asset_job(
    "replan_clips",
    selection=_FROM_THE_PLAN,
    executor_def=dg.in_process_executor,
    description="A video's clips and their variants, anew where a person laid orders or an edited timeline into the inbox.",
)

FOLLOWING = (amend_video, replan_clips)
"""What follows a sidecar; its kind names the one of them."""
