"""What is to be made at Meta for a campaign, to the last parameter, before anything is.

The same plan gives the same names, and each name ends with a tag of its own, so that an object of which nobody knows whether it was made
can be looked for. A parameter that is the id of another object is written as `{"made": <role>}` until that exists.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from videolab_assets.lib.campaigns.objectives import GOALS, OBJECTIVES, PLACEMENTS, SplitName
from videolab_assets.lib.campaigns.request import Best, CampaignContext, CampaignRequest, ClipRef, ClipSource
from videolab_assets.lib.documents import Label, Model, StoredFile
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import checked_video_key, tenant_of
from videolab_assets.lib.money import Money
from videolab_assets.lib.recipe import JsonValue, recipe

CAMPAIGNS = "campaigns"
MARK = "#vl:"
TAG_DIGITS = 12
ADS_IN_AD_SET = 50
"""Meta's limit of ads in an ad set that are not archived."""

LONGEST_TITLE = 100

Kind = Literal["campaign", "adset", "video", "image", "creative", "ad", "study"]
KINDS: tuple[Kind, ...] = ("campaign", "adset", "video", "image", "creative", "ad", "study")
"""In the order in which they are made."""

Params = dict[str, Any]
"""Plain JSON; `JsonValue` names itself, which pydantic cannot follow."""


class PlannedObject(Model):
    """One object at Meta.

    Attributes:
        role: its place in the plan, such as `campaign`, `adset:1` or `ad:3`.
        name: as it is called at Meta, the tag at the end; the file's name of an image.
        tag: 12 hex digits that no other object has.
        params: all that is sent, but for files.
        parents: roles of the objects whose ids are among the parameters.
        spec: hash of all that decides it.
        file: what is uploaded, of videos and images.
        clip: what is advertised, of ads.
        cell: of a split, what its ads or ad set are part of.
    """

    role: str
    kind: Kind
    name: str
    tag: str
    params: Params
    parents: list[str] = Field(default_factory=list)
    spec: str
    file: StoredFile | None = None
    clip: ClipRef | None = None
    cell: str | None = None


class CampaignPlan(Model):
    """A whole campaign, its objects in the order in which they are made.

    Attributes:
        account_id: `act_…`.
        business: of the split's study; None without a split.
        budget_minor: all that it may ever spend, in minor units; the ad sets' lifetime budgets sum to it.
        start, end: aware moments.
    """

    campaign_key: str
    account_id: str
    business: str | None
    title: str
    objective: str
    currency: str
    time_zone: str
    budget_minor: int
    start: datetime
    end: datetime
    split: SplitName | None
    objects: list[PlannedObject]

    @property
    def tenant(self) -> str:
        return tenant_of(self.campaign_key)

    @property
    def budget(self) -> Money:
        return Money(self.budget_minor, self.currency)

    @property
    def digest(self) -> str:
        """64 hex digits of all that it says."""
        return recipe(plan=self.model_dump(mode="json"))

    def of_kind(self, *kinds: Kind) -> list[PlannedObject]:
        """Its objects of these kinds, in order."""
        return [planned for planned in self.objects if planned.kind in kinds]

    def object(self, role: str) -> PlannedObject:
        """The object in that role; there is one, or the plan is none of ours (KeyError)."""
        return {planned.role: planned for planned in self.objects}[role]


def filled(params: Mapping[str, JsonValue], ids: Mapping[str, str]) -> Params:
    """The parameters with the ids of the objects that they name by role."""
    return {name: _filled(value, ids) for name, value in params.items()}


def _filled(value: JsonValue, ids: Mapping[str, str]) -> JsonValue:
    if isinstance(value, dict):
        return ids[str(value["made"])] if value.keys() == {"made"} else filled(value, ids)
    return [_filled(one, ids) for one in value] if isinstance(value, list) else value


