"""What was intended, tried and made at Meta: a row for each object of each campaign, written before the request that makes it.

    new ── attempted ── created ── verified
             └── hold: two objects with one tag, for a person to look at

An attempt is claimed by comparing and setting in one statement, so that of any number of runs one gets it, and is committed before its
request leaves. A row that stays `attempted` is one of which nobody knows the outcome.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError

from videolab_assets.lib.campaigns.commitments import Commitments
from videolab_assets.lib.campaigns.plan import CampaignPlan, PlannedObject
from videolab_assets.lib.campaigns.stops import Stops
from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError

State = Literal["new", "attempted", "created", "verified", "hold"]

_metadata = sa.MetaData()

_intents = sa.Table(
    "meta_intents",
    _metadata,
    sa.Column("campaign_key", sa.String(96), primary_key=True),
    sa.Column("role", sa.String(32), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False, comment="in the order in which they are made"),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.Text, nullable=False, comment="at Meta, with the tag"),
    sa.Column("tag", sa.String(12), nullable=False, unique=True),
    sa.Column("spec", sa.String(64), nullable=False),
    sa.Column("parents", sa.Text, nullable=False, comment="JSON list of roles"),
    sa.Column("clip", sa.Text, comment="JSON of a ClipRef"),
    sa.Column("cell", sa.Text),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("attempted_at", sa.Double, comment="epoch seconds; of an upload, of its last piece"),
    sa.Column("upload", sa.Text, comment="JSON of the upload's session"),
    sa.Column("object_id", sa.String(64), comment="Meta's; of an image its hash"),
    sa.Column("adopted", sa.Boolean, nullable=False, comment="found by its tag after an attempt of unknown outcome"),
    sa.Column("created_at", sa.Double),
    sa.Column("verified_at", sa.Double),
    sa.Column("problem", sa.Text, comment="what went wrong last, in a sentence"),
)
_plans = sa.Table(
    "meta_plans",
    _metadata,
    sa.Column("campaign_key", sa.String(96), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("plan", sa.Text, nullable=False, comment="JSON of the CampaignPlan"),
)
sa.Index("meta_intents_of_a_tenant", _intents.c.tenant, _intents.c.kind)


@dataclass(frozen=True)
class Intent:
    """One object that is to be made once.

    Attributes:
        attempt: how often a request was about to be sent.
        attempted_at: epoch seconds of the last one.
        upload: of a video, JSON of how far its upload has come.
        object_id: Meta's; None until it is known.
    """

    campaign_key: str
    role: str
    tenant: str
    account_id: str
    kind: str
    name: str
    tag: str
    spec: str
    parents: list[str]
    clip: ClipRef | None
    cell: str | None
    state: State
    attempt: int
    attempted_at: float
    upload: str | None
    object_id: str | None
    adopted: bool
    created_at: float | None
    problem: str | None


@dataclass(frozen=True)
class AdMade:
    """An ad that exists at Meta, and what it shows.

    Attributes:
        cell: the part of the split that it belongs to; None without a split.
        study_id: the split's; None without one, and until it has been made.
        created_at: epoch seconds.
    """

    tenant: str
    account_id: str
    ad_id: str
    campaign_key: str
    campaign_id: str
    adset_id: str
    clip: ClipRef
    cell: str | None
    study_id: str | None
    created_at: float


class Ledger:
    """The tables; made if missing. Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        database: where they are.
        clock: epoch seconds.

    Attributes:
        commitments: money that campaigns may spend.
        stops: what may not go on.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.make(_metadata)
        self.commitments = Commitments(database, clock)
        self.stops = Stops(database, clock)

    def enter(self, plan: CampaignPlan) -> None:
        """Writes down a plan and all that it intends; what is there already stays.

        Raises:
            PermanentError: another plan is written down under this campaign's key.
        """
        rows = [_row(plan, place, planned) for place, planned in enumerate(plan.objects)]
        written = {"campaign_key": plan.campaign_key, "digest": plan.digest, "plan": plan.model_dump_json()}
        with self._database.transaction() as connection:
            connection.execute(self._database.insert(_plans).values(written).on_conflict_do_nothing())
            standing = connection.execute(sa.select(_plans.c.digest).where(_plans.c.campaign_key == plan.campaign_key)).scalar_one()
            if standing == plan.digest:
                connection.execute(self._database.insert(_intents).on_conflict_do_nothing(), rows)
        if standing != plan.digest:
            raise PermanentError(
                f"Another plan has been begun for {plan.campaign_key}, and a campaign is made once: order it anew under another name."
            )

    def plan(self, campaign_key: str) -> CampaignPlan | None:
        """The plan that is written down; None where there is none.

        Raises:
            PermanentError: it is no plan of this version.
        """
        with self._database.connect() as connection:
            query = sa.select(_plans.c.plan).where(_plans.c.campaign_key == campaign_key)
            written = connection.execute(query).scalar_one_or_none()
        try:
            return None if written is None else CampaignPlan.model_validate_json(written)
        except ValidationError as error:
            raise PermanentError(f"The plan of {campaign_key} is none of this version: order the campaign anew.", str(error)) from error

    def is_begun(self, campaign_key: str) -> bool:
        """Whether any request for it may have been sent."""
        tried = sa.select(_intents.c.role).where(_intents.c.campaign_key == campaign_key, _intents.c.attempt > 0).limit(1)
        with self._database.connect() as connection:
            return connection.execute(tried).first() is not None

    def forget(self, campaign_key: str) -> None:
        """Takes out the plan of a campaign of which nothing has been tried, and what it intended; of one that has been begun nothing."""
        mine = sa.select(_intents.c.attempt).where(_intents.c.campaign_key == campaign_key).with_for_update()
        with self._database.transaction() as connection:
            if not any(connection.execute(mine).scalars()):
                for table in (_intents, _plans):
                    connection.execute(sa.delete(table).where(table.c.campaign_key == campaign_key))

    def intents(self, campaign_key: str) -> list[Intent]:
        """All that a campaign consists of, in the order in which it is made."""
        query = sa.select(_intents).where(_intents.c.campaign_key == campaign_key).order_by(_intents.c.place)
        return self._read(query)

    def intent(self, campaign_key: str, role: str) -> Intent:
        """One of them.

        Raises:
            PermanentError: it is not written down.
        """
        found = self._read(sa.select(_intents).where(_intents.c.campaign_key == campaign_key, _intents.c.role == role))
        if not found:
            raise PermanentError(f"{role} of {campaign_key} is not in the ledger: run the campaign again.")
        return found[0]

    def ids(self, campaign_key: str) -> dict[str, str]:
        """Meta's ids of what is known to exist, by role."""
        return {intent.role: intent.object_id for intent in self.intents(campaign_key) if intent.object_id}

    def claim(self, seen: Intent) -> Intent | None:
        """Takes the next attempt, if nothing has changed since it was seen; None where another run was quicker."""
        now = self._clock()
        values = {"state": "attempted", "attempt": seen.attempt + 1, "attempted_at": now}
        if seen.state not in ("new", "attempted") or not self._set(seen, values, *_unchanged(seen)):
            return None
        return replace(seen, state="attempted", attempt=seen.attempt + 1, attempted_at=now)

    def keep_upload(self, mine: Intent, upload: str | None) -> bool:
        """Notes how far an upload has come, None for nowhere, and that it still goes on; False where another run has taken it over."""
        still_mine = (_intents.c.state == "attempted", _intents.c.attempt == mine.attempt)
        return self._set(mine, {"upload": upload, "attempted_at": self._clock()}, *still_mine)

    def created(self, seen: Intent, object_id: str, *, adopted: bool = False) -> None:
        """Notes Meta's id of what an attempt has made.

        Raises:
            PermanentError: another id is known already; the row is held.
        """
        values = {"state": "created", "object_id": object_id, "adopted": adopted, "created_at": self._clock(), "problem": None}
        if self._set(seen, values, _intents.c.state.in_(("new", "attempted"))):
            return
        now = self.intent(seen.campaign_key, seen.role)
        if now.object_id != object_id:
            raise self.hold(seen, [object_id, *([now.object_id] if now.object_id else [])])

    def hold(self, seen: Intent, object_ids: Iterable[str]) -> PermanentError:
        """Stops all work on it until a person has looked at Meta; the error says so."""
        named = " and ".join(sorted(object_ids))
        sentence = f"Meta has {named} for {seen.role} of {seen.campaign_key}, where there may be one: delete all but one in Ads Manager."
        self._set(seen, {"state": "hold", "problem": sentence})
        return PermanentError(sentence, f"tag {seen.tag}")

    def freed(self, seen: Intent) -> Intent:
        """Takes it up again after a hold, once at most one object is left, as an attempt after which Meta was looked at."""
        self._set(seen, {"state": "attempted", "problem": None, "object_id": None}, *_unchanged(seen))
        return replace(seen, state="attempted", problem=None, object_id=None)

    def note(self, seen: Intent, problem: str) -> None:
        """What went wrong, for whoever looks."""
        self._set(seen, {"problem": problem})

    def verified(self, campaign_key: str) -> None:
        """All that was made is as it was planned."""
        values = {"state": "verified", "verified_at": self._clock()}
        mine = (_intents.c.campaign_key == campaign_key, _intents.c.state == "created")
        with self._database.connect() as connection:
            connection.execute(sa.update(_intents).where(*mine).values(values))

    def ads(self, tenant: str | None = None) -> list[AdMade]:
        """The ads that exist, of one tenant or of all, oldest first."""
        query = sa.select(_intents).where(_intents.c.kind.in_(("campaign", "adset", "ad", "study")), _intents.c.object_id.is_not(None))
        made = self._read(query.where(_intents.c.tenant == tenant) if tenant else query)
        ids = {(intent.campaign_key, intent.role): intent.object_id or "" for intent in made}
        ads = []
        for intent in made:
            campaign_id = ids.get((intent.campaign_key, "campaign"))
            adset_id = next((ids.get((intent.campaign_key, role)) for role in intent.parents if role.startswith("adset:")), None)
            if intent.kind == "ad" and intent.clip and intent.object_id and campaign_id and adset_id:
                ad = AdMade(
                    tenant=intent.tenant,
                    account_id=intent.account_id,
                    ad_id=intent.object_id,
                    campaign_key=intent.campaign_key,
                    campaign_id=campaign_id,
                    adset_id=adset_id,
                    clip=intent.clip,
                    cell=intent.cell,
                    study_id=ids.get((intent.campaign_key, "study")),
                    created_at=intent.created_at or 0.0,
                )
                ads.append(ad)
        return sorted(ads, key=lambda ad: (ad.created_at, ad.ad_id))

    def campaigns(self, tenant: str) -> list[Intent]:
        """The campaigns of a tenant, whether their ids are known or not."""
        return self._read(sa.select(_intents).where(_intents.c.tenant == tenant, _intents.c.kind == "campaign"))

    def tenants_of_tags(self, tags: Iterable[str]) -> dict[str, str]:
        """Whose objects carry these tags, as far as is written down."""
        query = sa.select(_intents.c.tag, _intents.c.tenant).where(_intents.c.tag.in_(list(tags)))
        with self._database.connect() as connection:
            return {str(tag): str(tenant) for tag, tenant in connection.execute(query)}

    def _set(self, intent: Intent, values: dict[str, Any], *conditions: sa.ColumnElement[bool]) -> bool:
        mine = (_intents.c.campaign_key == intent.campaign_key, _intents.c.role == intent.role)
        with self._database.connect() as connection:
            return connection.execute(sa.update(_intents).where(*mine, *conditions).values(values)).rowcount == 1

    def _read(self, query: sa.Select[Any]) -> list[Intent]:
        with self._database.connect() as connection:
            return [_intent(row) for row in connection.execute(query)]


