"""Plain calls to a Graph server, and a whole campaign made with them: what its tests start from."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests

from videolab_assets_tests.graph_server import GraphServer

ACCOUNT = "act_1001"
CAMPAIGN: dict[str, Any] = {
    "name": "Lighthouse #vl:0123456789ab",
    "objective": "OUTCOME_ENGAGEMENT",
    "status": "PAUSED",
    "special_ad_categories": [],
    "buying_type": "AUCTION",
    "is_adset_budget_sharing_enabled": False,
}
TARGETING: dict[str, Any] = {"geo_locations": {"countries": ["ES", "MX"]}, "targeting_automation": {"advantage_audience": 0}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass
class Calls:
    """Sends requests as any HTTP client would."""

    server: GraphServer
    timeout: float = 5.0
    session: requests.Session = field(default_factory=requests.Session)

    def send(self, method: str, path: str, files: Any = None, **params: Any) -> requests.Response:
        """One request; values that are no text go as JSON, in the query of GET and DELETE and in the body of POST."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        headers = {"Authorization": f"Bearer {self.server.token}"}
        sent = {"data": texts} if method == "POST" else {"params": texts}
        url = f"{self.server.endpoint}/v26.0/{path}"
        return self.session.request(
            method,
            url,
            headers=headers,
            timeout=self.timeout,
            files=files,
            allow_redirects=False,
            **sent,  # type: ignore[arg-type]
        )

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return dict(self.send("GET", path, **params).json())

    def post(self, path: str, files: Any = None, **params: Any) -> dict[str, Any]:
        return dict(self.send("POST", path, files, **params).json())

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a list, page by page as `next` says."""
        answer, found = self.get(path, **params), []
        for _ in range(1000):
            found += answer["data"]
            following = answer.get("paging", {}).get("next")
            if not following:
                return found
            answer = self.session.get(following, timeout=self.timeout).json()
        raise AssertionError("the pages never end")

    def campaign(self, **changes: Any) -> str:
        return str(self.post(f"{ACCOUNT}/campaigns", **{**CAMPAIGN, **changes})["id"])

    def adset_params(self, campaign_id: str, **changes: Any) -> dict[str, Any]:
        end = (self.server.now() + timedelta(days=10)).isoformat()
        params: dict[str, Any] = {"name": "Spain #vl:0123456789ac", "campaign_id": campaign_id, "billing_event": "IMPRESSIONS"}
        params |= {"optimization_goal": "THRUPLAY", "targeting": TARGETING, "lifetime_budget": 30_000, "end_time": end, "status": "PAUSED"}
        return params | {"dsa_beneficiary": "Acme", "dsa_payor": "Acme"} | changes

    def adset(self, campaign_id: str, **changes: Any) -> str:
        return str(self.post(f"{ACCOUNT}/adsets", **self.adset_params(campaign_id, **changes))["id"])

    def upload(self, content: bytes, title: str) -> str:
        """A video in chunks as the server asks for them, read until it is ready."""
        path = f"{ACCOUNT}/advideos"
        told = self.post(path, upload_phase="start", file_size=len(content))
        session, video_id = told["upload_session_id"], told["video_id"]
        while told["start_offset"] != told["end_offset"]:
            start, end = int(told["start_offset"]), int(told["end_offset"])
            files = {"video_file_chunk": ("chunk", content[start:end])}
            told = self.post(path, files, upload_phase="transfer", upload_session_id=session, start_offset=str(start))
        self.post(path, upload_phase="finish", upload_session_id=session, title=title)
        for _ in range(20):
            if self.get(video_id, fields="status")["status"]["video_status"] == "ready":
                break
        return str(video_id)

    def image(self, content: bytes = PNG) -> str:
        images = self.post(f"{ACCOUNT}/adimages", {"cover.png": ("cover.png", content)})["images"]
        return str(images["cover.png"]["hash"])

    def story(self, video_id: str, image_hash: str) -> dict[str, Any]:
        video = {"video_id": video_id, "image_hash": image_hash, "message": "Come and see", "title": "Lighthouse"}
        return {"page_id": "p1", "instagram_user_id": "ig1", "video_data": video}

    def creative(self) -> str:
        story = self.story(self.upload(b"video" * 100, "Clip #vl:0123456789ad"), self.image())
        return str(self.post(f"{ACCOUNT}/adcreatives", name="Creative #vl:0123456789ae", object_story_spec=story)["id"])

    def ad(self, adset_id: str, creative_id: str, **changes: Any) -> str:
        params = {"name": "Ad #vl:0123456789af", "adset_id": adset_id, "creative": {"creative_id": creative_id}, "status": "PAUSED"}
        return str(self.post(f"{ACCOUNT}/ads", **{**params, **changes})["id"])
