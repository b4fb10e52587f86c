"""Pieces that are heard already, kept in the store until the whole transcript is."""

from pydantic import ValidationError

from videolab_assets.lib.documents import Model, Segment
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import WORK, tenant_of
from videolab_assets.lib.speech.pieces import Piece
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets.lib.store import Store

LONGEST_ENTRY = 1024**2
"""Bytes; half a minute of fast speech with word times is about 20 kB."""


class Entry(Model):
    """One piece's words, and what makes them this piece's: the recipe, its first sample and how many it has."""

    recipe: str
    first: int
    samples: int
    language: str
    segments: list[Segment]


class StoreJournal:
    """A `Journal` of one video, for words of one recipe: a small JSON object a piece, each whole or not there.

    They are `work/<tenant>/<video key>/transcript/<recipe, 16 digits>/<first sample>-<samples>.json`.

    Args:
        store: where they are kept, so that a run on another machine goes on too.
        video_key: whose sound it is.
        recipe: hash of what decides the words: the sound's hash and the engine's identity.
    """

    def __init__(self, store: Store, video_key: str, recipe: str) -> None:
        self._store = store
        self._recipe = recipe
        self._folder = f"{WORK}/{tenant_of(video_key)}/{video_key}/transcript"

    def recall(self, piece: Piece) -> Spoken | None:
        """See `Journal.recall`. What is damaged, or is another recipe's or piece's, counts as not there."""
        try:
            entry = Entry.model_validate_json(self._store.read_bytes(self._key(piece), LONGEST_ENTRY))
        except (ValidationError, PermanentError):  # missing, too long or no file: it is written anew
            return None
        described = (entry.recipe, entry.first, entry.samples)
        if described != (self._recipe, _first(piece), len(piece.samples)) or not _lies_in(piece, entry.segments):
            return None
        return Spoken(entry.language, entry.segments)

    def keep(self, piece: Piece, spoken: Spoken) -> None:
        """See `Journal.keep`.

        Raises:
            PermanentError: the store refuses, as where something that is no file lies in the way.
            TransientError: the store fails.
        """
        entry = Entry(
            recipe=self._recipe, first=_first(piece), samples=len(piece.samples), language=spoken.language, segments=spoken.segments
        )
        self._store.write_bytes(self._key(piece), entry.model_dump_json().encode(), media_type="application/json")

    def clear(self) -> None:
        """Removes what is kept of this video, and what earlier recipes have left: once the transcript is written it only takes room."""
        for entry in list(self._store.list(self._folder)):
            if entry.regular:
                self._store.delete(entry.key, entry.version)

    def _key(self, piece: Piece) -> str:
        return f"{self._folder}/{self._recipe[:16]}/{_first(piece)}-{len(piece.samples)}.json"


def _first(piece: Piece) -> int:
    return round(piece.start * SAMPLE_RATE)


def _lies_in(piece: Piece, segments: list[Segment]) -> bool:
    """Whether the words follow one another inside the piece, to within a rounded millisecond."""
    times = [time for segment in segments for word in segment.words for time in (word.start, word.end)]
    return (
        all(segment.words for segment in segments)
        and [*times] == sorted(times)
        and all(piece.start - 0.001 <= time <= piece.end + 0.001 for time in times)
    )
