"""Pipes out of an ffmpeg child, and what it tells of its progress."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import IO

Progress = Callable[[float], None]
"""Called about twice a second with the seconds of video decoded so far."""


class Readers:
    """Pipes from ffmpeg, each drained by a thread of its own: a pipe that nobody drains stops the whole graph."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._write_ends: list[int] = []
        self._read_ends: list[IO[bytes]] = []
        self._problems: list[Exception] = []
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close_write_ends()
        for thread in self._threads:
            thread.join()
        for stream in self._read_ends:
            stream.close()

    @property
    def write_ends(self) -> tuple[int, ...]:
        return tuple(self._write_ends)

    def add(self, block_bytes: int, take: Callable[[bytes], None]) -> int:
        """A pipe whose blocks, each whole but for the last, go to `take`; returns the descriptor to write to."""
        read_end, write_end = os.pipe()
        stream = os.fdopen(read_end, "rb", buffering=min(block_bytes, 1 << 20))
        self._start(stream, write_end, lambda: iter(lambda: stream.read(block_bytes), b""), take)
        return write_end

    def add_lines(self, take: Callable[[bytes], None]) -> int:
        """A pipe whose lines go to `take`; returns the descriptor to write to."""
        read_end, write_end = os.pipe()
        stream = os.fdopen(read_end, "rb")
        self._start(stream, write_end, lambda: iter(lambda: stream.readline(65_536), b""), take)
        return write_end

    def _start(self, stream: IO[bytes], write_end: int, blocks: Callable[[], Iterator[bytes]], take: Callable[[bytes], None]) -> None:
        def drain() -> None:
            failed = False
            for block in blocks():
                if not failed:
                    try:
                        take(block)
                    except Exception as problem:  # noqa: BLE001 - raised again by `join` in the thread that runs the pass
                        self._problems.append(problem)
                        self._stop()
                        failed = True

        thread = threading.Thread(target=drain, name=f"drain-{write_end}", daemon=True)
        self._read_ends.append(stream)
        self._write_ends.append(write_end)
        self._threads.append(thread)
        thread.start()

    def on_failure(self, stop: Callable[[], None]) -> None:
        """Has `stop` called, from any thread, once a reader has failed, or now if one has."""
        self._stop = stop
        if self._problems:
            stop()

    def close_write_ends(self) -> None:
        """Closes our copies of what the child writes to; until then no reader sees the end."""
        while self._write_ends:
            os.close(self._write_ends.pop())

    def join(self) -> None:
        """Waits for every reader to see its pipe's end.

        Raises:
            Exception: what an analyser raised.
        """
        for thread in self._threads:
            thread.join()
        if self._problems:
            raise self._problems[0]


def progress_into(progress: Progress | None) -> Callable[[bytes], None]:
    """What reads the lines of `-progress` and tells `progress` the seconds that are done."""

    def take(line: bytes) -> None:
        name, _, value = line.strip().partition(b"=")
        if progress and name == b"out_time_us" and value.lstrip(b"-").isdigit():
            progress(int(value) / 1e6)

    return take
