"""What is at Meta, read back and compared with the plan: names, parents, money, times, states."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from videolab_assets.lib.campaigns.plan import CampaignPlan, Kind, PlannedObject, filled
from videolab_assets.lib.meta.errors import AccountBlocked, GraphRefused, TokenRefused
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.money import Money

IDS_IN_A_REQUEST = 50
MOST_ISSUES = 3
LONGEST_SHOWN = 80

FIELDS: dict[Kind, str] = {
    "campaign": "name,account_id,objective,buying_type,daily_budget,lifetime_budget,status,effective_status,issues_info",
    "adset": (
        "name,campaign_id,optimization_goal,billing_event,daily_budget,lifetime_budget,start_time,end_time,status,effective_status,"
        "issues_info,targeting"
    ),
    "creative": "name",
    "ad": "name,adset_id,campaign_id,creative{id},status,effective_status,issues_info",
    "video": "title",
    "study": "name,type,start_time,end_time",
}
"""What is read back of each kind; an image is its content and has no more to tell."""

MADE, RUNNING = ("PAUSED",), ("PAUSED", "ACTIVE")


@dataclass
class Checked:
    """The comparison.

    Attributes:
        differences: sentences; empty where everything is as planned.
        issues: what Meta says is wrong with an object that it has made, in sentences.
        states: Meta's own status of campaign, ad sets and ads, by role.
    """

    differences: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)


def verify(plan: CampaignPlan, ids: Mapping[str, str], graph: Graph, statuses: Sequence[str] = MADE) -> Checked:
    """Reads everything back and compares it with the plan.

    Args:
        ids: Meta's, by role.
        statuses: those that campaign, ad sets and ads may have.

    Raises:
        GraphError: Meta cannot be read.
    """
    checked = Checked()
    for kind in FIELDS:
        planned = [one for one in plan.of_kind(kind) if one.role in ids]
        rows = read(graph, [ids[one.role] for one in planned], FIELDS[kind])
        for one in planned:
            row = rows.get(ids[one.role])
            if row is None:
                checked.differences.append(f"{one.role} ({ids[one.role]}) is not at Meta any more.")
                continue
            checked.differences += [f"{one.role}: {said}" for said in _differences(one, row, plan, ids, statuses)]
            checked.issues += [f"{one.role}: {said}" for said in _issues(row)]
            if kind in ("campaign", "adset", "ad"):
                checked.states[one.role] = str(row.get("status"))
    missing = [one.role for one in plan.objects if one.role not in ids]
    checked.differences += [f"{role} has not been made." for role in missing]
    return checked


def read(graph: Graph, object_ids: Sequence[str], fields: str) -> dict[str, dict[str, Any]]:
    """Objects by their ids; those that Meta does not know are left out.

    Raises:
        GraphError: as `Graph.get`.
    """
    rows: dict[str, dict[str, Any]] = {}
    for begin in range(0, len(object_ids), IDS_IN_A_REQUEST):
        wanted = object_ids[begin : begin + IDS_IN_A_REQUEST]
        try:
            answer = graph.get("", {"ids": ",".join(wanted), "fields": fields})
        except (TokenRefused, AccountBlocked):
            raise
        except GraphRefused:  # one unknown id spoils the answer for all
            answer = {}
            for one in wanted:
                answer.update(_alone(graph, one, fields))
        rows |= {one: row for one in wanted if isinstance(row := answer.get(one), dict)}
    return rows


def _alone(graph: Graph, object_id: str, fields: str) -> dict[str, dict[str, Any]]:
    try:
        return {object_id: graph.get(object_id, {"fields": fields})}
    except (TokenRefused, AccountBlocked):
        raise
    except GraphRefused:
        return {}


def _differences(
    planned: PlannedObject, row: Mapping[str, Any], plan: CampaignPlan, ids: Mapping[str, str], statuses: Sequence[str]
) -> Iterator[str]:
    params = filled(planned.params, ids)
    for name in ("objective", "buying_type", "campaign_id", "optimization_goal", "billing_event", "adset_id", "type"):
        if name in params and str(row.get(name)) != params[name]:
            yield f"{name} is {_shown(row.get(name))} and not {params[name]}."
    label = "title" if planned.kind == "video" else "name"
    if row.get(label) != planned.name:
        yield f"it is called {_shown(row.get(label))} and not {planned.name!r}."
    if planned.kind in ("campaign", "adset", "ad") and row.get("status") not in statuses:
        yield f"it is {_shown(row.get('status'))} and not {' or '.join(statuses)}."
    yield from _KINDS.get(planned.kind, _nothing_more)(params, row, plan)


def _nothing_more(params: Mapping[str, Any], row: Mapping[str, Any], plan: CampaignPlan) -> Iterator[str]:
    yield from ()


def _of_a_campaign(params: Mapping[str, Any], row: Mapping[str, Any], plan: CampaignPlan) -> Iterator[str]:
    if f"act_{str(row.get('account_id')).removeprefix('act_')}" != plan.account_id:
        yield f"it is in account {_shown(row.get('account_id'))} and not in {plan.account_id}."
    for name in ("daily_budget", "lifetime_budget"):
        if _minor(row.get(name)):
            yield f"it has a {name} of its own ({_money(row[name], plan)}), where only ad sets have budgets."


def _of_an_ad_set(params: Mapping[str, Any], row: Mapping[str, Any], plan: CampaignPlan) -> Iterator[str]:
    if _minor(row.get("lifetime_budget")) != params["lifetime_budget"] or _minor(row.get("daily_budget")):
        daily = f" and {_money(row['daily_budget'], plan)} a day" if _minor(row.get("daily_budget")) else ""
        planned = Money(params["lifetime_budget"], plan.currency).in_words()
        yield f"it may spend {_money(row.get('lifetime_budget'), plan)}{daily} and not {planned}."
    start, end = _moment(row.get("start_time")), _moment(row.get("end_time"))
    # One that was made after its start begins when it was made.
    if start is None or start < plan.start or start >= plan.end:
        yield f"it begins {_shown(row.get('start_time'))} and not {params['start_time']}."
    if end != plan.end:
        yield f"it ends {_shown(row.get('end_time'))} and not {params['end_time']}."
    told = row.get("targeting")
    targeting: dict[str, Any] = told if isinstance(told, dict) else {}
    countries = (targeting.get("geo_locations") or {}).get("countries")
    wanted = params["targeting"]["geo_locations"]["countries"]
    if sorted(countries or []) != sorted(wanted):
        yield f"it is shown in {_shown(countries)} and not in {', '.join(wanted)}."
    for name in ("publisher_platforms", "instagram_positions", "facebook_positions"):
        if name in params["targeting"] and targeting.get(name) != params["targeting"][name]:
            yield f"{name} is {_shown(targeting.get(name))} and not {params['targeting'][name]}."


def _of_an_ad(params: Mapping[str, Any], row: Mapping[str, Any], plan: CampaignPlan) -> Iterator[str]:
    creative = row.get("creative")
    shown = creative.get("id") if isinstance(creative, dict) else None
    if shown != params["creative"]["creative_id"]:
        yield f"it shows creative {_shown(shown)} and not {params['creative']['creative_id']}."


_Compare = Callable[[Mapping[str, Any], Mapping[str, Any], CampaignPlan], Iterator[str]]
_KINDS: dict[str, _Compare] = {"campaign": _of_a_campaign, "adset": _of_an_ad_set, "ad": _of_an_ad}


def _issues(row: Mapping[str, Any]) -> Iterator[str]:
    """What Meta found after it had made the object."""
    listed = row.get("issues_info")
    for issue in listed[:MOST_ISSUES] if isinstance(listed, list) else []:
        told = issue if isinstance(issue, dict) else {}
        summary, message = (str(told.get(name) or "") for name in ("error_summary", "error_message"))
        yield ": ".join(part for part in (summary, message) if part)[:300] or "Meta reports an issue without saying which."


def _minor(value: object) -> int:
    """A budget as Meta sends it, digits in text; 0 where there is none, -1 for what is no number."""
    text = str(value or 0)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def _money(value: object, plan: CampaignPlan) -> str:
    minor = _minor(value)
    return _shown(value) if minor < 0 else Money(minor, plan.currency).in_words()


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _shown(value: object) -> str:
    return repr(value)[:LONGEST_SHOWN]
