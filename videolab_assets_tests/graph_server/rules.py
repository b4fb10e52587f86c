"""What Meta refuses when campaigns, ad sets, creatives, ads and ad studies are written.

Subcodes that were read in reports of the live service stand in README.md; the words are our own.
"""

from datetime import datetime
from typing import Any

from .errors import Refusal, invalid, must_be_one_of, required, words
from .paging import fits
from .state import Account, Thing, World

GOALS = {
    "OUTCOME_AWARENESS": frozenset(["REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY", "TWO_SECOND_CONTINUOUS_VIDEO_VIEWS"]),
    "OUTCOME_TRAFFIC": frozenset(
        ["LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS", "CONVERSATIONS", "QUALITY_CALL", "VISIT_INSTAGRAM_PROFILE"]
    ),
    "OUTCOME_ENGAGEMENT": words(
        "THRUPLAY TWO_SECOND_CONTINUOUS_VIDEO_VIEWS POST_ENGAGEMENT PAGE_LIKES EVENT_RESPONSES LINK_CLICKS "
        "LANDING_PAGE_VIEWS REACH IMPRESSIONS CONVERSATIONS OFFSITE_CONVERSIONS QUALITY_CALL"
    ),
    "OUTCOME_LEADS": words(
        "LEAD_GENERATION QUALITY_LEAD OFFSITE_CONVERSIONS LINK_CLICKS LANDING_PAGE_VIEWS REACH IMPRESSIONS CONVERSATIONS QUALITY_CALL"
    ),
    "OUTCOME_SALES": frozenset(
        ["OFFSITE_CONVERSIONS", "VALUE", "LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS", "CONVERSATIONS"]
    ),
    "OUTCOME_APP_PROMOTION": frozenset(["APP_INSTALLS", "OFFSITE_CONVERSIONS", "LINK_CLICKS", "VALUE"]),
}
"""Objectives that live, and what their ad sets may be optimised for."""

