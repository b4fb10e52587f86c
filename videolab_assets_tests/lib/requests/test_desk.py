"""Requests in the inbox: each is followed once, refused with the reason beside it, or left until its time has come."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.catalogue import Catalogue
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.intake import Rules, Run, RunState
from videolab_assets.lib.intake import look as look_for_uploads
from videolab_assets.lib.requests.desk import MOST_ATTEMPTS, MOST_HANDLED, Attended, Request, Taken, look
from videolab_assets.lib.requests.kinds import KINDS, LONGEST_REQUEST
from videolab_assets.lib.store import open_store


class Inbox:
    """A store with requests in it, and the runs that somebody else starts for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = open_store(str(root))
        self.runs: dict[str, Run] = {}
        self.now = time.time() + 10
        self.taken: list[tuple[Request, bytes]] = []
        self.error: Exception | None = None

    def put(self, name: str = "spring.campaign.yaml", content: bytes = b"title: x\n", tenant: str = "acme") -> Path:
        path = self.root / "inbox" / tenant / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def take(self, request: Request, data: bytes) -> Taken:
        if self.error:
            raise self.error
        self.taken.append((request, data))
        return Taken(f"{request.tenant}.{request.name}.00000000", {"dry_run": False})

    def look(self) -> Attended:
        return look(self.store, self.take, self._latest, 5.0, self.now)

    def end(self, attended: Attended, state: RunState, why: str | None = None) -> None:
        for ask in attended.asks:
            self.runs[ask.request.request_id] = Run(f"run{ask.attempt}", ask.attempt, state, self.now, why)

    def _latest(self, ids: Sequence[str]) -> Mapping[str, Run]:
        return {one: self.runs[one] for one in ids if one in self.runs}

    def rejections(self) -> list[dict[str, Any]]:
        found = [entry.key for entry in self.store.list("rejected") if entry.key.endswith(".json")]
        return [json.loads(self.store.read_bytes(key, 1 << 20)) for key in sorted(found)]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.job)
def test_a_request_becomes_one_run(inbox: Inbox, kind: Any) -> None:
    """A campaign is rejected as no video, starts a run with every look, or is gone before its run has ended."""
    path = inbox.put(f"spring{kind.ending.upper()}")
    (ask,) = inbox.look().asks
    assert (ask.request.kind, ask.taken.partition, ask.attempt) == (kind, "acme.spring.00000000", 1)
    (again,) = inbox.look().asks  # the daemon died before it had stored the run
    assert again.run_key == ask.run_key
    asked = inbox.look()
    inbox.end(asked, RunState.ALIVE)
    assert inbox.look().asks == []
    assert path.exists()
    inbox.end(asked, RunState.SUCCEEDED)
    assert inbox.look().asks == []
    assert not path.exists()
    assert inbox.store.read_bytes(ask.request.kept_as, 100) == b"title: x\n"
    assert inbox.rejections() == []


def test_uploads_pass_it_by(inbox: Inbox, tmp_path: Path) -> None:
    """The gate rejects a campaign as no video, or the campaigns' sensor takes a video away."""
    request, video = inbox.put(), inbox.put("clip.mp4")
    catalogue = Catalogue(f"sqlite:///{tmp_path}/videolab.db")
    seen = look_for_uploads(inbox.store, catalogue, lambda _: {}, lambda *_: None, Rules(5.0, 10, 3), inbox.now)
    assert [ask.upload.inbox_key for ask in seen.asks] == ["inbox/acme/clip.mp4"]
    inbox.look()
    assert request.exists() and video.exists()
    catalogue.dispose()


def test_what_lies_in_no_tenants_folder_is_moved_away(inbox: Inbox, tmp_path: Path) -> None:
    """A request beside the tenants' folders stays there for ever and nobody says why."""
    inbox.put("spring.campaign.yaml", tenant="Not A Tenant")
    catalogue = Catalogue(f"sqlite:///{tmp_path}/videolab.db")
    assert inbox.look().asks == []
    look_for_uploads(inbox.store, catalogue, lambda _: {}, lambda *_: None, Rules(5.0, 10, 3), inbox.now)
    assert [rejection["code"] for rejection in inbox.rejections()] == ["no_tenant"]
    catalogue.dispose()


