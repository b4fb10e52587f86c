"""The server as a test sees it: its state, its faults, and the truth about what was made and could be spent."""

import contextlib
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import objects
from .catalogue import FAULTS
from .errors import Refusal, invalid
from .faults import Armed, Faults
from .http import Listener
from .insights import AdIds, Insights
from .limits import Leak, Limits, usage_headers
from .request import Answer, Call, Received
from .routes import Routes
from .state import KINDS, Account, Thing, World, spenders

TOKEN = "EAAcanary0c4n4ryT0k3nZDZD"  # noqa: S105
"""A token that is worth nothing, and easy to find where it should not be."""

TAG = re.compile(r"#vl:[0-9a-f]{12}")


class GraphServer:
    """A Graph API on this machine. Make one with `graph_server()`.

    Attributes:
        received: every request, in the order of arrival.
        stumbles: tracebacks of what this server itself could not make sense of; it answers code 100 then.
        on_request: called with a request, once before ("before") and once after ("after") it was carried out, outside all locks.
    """

    def __init__(self, token: str = TOKEN, port: int = 0) -> None:
        self.world = World(token)
        self.routes = Routes(self.world)
        self.faults = Faults()
        self.received: list[Received] = []
        self.stumbles: list[str] = []
        self.on_request: Callable[[Received, str], None] | None = None
        self._revival: threading.Timer | None = None
        self._listener = Listener(("127.0.0.1", port), self)
        self.port = self._listener.server_port
        self._listen()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The only token that is accepted; others get code 190."""
        return self.world.token

    @property
    def limits(self) -> Limits:
        return self.world.limits

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock: a callable that gives an aware datetime. Everything that depends on time asks it."""
        return self.world.now

    @now.setter
    def now(self, clock: Callable[[], datetime]) -> None:
        self.world.now = clock

    @property
    def settle(self) -> float:
        """Seconds of the server's clock until a new object is listable; it can be read by its id at once."""
        return self.world.settle

    @settle.setter
    def settle(self, seconds: float) -> None:
        self.world.settle = seconds

    @property
    def pace(self) -> Leak | None:
        """The bucket behind the usage headers; None never throttles."""
        return self.world.pace

    @pace.setter
    def pace(self, leak: Leak | None) -> None:
        self.world.pace = leak

    @property
    def chunk_size(self) -> int:
        """Bytes that an upload takes at once."""
        return self.routes.chunk

    @chunk_size.setter
    def chunk_size(self, size: int) -> None:
        self.routes.chunk = size

    @property
    def processing_polls(self) -> int:
        """Reads of a new video's status that say `processing` before one says `ready`."""
        return self.routes.processing_polls

    @processing_polls.setter
    def processing_polls(self, polls: int) -> None:
        self.routes.processing_polls = polls

    @property
    def job_polls(self) -> int:
        """Reads of a report that say it is under way before one says that it is done."""
        return self.routes.job_polls

    @job_polls.setter
    def job_polls(self, polls: int) -> None:
        self.routes.job_polls = polls

    def add_account(
        self,
        account_id: str,
        currency: str = "EUR",
        timezone: str = "Europe/Madrid",
        business: str = "",
        page: str = "",
        instagram: str = "",
        advertiser: str = "",
        name: str = "",
        status: int = 1,
    ) -> Account:
        """Makes an ad account; see `Account` for what the arguments mean."""
        world = self.world
        account_id = account_id if account_id.startswith("act_") else f"act_{account_id}"
        insights = Insights(ZoneInfo(timezone), self._where, lambda ads, campaigns, adsets: self._make(account_id, ads, campaigns, adsets))
        account = Account(account_id, currency, timezone, business, page, instagram, advertiser, name or account_id, status, insights)
        world.accounts[account_id] = account
        return account

    def fault(
        self,
        name: str,
        on: str | None = None,
        times: int = 1,
        skip: int = 0,
        where: Callable[[Received], bool] | None = None,
        **settings: Any,
    ) -> Armed:
        """Lets the next requests fail.

        Args:
            name: of `FAULTS`.
            on: a pattern (fnmatch) of "METHOD path" without the version, as in "POST */campaigns" or "GET act_1/insights"; the fault's own
                when not given.
            times: how many requests.
            skip: how many that suit pass before.
            where: what else a request must be, as in `where=lambda received: not received.validate_only`.
            settings: of the fault; `effect=True` or False says whether the request is carried out first, where the fault allows to say so.

        Returns:
            What waits now: its `happened` counts the requests that it happened to.

        Raises:
            ValueError: no such fault or setting.
        """
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
        with self.world.lock:
            armed = self.faults.arm(FAULTS[name], on, times, skip, settings)
            armed.where = where
        if name == "connection_refused":
            armed.times = 0
            armed.happened = 1
            self._go_away(float(armed.settings["seconds"]))
        return armed

    def clear_faults(self) -> None:
        """Nothing fails any more."""
        with self.world.lock:
            self.faults.armed.clear()
        self._come_back()

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind that was ever made, oldest first: what was given, `id`, `account_id`, `kind`, and `effective_status`.

        Args:
            kind: campaign, adset, video, image, creative, ad or ad_study.
        """
        if kind not in KINDS:
            raise ValueError(f"no such kind: {kind}; there are {', '.join(KINDS)}")
        with self.world.lock:
            found = [thing for thing in self.world.things.values() if thing.kind == kind]
            return [self._truth(thing) for thing in found]

    def _truth(self, thing: Thing) -> dict[str, Any]:
        truth = {**thing.fields, "id": thing.id, "account_id": thing.account.id, "kind": thing.kind}
        truth["effective_status"] = objects.effective_status(self.world, thing)
        return truth

    def duplicates(self) -> list[list[dict[str, Any]]]:
        """Groups of live objects of the same kind and account whose names carry the same tag; images may not repeat by content anyhow."""
        groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        with self.world.lock:
            for thing in self.world.things.values():
                uploading = thing.fields.get("video_status") == "uploading"
                for tag in set(TAG.findall(str(thing.fields.get("title") or thing.fields.get("name", "")))):
                    if thing.kind != "image" and thing.live and not uploading:
                        groups.setdefault((thing.account.id, thing.kind, tag), []).append(self._truth(thing))
        return [group for group in groups.values() if len(group) > 1]

    def could_spend(self, account_id: str) -> int:
        """Minor units that Meta could spend as things stand.

        They are the budgets of all ad sets (or campaigns, where the budget is theirs) that could deliver: account, campaign, ad set and at
        least one ad are active. A daily budget counts once for each day of the run.
        """
        with self.world.lock:
            account = self.world.accounts[account_id]
            return sum(sum(spenders(self.world, campaign).values()) for campaign in self.world.of(account.id, "campaign"))

    def could_ever_have_spent(self, account_id: str) -> int:
        """Minor units that Meta could have spent at most so far: over everything that was ever able to deliver, its largest budget then."""
        with self.world.lock:
            return sum(self.world.budgets_ever.get(account_id, {}).values())

    def reset(self) -> None:
        """Forgets everything: accounts, objects, faults, settings and requests. The port and the token stay."""
        self.clear_faults()
        with self.world.lock:
            self.world = World(self.world.token)
            self.routes = Routes(self.world)
            self.on_request = None
            self.received.clear()
            self.stumbles.clear()

    def wait_until_quiet(self, seconds: float = 10.0) -> bool:
        """Waits until nobody is connected, so that whatever was sent before has been carried out.

        Returns:
            Whether that came about in time.
        """
        deadline = time.monotonic() + seconds
        while self._listener.connections and time.monotonic() < deadline:
            time.sleep(0.001)
        return not self._listener.connections

    def forget_reports(self) -> None:
        """Reports expire: their ids are unknown from now on."""
        with self.world.lock:
            self.world.jobs.clear()

    def handle(self, received: Received) -> Answer:
        """Answers a request; called by the connection's thread.

        Raises:
            Broken: a fault wants the connection to end in another way.
        """
        call = Call(received, self.endpoint)
        with self.world.lock:
            self.received.append(received)
            if received.token != self.token:
                refusal = Refusal(190, "Invalid OAuth access token - Cannot parse access token", status=401)
                return Answer(refusal.body(), refusal.status)
            account = self.routes.account_of(call)
            call.account = account.number if account is not None else "0"
            bending, spoiling = self.faults.take(received)
            call.tricks = {armed.fault.name: armed.settings for armed in bending}
        self._tell(received, "before")
        if spoiling is not None and not spoiling.effect:
            return self._spoiled(call, Answer({}), spoiling)
        with self.world.lock:
            answer = self._carried_out(call)
            for armed in bending:
                played = armed.fault.name in call.played
                armed.times, armed.happened = armed.times - played, armed.happened + played
        self._tell(received, "after")
        return self._spoiled(call, answer, spoiling) if spoiling is not None else answer

    def _tell(self, received: Received, phase: str) -> None:
        if self.on_request is not None:
            self.on_request(received, phase)

    def _carried_out(self, call: Call) -> Answer:
        world = self.world
        account, clock = self.routes.account_of(call), world.clock()
        insights = call.received.path.endswith("/insights") or call.received.path in world.jobs
        try:
            if world.pace is not None and account is not None:
                world.pace.pour(account.id, clock, writes=call.method != "GET", insights=insights)
            answer = self.routes.answer(call)
        except Refusal as refusal:
            answer = Answer(refusal.body(), refusal.status)
        except (ValueError, TypeError, LookupError, AttributeError) as error:  # a parameter of a shape that nobody thought of
            self.stumbles.append(traceback.format_exc())
            stumble = invalid(f"This server stumbled over a parameter: {type(error).__name__}: {error}")
            answer = Answer(stumble.body(), stumble.status)
        if account is not None:
            percent, minutes = (world.pace.percent(account.id, clock), world.pace.minutes(account.id, clock)) if world.pace else (1, 0)
            answer.headers = usage_headers(account.number, percent=percent, minutes=minutes, insights=insights) | answer.headers
        return answer

    def _spoiled(self, call: Call, answer: Answer, armed: Armed) -> Answer:
        change = armed.fault.change
        armed.happened += 1
        spoiled = change(call, answer, armed.settings) if change is not None and (not armed.effect or answer.status == 200) else None
        if spoiled is None:  # it did not suit this answer, and waits for the next
            armed.times, armed.happened = armed.times + 1, armed.happened - 1
            return answer
        return spoiled

    def _where(self, ad_id: str) -> AdIds | None:
        ad = self.world.things.get(ad_id)
        if ad is None or ad.kind != "ad":
            return None
        adset, campaign = self.world.things[ad.fields["adset_id"]], self.world.things[ad.fields["campaign_id"]]
        ad_name, adset_name, campaign_name = (str(thing.fields["name"]) for thing in (ad, adset, campaign))
        goal = str(adset.fields["optimization_goal"])
        return AdIds(ad.id, adset.id, campaign.id, ad_name, adset_name, campaign_name, str(campaign.fields["objective"]), goal)

    def _make(self, account_id: str, ads: int, campaigns: int, adsets: int) -> list[AdIds]:
        """Paused campaigns, ad sets and ads, evenly filled, for generated numbers."""
        world, account = self.world, self.world.accounts[account_id]
        with world.lock:
            above = []
            for number in range(campaigns):
                fields: dict[str, Any] = {
                    "name": f"Campaign {number}",
                    "objective": "OUTCOME_ENGAGEMENT",
                    "status": "PAUSED",
                    "special_ad_categories": [],
                }
                above.append(world.add("campaign", account, fields, [account.id], settle=0))
            middle = []
            for number in range(adsets):
                campaign = above[number % campaigns]
                fields = {"name": f"Ad set {number}", "status": "PAUSED", "campaign_id": campaign.id, "optimization_goal": "THRUPLAY"}
                fields |= {"lifetime_budget": "10000", "billing_event": "IMPRESSIONS", "targeting": {}}
                middle.append(world.add("adset", account, fields, [account.id, campaign.id], settle=0))
            found = []
            for number in range(ads):
                adset = middle[number % adsets]
                fields = {"name": f"Ad {number}", "status": "PAUSED", "adset_id": adset.id, "campaign_id": adset.fields["campaign_id"]}
                fields["creative"] = {"id": "0", "creative_id": "0"}
                found.append(world.add("ad", account, fields, [account.id, adset.id, adset.fields["campaign_id"]], settle=0))
        return [ids for ids in (self._where(ad.id) for ad in found) if ids is not None]

    def close(self) -> None:
        """Stops listening, and hangs up."""
        if self._revival is not None:
            self._revival.cancel()
        self._stop()

    def _listen(self) -> None:
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()

    def _stop(self) -> None:
        if not self._listener.stopped:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener.hang_up()

    def _go_away(self, seconds: float) -> None:
        self._stop()
        self._revival = threading.Timer(seconds, self._come_back)
        self._revival.daemon = True
        self._revival.start()

    def _come_back(self) -> None:
        if self._revival is not None:
            self._revival.cancel()
            self._revival = None
            self._listener = Listener(("127.0.0.1", self.port), self)
            self._listen()


@contextlib.contextmanager
def graph_server(token: str = TOKEN, port: int = 0) -> Iterator[GraphServer]:
    """Runs one until the block ends."""
    server = GraphServer(token, port)
    try:
        yield server
    finally:
        server.close()