CATEGORIES = frozenset(
    ["NONE", "EMPLOYMENT", "HOUSING", "CREDIT", "ISSUES_ELECTIONS_POLITICS", "ONLINE_GAMBLING_AND_GAMING", "FINANCIAL_PRODUCTS_SERVICES"]
)
BILLING = frozenset({"IMPRESSIONS", "LINK_CLICKS", "THRUPLAY", "APP_INSTALLS", "PAGE_LIKES", "POST_ENGAGEMENT"})
STRATEGIES = frozenset(["LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP", "LOWEST_COST_WITH_MIN_ROAS"])
BUTTONS = words(
    "LEARN_MORE SHOP_NOW SIGN_UP WATCH_MORE DOWNLOAD BOOK_TRAVEL CONTACT_US GET_QUOTE GET_OFFER SUBSCRIBE APPLY_NOW "
    "ORDER_NOW SEE_MENU BUY_NOW INSTALL_MOBILE_APP MESSAGE_PAGE WHATSAPP_MESSAGE CALL_NOW LISTEN_NOW PLAY_GAME "
    "OPEN_LINK NO_BUTTON LIKE_PAGE DONATE_NOW GET_TICKETS GET_DIRECTIONS GET_STARTED INSTAGRAM_MESSAGE "
    "VIEW_INSTAGRAM_PROFILE"
)
EU = words("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
STATUSES = frozenset({"ACTIVE", "PAUSED"})
LATER_STATUSES = STATUSES | {"ARCHIVED", "DELETED"}


def moment(account: Account, name: str, value: object) -> float:
    """POSIX time of a parameter: ISO 8601, in the account's zone unless it says otherwise, or seconds since 1970.

    Raises:
        Refusal: it is none.
    """
    text = str(value)
    if text.isdecimal():
        return float(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(100, f"(#100) Param {name} must be a valid datetime or timestamp - got {text!r}.") from error
    return (at if at.tzinfo else at.replace(tzinfo=account.zone)).timestamp()


def minor_units(name: str, value: object) -> int:
    """A budget in minor units: whole, as an integer.

    Raises:
        Refusal: it is none.
    """
    text = str(value)
    if not text.isdecimal() or len(text) > 15:
        raise Refusal(100, f"(#100) Param {name} must be an integer - got {text!r}.")
    return int(text)


def check_status(fields: dict[str, Any], allowed: frozenset[str]) -> None:
    if "status" in fields and fields["status"] not in allowed:
        raise must_be_one_of("status", fields["status"], allowed)


def check_name(fields: dict[str, Any]) -> None:
    if not str(fields.get("name", "")).strip():
        raise required("name")
    if len(str(fields["name"])) > 400:
        raise invalid("The name is too long: 400 characters at most.", title="Name too long")


def check_campaign(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Raises `Refusal` for a campaign that Meta would not make. `fields` is brought into the form that is kept."""
    check_name(fields)
    if "objective" not in fields:
        raise required("objective")
    if fields["objective"] not in GOALS:
        raise must_be_one_of("objective", fields["objective"], GOALS)
    categories = fields.get("special_ad_categories")
    if not isinstance(categories, list):
        raise required("special_ad_categories")
    for category in categories:
        if category not in CATEGORIES:
            raise must_be_one_of("special_ad_categories[0]", category, CATEGORIES)
    if fields.setdefault("buying_type", "AUCTION") not in ("AUCTION", "RESERVED"):
        raise must_be_one_of("buying_type", fields["buying_type"], ("AUCTION", "RESERVED"))
    if "bid_strategy" in fields and fields["bid_strategy"] not in STRATEGIES:
        raise must_be_one_of("bid_strategy", fields["bid_strategy"], STRATEGIES)
    for name in ("start_time", "stop_time"):
        if fields.get(name):
            fields[name.replace("time", "at")] = moment(account, name, fields[name])
    check_budget(account, fields)
    if not has_budget(fields) and not isinstance(fields.get("is_adset_budget_sharing_enabled"), bool):
        words = "Without a campaign budget, is_adset_budget_sharing_enabled has to be true or false."
        raise invalid(words, 4834011, "Must specify True or False in is_adset_budget_sharing_enabled field")


def has_budget(fields: dict[str, Any]) -> bool:
    return bool(int(fields.get("daily_budget") or 0) or int(fields.get("lifetime_budget") or 0))


def check_budget(account: Account, fields: dict[str, Any]) -> None:
    """One budget at most, in whole minor units, and not below the account's least for the days that it runs."""
    for name in ("daily_budget", "lifetime_budget", "spend_cap"):
        if name in fields:
            fields[name] = str(minor_units(name, fields[name]))
    daily, lifetime = int(fields.get("daily_budget") or 0), int(fields.get("lifetime_budget") or 0)
    if daily and lifetime:
        raise invalid("Give a daily budget or a lifetime budget, not both.", 1885621, "Only one budget can be set")
    start, end = fields.get("start_at"), fields.get("end_at", fields.get("stop_at"))
    days = max(1, -(-int(end - start) // 86_400)) if lifetime and start and end else 1
    given, least = daily or lifetime, account.min_daily_budget * days
    if given and given < least:
        raise invalid(f"Your budget is too low: at least {least} in minor units of {account.currency}.", 1885272, "Budget is too low")


def check_adset(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Raises `Refusal` for an ad set that Meta would not make."""
    check_name(fields)
    for name in ("campaign_id", "billing_event", "optimization_goal", "targeting"):
        if not fields.get(name):
            raise required(name)
    campaign = world.things.get(str(fields["campaign_id"]))
    if campaign is None or campaign.kind != "campaign" or campaign.account is not account:
        raise invalid("The campaign does not exist in this ad account.", 1885252, "Campaign not found")
    if not campaign.live:
        raise invalid("The campaign is archived or deleted.", 1487866, "Campaign cannot take ad sets")
    live = [adset for adset in world.of(account.id, "adset") if adset.status != "DELETED"]
    if len(live) >= world.limits.adsets_per_account:
        raise invalid("The ad account has as many ad sets as it may have.", 1487225, "Too many ad sets")
    if fields["billing_event"] not in BILLING:
        raise must_be_one_of("billing_event", fields["billing_event"], BILLING)
    goals = GOALS[campaign.fields["objective"]]
    if fields["optimization_goal"] not in frozenset().union(*GOALS.values()):
        raise must_be_one_of("optimization_goal", fields["optimization_goal"], frozenset().union(*GOALS.values()))
    if fields["optimization_goal"] not in goals:
        raise invalid(
            f"{fields['optimization_goal']} is not available for {campaign.fields['objective']}.",
            2490408,
            "Performance goal isn't available",
        )
    if fields.get("bid_strategy", "LOWEST_COST_WITHOUT_CAP") not in STRATEGIES:
        raise must_be_one_of("bid_strategy", fields["bid_strategy"], STRATEGIES)
    if fields.get("bid_strategy") in ("LOWEST_COST_WITH_BID_CAP", "COST_CAP") and "bid_amount" not in fields:
        raise invalid("This bid strategy needs a bid_amount.", 1815857, "Bid amount required")
    _check_times(world, account, fields)
    _check_levels(campaign, fields)
    check_budget(account, fields)
    _check_promoted(campaign, fields)
    check_targeting(account, fields)


def _check_times(world: World, account: Account, fields: dict[str, Any]) -> None:
    now = world.clock()
    fields["start_at"] = max(now, moment(account, "start_time", fields["start_time"])) if fields.get("start_time") else now
    if fields.get("end_time") and str(fields["end_time"]) != "0":
        fields["end_at"] = moment(account, "end_time", fields["end_time"])
        if fields["end_at"] <= fields["start_at"]:
            raise invalid("The end has to come after the start and after now.", 1487060, "End time is before start time")
    elif fields.get("lifetime_budget"):
        raise invalid("An ad set with a lifetime budget needs an end_time.", 1487094, "End time required")


def _check_levels(campaign: Thing, fields: dict[str, Any]) -> None:
    if has_budget(campaign.fields) and (fields.get("daily_budget") or fields.get("lifetime_budget")):
        raise invalid("The budget is on the campaign already: give it on one level only.", 1885621, "Cannot set an ad set budget")
    if not has_budget(campaign.fields) and not (fields.get("daily_budget") or fields.get("lifetime_budget")):
        raise invalid("Neither the campaign nor the ad set has a budget.", 1885737, "Budget required")


def _check_promoted(campaign: Thing, fields: dict[str, Any]) -> None:
    promoted = fields.get("promoted_object")
    if promoted is not None and not isinstance(promoted, dict):
        raise Refusal(100, "(#100) Param promoted_object must be an object.")
    needed = {
        "OFFSITE_CONVERSIONS": ("pixel_id", "custom_event_type"),
        "VALUE": ("pixel_id", "custom_event_type"),
        "PAGE_LIKES": ("page_id",),
        "LEAD_GENERATION": ("page_id",),
        "QUALITY_LEAD": ("page_id",),
        "APP_INSTALLS": ("application_id", "object_store_url"),
    }.get(fields["optimization_goal"], ())
    missing = [name for name in needed if not (promoted or {}).get(name)]
    if missing:
        words = f"{fields['optimization_goal']} needs promoted_object with {', '.join(missing)}."
        raise invalid(words, 1815430, "Promoted object required")


def check_targeting(account: Account, fields: dict[str, Any]) -> None:
    targeting = fields["targeting"]
    if not isinstance(targeting, dict):
        raise Refusal(100, "(#100) Param targeting must be an object.")
    places = targeting.get("geo_locations")
    custom = targeting.get("custom_audiences")
    if not custom and not (
        isinstance(places, dict) and any(places.get(name) for name in ("countries", "regions", "cities", "zips", "country_groups"))
    ):
        raise invalid("Say in which places, at least one country.", 1885364, "Location is missing")
    countries = (places or {}).get("countries") or []
    if any(not isinstance(one, str) or len(one) != 2 or not one.isupper() for one in countries):
        raise invalid("Countries are codes of two capital letters.", 1487079, "Invalid country")
    youngest, oldest = int(targeting.get("age_min", 18)), int(targeting.get("age_max", 65))
    if not 13 <= youngest <= oldest <= 65:
        raise invalid("Ages go from 13 to 65, the lower first.", 1885366, "Invalid age range")
    if any(one not in (1, 2) for one in targeting.get("genders", [])):
        raise invalid("Genders are 1 (men) and 2 (women).", 1487079, "Invalid gender")
    automation = targeting.get("targeting_automation")
    if not isinstance(automation, dict) or automation.get("advantage_audience") not in (0, 1):
        words = "Set targeting_automation.advantage_audience to 1 or 0."
        raise invalid(words, 1870227, "Advantage audience flag is required")
    if EU & set(countries):
        for name in ("dsa_beneficiary", "dsa_payor"):
            if not fields.get(name) and not account.advertiser:
                raise invalid(f"Ads in the European Union need {name}.", 3858079, "Beneficiary and payer are missing")
            fields.setdefault(name, account.advertiser)


def check_creative(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Raises `Refusal` for a creative that Meta would not make."""
    story = fields.get("object_story_spec")
    if not isinstance(story, dict):
        if "asset_feed_spec" in fields:
            return
        raise required("object_story_spec")
    if "instagram_actor_id" in story:
        raise invalid("instagram_actor_id has been replaced by instagram_user_id.", 1772103, "Invalid Instagram account")
    if not story.get("page_id") or (account.page and str(story["page_id"]) != account.page):
        raise invalid("The page does not exist, or this ad account may not use it.", 1487202, "Page cannot be used")
    speaker = story.get("instagram_user_id")
    if speaker is not None and account.instagram and str(speaker) != account.instagram:
        raise invalid("The Instagram account does not exist, or this ad account may not use it.", 1772103, "Invalid Instagram account")
    unknown = set(story) - {"page_id", "instagram_user_id", "video_data", "link_data", "photo_data", "text_data", "template_data"}
    if unknown:
        raise Refusal(100, f"(#100) Unknown key {sorted(unknown)[0]!r} in object_story_spec.")
    if "video_data" in story:
        _check_video_data(world, account, story["video_data"])
    elif not {"link_data", "photo_data", "template_data", "text_data"} & set(story):
        raise invalid("Say what is shown: video_data, link_data or photo_data.", 1487057, "Nothing to show")


def _check_video_data(world: World, account: Account, video_data: dict[str, Any]) -> None:
    known = [
        "video_id",
        "image_hash",
        "image_url",
        "message",
        "title",
        "call_to_action",
        "link_description",
        "page_welcome_message",
        "caption_ids",
    ]
    unknown = set(video_data) - set(known)
    if unknown:
        raise Refusal(100, f"(#100) Unknown key {sorted(unknown)[0]!r} in object_story_spec[video_data].")
    video = world.things.get(str(video_data.get("video_id", "")))
    if video is None or video.kind != "video" or video.account is not account or not video.live:
        raise invalid("The video does not exist in this ad account.", 1487194, "Video not found")
    if video.fields["video_status"] != "ready":
        raise invalid("The video is still being processed: wait until it is ready.", 1885252, "Video not ready for use in an ad")
    if not video_data.get("image_hash") and not video_data.get("image_url"):
        words = "Give image_hash or image_url in video_data: the video needs a thumbnail."
        raise invalid(words, 1443226, "Your video needs a thumbnail")
    if video_data.get("image_hash") and not any(
        image.fields["hash"] == video_data["image_hash"] and image.live for image in world.of(account.id, "image")
    ):
        raise invalid("The image does not exist in this ad account.", 1487411, "Image not found")
    action = video_data.get("call_to_action")
    if action is not None:
        if not isinstance(action, dict) or action.get("type") not in BUTTONS:
            raise must_be_one_of("call_to_action[type]", (action or {}).get("type"), BUTTONS)
        link = (action.get("value") or {}).get("link", "")
        if action["type"] in ("LEARN_MORE", "SHOP_NOW", "SIGN_UP") and not str(link).startswith(("https://", "http://")):
            raise invalid("This button needs a link.", 1815520, "Link is missing")


def check_ad(world: World, account: Account, fields: dict[str, Any]) -> None:
    """Raises `Refusal` for an ad that Meta would not make."""
    check_name(fields)
    for name in ("adset_id", "creative"):
        if not fields.get(name):
            raise required(name)
    adset = world.things.get(str(fields["adset_id"]))
    if adset is None or adset.kind != "adset" or adset.account is not account:
        raise invalid("The ad set does not exist in this ad account.", 1487078, "Ad set not found")
    if not adset.live:
        raise invalid("The ad set is archived or deleted.", 1487866, "Ad set cannot take ads")
    reference = fields["creative"]
    creative = world.things.get(str(reference.get("creative_id", reference.get("id", ""))) if isinstance(reference, dict) else "")
    if creative is None or creative.kind != "creative" or creative.account is not account or not creative.live:
        raise invalid("The creative does not exist in this ad account.", 1487390, "Creative not found")
    if sum(ad.live for ad in world.of(adset.id, "ad")) >= world.limits.ads_per_adset:
        raise invalid(f"An ad set has at most {world.limits.ads_per_adset} ads that are not archived.", 1487225, "Too many ads")
    fields["creative"] = {"id": creative.id, "creative_id": creative.id}


def check_study(world: World, business: str, fields: dict[str, Any]) -> None:
    """Raises `Refusal` for an ad study that Meta would not make."""
    check_name(fields)
    account = next(account for account in world.accounts.values() if account.business == business)
    for name in ("type", "start_time", "end_time", "cells"):
        if not fields.get(name):
            raise required(name)
    if fields["type"] not in ("SPLIT_TEST", "LIFT", "CONTINUOUS_LIFT_CONFIG", "GEO_LIFT"):
        raise must_be_one_of("type", fields["type"], ("SPLIT_TEST", "LIFT", "CONTINUOUS_LIFT_CONFIG", "GEO_LIFT"))
    fields["start_at"], fields["end_at"] = (moment(account, name, fields[name]) for name in ("start_time", "end_time"))
    if fields["end_at"] <= max(fields["start_at"], world.clock()):
        raise invalid("A study has to end after its start and after now.", 1713086, "Invalid study times")
    cells = fields["cells"]
    if not isinstance(cells, list) or not 2 <= len(cells) <= 150 or not all(isinstance(cell, dict) for cell in cells):
        raise invalid("A split test has at least two cells.", 1713085, "Invalid cells")
    if sum(int(cell.get("treatment_percentage") or 0) for cell in cells) != 100:
        raise invalid("The treatment percentages have to sum to 100.", 1713084, "Invalid cells")
    inside = [str(adset_id) for cell in cells for adset_id in cell.get("adsets") or cell.get("campaigns") or []]
    if not all(cell.get("name") and (cell.get("adsets") or cell.get("campaigns")) for cell in cells) or len(set(inside)) != len(inside):
        raise invalid("Each cell has a name and ad sets of its own.", 1713085, "Invalid cells")
    for thing_id in inside:
        thing = world.things.get(thing_id)
        if thing is None or thing.kind not in ("adset", "campaign") or thing.account.business != business or not thing.live:
            raise invalid("A cell names an ad set that does not exist in this business.", 1713087, "Invalid cells")


def name_fits(thing: Thing, text: str) -> bool:
    """Whether a list asked for this title or name shows the thing."""
    return fits(thing.fields.get("title", thing.fields.get("name", "")), "CONTAIN", text)
