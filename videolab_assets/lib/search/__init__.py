"""The moments at which something is said, in all transcripts."""

from videolab_assets.lib.search.index import VERSION, Index, Moment
from videolab_assets.lib.search.presence import forget_missing, present

__all__ = ["VERSION", "Index", "Moment", "forget_missing", "present"]
