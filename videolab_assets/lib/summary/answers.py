"""Answers that were paid for, so that identical work is paid for once.

Whoever asks first leaves a claim, asks and stores the answer; whoever wants the same meanwhile waits for it. A claim is let go when
asking fails, and taken over when its process is known to be dead or its lease has run out.
"""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.processes import ProcessIdentity, this_process

LOOK_EVERY = 1.0
"""Seconds between two looks at an answer that somebody else is waiting for."""

_metadata = sa.MetaData()

_answers = sa.Table(
    "answers",
    _metadata,
    sa.Column("answer_key", sa.String(64), primary_key=True, comment="hash of everything that decides the answer, tenant included"),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("claim", sa.String(32), nullable=False),
    sa.Column("owner", sa.Text, nullable=False, comment="host.boot.pid.started of who asks"),
    sa.Column("claimed_until", sa.Double, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("served_by", sa.Text, comment="the model that the service says has answered"),
    sa.Column("answered_at", sa.Double),
)


@dataclass(frozen=True)
class Answer:
    """What a service wrote, checked and whole.

    Attributes:
        text: as it came.
        served_by: the model that the service says has answered.
    """

    text: str
    served_by: str


class Answers:
    """The table of answers; made if missing.

    Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        database: where it is.
        lease: seconds that asking takes at most; afterwards its claim is anybody's.
        clock: epoch seconds.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        database: Database,
        lease: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._sleep = sleep
        database.make(_metadata)

    def find(self, key: str) -> Answer | None:
        """The answer, if it is there."""
        wanted = sa.select(_answers.c.text, _answers.c.served_by).where(_answers.c.answer_key == key, _answers.c.text.is_not(None))
        with self._database.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Answer(row.text, row.served_by)

    def find_or_ask(self, key: str, tenant: str, ask: Callable[[], Answer]) -> tuple[Answer, bool]:
        """The stored answer, or the one that `ask` gets; of concurrent callers one asks and the others wait for it.

        Args:
            key: 64 hex digits that stand for everything that decides the answer.
            tenant: whose it is.
            ask: gets the answer; what it raises is raised, and nothing is stored.

        Returns:
            The answer, and whether it had been there before.

        Raises:
            TransientError: somebody else has been asking for too long.
        """
        give_up = self._clock() + 2 * self._lease
        claim = uuid.uuid4().hex
        while (found := self.find(key)) is None and not self._claimed(key, tenant, claim):
            if self._clock() > give_up:
                raise TransientError("Another run has been asking for the same answer for too long: try again later.")
            self._sleep(LOOK_EVERY)
        if found is not None:
            return found, True
        try:
            answer = ask()
        except BaseException:
            # What went wrong matters more than a claim that stays: its lease ends.
            with contextlib.suppress(TransientError):
                self._run(sa.delete(_answers).where(*self._held(key, claim)))
            raise
        whole = {"text": answer.text, "served_by": answer.served_by, "answered_at": self._clock()}
        self._run(sa.update(_answers).where(*self._held(key, claim)).values(whole))
        return answer, False

    def _claimed(self, key: str, tenant: str, claim: str) -> bool:
        mine = {"claim": claim, "owner": this_process().token, "claimed_until": self._clock() + self._lease}
        fresh = self._database.insert(_answers).values(answer_key=key, tenant=tenant, **mine).on_conflict_do_nothing()
        if self._run(fresh) == 1:
            return True
        with self._database.connect() as connection:
            other = connection.execute(
                sa.select(_answers.c.claim, _answers.c.owner, _answers.c.claimed_until).where(
                    _answers.c.answer_key == key, _answers.c.text.is_(None)
                )
            ).one_or_none()
        if other is None:  # answered or let go since
            return False
        owner = ProcessIdentity.of_token(other.owner)
        dead = (owner is not None and owner.is_gone()) or other.claimed_until < self._clock()
        return dead and self._run(sa.update(_answers).where(*self._held(key, other.claim)).values(mine)) == 1

    @staticmethod
    def _held(key: str, claim: str) -> tuple[sa.ColumnElement[bool], ...]:
        return _answers.c.answer_key == key, _answers.c.claim == claim, _answers.c.text.is_(None)

    def _run(self, statement: sa.Insert | sa.Update | sa.Delete) -> int:
        """How many rows it touched."""
        with self._database.connect() as connection:
            return connection.execute(statement).rowcount
