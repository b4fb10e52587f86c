"""What a person asks of Meta, by a YAML file in the inbox: a campaign, that it be turned on, that everything stop.

A campaign's file is held against the tenant's account, its caps, the calendar of its time zone and the clips that exist, so that what is
wrong is said with its line before anything is made.
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, PlainValidator, TypeAdapter, ValidationInfo, field_serializer, field_validator, model_validator

from videolab_assets.lib.campaigns.audience import Audience
from videolab_assets.lib.campaigns.dates import Dates
from videolab_assets.lib.campaigns.objectives import BUTTONS, EVENTS, GOALS, LINKED, OBJECTIVES, GoalName, ObjectiveName, SplitName
from videolab_assets.lib.campaigns.terms import (
    MOST_CREATIVES,
    Amount,
    Best,
    CampaignContext,
    ClipRef,
    ClipSource,
    Digits,
    Link,
    PlatformName,
    Text,
    VideoKey,
    context_of,
)
from videolab_assets.lib.documents import Label, Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import VIDEO_KEY_PATTERN, checked_tenant, checked_video_key, slug, tenant_of
from videolab_assets.lib.money import Money, example
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.requests.kinds import LONGEST_REQUEST
from videolab_assets.lib.yaml_text import Line, Unsuitable, read_yaml

__all__ = ["Activation", "Best", "Budget", "CampaignContext", "CampaignRequest", "ClipRef", "ClipSource", "CreativeOrder", "Stop"]

MOST_CELLS = 5
"""What Ads Manager allows in one test."""

ADS_IN_CELL = 50
"""Of a split by looks each cell is one ad set."""


CREATIVES_EXPECTED = "a list of clips, or a group with best and platform,"


class CreativeOrder(Model):
    """One clip to advertise; `text` in place of the campaign's or its own."""

    video: VideoKey
    platform: PlatformName
    look: Label = "a"
    clip: str
    text: Text | None = None

    @field_validator("clip")
    @classmethod
    def _exists(cls, clip: str, info: ValidationInfo) -> str:
        given = info.data
        if "video" not in given or "platform" not in given or "look" not in given:
            return clip  # the problem with those is said already
        ref = ClipRef(video_key=given["video"], clip_id=clip, platform=given["platform"], label=given["look"])
        if context_of(info).clips(ref) is None:
            raise Unsuitable(f"a clip of {ref.video_key} that has been made for {ref.platform} in look {ref.label}")
        return clip

    @property
    def ref(self) -> ClipRef:
        return ClipRef(video_key=self.video, clip_id=self.clip, platform=self.platform, label=self.look)


_LISTED = TypeAdapter(Annotated[list[CreativeOrder], Field(min_length=1, max_length=MOST_CREATIVES)])


def _creatives(given: object, info: ValidationInfo) -> object:
    """A mapping is a wish for the best, a list names clips: a union would try both and complain of both."""
    if isinstance(given, dict | Best):
        return Best.model_validate(given, context=info.context)
    if not isinstance(given, list) or not given:
        raise Unsuitable(CREATIVES_EXPECTED)
    return _LISTED.validate_python(given, context=info.context)


Creatives = Annotated[list[CreativeOrder] | Best, PlainValidator(_creatives, json_schema_input_type=list[CreativeOrder] | Best)]


class Budget(Model):
    """All that the campaign may spend, or what it may spend a day, which is planned as that times its days: Meta's own daily budget is an
    average that it may exceed by three quarters on a day, a lifetime budget is not exceeded.
    """

    currency: str
    lifetime: Amount | None = None
    daily: Amount | None = None

    @field_validator("currency")
    @classmethod
    def _of_the_account(cls, currency: str, info: ValidationInfo) -> str:
        account = context_of(info).account
        if currency != account.currency:
            raise Unsuitable(f"{account.currency}, the currency of {account.account},")
        return currency

    @field_validator("lifetime", "daily")
    @classmethod
    def _is_money(cls, amount: str | None, info: ValidationInfo) -> str | None:
        currency = context_of(info).account.currency
        if amount is None:
            return None
        try:
            money = Money.of(amount, currency)
        except PermanentError:
            raise Unsuitable(f"an amount in {currency} such as {example(currency)}") from None
        if not money.minor:
            raise Unsuitable("more than nothing")
        return money.amount()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.lifetime is None) == (self.daily is None):
            raise Unsuitable("either lifetime or daily")
        return self

    def total(self, days: int) -> Money:
        """What it comes to over that many days."""
        return Money.of(self.lifetime, self.currency) if self.lifetime else Money.of(self.daily or "", self.currency) * days


