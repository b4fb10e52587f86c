"""What a plan would make at Meta, row by row, checked by Meta as far as that goes without making anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from videolab_assets.lib.campaigns.building import VALIDATED, check_plan, validate
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan, PlannedObject, filled
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.money import Money
from videolab_assets.lib.recipe import JsonValue

KINDS = {
    "campaign": "campaign",
    "adset": "ad set",
    "video": "video",
    "image": "cover",
    "creative": "creative",
    "ad": "ad",
    "study": "A/B split",
}
LONGEST_WORDS = 1000


@dataclass(frozen=True)
class DryRunRow:
    """One object that would be made.

    Attributes:
        role: its place in the plan.
        what: its kind in words.
        name: as it would be called at Meta.
        params: what would be sent, in words.
        checked_by: `Meta`, or why Meta could not be asked.
    """

    role: str
    what: str
    name: str
    params: str
    checked_by: str


def dry_run(plan: CampaignPlan, account: AdAccount, graph: Graph, ledger: Ledger) -> list[DryRunRow]:
    """What `build` would make, in its order. Makes nothing and writes nothing down.

    Args:
        ledger: knows what an earlier run has made already, so that Meta can be asked about what belongs to it.

    Raises:
        PermanentError: Meta would refuse something, in its words; or as `check_plan`.
        TransientError: Meta could not be reached, is busy or did not answer.
    """
    check_plan(plan, account, graph)
    ids = ledger.ids(plan.campaign_key)
    return [
        DryRunRow(planned.role, KINDS[planned.kind], planned.name, in_words(planned, plan), _checked(plan, planned, ids, graph))
        for planned in plan.objects
    ]


def _checked(plan: CampaignPlan, planned: PlannedObject, ids: Mapping[str, str], graph: Graph) -> str:
    if planned.role in ids:
        return f"nobody: it exists already as {ids[planned.role]}"
    if planned.kind not in VALIDATED:
        return f"here: Meta checks no {KINDS[planned.kind]} without making it"
    missing = next((role for role in planned.parents if role not in ids), None)
    if missing is not None:
        return f"here: its {KINDS[plan.object(missing).kind]} does not exist yet"
    validate(graph, planned, filled(planned.params, ids), plan)
    return "Meta"


def in_words(planned: PlannedObject, plan: CampaignPlan) -> str:
    """An object's parameters on one line, for a person: budgets as money, other objects by their role."""
    if planned.file is not None:
        return f"{planned.file.key} ({planned.file.bytes / 1e6:.1f} MB)"
    left_out = ("name", "title")
    return ", ".join(f"{name} {_value(name, value, plan)}" for name, value in planned.params.items() if name not in left_out)[
        :LONGEST_WORDS
    ]


def _value(name: str, value: JsonValue, plan: CampaignPlan) -> str:
    if name == "lifetime_budget" and isinstance(value, int):
        return Money(value, plan.currency).in_words()
    if isinstance(value, dict) and value.keys() == {"made"}:
        return f"of {value['made']}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)
