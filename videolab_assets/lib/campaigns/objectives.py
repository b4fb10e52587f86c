"""What a campaign may be for, in our words and in Meta's: objectives, goals of ad sets, buttons, events and placements.

The SDK's own lists still hold what Meta has taken away (VIDEO_VIEWS, LINK_CLICKS as objectives), so these are separate: as of November
2026, those that a video ad can have.
"""

from dataclasses import dataclass, field
from typing import Literal

from videolab_assets.lib.recipe import JsonValue

ObjectiveName = Literal["awareness", "traffic", "engagement", "leads", "sales"]
GoalName = Literal["reach", "impressions", "thruplay", "post_engagement", "link_clicks", "landing_page_views", "conversions"]
SplitName = Literal["clip", "look"]


@dataclass(frozen=True)
class Objective:
    """An objective.

    Attributes:
        meta: as Meta spells it.
        goals: what its ad sets may be optimised for, the usual one first.
        event: what counts as a conversion unless the person says otherwise.
    """

    meta: str
    goals: tuple[GoalName, ...]
    event: str = ""


@dataclass(frozen=True)
class Goal:
    """What an ad set is optimised for.

    Attributes:
        meta: as Meta spells it.
        needs_link: whether there has to be somewhere to go.
        needs_pixel: whether somebody has to count what happens there.
        more: what else Meta wants to be told of the ad set.
    """

    meta: str
    needs_link: bool = False
    needs_pixel: bool = False
    more: dict[str, JsonValue] = field(default_factory=dict)


OBJECTIVES: dict[ObjectiveName, Objective] = {
    "awareness": Objective("OUTCOME_AWARENESS", ("reach", "impressions", "thruplay")),
    "traffic": Objective("OUTCOME_TRAFFIC", ("link_clicks", "landing_page_views", "reach", "impressions")),
    "engagement": Objective("OUTCOME_ENGAGEMENT", ("thruplay", "post_engagement", "reach", "impressions")),
    "leads": Objective("OUTCOME_LEADS", ("conversions", "landing_page_views", "link_clicks"), "LEAD"),
    "sales": Objective("OUTCOME_SALES", ("conversions", "landing_page_views", "link_clicks"), "PURCHASE"),
}

GOALS: dict[GoalName, Goal] = {
    "reach": Goal("REACH"),
    "impressions": Goal("IMPRESSIONS"),
    "thruplay": Goal("THRUPLAY", more={"destination_type": "ON_VIDEO"}),
    "post_engagement": Goal("POST_ENGAGEMENT", more={"destination_type": "ON_POST"}),
    "link_clicks": Goal("LINK_CLICKS", needs_link=True),
    "landing_page_views": Goal("LANDING_PAGE_VIEWS", needs_link=True),
    "conversions": Goal("OFFSITE_CONVERSIONS", needs_link=True, needs_pixel=True),
}

LINKED = ("traffic", "leads", "sales")
"""Objectives whose ads have to lead somewhere, whatever they are optimised for."""

EVENTS = (
    "ADD_PAYMENT_INFO",
    "ADD_TO_CART",
    "ADD_TO_WISHLIST",
    "COMPLETE_REGISTRATION",
    "CONTACT",
    "CONTENT_VIEW",
    "INITIATED_CHECKOUT",
    "LEAD",
    "PURCHASE",
    "SCHEDULE",
    "SEARCH",
    "START_TRIAL",
    "SUBSCRIBE",
)
BUTTONS = (
    "APPLY_NOW",
    "BOOK_TRAVEL",
    "CONTACT_US",
    "DOWNLOAD",
    "GET_OFFER",
    "GET_QUOTE",
    "LEARN_MORE",
    "ORDER_NOW",
    "SHOP_NOW",
    "SIGN_UP",
    "SUBSCRIBE",
    "WATCH_MORE",
)

PLACEMENTS: dict[str, dict[str, JsonValue]] = {
    "instagram_reel": {"publisher_platforms": ["instagram"], "instagram_positions": ["reels"]},
    "facebook_feed_video": {"publisher_platforms": ["facebook"], "facebook_positions": ["feed"]},
}
"""Where the variants of each platform are shown: those that Meta has, and there alone, because that is what they were made for."""

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
"""Countries whose ads have to name whom they are for and who pays (Digital Services Act, article 26)."""
