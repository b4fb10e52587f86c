"""Subtitles that people can read: words with times become cues, cues become files, and a person's file becomes cues again."""

from videolab_assets.lib.subtitles.cues import cues_of
from videolab_assets.lib.subtitles.formats import to_ass, to_srt, to_webvtt
from videolab_assets.lib.subtitles.rules import DEFAULT_FRAME_RATE, LONGEST_LINE, breaches
from videolab_assets.lib.subtitles.srt import parse_srt, read_srt

__all__ = ["DEFAULT_FRAME_RATE", "LONGEST_LINE", "breaches", "cues_of", "parse_srt", "read_srt", "to_ass", "to_srt", "to_webvtt"]
