"""VideoLab: uploaded videos become proxies, transcripts, summaries and clips, each a Dagster asset."""
