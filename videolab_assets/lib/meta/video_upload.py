"""A video into an advertising account, in pieces, resumable by another process.

The SDK's uploader is not used: it speaks to graph-video.facebook.com, which answers 500 (facebook-python-business-sdk #701), forgets all
when its process dies, and repeats without end. Phases: developers.facebook.com, Graph API, Video Upload; offsets come as text.
"""

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from videolab_assets.lib.documents.base import Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.meta.errors import (
    AccountBlocked,
    GraphError,
    GraphRefused,
    NotReady,
    NotSent,
    OutcomeUnknown,
    Throttled,
    TokenRefused,
)
from videolab_assets.lib.meta.graph import LONGEST_WAIT, Graph

RESUME = 1363037
"""The subcode that says where to go on."""

LARGEST_PIECE = 16 * 1024**2
"""Bytes in memory at once, about three times; the server usually asks for less."""

TRIES = 6
"""In a row without the server having taken a byte more."""

MOST_SETBACKS = 50
"""In all, for a server that takes bytes and loses them again."""

PATIENCE = 1800.0
"""Seconds for Meta to make a video ready."""

FIRST_POLL, LONGEST_POLL = 2.0, 30.0
FAILED = ("error", "expired", "upload_failed")


class UploadSession(Model):
    """How far an upload has come, for another process to go on.

    Attributes:
        session_id: Meta's, of the upload.
        video_id: Meta's; decided at the start, so that going on never makes a second video.
        start: first byte that Meta wants next.
        end: the one after the last that it wants next; equal to `start` when it has all.
    """

    session_id: str
    video_id: str
    start: int
    end: int


