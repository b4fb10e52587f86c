"""The words of a campaign's file: clips and what they are made of, and texts, links and amounts as a person writes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo

from videolab_assets.lib.campaigns.objectives import PLACEMENTS
from videolab_assets.lib.documents import Label, Model, StoredFile
from videolab_assets.lib.keys import VIDEO_KEY_PATTERN, tenant_of
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.yaml_text import Unsuitable

MOST_CREATIVES = 150
LONGEST_LINK = 2000


class ClipRef(Model):
    """A clip as made for one platform, in one look."""

    video_key: str
    clip_id: str
    platform: str
    label: Label = "a"

    @property
    def name(self) -> str:
        """`acme.talk.0123abcd/c01/instagram_reel`, and `…/c01.b/…` for the other look."""
        return f"{self.video_key}/{self.clip_id if self.label == 'a' else f'{self.clip_id}.{self.label}'}/{self.platform}"


class ClipSource(Model):
    """What an ad is made of.

    Attributes:
        title, text: as the clip is posted.
        score: the clip plan's, 0..1.
    """

    ref: ClipRef
    video: StoredFile
    cover: StoredFile
    title: str
    text: str
    score: float


@dataclass(frozen=True)
class CampaignContext:
    """What a campaign's file is held against.

    Attributes:
        account: who pays, with the caps.
        now: an aware moment.
        clips: the source of a clip; None where there is no such variant.
        best: the clips that a wish for the best N comes to, best first and at most N; with both looks of each where that is asked for.
    """

    account: AdAccount
    now: datetime
    clips: Callable[[ClipRef], ClipSource | None]
    best: "Callable[[Best, bool], Sequence[ClipSource]]"


def context_of(info: ValidationInfo) -> CampaignContext:
    context: CampaignContext = (info.context or {})["campaign"]
    return context


def _own_video(video_key: str, info: ValidationInfo) -> str:
    tenant = context_of(info).account.tenant
    if not VIDEO_KEY_PATTERN.fullmatch(video_key) or tenant_of(video_key) != tenant:
        raise Unsuitable(f"the key of a video of {tenant}, as in {tenant}.talk.0123abcd,")
    return video_key


def _platform(name: str, info: ValidationInfo) -> str:
    if name in PLATFORMS and name not in PLACEMENTS:
        raise Unsuitable(f"{' or '.join(PLACEMENTS)}, because Meta shows no others,")
    if name not in PLACEMENTS:
        raise Unsuitable(" or ".join(PLACEMENTS))
    if name == "instagram_reel" and not context_of(info).account.instagram:
        raise Unsuitable(f"another platform as long as {context_of(info).account.tenant} has no `instagram:` in ad_accounts.yaml,")
    return name


def _text(text: str) -> str:
    if any(not mark.isprintable() and mark not in "\n\t" for mark in text):
        raise Unsuitable("text without control characters")
    return text


def _link(link: str) -> str:
    try:
        parts = urlsplit(link)
        usable = parts.scheme == "https" and "." in (parts.hostname or "") and not parts.username and link.isprintable() and " " not in link
    except ValueError:
        usable = False
    if not usable:
        raise Unsuitable("an address that begins with https://")
    return link


def _digits(number: str) -> str:
    if not (number.isascii() and number.isdigit() and len(number) <= 30):
        raise Unsuitable("the digits of an id at Meta")
    return number


VideoKey = Annotated[str, AfterValidator(_own_video)]
PlatformName = Annotated[str, AfterValidator(_platform)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2200), AfterValidator(_text)]
Digits = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_digits)]
Link = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_LINK), AfterValidator(_link)]


class Best(Model):
    """The N clips that did best, or where nothing is known of that, those with the highest scores."""

    best: int = Field(ge=1, le=MOST_CREATIVES)
    platform: PlatformName
    videos: list[VideoKey] | None = Field(default=None, min_length=1, max_length=MOST_CREATIVES)


def _written(amount: object) -> object:
    """A number from the launchpad, as a person would have written it."""
    return repr(amount) if isinstance(amount, int | float) and not isinstance(amount, bool) else amount


Amount = Annotated[str, BeforeValidator(_written), StringConstraints(strip_whitespace=True)]
