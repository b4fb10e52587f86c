"""Campaigns, ad sets, creatives, ads and ad studies: made, read, listed, changed and deleted."""

from collections.abc import Callable
from typing import Any

from . import rules
from .errors import Refusal, invalid, must_be_one_of, no_such_field, no_such_object, unknown_parameter
from .fields import ANYWHERE, FILTERABLE, FIXED, LISTING, NODES, PREFIXES, READABLE, WRITABLE, split_fields
from .paging import filters, fits, limit_of, page
from .request import Answer, Call
from .state import Account, Thing, World, note_spending

CHECKS: dict[str, Callable[[World, Account, dict[str, Any]], None]] = {
    "campaign": rules.check_campaign,
    "adset": rules.check_adset,
    "creative": rules.check_creative,
    "ad": rules.check_ad,
}
DEFAULT_FIELDS = {"image": "id,hash", "account": "id,account_id", "report": "id,account_id,async_status,async_percent_completion"}


def given(call: Call, kind: str) -> dict[str, Any]:
    """The parameters that write to an object.

    Raises:
        Refusal: one that its kind does not have.
    """
    for name in call.params:
        if name not in WRITABLE[kind] and name not in ANYWHERE:
            raise unknown_parameter(name, NODES[kind])
    return {name: value for name, value in call.params.items() if name in WRITABLE[kind]}


def validate_only(call: Call) -> bool:
    options = call.params.get("execution_options", [])
    if not isinstance(options, list) or not set(options) <= {"validate_only", "synchronous_ad_review", "include_recommendations"}:
        raise must_be_one_of("execution_options", options, ("validate_only", "include_recommendations", "synchronous_ad_review"))
    return "validate_only" in options


def create(world: World, account: Account, kind: str, call: Call) -> Answer:
    """Makes an object of `CHECKS`, or only says whether it could be made."""
    fields = given(call, kind)
    rules.check_status(fields, rules.STATUSES)
    CHECKS[kind](world, account, fields)
    if validate_only(call):
        return Answer({"success": True})
    owners = [account.id]
    if kind == "adset":
        fields["campaign_id"] = str(fields["campaign_id"])
        owners.append(fields["campaign_id"])
    if kind == "ad":
        adset = world.things[str(fields["adset_id"])]
        fields |= {"adset_id": adset.id, "campaign_id": adset.fields["campaign_id"]}
        owners += [adset.id, adset.fields["campaign_id"]]
    if kind != "creative":
        fields.setdefault("status", "ACTIVE")
    thing = world.add(kind, account, fields, owners, settle=settle_of(world, call))
    bend(world, call, thing)
    spent(world, thing)
    return Answer({"id": thing.id})


def settle_of(world: World, call: Call) -> float:
    """Seconds until what this call makes is listable."""
    late = call.trick("late_listing")
    return float(late.get("seconds", 1.0)) if late is not None else world.settle


def bend(world: World, call: Call, thing: Thing) -> None:
    """What faults do to a new object."""
    issues = call.trick("with_issues")
    if issues is not None:
        words = issues["words"]
        issue = {"level": thing.kind.upper(), "error_code": 1815869, "error_summary": "Ad has issues", "error_message": words}
        thing.issues.append({**issue, "error_type": "HARD_ERROR"})
    process = call.trick("in_process")
    if process is not None:
        thing.in_process_until = world.clock() + float(process.get("seconds", 1.0))


def create_study(world: World, business: str, call: Call) -> Answer:
    """Makes an ad study of a business."""
    fields = given(call, "ad_study")
    rules.check_study(world, business, fields)
    if validate_only(call):
        return Answer({"success": True})
    account = next(account for account in world.accounts.values() if account.business == business)
    fields["cells"] = [{**cell, "id": str(130_000_000_000_000_000 + world.number())} for cell in fields["cells"]]
    thing = world.add("ad_study", account, fields, [business, account.id], settle=settle_of(world, call))
    return Answer({"id": thing.id})


def spent(world: World, thing: Thing) -> None:
    """Notes what could be spent after a change."""
    campaign_id = thing.id if thing.kind == "campaign" else thing.fields.get("campaign_id")
    if campaign_id in world.things:
        note_spending(world, world.things[campaign_id])


def update(world: World, thing: Thing, call: Call) -> Answer:
    """Changes what an object allows to be changed."""
    if thing.kind not in WRITABLE or thing.kind in ("video", "image"):
        raise no_such_object(call.method, thing.id)
    fields = given(call, thing.kind)
    if thing.status == "DELETED":
        raise invalid("A deleted object can only be read.", 1487056, "Object is deleted")
    if thing.status == "ARCHIVED" and set(fields) - {"status", "name"}:
        raise invalid("An archived object can only be renamed or deleted.", 1487056, "Object is archived")
    if thing.status == "ARCHIVED" and fields.get("status") in ("ACTIVE", "PAUSED"):
        raise invalid("An archived object cannot be brought back.", 1487056, "Object is archived")
    rules.check_status(fields, rules.LATER_STATUSES)
    fixed = FIXED.get(thing.kind, frozenset()) & set(fields)
    if fixed:
        raise invalid(f"{sorted(fixed)[0]} cannot be changed after creation.", 1487056, "Cannot be changed")
    _check_change(world, thing, fields)
    if validate_only(call):
        return Answer({"success": True})
    thing.fields |= fields
    thing.fields["updated_at"] = world.clock()
    spent(world, thing)
    return Answer({"success": True})


