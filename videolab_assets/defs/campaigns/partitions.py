"""The partition sets of this stage: one key a campaign, one a day."""

import dagster as dg

from videolab_assets.settings import Settings

campaigns = dg.DynamicPartitionsDefinition(name="campaigns")
"""A key is a campaign key, `<tenant>.<name>.<8 hex>`, decided by what the campaign's file asks for."""

FIRST_ZONE = "Pacific/Kiritimati"
"""Where a day ends first, 14 hours before UTC."""

days = dg.DailyPartitionsDefinition(Settings().insights_first_day.isoformat(), timezone=FIRST_ZONE)
"""A key is a day in each account's own time zone. It exists from the moment at which the first account could have ended it; whether the
account at hand has, is asked of its own time zone."""
