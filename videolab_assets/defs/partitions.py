"""The one partition set of everything that is made per video."""

import dagster as dg

videos = dg.DynamicPartitionsDefinition(name="videos")
"""A key is a video key, `<tenant>.<name>.<8 hex>`: see `videolab_assets.lib.keys`."""

OWNERS = ["team:videolab"]