class CampaignRequest(Model):
    """A campaign as a person wants it. Fields stand in the order in which their checks need each other."""

    title: Line | None = None
    objective: ObjectiveName
    goal: GoalName | None = None
    dates: Dates
    budget: Budget
    audience: Audience
    link: Annotated[Link | None, Field(validate_default=True)] = None
    button: Annotated[str | None, Field(json_schema_extra={"enum": [*BUTTONS]})] = None
    pixel: Annotated[Digits | None, Field(validate_default=True)] = None
    event: Annotated[str | None, Field(json_schema_extra={"enum": [*EVENTS]})] = None
    text: Text | None = None
    split: SplitName | None = None
    creatives: Annotated[Creatives, Field(json_schema_extra={"expected": CREATIVES_EXPECTED})]
    dry_run: bool = False

    @field_validator("goal")
    @classmethod
    def _fits_the_objective(cls, goal: GoalName | None, info: ValidationInfo) -> GoalName | None:
        objective = info.data.get("objective")
        if goal is not None and objective is not None and goal not in OBJECTIVES[objective].goals:
            raise Unsuitable(f"{_either(OBJECTIVES[objective].goals)} for {objective}")
        return goal

    @field_validator("budget")
    @classmethod
    def _below_the_cap(cls, budget: Budget, info: ValidationInfo) -> Budget:
        dates: Dates | None = info.data.get("dates")
        account = context_of(info).account
        cap = account.campaign_cap
        if cap is None:
            raise Unsuitable(f"no campaign as long as {account.tenant} has no `caps:` in ad_accounts.yaml,")
        total = budget.total(dates.days if dates else 1)
        if total > cap:
            over = "" if budget.lifetime else f" over {dates.days if dates else 1} days"
            limit = f"at most {cap.in_words()}{over}, the cap of a campaign of {account.tenant},"
            raise Unsuitable(limit, "lifetime" if budget.lifetime else "daily")
        return budget

    @field_validator("link")
    @classmethod
    def _leads_somewhere(cls, link: str | None, info: ValidationInfo) -> str | None:
        objective, goal = info.data.get("objective"), info.data.get("goal")
        if link is None and (objective in LINKED or (goal and GOALS[goal].needs_link)):
            raise Unsuitable(f"an address that {objective} leads to, beginning with https://,")
        return link

    @field_validator("button")
    @classmethod
    def _known_button(cls, button: str | None, info: ValidationInfo) -> str | None:
        if button is not None and button not in BUTTONS:
            raise Unsuitable(_either(BUTTONS))
        if button is not None and "link" in info.data and info.data["link"] is None:
            raise Unsuitable("a link beside it, or no button,")
        return button

    @field_validator("pixel")
    @classmethod
    def _counts_conversions(cls, pixel: str | None, info: ValidationInfo) -> str | None:
        objective = info.data.get("objective")
        goal = info.data.get("goal") or (OBJECTIVES[objective].goals[0] if objective else None)
        if pixel is None and goal and GOALS[goal].needs_pixel:
            raise Unsuitable("the digits of the pixel that counts conversions, or another goal,")
        return pixel

    @field_validator("event")
    @classmethod
    def _known_event(cls, event: str | None) -> str | None:
        if event is not None and event not in EVENTS:
            raise Unsuitable(_either(EVENTS))
        return event

    @field_validator("split")
    @classmethod
    def _can_be_split(cls, split: SplitName | None, info: ValidationInfo) -> SplitName | None:
        account = context_of(info).account
        if split is not None and not account.business:
            raise Unsuitable(f"no split as long as {account.tenant} has no `business:` in ad_accounts.yaml,")
        return split

    @field_validator("creatives")
    @classmethod
    def _fit_the_split(cls, creatives: list[CreativeOrder] | Best, info: ValidationInfo) -> list[CreativeOrder] | Best:
        split, context = info.data.get("split"), context_of(info)
        if isinstance(creatives, Best):
            _check_best(creatives, split, context)
        else:
            _check_listed(creatives, split, context)
        return creatives

    @field_serializer("creatives")
    def _plain(self, creatives: list[CreativeOrder] | Best) -> object:
        return creatives.model_dump() if isinstance(creatives, Best) else [order.model_dump() for order in creatives]

    @property
    def goal_in_force(self) -> GoalName:
        """What the ad sets are optimised for."""
        return self.goal or OBJECTIVES[self.objective].goals[0]

    def total(self) -> Money:
        """All that it may ever spend."""
        return self.budget.total(self.dates.days)


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _check_best(wish: Best, split: SplitName | None, context: CampaignContext) -> None:
    if split == "clip" and not 2 <= wish.best <= MOST_CELLS:
        raise Unsuitable(f"a number from 2 to {MOST_CELLS}, which is what a split compares", "best")
    if split == "look" and wish.best > ADS_IN_CELL:
        raise Unsuitable(f"at most {ADS_IN_CELL}, which is what a cell of a split holds", "best")
    there = len(context.best(wish, split == "look"))
    if there < wish.best:
        looks = " in both looks" if split == "look" else ""
        raise Unsuitable(
            f"at most {there}, because so many clips of {context.account.tenant} are there for {wish.platform}{looks},", "best"
        )


