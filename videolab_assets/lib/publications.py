"""Organic posts that a person confirms: which clip is out where, and that none goes out twice on one account.

A person posts a variant by hand and says so with `<name>.publication.yaml` in the inbox:

    video: acme.lighthouse.1a2b3c4d
    clip: c01
    platform: instagram_reel
    account: "@acme"
    post: https://www.instagram.com/reel/C9aBcDeFgHi/     # or the platform's id of it
    time: 2026-11-20 18:00+01:00
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationInfo, model_validator

from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import VARIANTS, Label, Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import VIDEO_KEY_PATTERN, tenant_of
from videolab_assets.lib.library import Library
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.requests.kinds import LONGEST_REQUEST
from videolab_assets.lib.yaml_text import Line, Unsuitable, model_of, read_yaml

CLOCK_SLACK = 3600.0
"""Seconds by which a post may lie in the future: clocks differ."""

_POST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_PLACES: dict[str, tuple[tuple[str, ...], re.Pattern[str], str]] = {
    "instagram_reel": (("instagram.com",), re.compile(r"/(?:[\w.]+/)?(?:reel|reels|p|tv)/([\w-]+)", re.ASCII), ""),
    "tiktok_video": (("tiktok.com",), re.compile(r"/@[\w.]+/video/(\d+)", re.ASCII), ""),
    "facebook_feed_video": (
        ("facebook.com", "fb.watch"),
        re.compile(r"/(?:reel|[\w.]+/videos(?:/[^/]+)?|[\w.]+/posts|share/[rv])/([\w-]+)", re.ASCII),
        "v",
    ),
    "youtube_short": (("youtube.com", "youtu.be"), re.compile(r"/(?:shorts/)?([\w-]{6,})", re.ASCII), "v"),
}
"""Of each platform: its hosts, the path of a post with the post's id in it, and the name of a query parameter that may hold the id."""

_metadata = sa.MetaData()

