"""An account, a few clips in a store, and campaigns of them, for the tests of this folder."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from videolab_assets.lib.campaigns.building import Patience
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan, plan_campaign
from videolab_assets.lib.campaigns.request import (
    Best,
    CampaignContext,
    CampaignRequest,
    ClipRef,
    ClipSource,
    campaign_key_of,
    read_campaign,
)
from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import StoredFile
from videolab_assets.lib.meta.accounts import AdAccount, read_accounts
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.store.local import LocalStore

TENANT = "acme"
VIDEO = "acme.talk.0123abcd"
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)

ACCOUNTS = b"""\
acme:
  account: act_1001
  currency: EUR
  time_zone: Europe/Madrid
  page: "501"
  instagram: "601"
  business: "701"
  advertiser: Acme S.L.
  caps: {campaign: 500.00, month: 900.00}
"""

CAMPAIGN = """\
title: Lighthouse spring
objective: engagement
budget: {lifetime: 300.00, currency: EUR}
dates: {start: 2030-12-01, end: 2030-12-14}
audience:
  countries: [ES, MX]
  ages: {from: 18, to: 45}
creatives:
  - {video: acme.talk.0123abcd, clip: c01, platform: instagram_reel}
  - {video: acme.talk.0123abcd, clip: c02, platform: instagram_reel}
"""


def account(**changes: Any) -> AdAccount:
    return read_accounts(ACCOUNTS)["acme"].model_copy(update=changes)


class Clips:
    """Clips c01 to c05 of one video, in both looks, for Meta's platforms; scores fall."""

    def __init__(self, store: LocalStore | None = None, count: int = 5) -> None:
        self.sources: dict[ClipRef, ClipSource] = {}
        for number in range(1, count + 1):
            for platform in ("instagram_reel", "facebook_feed_video"):
                for label in ("a", "b"):
                    self._add(store, number, platform, label)

    def _add(self, store: LocalStore | None, number: int, platform: str, label: Any) -> None:
        ref = ClipRef(video_key=VIDEO, clip_id=f"c{number:02d}", platform=platform, label=label)
        files = []
        for ending, media_type in (("mp4", "video/mp4"), ("jpg", "image/jpeg")):
            data = f"{ref.name}.{ending} ".encode() * 40
            key = f"library/{TENANT}/{VIDEO}/variants/{platform}/{ref.clip_id}.{label}.{ending}"
            if store is not None:
                store.write_bytes(key, data, media_type=media_type)
            files.append(StoredFile(key=key, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), media_type=media_type))
        self.sources[ref] = ClipSource(
            ref=ref, video=files[0], cover=files[1], title=f"Clip {number}", text=f"What clip {number} says", score=1 - number / 10
        )

    def best(self, wish: Best, both_looks: bool) -> Sequence[ClipSource]:
        found = [source for ref, source in self.sources.items() if ref.platform == wish.platform and ref.label == "a"]
        return sorted(found, key=lambda source: -source.score)[: wish.best]

    def context(self, now: datetime = NOW, of: AdAccount | None = None) -> CampaignContext:
        return CampaignContext(of or account(), now, self.sources.get, self.best)


def request_of(text: str = CAMPAIGN, context: CampaignContext | None = None) -> CampaignRequest:
    return read_campaign(text.encode(), context or Clips().context())


def planned(text: str = CAMPAIGN, clips: Clips | None = None, name: str = "spring.campaign.yaml") -> CampaignPlan:
    context = (clips or Clips()).context()
    request = request_of(text, context)
    return plan_campaign(campaign_key_of(TENANT, name, request), request, context)


def graph_of(server: Any, timeout: float = 5.0, **more: Any) -> Graph:
    return Graph(Connection(server.token, server.endpoint, timeout=timeout), sleep=lambda _: None, **more)


def add_account(server: Any) -> None:
    server.add_account("act_1001", business="701", page="501", instagram="601")


class Stage:
    """A store with clips, a ledger, and the patience of a test."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.store = LocalStore(folder / "store")
        self.clips = Clips(self.store)
        self.database = Database(url or f"sqlite:///{folder}/videolab.db")
        self.ledger = Ledger(self.database)
        self.scratch = folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.patience = Patience(settle_seconds=0.05, sleep=lambda seconds: None)

    def plan(self, text: str = CAMPAIGN, name: str = "spring.campaign.yaml") -> CampaignPlan:
        return planned(text, self.clips, name)