def plan_campaign(campaign_key: str, request: CampaignRequest, context: CampaignContext, title: str = "") -> CampaignPlan:
    """The plan of a request that was read in the same context. Which clips are the best is decided here, once.

    Args:
        campaign_key: see `campaign_key_of`.
        title: for a request without one; the middle of its key otherwise.

    Raises:
        PermanentError: a clip is gone that was there when the request was read.
    """
    chosen = _chosen(request, context)
    account, total = context.account, request.total()
    plan = CampaignPlan(
        campaign_key=checked_video_key(campaign_key),
        account_id=account.account,
        business=account.business if request.split else None,
        title=(request.title or title or campaign_key.split(".")[1])[:LONGEST_TITLE],
        objective=OBJECTIVES[request.objective].meta,
        currency=total.currency,
        time_zone=account.time_zone,
        budget_minor=total.minor,
        start=request.dates.start,
        end=request.dates.end,
        split=request.split,
        objects=[],
    )
    return plan.model_copy(update={"objects": _Tree(plan, request, context).grown(chosen)})


class _Ad(Model):
    source: ClipSource
    text: str
    cell: str | None


def _chosen(request: CampaignRequest, context: CampaignContext) -> list[_Ad]:
    """Each ad's clip, text and cell; of a split by looks both looks of each clip."""
    if isinstance(request.creatives, Best):
        wanted: list[tuple[ClipRef, str | None]] = [
            (source.ref, None) for source in context.best(request.creatives, request.split == "look")
        ]
    else:
        wanted = [(order.ref, order.text) for order in request.creatives]
    if request.split == "look":
        labels: tuple[Label, ...] = ("a", "b")
        wanted = [(ref.model_copy(update={"label": label}), text) for label in labels for ref, text in wanted]
    ads: dict[ClipRef, _Ad] = {}
    for ref, text in wanted:
        source = context.clips(ref)
        if source is None:
            raise PermanentError(f"{ref.name} is not there any more: make it again, or take it out of the campaign.")
        cell = {"clip": ref.name, "look": ref.label, None: None}[request.split]
        said = text or request.text or source.text or source.title
        ads.setdefault(ref, _Ad(source=source, text=said, cell=cell))
    return list(ads.values())