def _check_change(world: World, thing: Thing, fields: dict[str, Any]) -> None:
    if "name" in fields:
        rules.check_name(fields)
    for name in ("start_time", "end_time", "stop_time"):
        if fields.get(name):
            fields[name.replace("time", "at")] = rules.moment(thing.account, name, fields[name])
    merged = thing.fields | fields
    if merged.get("end_at") and merged.get("start_at") and merged["end_at"] <= merged["start_at"]:
        raise invalid("The end has to come after the start.", 1487060, "End time is before start time")
    if {"daily_budget", "lifetime_budget", "spend_cap"} & set(fields):
        rules.check_budget(thing.account, merged)
        campaign = world.things.get(thing.fields.get("campaign_id", ""))
        if thing.kind == "adset" and campaign is not None and rules.has_budget(campaign.fields):
            raise invalid("The budget is on the campaign: give it on one level only.", 1885621, "Cannot set an ad set budget")
        fields |= {name: merged[name] for name in ("daily_budget", "lifetime_budget", "spend_cap") if name in merged}
    if "targeting" in fields:
        rules.check_targeting(thing.account, merged)
    if thing.kind == "ad" and "creative" in fields:
        rules.check_ad(world, thing.account, merged)
        fields["creative"] = merged["creative"]


def delete(world: World, thing: Thing, call: Call) -> Answer:
    """Deletes an object, and with it what it holds."""
    thing.fields["status"] = "DELETED"
    for kind in ("adset", "ad"):
        for child in world.of(thing.id, kind):
            child.fields["status"] = "DELETED"
    return Answer({"success": True})


def effective_status(world: World, thing: Thing) -> str:
    """What Meta calls `effective_status`: its own status, dimmed by its parents', by review and by issues."""
    if thing.status != "ACTIVE" and thing.status != "PAUSED":
        return thing.status
    if thing.in_process_until > world.clock():
        return "IN_PROCESS"
    if thing.issues:
        return "WITH_ISSUES"
    if thing.status == "PAUSED":
        return "PAUSED"
    for parent, dimmed in (("adset_id", "ADSET_PAUSED"), ("campaign_id", "CAMPAIGN_PAUSED")):
        above = world.things.get(thing.fields.get(parent, ""))
        if above is not None and above.status in ("DELETED", "ARCHIVED"):
            return above.status
        if above is not None and above.status == "PAUSED":
            return dimmed
    return "ACTIVE"


def show(world: World, thing: Thing, asked: Any) -> dict[str, Any]:
    """An object with the fields that were asked for, and always its id.

    Raises:
        Refusal: a field that its kind does not have.
    """
    wanted = split_fields(asked or DEFAULT_FIELDS.get(thing.kind, "id"))
    shown: dict[str, Any] = {}
    for name, inner in wanted:
        if name not in READABLE[thing.kind]:
            raise no_such_field(name, NODES[thing.kind])
        value = _value(world, thing, name, inner)
        if value is not None:
            shown[name] = value
    return shown | {"id": thing.id}


def _value(world: World, thing: Thing, name: str, inner: str) -> Any:
    fields, account = thing.fields, thing.account
    computed: dict[str, Callable[[], Any]] = {
        "id": lambda: thing.id,
        "account_id": lambda: account.number,
        "effective_status": lambda: effective_status(world, thing),
        "configured_status": lambda: thing.status,
        "status": lambda: {"video_status": fields["video_status"]} if thing.kind == "video" else thing.status,
        "issues_info": lambda: thing.issues or None,
        "created_time": lambda: world.stamp(account, thing.created),
        "updated_time": lambda: world.stamp(account, fields.get("updated_at", thing.created)),
        "budget_remaining": lambda: str(fields.get("lifetime_budget") or fields.get("daily_budget") or 0),
        "business": lambda: {"id": account.business},
    }
    if name in computed:
        return computed[name]()
    if name in ("start_time", "end_time", "stop_time"):
        at = fields.get(name.replace("time", "at"))
        return world.stamp(account, at) if at else None
    if name in ("daily_budget", "lifetime_budget"):
        return str(fields[name]) if fields.get(name) else ("0" if thing.kind == "adset" else None)
    if name == "targeting":
        return _targeting(fields)
    if name in ("campaign", "adset", "creative"):
        reference = fields["creative"]["id"] if name == "creative" else fields.get(f"{name}_id")
        return show(world, world.things[reference], inner) if reference in world.things else None
    story = fields.get("object_story_spec") or {}
    if thing.kind == "creative" and name in ("video_id", "image_hash", "image_url", "title", "body"):
        return story.get("video_data", {}).get("message" if name == "body" else name)
    return fields.get(name)


