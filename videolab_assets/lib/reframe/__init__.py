"""Where to look in a frame that is shown in another shape: what is in it, and how each shot is framed."""

from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.framings import framings_of
from videolab_assets.lib.reframe.looking import look
from videolab_assets.lib.reframe.seen import Sample, Seen
from videolab_assets.lib.reframe.shown import cover_time, faces_kept, framing_at, placed, shown

__all__ = ["Box", "Sample", "Seen", "cover_time", "faces_kept", "framing_at", "framings_of", "look", "placed", "shown"]
