"""When deleted videos leave the index."""

import dagster as dg

from videolab_assets.defs.search.assets import search_index

tidy_search = dg.ScheduleDefinition(
    name="tidy_search",
    target=dg.AssetSelection.assets(search_index),
    cron_schedule="17 3 * * *",
    # It removes only rows that can be made again from the transcripts, so it is on from the beginning.
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Takes deleted videos out of the search index, every night.",
)