def upload_video(
    graph: Graph,
    account_id: str,
    path: Path,
    title: str,
    *,
    keep: Callable[[UploadSession], None],
    session: UploadSession | None = None,
    largest_piece: int = LARGEST_PIECE,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Uploads a file and waits until ads can show it.

    The pieces may be sent again, because the server says which byte it wants. A start is never repeated; what it leaves behind is no video.
    A finish is repeated only after a look has shown that it did not arrive.

    Args:
        graph: as whom.
        account_id: such as "act_123456".
        path: the file, which stays as it is meanwhile.
        title: of the video at Meta.
        keep: is given the session after each step; what it was given last is the `session` of the next process.
        session: to go on from. One that Meta does not know any more is given up for a new one, where its video is not finished.
        largest_piece: bytes sent in one request at most.
        patience: seconds for the video to become ready.
        sleep: waits a number of seconds.
        clock: seconds, never set back.

    Returns:
        The video's id.

    Raises:
        GraphRefused: Meta does not take the video, or cannot make it ready.
        NotReady: it is not ready in time; going on later with the same session is right.
        PermanentError: the file became shorter meanwhile.
        GraphError: as `Graph.post`; going on later with the same session is right.
    """
    upload = _Upload(graph, account_id, path, title, keep, largest_piece, sleep)
    if session is None:
        session = upload.start()
        upload.complete(session)
    elif not upload.is_finished(session):
        try:
            upload.complete(session)
        except (TokenRefused, AccountBlocked):
            raise
        except GraphRefused:
            if upload.is_finished(session):
                raise
            session = upload.start()
            upload.complete(session)
    until_ready(graph, session.video_id, patience, sleep, clock)
    return session.video_id


class _Upload:
    def __init__(
        self,
        graph: Graph,
        account_id: str,
        path: Path,
        title: str,
        keep: Callable[[UploadSession], None],
        largest_piece: int,
        sleep: Callable[[float], None],
    ) -> None:
        self._graph = graph
        self._edge = f"{account_id}/advideos"
        self._path = path
        self._size = path.stat().st_size
        self._title = title
        self._keep = keep
        self._largest_piece = largest_piece
        self._sleep = sleep

    def start(self) -> UploadSession:
        params = {"upload_phase": "start", "file_size": self._size}
        answer = self._graph.post(self._edge, params, expects=("upload_session_id",))
        names = (str(answer.get("upload_session_id")), str(answer.get("video_id") or ""))
        return self._kept(UploadSession(session_id=names[0], video_id=names[1], start=0, end=0), answer)

    def complete(self, session: UploadSession) -> None:
        """Sends what the server still wants, and says that it was all."""
        failures = setbacks = 0
        while True:
            before = session.start
            try:
                if session.start == session.end:
                    self._finish(session)
                    return
                session = self._kept(session, self._transfer(session))
                problem: GraphError = OutcomeUnknown("Meta takes no more of the video, and does not say why.")
            except (NotSent, OutcomeUnknown, Throttled, GraphRefused) as error:
                problem = error
            if problem.subcode == RESUME and _offsets(problem.data, self._size):
                session = self._kept(session, problem.data)
            elif isinstance(problem, GraphRefused):
                raise problem
            if session.start > before:
                failures = 0
                continue
            failures, setbacks = failures + 1, setbacks + 1
            if failures >= TRIES or setbacks >= MOST_SETBACKS:
                raise problem
            self._wait(problem, failures)

    def is_finished(self, session: UploadSession) -> bool:
        """Whether Meta has been told that it has all of the video."""
        try:
            status, _ = _status(self._graph, session.video_id)
        except GraphRefused as error:
            if isinstance(error, TokenRefused | AccountBlocked):
                raise
            return False
        return status not in ("", "uploading")

    def _transfer(self, session: UploadSession) -> dict[str, Any]:
        with self._path.open("rb") as file:
            file.seek(session.start)
            piece = file.read(min(session.end - session.start, self._largest_piece))
        if not piece:
            raise PermanentError(f"{self._path.name} became shorter while it was uploaded: start again.")
        params = {"upload_phase": "transfer", "upload_session_id": session.session_id, "start_offset": session.start}
        files = {"video_file_chunk": ("piece", piece, "application/octet-stream")}
        return self._graph.post(self._edge, params, files=files, expects=("start_offset",))

    def _finish(self, session: UploadSession) -> None:
        params = {"upload_phase": "finish", "upload_session_id": session.session_id, "title": self._title}
        try:
            self._graph.post(self._edge, params, expects=("success",))
        except OutcomeUnknown:
            if not self.is_finished(session):
                raise

    def _kept(self, session: UploadSession, told: Mapping[str, Any]) -> UploadSession:
        """The session at the offsets that the server tells, given to `keep`."""
        offsets = _offsets(told, self._size)
        if offsets is None or not session.video_id:
            raise OutcomeUnknown("Meta asks for bytes of the video that do not exist, or names no video: nothing more was sent.")
        session = session.model_copy(update={"start": offsets[0], "end": offsets[1]})
        self._keep(session)
        return session

    def _wait(self, problem: GraphError, failures: int) -> None:
        wait = 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        if isinstance(problem, Throttled):
            if problem.wait > LONGEST_WAIT:
                raise problem
            wait += problem.wait
        self._sleep(wait)


def _offsets(told: Mapping[str, Any], size: int) -> tuple[int, int] | None:
    """The first byte that the server wants and the one after the last; None where it names none that the file can have."""
    texts = [str(told.get(name)) for name in ("start_offset", "end_offset")]
    if not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts):
        return None
    start, end = map(int, texts)
    return (start, end) if start <= end <= size else None


def _status(graph: Graph, video_id: str) -> tuple[str, str]:
    """The state of a video as one of Meta's words, empty where it has none, and what went wrong with it, likewise."""
    told = graph.get(video_id, {"fields": "status"}, expects=("id", "status")).get("status")
    if not isinstance(told, dict):
        return "", ""
    phases = [told.get(f"{name}_phase") for name in ("uploading", "processing", "publishing")]
    problems = [error for phase in phases if isinstance(phase, dict) for error in phase.get("errors") or [] if isinstance(error, dict)]
    return str(told.get("video_status") or ""), "; ".join(str(error.get("message", "")) for error in problems)[:300]


def until_ready(
    graph: Graph,
    video_id: str,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Waits until ads can show a video that Meta has whole; raises as `upload_video`."""
    until, wait = clock() + patience, FIRST_POLL
    while True:
        status, problem = _status(graph, video_id)
        if status == "ready":
            return
        if status in FAILED:
            raise GraphRefused(f"Meta cannot use the video {video_id}: {problem or 'it does not say why'}.", f"video_status {status}")
        if clock() >= until:
            sentence = f"Meta has not made the video {video_id} ready within {patience / 60:.0f} minutes: try again later."
            raise NotReady(sentence, f"video_status {status[:40] or 'unknown'}")
        sleep(wait)
        wait = min(wait * 1.5, LONGEST_POLL)