class _Tree:
    """The objects of one plan."""

    def __init__(self, plan: CampaignPlan, request: CampaignRequest, context: CampaignContext) -> None:
        self.plan = plan
        self.request = request
        self.account = context.account
        self.objects: list[PlannedObject] = []

    def grown(self, ads: Sequence[_Ad]) -> list[PlannedObject]:
        self._add("campaign", "campaign", "", self._campaign())
        groups = _groups(ads)
        for place, (group, part) in enumerate(zip(groups, self.plan.budget.split(len(groups)), strict=True), 1):
            platform, cell = group[0].source.ref.platform, group[0].cell
            words = f"{platform} {place}" if len(groups) > 1 else platform
            self._add(f"adset:{place}", "adset", words, self._ad_set(platform, part), ["campaign"], cell=cell)
        videos = self._files(ads, "video")
        images = self._files(ads, "image")
        for place, ad in enumerate(ads, 1):
            parents = [videos[ad.source.video.sha256], images[ad.source.cover.sha256]]
            self._add(f"creative:{place}", "creative", _words(ad.source.ref), self._creative(ad, *parents), parents, clip=ad.source.ref)
        number = 0
        for place, group in enumerate(groups, 1):
            for ad in group:
                number += 1
                parents = [f"adset:{place}", f"creative:{ads.index(ad) + 1}"]
                params: Params = {"adset_id": _made(parents[0]), "creative": {"creative_id": _made(parents[1])}, "status": "PAUSED"}
                self._add(f"ad:{number}", "ad", _words(ad.source.ref), params, parents, clip=ad.source.ref, cell=ad.cell)
        if self.plan.split:
            parents = [f"adset:{place}" for place in range(1, len(groups) + 1)]
            self._add("study", "study", f"split by {self.plan.split}", self._study(groups, parents), parents)
        return self.objects

    def _add(
        self,
        role: str,
        kind: Kind,
        words: str,
        params: Params,
        parents: Sequence[str] = (),
        file: StoredFile | None = None,
        clip: ClipRef | None = None,
        cell: str | None = None,
    ) -> None:
        content = file.sha256 if file else ""
        spec = recipe(account=self.plan.account_id, campaign=self.plan.campaign_key, role=role, params=params, file=content)
        tag = spec[:TAG_DIGITS]
        name = f"{self.plan.title}{f' · {words}' if words else ''} {MARK}{tag}"
        named: Params = {"title": name} if kind == "video" else {} if kind == "image" else {"name": name}
        self.objects.append(
            PlannedObject(
                role=role,
                kind=kind,
                name=f"vl-{tag}.jpg" if kind == "image" else name,
                tag=tag,
                params=named | params,
                parents=list(parents),
                spec=spec,
                file=file,
                clip=clip,
                cell=cell,
            )
        )

    def _campaign(self) -> Params:
        return {
            "objective": self.plan.objective,
            "status": "PAUSED",
            "buying_type": "AUCTION",
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": False,
        }

    def _ad_set(self, platform: str, budget: Money) -> Params:
        goal, audience = GOALS[self.request.goal_in_force], self.request.audience
        conversions: Params = {"pixel_id": self.request.pixel, "custom_event_type": self._event()}
        advertiser: Params = {"dsa_beneficiary": self.account.dsa_beneficiary, "dsa_payor": self.account.dsa_payor}
        return {
            "campaign_id": _made("campaign"),
            "lifetime_budget": budget.minor,
            "start_time": _stamp(self.plan.start, self.account.zone),
            "end_time": _stamp(self.plan.end, self.account.zone),
            "billing_event": "IMPRESSIONS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "optimization_goal": goal.meta,
            **(goal.more if self.plan.objective == "OUTCOME_ENGAGEMENT" else {}),
            **({"promoted_object": conversions} if goal.needs_pixel else {}),
            **({name: who for name, who in advertiser.items() if who}),
            "targeting": {**audience.targeting(), **PLACEMENTS[platform]},
            "status": "PAUSED",
        }

    def _event(self) -> str:
        return self.request.event or OBJECTIVES[self.request.objective].event

    def _files(self, ads: Sequence[_Ad], kind: Literal["video", "image"]) -> dict[str, str]:
        """Adds each file once, whatever the number of ads that show it; the role of each by its SHA-256."""
        roles: dict[str, str] = {}
        for ad in ads:
            file = ad.source.video if kind == "video" else ad.source.cover
            if file.sha256 not in roles:
                roles[file.sha256] = f"{kind}:{len(roles) + 1}"
                self._add(roles[file.sha256], kind, _words(ad.source.ref), {}, file=file)
        return roles

    def _creative(self, ad: _Ad, video: str, image: str) -> Params:
        button: Params = {"type": self.request.button or "LEARN_MORE", "value": {"link": self.request.link}}
        shown: Params = {
            "video_id": _made(video),
            "image_hash": _made(image),
            "message": ad.text,
            "title": ad.source.title,
            **({"call_to_action": button} if self.request.link else {}),
        }
        speaker: Params = {
            "page_id": self.account.page,
            **({"instagram_user_id": self.account.instagram} if self.account.instagram else {}),
        }
        return {"object_story_spec": {**speaker, "video_data": shown}}

    def _study(self, groups: Sequence[Sequence[_Ad]], ad_sets: Sequence[str]) -> Params:
        each, left = divmod(100, len(groups))  # Meta wants whole percents, a hundred of them
        cells: list[JsonValue] = []
        for place, (group, role) in enumerate(zip(groups, ad_sets, strict=True)):
            cells.append({"name": group[0].cell, "treatment_percentage": each + (place < left), "adsets": [_made(role)]})
        return {
            "type": "SPLIT_TEST",
            "start_time": int(self.plan.start.timestamp()),
            "end_time": int(self.plan.end.timestamp()),
            "cells": cells,
        }


def _groups(ads: Sequence[_Ad]) -> list[list[_Ad]]:
    """The ads of each ad set: those of a cell, else those of a platform, no more than an ad set takes."""
    together: dict[str, list[_Ad]] = {}
    for ad in ads:
        together.setdefault(ad.cell or ad.source.ref.platform, []).append(ad)
    return [group[begin : begin + ADS_IN_AD_SET] for group in together.values() for begin in range(0, len(group), ADS_IN_AD_SET)]


def _made(role: str) -> JsonValue:
    return {"made": role}


def _words(ref: ClipRef) -> str:
    """A clip in a name at Meta."""
    slug = ref.video_key.split(".")[1]
    return f"{slug} {ref.clip_id}{'' if ref.label == 'a' else '.b'} {ref.platform}"


def _stamp(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z")