def _unchanged(seen: Intent) -> tuple[sa.ColumnElement[bool], ...]:
    """Of an upload that goes on, only the time moves."""
    at = sa.func.coalesce(_intents.c.attempted_at, 0.0) == seen.attempted_at
    return (_intents.c.spec == seen.spec, _intents.c.state == seen.state, _intents.c.attempt == seen.attempt, at)


def _row(plan: CampaignPlan, place: int, planned: PlannedObject) -> dict[str, Any]:
    return {
        "campaign_key": plan.campaign_key,
        "role": planned.role,
        "place": place,
        "tenant": plan.tenant,
        "account_id": plan.account_id,
        "kind": planned.kind,
        "name": planned.name,
        "tag": planned.tag,
        "spec": planned.spec,
        "parents": json.dumps(planned.parents),
        "clip": planned.clip.model_dump_json() if planned.clip else None,
        "cell": planned.cell,
        "state": "new",
        "attempt": 0,
        "adopted": False,
    }


def _intent(row: Any) -> Intent:
    return Intent(
        campaign_key=row.campaign_key,
        role=row.role,
        tenant=row.tenant,
        account_id=row.account_id,
        kind=row.kind,
        name=row.name,
        tag=row.tag,
        spec=row.spec,
        parents=json.loads(row.parents),
        clip=ClipRef.model_validate_json(row.clip) if row.clip else None,
        cell=row.cell,
        state=row.state,
        attempt=row.attempt,
        attempted_at=row.attempted_at or 0.0,
        upload=row.upload,
        object_id=row.object_id,
        adopted=row.adopted,
        created_at=row.created_at,
        problem=row.problem,
    )
