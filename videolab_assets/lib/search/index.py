"""The index: every sentence of every transcript, in SQLite's FTS5 or PostgreSQL's full text.

A row is a sentence; its indexed words are its own and those of the sentence that follows, so that words said in two neighbouring
sentences are found too. The database finds the rows, and `Query.worth` ranks them: the same answer, in the same order, over both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import checked_tenant, tenant_of
from videolab_assets.lib.search.query import Query, words_in
from videolab_assets.lib.summary.language import language_of
from videolab_assets.lib.summary.sentences import Sentence, sentences_of, tokens_of

VERSION = "1"
"""Raised with how sentences are divided or words folded: what is indexed has to be put anew."""

MOST_RANKED = 600
"""Rows that are ranked for one answer, or `RANKED_FOR_ONE` for each moment asked for, the newest first: what is in more of them is in
nearly every video, and no order of them is right. It bounds what a search for "the" costs."""
RANKED_FOR_ONE = 3
MOST_MOMENTS = 1000
"""Of one answer."""
ROWS_AT_ONCE = 1000
FTS5 = "fts5"


@dataclass(frozen=True, slots=True)
class Moment:
    """A sentence that was found.

    Attributes:
        video_key: the video it is said in.
        start: seconds.
        end: seconds.
        sentence: as it is said; two of them where the words are in neighbouring sentences.
        score: 0 to 1, above 0.5 where one sentence holds all words.
    """

    video_key: str
    start: float
    end: float
    sentence: str
    score: float


_metadata = sa.MetaData()
_KEY = sa.String(96).with_variant(sa.String(96, collation="C"), "postgresql")  # a page ends at the same video everywhere

_videos = sa.Table("search_videos", _metadata, sa.Column("video_key", _KEY, primary_key=True))

_moments = sa.Table(
    "search_moments",
    _metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("video_key", _KEY, nullable=False),
    sa.Column("start", sa.Double, nullable=False),
    sa.Column("end", sa.Double, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("following", sa.Text, nullable=False),
    sa.Column("following_end", sa.Double, nullable=False),
    sa.Column("words", sa.Text().with_variant(TSVECTOR, "postgresql"), nullable=False, comment="of the sentence and of the following"),
)

sa.Index("search_moments_video", _moments.c.video_key)

# An external-content table: it keeps the words' places and reads nothing back. Triggers keep it in step with the rows.
_FTS5_TABLES = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS search_words USING fts5(
        words, content='search_moments', content_rowid='id', tokenize='ascii tokenchars ''@-''', prefix='2 3', columnsize=0)""",
    """CREATE TRIGGER IF NOT EXISTS search_moments_added AFTER INSERT ON search_moments BEGIN
        INSERT INTO search_words(rowid, words) VALUES (new.id, new.words); END""",
    """CREATE TRIGGER IF NOT EXISTS search_moments_removed AFTER DELETE ON search_moments BEGIN
        INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', old.id, old.words); END""",
)

_POSTGRESQL_INDEXES = (
    # Without a list of pending words: that makes writing faster and, until it is merged, every search slower.
    "CREATE INDEX IF NOT EXISTS search_moments_words ON search_moments USING gin (words) WITH (fastupdate = off)",
    "CREATE INDEX IF NOT EXISTS search_moments_tenant ON search_moments (tenant, id)",  # FTS5 finds the tenant among the words
)


