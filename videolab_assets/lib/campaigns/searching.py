"""Looking at Meta for objects by their tags, in every state that they may be in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from videolab_assets.lib.campaigns.plan import MARK, TAG_DIGITS, Kind
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.meta.errors import AccountBlocked, GraphRefused, TokenRefused
from videolab_assets.lib.meta.graph import Graph

EDGES: dict[Kind, str] = {
    "campaign": "campaigns",
    "adset": "adsets",
    "video": "advideos",
    "image": "adimages",
    "creative": "adcreatives",
    "ad": "ads",
    "study": "ad_studies",
}

ROWS_IN_A_PAGE = 100

_OWN = ["ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"]
_REVIEWED = ["PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO"]
STATUSES: dict[Kind, list[str]] = {
    "campaign": _OWN,
    "adset": [*_OWN, "CAMPAIGN_PAUSED"],
    "ad": [*_OWN, "CAMPAIGN_PAUSED", "ADSET_PAUSED", *_REVIEWED],
}
"""All effective statuses but DELETED. What is not asked for by name is left out of lists: archived objects, and those under review."""

_TAG = re.compile(rf"{re.escape(MARK)}([0-9a-f]{{{TAG_DIGITS}}})(?![0-9a-f])")


def edge_of(kind: Kind, account_id: str, business: str | None) -> str:
    """Where objects of a kind are made and listed.

    Raises:
        PermanentError: a study without a business.
    """
    if kind == "study" and not business:
        raise PermanentError("An A/B split is made in a business at Meta: write `business:` for this tenant into ad_accounts.yaml.")
    return f"{business if kind == 'study' else account_id}/{EDGES[kind]}"


def tag_in(name: object) -> str | None:
    """The tag that a name ends with, or that stands in it; None where there is none."""
    match = _TAG.search(name) if isinstance(name, str) else None
    return match[1] if match else None


def find(graph: Graph, kind: Kind, tag: str, account_id: str, business: str | None = None) -> list[str]:
    """The ids, of images the hashes, of all objects with this tag, each once.

    The server is asked to filter, but not believed: one that ignores the filter or does not take it only costs time.

    Raises:
        GraphError: as `Graph.pages`; the list may not have been read to its end.
    """
    found = set()
    for row in _rows(graph, kind, tag, edge_of(kind, account_id, business)):
        named = tag_in(row.get("title" if kind == "video" else "name"))
        if kind == "image":
            named = tag if row.get("name") == f"vl-{tag}.jpg" else None
        identity = row.get("hash" if kind == "image" else "id")
        if named == tag and identity:
            found.add(str(identity))
    return sorted(found)


def tagged_campaigns(graph: Graph, account_id: str) -> dict[str, str]:
    """The campaigns of an account that carry any tag, with their tags by id; raises as `find`."""
    rows = _rows(graph, "campaign", "", edge_of("campaign", account_id, None))
    return {str(row["id"]): tag for row in rows if (tag := tag_in(row.get("name"))) and row.get("id")}


def _rows(graph: Graph, kind: Kind, tag: str, edge: str) -> Iterator[dict[str, Any]]:
    fields = {"fields": {"video": "id,title", "image": "hash,name"}.get(kind, "id,name")}
    statuses = {"effective_status": STATUSES[kind]} if kind in STATUSES else {}
    looked_for = f"{MARK}{tag}"
    # Whether a title that is asked for has to be the whole one is not documented, and a list that leaves out what is there makes it twice.
    narrowed: Mapping[str, Any] = {
        "video": {},
        "image": {"name": f"vl-{tag}.jpg"},
        "creative": {},
        "study": {},
    }.get(kind, {"filtering": [{"field": "name", "operator": "CONTAIN", "value": looked_for}]})
    try:
        yield from graph.rows(edge, {**fields, **statuses, **narrowed}, ROWS_IN_A_PAGE)
    except (TokenRefused, AccountBlocked):
        raise
    except GraphRefused:
        if not narrowed:
            raise
        yield from graph.rows(edge, {**fields, **statuses}, ROWS_IN_A_PAGE)