def _check_listed(orders: Sequence[CreativeOrder], split: SplitName | None, context: CampaignContext) -> None:
    seen: set[ClipRef] = set()
    for place, order in enumerate(orders):
        if order.ref in seen:
            raise Unsuitable("each clip once for a platform and a look", place)
        seen.add(order.ref)
        if split and order.platform != orders[0].platform:
            raise Unsuitable(f"{orders[0].platform} as above, because a split compares on one platform", place, "platform")
        other = order.ref.model_copy(update={"label": "b" if order.look == "a" else "a"})
        if split == "look" and context.clips(other) is None:
            raise Unsuitable("a clip in both looks, which is what this split compares", place, "clip")
    if split == "look" and len(orders) > ADS_IN_CELL:
        raise Unsuitable(f"a list of at most {ADS_IN_CELL} clips, which is what a cell of a split holds")
    if split == "clip" and not 2 <= len(orders) <= MOST_CELLS:
        raise Unsuitable(f"a list of 2 to {MOST_CELLS} clips, which is what a split compares")


class Activation(Model):
    """The second step: a person says which campaign may spend, and exactly how much."""

    campaign: str
    currency: str
    budget: Amount
    by: Line

    @field_validator("campaign")
    @classmethod
    def _of_the_tenant(cls, campaign: str, info: ValidationInfo) -> str:
        return _own_campaign(campaign, info)

    @field_validator("budget")
    @classmethod
    def _is_money(cls, amount: str, info: ValidationInfo) -> str:
        if "currency" not in info.data:
            return amount
        try:
            return Money.of(amount, info.data["currency"]).amount()
        except PermanentError:
            raise Unsuitable("the campaign's whole budget, such as 300.00 with `currency: EUR`,") from None

    def money(self) -> Money:
        """What the person allows it to spend."""
        return Money.of(self.budget, self.currency)


class Stop(Model):
    """Everything of a tenant, or one campaign of it, is paused and stays so; `resume` allows it again and turns nothing on."""

    reason: Line
    campaign: str | None = None
    resume: bool = False

    @field_validator("campaign")
    @classmethod
    def _of_the_tenant(cls, campaign: str | None, info: ValidationInfo) -> str | None:
        return campaign and _own_campaign(campaign, info)


def _own_campaign(campaign: str, info: ValidationInfo) -> str:
    tenant = (info.context or {})["tenant"]
    if not VIDEO_KEY_PATTERN.fullmatch(campaign) or tenant_of(campaign) != tenant:
        raise Unsuitable(f"the key of a campaign of {tenant}, as in {tenant}.spring.0123abcd,")
    return campaign


def read_campaign(data: bytes, context: CampaignContext) -> CampaignRequest:
    """The campaign in a file.

    Raises:
        PermanentError: it breaks the schema, a cap, the calendar, or names clips that are not there; the sentence has the first line that
            is wrong, what stands there and what was expected, the detail all of them.
    """
    return read_yaml(data, CampaignRequest, longest=LONGEST_REQUEST, what="campaign file", context={"campaign": context})


def read_activation(data: bytes, tenant: str) -> Activation:
    """The activation in a file of the tenant's inbox.

    Raises:
        PermanentError: as `read_campaign`.
    """
    return read_yaml(data, Activation, longest=LONGEST_REQUEST, what="activation file", context={"tenant": tenant})


def read_stop(data: bytes, tenant: str) -> Stop:
    """The stop, or the end of one, in a file of the tenant's inbox.

    Raises:
        PermanentError: as `read_campaign`.
    """
    return read_yaml(data, Stop, longest=LONGEST_REQUEST, what="stop file", context={"tenant": tenant})


def campaign_key_of(tenant: str, file_name: str, request: CampaignRequest) -> str:
    """The campaign's key, and so its partition: `<tenant>.<name of its file>.<8 hex of what it asks for>`.

    Comments and spaces do not count, nor does `dry_run`: what was shown is then made under the same key.
    """
    asked = request.model_dump(mode="json", exclude={"dry_run"})
    name = slug(file_name.removesuffix(".yaml").removesuffix(".campaign") + ".yaml")
    return checked_video_key(f"{checked_tenant(tenant)}.{name}.{recipe(campaign=asked)[:8]}")