def _targeting(fields: dict[str, Any]) -> dict[str, Any]:
    """As Meta gives it back: with the defaults that it filled in."""
    targeting = dict(fields["targeting"])
    targeting.setdefault("age_min", 18)
    targeting.setdefault("age_max", 65)
    if "geo_locations" in targeting:
        targeting["geo_locations"] = {"location_types": ["home", "recent"], **targeting["geo_locations"]}
    return targeting


def listing(world: World, owner: str, kind: str, call: Call) -> Answer:
    """A page of what was made under an owner, newest first.

    Archived and deleted objects are shown only where a status was asked for by name, as at Meta.
    """
    for name in call.params:
        if name not in ANYWHERE and name not in LISTING:
            raise unknown_parameter(name, NODES[kind])
    if call.tricks.get("summary_refused") is not None and "summary" in call.params:
        call.trick("summary_refused")
        raise Refusal(100, "(#100) Invalid summary param: summary is not supported here", transient=False)
    prefix = PREFIXES.get(kind, "")
    conditions = filters(call, FILTERABLE | {f"{one}{name}" for one in PREFIXES.values() for name in FILTERABLE})
    statuses = call.params.get("effective_status")
    if statuses is not None and not isinstance(statuses, list):
        raise Refusal(100, "(#100) Param effective_status must be an array.")
    if statuses is not None:
        conditions.append(("effective_status", "IN", statuses))
    by_status = any(name.removeprefix(prefix) in ("effective_status", "status") for name, _, _ in conditions)
    clock = world.clock()
    found = [
        thing
        for thing in reversed(world.of(owner, kind))
        if thing.listable_at <= clock
        and (by_status or thing.live)
        and _is_asked(thing, call)
        and all(fits(_filtered(world, thing, name, prefix), operator, value) for name, operator, value in conditions)
    ]
    asked = call.params.get("fields")
    for name, _ in split_fields(asked or ""):
        if name not in READABLE[kind]:
            raise no_such_field(name, NODES[kind])
    return page(call, found, lambda thing: show(world, thing, asked), limit_of(call, world.limits), order=lambda thing: thing.order)


def _is_asked(thing: Thing, call: Call) -> bool:
    """The parameters that only some lists have: title of videos, name and hashes of images, ids."""
    params = call.params
    if thing.kind == "video" and params.get("title"):
        return rules.name_fits(thing, params["title"])
    if thing.kind == "image" and params.get("hashes"):
        return thing.fields["hash"] in params["hashes"]
    if thing.kind in ("image", "ad_study") and params.get("name"):
        return rules.name_fits(thing, params["name"])
    return True


def _filtered(world: World, thing: Thing, name: str, prefix: str) -> Any:
    """The value that a condition looks at: its own, or a parent's with that prefix."""
    looked_at: Thing | None = thing
    for kind, parent in PREFIXES.items():
        if name.startswith(parent):
            name = name.removeprefix(parent)
            looked_at = thing if parent == prefix else world.things.get(thing.fields.get(f"{kind}_id", ""))
    if looked_at is None:
        return None
    if name == "effective_status":
        return effective_status(world, looked_at)
    if name == "created_time":
        return int(looked_at.created)
    if name == "updated_time":
        return int(looked_at.fields.get("updated_at", looked_at.created))
    return looked_at.id if name == "id" else looked_at.fields.get(name)


def show_account(world: World, account: Account, asked: Any) -> dict[str, Any]:
    """An ad account with the fields that were asked for."""
    hours = world.now().astimezone(account.zone).utcoffset()
    values = {
        "id": account.id,
        "account_id": account.number,
        "name": account.name,
        "currency": account.currency,
        "timezone_name": account.timezone,
        "timezone_offset_hours_utc": hours.total_seconds() / 3600 if hours else 0,
        "timezone_id": 1,
        "account_status": account.status,
        "disable_reason": 0 if account.status == 1 else 1,
        "spend_cap": str(account.spend_cap),
        "amount_spent": str(account.insights.spent_minor()),
        "balance": "0",
        "business": {"id": account.business, "name": account.business} if account.business else None,
        "min_daily_budget": account.min_daily_budget,
        "default_dsa_payor": account.advertiser or None,
        "default_dsa_beneficiary": account.advertiser or None,
        "is_prepay_account": False,
    }
    shown: dict[str, Any] = {}
    for name, _ in split_fields(asked or DEFAULT_FIELDS["account"]):
        if name not in READABLE["account"]:
            raise no_such_field(name, NODES["account"])
        if values.get(name) is not None:
            shown[name] = values[name]
    return shown | {"id": account.id}