def test_what_cannot_be_followed_is_refused_with_every_problem(inbox: Inbox) -> None:
    """The reason is nowhere to be found, or the file is lost."""
    path = inbox.put(content=b"budgett: 3\n")
    inbox.error = PermanentError("Line 1: 'budgett' is not known.", "Line 1: 'budgett' is not known.\nLine 2: dates is missing.")
    attended = inbox.look()
    (refused,) = attended.refused
    assert (refused.tenant, refused.name, refused.sentence) == ("acme", "spring.campaign.yaml", "Line 1: 'budgett' is not known.")
    (rejection,) = inbox.rejections()
    assert rejection["reason"] == "Line 1: 'budgett' is not known."
    assert rejection["found"] == {"problems": ["Line 1: 'budgett' is not known.", "Line 2: dates is missing."]}
    assert inbox.store.read_bytes(rejection["kept_as"], 100) == b"budgett: 3\n"
    assert not path.exists()
    assert inbox.look() == Attended()


def test_a_failing_database_refuses_nobody(inbox: Inbox) -> None:
    """A good campaign is thrown out because the database was down for a moment."""
    path = inbox.put()
    inbox.error = TransientError("The database is down.")
    attended = inbox.look()
    assert (attended.asks, attended.refused, attended.waiting) == ([], [], 1)
    assert path.exists()


def test_runs_that_fail_for_a_while_are_tried_again(inbox: Inbox) -> None:
    """One bad minute at Meta ends a campaign; or it is tried for ever, or without a pause."""
    path = inbox.put()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        asked = inbox.look()
        assert [ask.attempt for ask in asked.asks] == [attempt]
        inbox.end(asked, RunState.FAILED, "Meta does not answer.")
        assert inbox.look().asks == []
        inbox.now += 901
    assert not path.exists()
    (rejection,) = inbox.rejections()
    assert rejection["reason"] == f"{MOST_ATTEMPTS} attempts failed. The last one: Meta does not answer."


@pytest.mark.parametrize(
    ("state", "said"), [(RunState.FAILED_FOR_GOOD, "Meta refuses it."), (RunState.STOPPED, "A person stopped its run")]
)
def test_what_cannot_be_mended_is_not_tried_again(inbox: Inbox, state: RunState, said: str) -> None:
    """A campaign that Meta refuses is sent to it again and again."""
    inbox.put()
    inbox.end(inbox.look(), state, "Meta refuses it.")
    assert [refused.sentence.startswith(said) for refused in inbox.look().refused] == [True]
    assert inbox.look() == Attended()


def test_a_file_that_changes_is_another_request(inbox: Inbox) -> None:
    """A file that was corrected under its own name is taken for the one before, and never followed."""
    path = inbox.put()
    (first,) = inbox.look().asks
    path.write_bytes(b"title: another\n")
    inbox.now += 10
    (second,) = inbox.look().asks
    assert first.run_key != second.run_key
    assert inbox.taken[-1][1] == b"title: another\n"


def test_what_is_still_being_written_waits(inbox: Inbox) -> None:
    """Half a campaign is followed."""
    inbox.put()
    inbox.put("other.campaign.yaml.part")
    inbox.now = time.time()
    attended = inbox.look()
    assert (attended.asks, attended.waiting) == ([], 2)


def test_links_and_monsters_are_refused(inbox: Inbox, tmp_path: Path) -> None:
    """A link in the inbox shows another file's content in a reason; a huge file fills the memory."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"password: hunter2\n")
    inbox.put("big.campaign.yaml", b"#" * (LONGEST_REQUEST + 1))
    (inbox.root / "inbox" / "acme" / "link.campaign.yaml").symlink_to(secret)
    attended = inbox.look()
    assert attended.asks == []
    assert {rejection["code"] for rejection in inbox.rejections()} == {"too_big", "symlink"}
    assert "hunter2" not in json.dumps(inbox.rejections())


def test_a_look_is_bounded(inbox: Inbox) -> None:
    """A folder full of requests takes longer than a sensor may."""
    for number in range(MOST_HANDLED + 3):
        inbox.put(f"{number:03d}.campaign.yaml")
    attended = inbox.look()
    assert (len(attended.asks), attended.waiting) == (MOST_HANDLED, 3)