class Index:
    """What is said in all videos, and where; its tables are made if missing.

    Every method raises TransientError when the database cannot be reached or stays locked. Any number of processes may use it at once.

    Args:
        database: where the tables are.

    Raises:
        PermanentError: this SQLite was built without FTS5.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        if database.is_sqlite:
            self._check_fts5()
        database.make(_metadata)
        self._make_words()

    def put(self, video_key: str, transcript: Transcript) -> int:
        """Replaces a video's moments by the sentences of this transcript, all at once: a search finds the former or the latter.

        Returns:
            How many there are; 0 where nothing is said, and the video is known all the same.

        Raises:
            PermanentError: the key is not a video key.
        """
        tenant = tenant_of(video_key)
        tokens = tokens_of(transcript)
        sentences = sentences_of(tokens, language_of((token.text for token in tokens), transcript.language))
        rows = list(self._rows(tenant, video_key, sentences))
        with self._database.transaction() as connection:
            self._hold(connection, video_key)
            connection.execute(self._database.insert(_videos).values(video_key=video_key).on_conflict_do_nothing())
            connection.execute(sa.delete(_moments).where(_moments.c.video_key == video_key))
            for start in range(0, len(rows), ROWS_AT_ONCE):
                connection.execute(sa.insert(_moments), rows[start : start + ROWS_AT_ONCE])
        return len(rows)

    def remove(self, video_key: str) -> bool:
        """Takes a video out of the index, all at once; says whether it was there."""
        with self._database.transaction() as connection:
            self._hold(connection, video_key)
            connection.execute(sa.delete(_moments).where(_moments.c.video_key == video_key))
            return connection.execute(sa.delete(_videos).where(_videos.c.video_key == video_key)).rowcount > 0

    def find(self, words: str, *, tenant: str | None = None, limit: int = 20) -> list[Moment]:
        """The moments at which all these words are said, best first; two neighbouring sentences that hold them together come after
        the single sentences that do.

        Case, accents and, outside of quotation marks, singular and plural make no difference; see `Query.of` for what may be typed
        and `Query.worth` for the ranking. Of words that are said all the time only the newest rows are ranked (`MOST_RANKED`).

        Args:
            words: as a person types them.
            tenant: only this tenant's videos.
            limit: at most so many, 1 to `MOST_MOMENTS`.

        Raises:
            PermanentError: no word is asked for, too much is, the tenant's name is not one or the limit is out of its range.
        """
        if not 1 <= limit <= MOST_MOMENTS:
            raise PermanentError(f"A search lists 1 to {MOST_MOMENTS} moments, not {limit}.")
        query = Query.of(words)
        if tenant is not None:
            checked_tenant(tenant)
        with self._database.connect() as connection:
            rows = connection.execute(self._matching(query, tenant, max(MOST_RANKED, RANKED_FOR_ONE * limit))).all()
        ranked = [(-worth, row.video_key, row.start, row) for row in rows if (worth := query.worth(row.sentence, row.following))]
        return [_moment(row, -worth) for worth, _, _, row in sorted(ranked, key=lambda one: one[:3])[:limit]]

    def video_keys(self, after: str = "", limit: int = 1000) -> list[str]:
        """A page of the videos that are indexed, in the order of their keys; `after` is the last one of the page before."""
        page = sa.select(_videos.c.video_key).where(_videos.c.video_key > after).order_by(_videos.c.video_key).limit(limit)
        with self._database.connect() as connection:
            return list(connection.execute(page).scalars())

    def count(self, video_key: str | None = None) -> int:
        """Moments that can be found, in all or in one video, counted in the rows themselves."""
        counted = sa.select(sa.func.count()).select_from(_moments)
        return self._number(counted if video_key is None else counted.where(_moments.c.video_key == video_key))

    def count_videos(self) -> int:
        """Videos that are indexed, those without a word among them."""
        return self._number(sa.select(sa.func.count()).select_from(_videos))

    def dispose(self) -> None:
        """Closes idle connections."""
        self._database.dispose()

    def _number(self, statement: sa.Select[tuple[int]]) -> int:
        with self._database.connect() as connection:
            return connection.execute(statement).scalar_one()

    def _check_fts5(self) -> None:
        with self._database.connect() as connection:
            found = connection.execute(sa.text("SELECT 1 FROM pragma_module_list WHERE name = :name"), {"name": FTS5}).first()
        if found is None:
            raise PermanentError("This Python's SQLite has no FTS5, so nothing can be searched: use another Python, or PostgreSQL.")

    def _make_words(self) -> None:
        if self._database.is_sqlite:
            with self._database.transaction() as connection:
                for statement in _FTS5_TABLES:
                    connection.exec_driver_sql(statement)
            return
        with self._database.connect() as connection, self._database.alone(connection):
            for statement in _POSTGRESQL_INDEXES:
                connection.exec_driver_sql(statement)

    def _hold(self, connection: sa.Connection, video_key: str) -> None:
        """Makes others who write this video wait until the transaction ends; in SQLite every writer waits anyway."""
        if not self._database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('videolab moments'), hashtext(:key))"), {"key": video_key})

    def _rows(self, tenant: str, video_key: str, sentences: Sequence[Sentence]) -> Iterator[dict[str, Any]]:
        spoken = [words_in(sentence.text) for sentence in sentences]
        ends = [*pairwise(zip(sentences, spoken, strict=True))]
        for (one, own), (other, after) in ends:
            yield self._row(tenant, video_key, one, own + after, other)
        if sentences:
            yield self._row(tenant, video_key, sentences[-1], spoken[-1], None)

    def _row(self, tenant: str, video_key: str, sentence: Sentence, words: list[str], following: Sentence | None) -> dict[str, Any]:
        return {
            "tenant": tenant,
            "video_key": video_key,
            "start": sentence.start,
            "end": sentence.end,
            "sentence": sentence.text,
            "following": following.text if following else "",
            "following_end": following.end if following else sentence.end,
            "words": " ".join([f"@{tenant}", *words]) if self._database.is_sqlite else _vector(words),
        }

    def _matching(self, query: Query, tenant: str | None, rows: int) -> sa.Select[Any]:
        columns = (_moments.c.video_key, _moments.c.start, _moments.c.end, _moments.c.sentence, _moments.c.following)
        chosen = sa.select(*columns, _moments.c.following_end).limit(rows)
        if self._database.is_sqlite:
            asked = query.for_fts5() if tenant is None else f'"@{tenant}" AND {query.for_fts5()}'
            words = sa.table("search_words", sa.column("rowid", sa.Integer))
            found = chosen.select_from(words).join(_moments, _moments.c.id == words.c.rowid)
            return found.where(sa.text("search_words MATCH :asked").bindparams(asked=asked)).order_by(words.c.rowid.desc())
        asked_for = sa.cast(sa.literal(query.for_tsquery()), TSQUERY)
        ranked = chosen.where(_moments.c.words.op("@@")(asked_for)).order_by(_moments.c.id.desc())
        return ranked if tenant is None else ranked.where(_moments.c.tenant == tenant)


def _vector(words: Sequence[str]) -> str:
    """In the language of PostgreSQL's tsvector, not by its parser: that one depends on the server's locale."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words, start=1):
        places.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())


def _moment(row: sa.Row[Any], worth: float) -> Moment:
    together = worth <= 0.5
    sentence = f"{row.sentence} {row.following}" if together else row.sentence
    return Moment(row.video_key, row.start, row.following_end if together else row.end, sentence, round(worth, 4))
