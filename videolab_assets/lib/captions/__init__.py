"""Words burnt into the picture: what is being said, as it is said, and a headline to stop at."""

from videolab_assets.lib.captions.composing import Captions, captions_of, cover_ass, srt_of
from videolab_assets.lib.captions.styles import STYLES
from videolab_assets.lib.captions.typeface import fonts

__all__ = ["STYLES", "Captions", "captions_of", "cover_ass", "fonts", "srt_of"]
