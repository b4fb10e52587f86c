"""Videos in pieces, against the Graph server, with a process that may die between any two steps."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.meta.errors import GraphRefused, NotReady, OutcomeUnknown, Throttled, TokenRefused
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.meta.video_upload import TRIES, UploadSession, upload_video
from videolab_assets_tests.graph_server import GraphServer, ManualClock, graph_server
from videolab_assets_tests.lib.meta.answers import DONE, refusal
from videolab_assets_tests.scripted_server import ScriptedServer, scripted_server, sent

ACCOUNT = "act_1001"
CONTENT = bytes(range(251)) * 41


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.now = ManualClock(datetime(2026, 11, 27, tzinfo=UTC))
        server.add_account(ACCOUNT, currency="EUR", timezone="Europe/Madrid")
        server.chunk_size = 1000
        server.processing_polls = 2
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


class Uploader:
    """Uploads as a process would, and remembers what it was told to keep."""

    def __init__(self, server: GraphServer | ScriptedServer, token: str, path: Path, clock: ManualClock) -> None:
        self.kept: list[UploadSession] = []
        self._graph = Graph(Connection(token, server.endpoint, timeout=2), sleep=clock.sleep)
        self._path = path
        self._clock = clock

    def __call__(self, keep: Callable[[UploadSession], None] | None = None, graph: Graph | None = None, **more: Any) -> str:
        def kept(session: UploadSession) -> None:
            self.kept.append(session)
            if keep:
                keep(session)

        seconds = lambda: self._clock().timestamp()  # noqa: E731
        more = {"sleep": self._clock.sleep, "clock": seconds, "session": self.kept[-1] if self.kept else None, **more}
        return upload_video(graph or self._graph, ACCOUNT, self._path, "Clip #vl:0123456789ab", keep=kept, **more)


@pytest.fixture
def upload(server: GraphServer, path: Path) -> Uploader:
    return Uploader(server, server.token, path, server.now)  # type: ignore[arg-type]


def arrived(server: GraphServer) -> list[str]:
    """SHA-256 of every video that is whole."""
    return [video["sha256"] for video in server.objects("video") if "sha256" in video]


WHOLE = [hashlib.sha256(CONTENT).hexdigest()]


def phases(server: GraphServer) -> list[str]:
    return [str(received.params.get("upload_phase")) for received in server.received if received.method == "POST"]


def test_a_video_arrives_and_is_ready(server: GraphServer, upload: Uploader) -> None:
    """Prevents bytes lost or doubled at the seams, a video used before it is ready, and a title that cannot be found again."""
    video_id = upload()
    (video,) = server.objects("video")
    assert video["id"] == video_id and video["title"] == "Clip #vl:0123456789ab" and video["video_status"] == "ready"
    assert arrived(server) == WHOLE
    assert phases(server) == ["start", *["transfer"] * 11, "finish"]
    assert [session.start for session in upload.kept] == [*range(0, 10001, 1000), len(CONTENT)]


def test_pieces_are_bounded(server: GraphServer, upload: Uploader) -> None:
    """Prevents a whole video in memory because a server asks for all of it at once."""
    server.chunk_size = 1 << 30
    upload(largest_piece=4000)
    assert arrived(server) == WHOLE and phases(server).count("transfer") == 3
    assert max(len(file.content) for received in server.received for file in received.files.values()) == 4000


class Mortal(Graph):
    """Dies with its process at one of its writes, before it was sent or after Meta has carried it out."""

    dies_at = -1
    dies_before = False

    def post(self, path: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.dies_at -= 1
        if self.dies_at == -1 and self.dies_before:
            raise Killed
        answered = super().post(path, *args, **kwargs)
        if self.dies_at == -1:
            raise Killed
        return answered


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("died_at", range(13))
def test_another_process_goes_on(died_at: int, before: bool, server: GraphServer, upload: Uploader) -> None:
    """Prevents a second video, or none, after a process that died at any request, before it was sent or before its answer was kept."""
    mortal = Mortal(Connection(server.token, server.endpoint))
    mortal.dies_at, mortal.dies_before = died_at, before
    with pytest.raises(Killed):
        upload(graph=mortal)
    upload()
    assert arrived(server) == WHOLE


@pytest.mark.parametrize("died_at", range(0, 12, 3))
def test_another_process_goes_on_after_keeping(died_at: int, server: GraphServer, upload: Uploader) -> None:
    """Prevents pieces sent again that a process had kept before it died."""

    def keep(session: UploadSession) -> None:
        if len(upload.kept) == died_at + 1:
            raise Killed

    with pytest.raises(Killed):
        upload(keep=keep)
    upload()
    assert arrived(server) == WHOLE and phases(server).count("transfer") == 11 and phases(server).count("finish") == 1


def test_a_finish_of_unknown_outcome_is_looked_at(server: GraphServer, upload: Uploader) -> None:
    """Prevents an upload given up, or finished twice, because the answer to the last request was lost."""
    server.fault("reset_after", on=f"POST {ACCOUNT}/advideos", skip=12)
    upload()
    assert phases(server).count("finish") == 1 and arrived(server) == WHOLE


def test_a_finish_that_never_arrived_is_sent_again(server: GraphServer, upload: Uploader) -> None:
    """Prevents a video that stays unfinished for ever."""
    server.fault("reset_before", on=f"POST {ACCOUNT}/advideos", skip=12)
    upload()
    assert phases(server).count("finish") == 2 and arrived(server) == WHOLE


def test_a_start_is_never_repeated(server: GraphServer, upload: Uploader) -> None:
    """Prevents uploads begun again and again within one attempt, each leaving half a video behind."""
    server.fault("reset_after", on=f"POST {ACCOUNT}/advideos")
    with pytest.raises(OutcomeUnknown):
        upload()
    assert phases(server) == ["start"] and not upload.kept


def test_a_session_that_meta_forgot_is_given_up(server: GraphServer, upload: Uploader) -> None:
    """Prevents a campaign that can never be made because an upload of last week cannot go on."""
    upload.kept.append(UploadSession(session_id="404", video_id="405", start=2000, end=3000))
    assert upload() == server.objects("video")[-1]["id"]
    assert arrived(server) == WHOLE


def test_a_finished_session_is_not_sent_again(server: GraphServer, upload: Uploader) -> None:
    """Prevents all of a video sent again by a process that only had to wait."""
    upload()
    server.received.clear()
    upload()
    assert not phases(server) and arrived(server) == WHOLE


def test_a_token_that_ends_is_no_reason_for_another_upload(server: GraphServer, upload: Uploader) -> None:
    """Prevents a second upload where no request can succeed."""
    upload()
    upload.kept[-1] = upload.kept[3]
    server.fault("token_expired", on="*", times=99)
    server.received.clear()
    with pytest.raises(TokenRefused):
        upload()
    assert not phases(server)


def test_a_limit_between_two_pieces_is_waited_for(server: GraphServer, upload: Uploader) -> None:
    """Prevents an upload given up because the account had to pause for a minute, and a run that waits for an hour."""
    server.fault("management_quota", on=f"POST {ACCOUNT}/advideos", skip=4, minutes=2)
    upload()
    assert arrived(server) == WHOLE
    upload.kept.clear()
    server.fault("management_quota", on=f"POST {ACCOUNT}/advideos", skip=4, minutes=60)
    with pytest.raises(Throttled):
        upload()
    upload()
    assert arrived(server) == WHOLE * 2


def test_a_server_that_takes_nothing_is_given_up(server: GraphServer, upload: Uploader) -> None:
    """Prevents the endless repeats of the SDK's uploader."""
    server.fault("unknown_error", on=f"POST {ACCOUNT}/advideos", skip=3, times=99)
    with pytest.raises(OutcomeUnknown):
        upload()
    assert phases(server).count("transfer") == 2 + TRIES
    server.clear_faults()
    upload()
    assert arrived(server) == WHOLE


