"""Which request is answered by whom."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import jobs, objects, videos
from .errors import Refusal, invalid, no_such_field, no_such_object, required
from .fields import EDGES, NODES
from .paging import limit_of, page
from .reports import Bucket
from .request import Answer, Call
from .state import Account, World

INSIDE = {"campaign": {"adsets": "adset", "ads": "ad"}, "adset": {"ads": "ad"}, "business": {"ad_studies": "ad_study"}}
"""Edges of other objects than accounts, and the kind that each lists."""


@dataclass
class Routes:
    """The Graph API over a world.

    Args:
        chunk: bytes that an upload takes at once.
        processing_polls: reads of a new video until it is ready.
        job_polls: reads of a report until it is done.
    """

    world: World
    chunk: int = videos.CHUNK
    processing_polls: int = 1
    job_polls: int = 2
    _pages: dict[str, tuple[int, list[Bucket]]] = field(default_factory=dict)

    def answer(self, call: Call) -> Answer:
        """Does what the request asks for.

        Raises:
            Refusal: Meta would not.
        """
        head, _, edge = call.received.path.partition("/")
        if not head:
            return self._many(call)
        if not edge:
            return self._node(head, call)
        return self._edge(head, edge, call)

    def account_of(self, call: Call) -> Account | None:
        """The ad account that a request is about, as far as it can be told."""
        head = call.received.path.partition("/")[0]
        world = self.world
        if head in world.accounts:
            return world.accounts[head]
        ids = [head] if head else str(call.params.get("ids", "")).split(",")
        found = next((world.things.get(one) or world.jobs.get(one) for one in ids if one in world.things or one in world.jobs), None)
        return found.account if found is not None else None

    def _many(self, call: Call) -> Answer:
        ids = call.params.get("ids")
        if call.method != "GET" or not ids:
            raise required("ids") if call.method == "GET" else no_such_object(call.method, "")
        wanted = ids if isinstance(ids, list) else str(ids).split(",")
        if len(wanted) > 50:
            raise Refusal(100, "(#100) Too many IDs. Maximum: 50. Provided: " + str(len(wanted)) + ".")
        return Answer({one: self._read(one, call) for one in wanted})

    def _read(self, thing_id: str, call: Call) -> dict[str, Any]:
        world, asked = self.world, call.params.get("fields")
        if thing_id in world.accounts:
            return objects.show_account(world, world.accounts[thing_id], asked)
        if thing_id in world.jobs:
            return jobs.show(world, world.jobs[thing_id], asked)
        if thing_id not in world.things:
            raise no_such_object("get", thing_id)
        thing = world.things[thing_id]
        if thing.kind == "video" and "status" in str(asked):
            videos.polled(thing)
        return objects.show(world, thing, asked)

    def _node(self, head: str, call: Call) -> Answer:
        if head == "me" and call.method == "GET":
            return Answer({"id": "100000000000001", "name": "System user"})
        if call.method == "GET":
            return Answer(self._read(head, call))
        if head in self.world.accounts and call.method == "POST":
            return self._change_account(self.world.accounts[head], call)
        if head not in self.world.things:
            raise no_such_object(call.method, head)
        change = objects.update if call.method == "POST" else objects.delete
        return change(self.world, self.world.things[head], call)

    def _change_account(self, account: Account, call: Call) -> Answer:
        fields = objects.given(call, "account")
        account.name = str(fields.get("name", account.name))
        account.advertiser = str(fields.get("default_dsa_payor", account.advertiser))
        if "spend_cap" in fields:
            if not str(fields["spend_cap"]).isdecimal():
                raise invalid("spend_cap is a whole number of minor units.")
            account.spend_cap = int(fields["spend_cap"])
        return Answer({"success": True})

    def _edge(self, head: str, edge: str, call: Call) -> Answer:
        world = self.world
        if head == "me" and edge == "adaccounts":
            return self._accounts(call, list(world.accounts.values()))
        if any(account.business == head for account in world.accounts.values()):
            return self._of_business(head, edge, call)
        if edge == "insights":
            return self._insights(head, call)
        if head in world.accounts:
            return self._of_account(world.accounts[head], edge, call)
        thing = world.things.get(head)
        if thing is None or call.method != "GET":
            raise no_such_object(call.method, head)
        if thing.kind == "ad_study" and edge == "cells":
            cells = thing.fields["cells"]
            shown = [{"id": cell["id"], "name": cell["name"], "treatment_percentage": cell["treatment_percentage"]} for cell in cells]
            return page(call, shown, lambda cell: cell, limit_of(call, world.limits))
        if edge not in INSIDE.get(thing.kind, {}):
            raise no_such_field(edge, NODES[thing.kind])
        return objects.listing(world, head, INSIDE[thing.kind][edge], call)

    def _accounts(self, call: Call, accounts: list[Account]) -> Answer:
        fields = call.params.get("fields")
        return page(call, accounts, lambda account: objects.show_account(self.world, account, fields), limit_of(call, self.world.limits))

    def _of_business(self, business: str, edge: str, call: Call) -> Answer:
        if edge == "owned_ad_accounts":
            return self._accounts(call, [account for account in self.world.accounts.values() if account.business == business])
        if edge != "ad_studies":
            raise no_such_field(edge, "Business")
        if call.method == "POST":
            return objects.create_study(self.world, business, call)
        return objects.listing(self.world, business, "ad_study", call)

    def _of_account(self, account: Account, edge: str, call: Call) -> Answer:
        world = self.world
        if edge not in EDGES and edge != "ad_studies":
            raise no_such_field(edge, "AdAccount")
        kind = EDGES.get(edge, "ad_study")
        if call.method == "GET":
            return objects.listing(world, account.id, kind, call)
        if call.method == "DELETE" and kind == "image":
            return videos.delete_image(world, account, call)
        if call.method != "POST" or kind == "ad_study":
            raise no_such_object(call.method, account.id)
        if account.status != 1:
            raise invalid("The ad account is disabled: nothing can be made in it.", 1885316, "Account is disabled")
        makers: dict[str, Callable[[], Answer]] = {
            "video": lambda: videos.advideos(world, account, call, chunk=self.chunk, polls=self.processing_polls),
            "image": lambda: videos.adimages(world, account, call),
        }
        return makers.get(kind, lambda: objects.create(world, account, kind, call))()

    def _insights(self, head: str, call: Call) -> Answer:
        world = self.world
        if head in world.jobs:
            return jobs.result(world, world.jobs[head], call)
        if head in world.accounts:
            account, scope = world.accounts[head], ("account", head)
        elif head in world.things and world.things[head].kind in ("campaign", "adset", "ad"):
            account, scope = world.things[head].account, (world.things[head].kind, head)
        else:
            raise no_such_object(call.method, head)
        if call.method == "POST":
            return jobs.start(world, account, scope, call, self.job_polls)
        return jobs.at_once(world, account, scope, call, self._pages)
