"""The Graph server in a process of its own: it tells the truth about what was made, fails as told, and kills whom it is told to kill."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

from videolab_assets_tests.graph_server import GraphServer, Received

FORK = multiprocessing.get_context("fork")
BEGINNING = datetime(2026, 12, 8, 12, tzinfo=UTC).timestamp()


class SharedClock:
    """A clock for several processes that goes on by itself, and at once where one of them sleeps."""

    def __init__(self) -> None:
        self._offset: Any = FORK.RawValue("d", 0.0)
        self._began = time.monotonic()

    def __call__(self) -> float:
        return BEGINNING + time.monotonic() - self._began + float(self._offset.value)

    def sleep(self, seconds: float) -> None:
        """No time passes but on this clock."""
        self._offset.value += seconds + 0.001

    def reset(self) -> None:
        """Back to the beginning, so that a long ordeal stays within one month."""
        self._offset.value = -(time.monotonic() - self._began)


@dataclass
class Truth:
    """What is at Meta.

    Attributes:
        objects: by kind.
        could_spend, could_ever: minor units.
        requests: since the last reset.
        played: names of the faults that have happened.
    """

    objects: dict[str, list[dict[str, Any]]]
    duplicates: list[Any]
    could_spend: int
    could_ever: int
    requests: int
    played: list[str]


@dataclass
class _Desk:
    """The server's side of the pipe."""

    server: GraphServer
    clock: SharedClock
    requests: int = 0
    victim: tuple[int, str, int] = (0, "", 0)
    armed: list[tuple[str, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def seen(self, _: Received, phase: str) -> None:
        with self.lock:
            self.requests += phase == "before"
            pid, at, number = self.victim
            if pid and phase == at and self.requests == number:
                self.victim = (0, "", 0)
                os.kill(pid, signal.SIGKILL)

    def reset(self, settle: float, polls: int, chunk: int) -> int:
        self.cleared()
        server, world = self.server, self.server.world
        for kept in (world.accounts, world.things, world.made, world.uploads, world.jobs, world.budgets_ever, server.received):
            kept.clear()
        server.add_account("act_1001", business="701", page="501", instagram="601")
        server.now = lambda: datetime.fromtimestamp(self.clock(), UTC)
        server.settle, server.processing_polls, server.chunk_size = settle, polls, chunk
        self.armed.clear()
        self.requests = 0
        return server.port

    def kill(self, pid: int, phase: str, number: int) -> None:
        with self.lock:
            self.victim = (pid, phase, self.requests + number)

    def fault(self, name: str, on: str | None, skip: int, settings: dict[str, Any]) -> None:
        self.server.fault(name, on, 1, skip, **settings)
        self.armed.append((name, self.server.faults.armed[-1]))

    def cleared(self) -> None:
        """Nothing fails any more, and every request has been carried out whose sender is gone."""
        with self.lock:
            self.victim = (0, "", 0)
        self.server.clear_faults()
        until = time.monotonic() + 10
        while self.server._listener.connections and time.monotonic() < until:
            time.sleep(0.0005)

    def mended(self) -> None:
        """What a person does about videos that hang or have failed: waits, and deletes."""
        with self.server.world.lock:
            for thing in self.server.world.things.values():
                if thing.kind == "video" and thing.fields.get("video_status") == "processing":
                    thing.fields["polls"] = 0
                if thing.kind == "video" and thing.fields.get("video_status") == "error":
                    thing.fields["status"] = "DELETED"

    def truth(self) -> Truth:
        server = self.server
        kinds = ("campaign", "adset", "video", "image", "creative", "ad", "ad_study")
        objects = {kind: server.objects(kind) for kind in kinds}
        objects["video"] = [video for video in objects["video"] if video.get("video_status") != "uploading"]
        played = [name for name, armed in self.armed if armed.times == 0]
        money = (server.could_spend("act_1001"), server.could_ever_have_spent("act_1001"))
        return Truth(objects, server.duplicates(), *money, self.requests, played)


def _serve(pipe: Pipe, clock: SharedClock) -> None:
    desk = _Desk(GraphServer(), clock)
    desk.server.on_request = desk.seen
    while (order := pipe.recv()) is not None:
        name, args = order
        pipe.send(getattr(desk, name)(*args))
    os._exit(0)


class Referee:
    """The test's side of the pipe. Made before any thread, so that workers may be forked beside it."""

    def __init__(self) -> None:
        self.clock = SharedClock()
        self._pipe, other = FORK.Pipe()
        self._process = FORK.Process(target=_serve, args=(other, self.clock), daemon=True)
        self._process.start()

    def _ask(self, name: str, *args: Any) -> Any:
        self._pipe.send((name, args))
        if not self._pipe.poll(60):
            raise RuntimeError(f"the referee does not answer {name}")
        return self._pipe.recv()

    def reset(self, *, settle: float, polls: int, chunk: int) -> str:
        """An empty account; the endpoint."""
        self.clock.reset()
        return f"http://127.0.0.1:{self._ask('reset', settle, polls, chunk)}"

    def kill(self, pid: int, phase: str, number: int) -> None:
        """Kills a process at the number-th request from now, before or after its effect."""
        self._ask("kill", pid, phase, number)

    def fault(self, name: str, on: str | None = None, skip: int = 0, **settings: Any) -> None:
        self._ask("fault", name, on, skip, settings)

    def cleared(self) -> None:
        self._ask("cleared")

    def mended(self) -> None:
        self._ask("mended")

    def truth(self) -> Truth:
        truth: Truth = self._ask("truth")
        return truth

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join(10)
        self._process.kill()