def test_a_bad_video_is_told_as_one(server: GraphServer, upload: Uploader) -> None:
    """Prevents a video that Meta cannot use waited for until the patience ends."""
    server.fault("video_error", on=f"POST {ACCOUNT}/advideos", skip=12)
    with pytest.raises(GraphRefused, match="cannot use the video"):
        upload()


def test_patience_ends(server: GraphServer, upload: Uploader) -> None:
    """Prevents a run that waits for ever; the same session goes on later without another upload."""
    server.fault("video_never_ready", on=f"POST {ACCOUNT}/advideos", skip=12)
    with pytest.raises(NotReady):
        upload(patience=300)
    server.received.clear()
    with pytest.raises(NotReady):
        upload(patience=0)
    assert not phases(server)


def test_a_file_that_shrinks_is_told(upload: Uploader, path: Path) -> None:
    """Prevents empty pieces sent for ever."""

    def shrink(session: UploadSession) -> None:
        path.write_bytes(b"")

    with pytest.raises(PermanentError, match="shorter"):
        upload(keep=shrink)


@pytest.mark.parametrize(
    "offsets", [("5", "2"), ("0", "99999999"), ("-1", "5"), ("x", "y"), (None, None), ("1e3", "2e3"), ("9" * 5000, "9" * 5000), (1.5, 2)]
)
def test_offsets_that_cannot_be_are_not_sent(offsets: tuple[Any, Any], path: Path) -> None:
    """Prevents reading outside the file, and numbers out of an answer believed as they are."""
    told = {"upload_session_id": "1", "video_id": "2", "start_offset": offsets[0], "end_offset": offsets[1]}
    with scripted_server(sent(DONE)) as scripted:
        scripted.script = [sent(told)]
        uploader = Uploader(scripted, "token-of-a-test", path, ManualClock(datetime(2026, 11, 27, tzinfo=UTC)))
        with pytest.raises(OutcomeUnknown):
            uploader()
        assert len(scripted.received) == 1 and not uploader.kept


def test_bytes_taken_and_lost_for_ever_end(path: Path) -> None:
    """Prevents an upload without end to a server that takes a piece and then has lost it."""
    with scripted_server(sent(DONE)) as scripted:
        started = sent({"upload_session_id": "1", "video_id": "2", "start_offset": "0", "end_offset": "9"})
        taken = sent({"start_offset": "9", "end_offset": "18"})
        lost = refusal(6000, subcode=1363037, error_data={"start_offset": 0, "end_offset": 9})
        scripted.script = [started, *[taken, lost] * 200]
        uploader = Uploader(scripted, "token-of-a-test", path, ManualClock(datetime(2026, 11, 27, tzinfo=UTC)))
        with pytest.raises(GraphRefused):
            uploader()
        assert len(scripted.received) < 150


def test_sessions_can_be_stored() -> None:
    """Prevents a session that does not survive being written down."""
    session = UploadSession(session_id="1", video_id="2", start=3, end=4)
    assert UploadSession.model_validate_json(session.model_dump_json()) == session