_publications = sa.Table(
    "publications",
    _metadata,
    sa.Column("video_key", sa.String(96), primary_key=True),
    sa.Column("clip_id", sa.String(8), primary_key=True),
    sa.Column("platform", sa.String(32), primary_key=True),
    sa.Column("account", sa.String(100), primary_key=True, comment="as the platform shows it, lower case, without @"),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("look", sa.String(1), nullable=False),
    sa.Column("post_id", sa.String(64), nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("posted_at", sa.Double, nullable=False),
    sa.Column("recorded_at", sa.Double, nullable=False),
)
sa.Index("publications_posts", _publications.c.platform, _publications.c.post_id, unique=True)
sa.Index("publications_of_a_tenant", _publications.c.tenant, _publications.c.posted_at)


def _video_key(key: str) -> str:
    if not VIDEO_KEY_PATTERN.fullmatch(key):
        raise Unsuitable("a video key (<tenant>.<name>.<8 hex digits>)")
    return key


def _platform(name: str) -> str:
    if name not in PLATFORMS:
        raise Unsuitable(", ".join(PLATFORMS))
    return name


def _account(name: str) -> str:
    plain = name.removeprefix("@").lower()
    if not re.fullmatch(r"[a-z0-9](?:[\w. -]{0,98}[\w.])?", plain, re.ASCII):
        raise Unsuitable("the account's name on the platform, such as @acme")
    return plain


def _when(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError:
        raise Unsuitable(TIME_EXPECTED) from None
    if moment.tzinfo is None:
        raise Unsuitable(TIME_EXPECTED)
    return moment


TIME_EXPECTED = "a time with its offset from UTC, such as 2026-11-20 18:00+01:00"


class Publication(Model):
    """A post that is out.

    Attributes:
        account: lower case, without @.
        post: the platform's id of it, or its address.
        time: when it went out.
    """

    video: Annotated[str, AfterValidator(_video_key)]
    clip: str = Field(pattern=r"^c[0-9]{2}$", json_schema_extra={"expected": "a clip's number, such as c01"})
    look: Label = "a"
    platform: Annotated[str, AfterValidator(_platform)]
    account: Annotated[Line, AfterValidator(_account)]
    post: Line = Field(json_schema_extra={"expected": "the post's address or its id"})
    time: Annotated[AwareDatetime, BeforeValidator(_when)] = Field(json_schema_extra={"expected": TIME_EXPECTED})

    @model_validator(mode="after")
    def _is_out(self, info: ValidationInfo) -> "Publication":
        context: Mapping[str, Any] = info.context or {}
        tenant, is_there = context.get("tenant"), context.get("is_there")
        if tenant and tenant_of(self.video) != tenant:
            raise Unsuitable(f"a video of {tenant}'s", "video")
        if is_there and not is_there(self.video, self.clip, self.platform, self.look):
            raise Unsuitable(f"a clip that {self.video} has as {self.platform}", "clip")
        if self.time.timestamp() > float(context.get("now", time.time())) + CLOCK_SLACK:
            raise Unsuitable("a time that has passed", "time")
        self.post_id()
        return self

    def post_id(self) -> str:
        """The platform's id of the post.

        Raises:
            Unsuitable: the address is none of the platform's posts.
        """
        hosts, path, parameter = _PLACES[self.platform]
        if _POST_ID.fullmatch(self.post):
            return self.post
        try:
            parts = urlsplit(self.post)
            host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
        except ValueError:
            host = ""
        if host not in hosts or parts.scheme not in ("http", "https"):
            raise Unsuitable(f"the address of a post on {' or '.join(hosts)}, or its id", "post")
        asked = parse_qs(parts.query).get(parameter, []) if parameter and parts.path.startswith("/watch") else []
        if host == "fb.watch":
            path = re.compile(r"/([\w-]+)", re.ASCII)
        found = asked[0] if asked else (match[1] if (match := path.match(parts.path)) else "")
        if not _POST_ID.fullmatch(found):
            raise Unsuitable(f"the address of a post on {' or '.join(hosts)}, or its id", "post")
        return found

    def url(self) -> str | None:
        """The address without what follows a `?`, which tracks who shared it; None where only the id is known."""
        return self.post if "/" in self.post else None


def read_publication(data: bytes, tenant: str, is_there: Callable[[str, str, str, Label], bool], now: float) -> Publication:
    """The post in a file.

    Args:
        tenant: whose inbox it came through.
        is_there: whether a video has that clip as a variant: video key, clip, platform, look.
        now: epoch seconds.

    Raises:
        PermanentError: it breaks the schema, or there is no such clip; the sentence names the line and what was expected.
    """
    context = {"tenant": tenant, "is_there": is_there, "now": now}
    return read_yaml(data, Publication, longest=LONGEST_REQUEST, what="record of a post", context=context)


def checked_publication(values: Mapping[str, object], is_there: Callable[[str, str, str, Label], bool], now: float) -> Publication:
    """The post that plain values describe, as from the launchpad.

    Raises:
        PermanentError: as `read_publication`, without lines.
    """
    return model_of(dict(values), Publication, {"is_there": is_there, "now": now})


def variant_exists(library: Library, video_key: str, clip_id: str, platform: str, look: Label) -> bool:
    """Whether the library holds that clip as made for that platform."""
    made = library.readable(video_key, VARIANTS[platform])
    return made is not None and any((one.clip_id, one.label) == (clip_id, look) for one in made.clips)


@dataclass(frozen=True)
class Recorded:
    """One row: a publication as it stands in the table, and when it was recorded."""

    publication: Publication
    post_id: str
    recorded_at: datetime


class Publications:
    """The table of posts; made if missing. Every method raises TransientError when the database cannot be reached.

    Args:
        clock: epoch seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.make(_metadata)

    def record(self, publication: Publication) -> bool:
        """Notes a post.

        Returns:
            Whether it is new; the very same one may be recorded any number of times.

        Raises:
            PermanentError: the clip is out on that account as another post, or the post is another clip.
        """
        post_id = publication.post_id()
        row = {
            "video_key": publication.video,
            "clip_id": publication.clip,
            "platform": publication.platform,
            "account": publication.account,
            "tenant": tenant_of(publication.video),
            "look": publication.look,
            "post_id": post_id,
            "url": publication.url(),
            "posted_at": publication.time.timestamp(),
            "recorded_at": self._clock(),
        }
        with self._database.connect() as connection:
            inserted = connection.execute(self._database.insert(_publications).values(row).on_conflict_do_nothing()).rowcount
            if inserted:
                return True
            same_post = (_publications.c.platform == publication.platform) & (_publications.c.post_id == post_id)
            same_clip = sa.and_(*(_publications.c[name] == row[name] for name in ("video_key", "clip_id", "platform", "account")))
            standing = [_recorded(one) for one in connection.execute(sa.select(_publications).where(same_post | same_clip))]
        for one in standing:
            known = one.publication
            if (known.video, known.clip, known.account, one.post_id) == (publication.video, publication.clip, publication.account, post_id):
                return False
        clash = standing[0]
        if (clash.publication.video, clash.publication.clip) == (publication.video, publication.clip):
            raise PermanentError(
                f"{publication.video}/{publication.clip} is out on {publication.account} already, as the post {clash.post_id} of "
                f"{clash.publication.time:%Y-%m-%d %H:%M} UTC: a clip is posted once on an account."
            )
        raise PermanentError(
            f"The post {post_id} is recorded already, as {clash.publication.video}/{clash.publication.clip}: check the address."
        )

    def latest(self, tenant: str | None = None, most: int = 25) -> Sequence[Recorded]:
        """The posts, of one tenant or of all, the newest first."""
        statement = sa.select(_publications).order_by(_publications.c.posted_at.desc(), _publications.c.post_id).limit(most)
        if tenant is not None:
            statement = statement.where(_publications.c.tenant == tenant)
        with self._database.connect() as connection:
            return [_recorded(row) for row in connection.execute(statement)]

    def count(self) -> int:
        """How many there are."""
        with self._database.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_publications)).scalar_one()


def _recorded(row: sa.Row[Any]) -> Recorded:
    publication = Publication(
        video=row.video_key,
        clip=row.clip_id,
        look=row.look,
        platform=row.platform,
        account=row.account,
        post=row.url or row.post_id,
        time=datetime.fromtimestamp(row.posted_at, UTC),
    )
    return Recorded(publication, row.post_id, datetime.fromtimestamp(row.recorded_at, UTC))
