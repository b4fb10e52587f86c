"""The table of uploads, over SQLite and a real PostgreSQL."""

import multiprocessing
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import keys
from videolab_assets.lib.catalogue import Catalogue, State, Upload, owner_alive
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.processes import ProcessIdentity, this_process

RACERS = 24
SHA = "ab" * 32
Result = TypeVar("Result")


class Clock:
    """A clock that a test sets."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/made/on the way/videolab.db"
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


@pytest.fixture
def catalogue(url: str, clock: Clock) -> Iterator[Catalogue]:
    catalogue = Catalogue(url, clock)
    yield catalogue
    catalogue.dispose()


def enqueued(catalogue: Catalogue, name: str = "talk.mp4", version: str = "1", tenant: str = "acme") -> Upload:
    upload, new = catalogue.enqueue(tenant, f"inbox/{tenant}/{name}", version, 7)
    assert new
    return upload


def again(catalogue: Catalogue, upload: Upload) -> Upload:
    found = catalogue.by_upload_id(upload.upload_id)
    assert found is not None
    return found


def raced(one: Callable[[int], Result]) -> list[Result]:
    """What each of the racers got, all let go at once."""
    gate = threading.Barrier(RACERS)

    def run(racer: int) -> Result:
        gate.wait()
        return one(racer)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def test_an_upload_is_noted_once(catalogue: Catalogue, clock: Clock) -> None:
    """A file that lies in the inbox for two ticks is processed twice."""
    upload = enqueued(catalogue)
    clock.now += 60
    assert catalogue.enqueue("acme", "inbox/acme/talk.mp4", "1", 7) == (upload, False)
    assert upload == Upload(
        upload_id=keys.upload_id("inbox/acme/talk.mp4", "1"),
        tenant="acme",
        inbox_key="inbox/acme/talk.mp4",
        version="1",
        bytes=7,
        video_key=upload.video_key,
        state=State.QUEUED,
        attempt=0,
        next_attempt_at=1_000_000.0,
        reason=None,
        sha256=None,
        duplicate_of=None,
        owner=None,
        created_at=1_000_000.0,
        updated_at=1_000_000.0,
    )
    assert keys.tenant_of(upload.video_key) == "acme"
    assert catalogue.by_video_key(upload.video_key) == upload
    assert catalogue.by_video_key("acme.other.00000000") is None


def test_a_new_version_is_a_new_upload(catalogue: Catalogue) -> None:
    """What is uploaded again under an old name is never processed."""
    assert enqueued(catalogue, version="1").video_key != enqueued(catalogue, version="2").video_key


def test_rows_outlive_the_process(catalogue: Catalogue, url: str) -> None:
    """A restart forgets what was processed, and starts all of it again."""
    upload = enqueued(catalogue)
    other = Catalogue(url)
    assert other.known([upload.upload_id, "f" * 64]) == {upload.upload_id: upload}
    other.dispose()


def test_one_of_many_notes_an_upload(catalogue: Catalogue) -> None:
    """Two daemons, or a tick and the command line, both start a run for one file."""
    noted = raced(lambda _: catalogue.enqueue("acme", "inbox/acme/talk.mp4", "1", 7))
    assert sum(new for _, new in noted) == 1
    assert len({upload.video_key for upload, _ in noted}) == 1


def test_uploads_whose_short_digests_meet_keep_apart(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of a hundred thousand `video.mp4` share eight hex digits: the second gets the first's partition, or stops the sensor."""
    monkeypatch.setattr(keys, "upload_id", lambda key, version: "0" * 8 + version * 56)
    first, second = enqueued(catalogue, version="1"), enqueued(catalogue, version="2")
    assert (first.video_key, second.video_key) == ("acme.talk.00000000", "acme.talk.22222222")
    assert catalogue.enqueue("acme", "inbox/acme/talk.mp4", "2", 7) == (second, False)


@pytest.mark.parametrize("name", ["new\nline.mp4", "not_utf8_\udcff.mp4", "100%41.mp4", "é😀.mp4", "a'b\"; DROP TABLE uploads.mp4"])
def test_names_are_kept_byte_for_byte(catalogue: Catalogue, name: str) -> None:
    """A hostile name stops the sensor's insert, or comes back as another name whose file is not found."""
    upload = enqueued(catalogue, name)
    assert again(catalogue, upload).inbox_key == f"inbox/acme/{name}"


@pytest.fixture(scope="module")
def one_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    catalogue = Catalogue(f"sqlite:///{tmp_path_factory.mktemp('catalogue')}/videolab.db")
    yield catalogue
    catalogue.dispose()


@given(st.binary(min_size=1, max_size=40))
def test_any_bytes_in_a_name_come_back(one_catalogue: Catalogue, name: bytes) -> None:
    """One odd byte makes two names one, or one name two."""
    key = "inbox/acme/" + name.decode("utf-8", "surrogateescape")
    upload, _ = one_catalogue.enqueue("acme", key, "1", 7)
    assert again(one_catalogue, upload).inbox_key.encode("utf-8", "surrogateescape") == b"inbox/acme/" + name


def test_a_reason_may_quote_anything(catalogue: Catalogue) -> None:
    """PostgreSQL refuses the sentence that names the refused file, and its run fails instead of being rejected."""
    upload = enqueued(catalogue)
    assert catalogue.mark_rejected(upload.upload_id, "not \udcff a\0 video")
    assert again(catalogue, upload).reason == "not \\udcff a\\0 video"


def test_the_way_of_an_upload(catalogue: Catalogue, clock: Clock) -> None:
    """A finished video stays in the queue, or a step is lost."""
    upload = enqueued(catalogue)
    clock.now += 5
    assert not catalogue.mark_accepted(upload.upload_id), "accepted without its content being claimed"
    assert catalogue.claim_content(upload.upload_id, SHA) is None
    assert catalogue.mark_accepted(upload.upload_id)
    assert catalogue.mark_accepted(upload.upload_id), "a second try of the same run"
    assert catalogue.mark_done(upload.upload_id)
    assert again(catalogue, upload) == replace(upload, state=State.DONE, sha256=SHA, updated_at=clock.now)
    assert catalogue.unfinished(10) == []
    assert catalogue.claim_content(upload.upload_id, SHA) is None, "a person materializes the source of a finished video again"


FINAL: dict[State, Callable[[Catalogue, str], bool]] = {
    State.REJECTED: lambda catalogue, upload_id: catalogue.mark_rejected(upload_id, "no video"),
    State.DUPLICATE: lambda catalogue, upload_id: catalogue.mark_duplicate(upload_id, "acme.first.00000000", SHA),
    State.FAILED: lambda catalogue, upload_id: catalogue.mark_failed(upload_id, "out of luck"),
    State.DONE: lambda catalogue, upload_id: (
        catalogue.claim_content(upload_id, SHA) is None and catalogue.mark_accepted(upload_id) and catalogue.mark_done(upload_id)
    ),
}


@pytest.mark.parametrize("state", FINAL)
def test_final_means_final(catalogue: Catalogue, state: State) -> None:
    """A late run, given up long ago, turns a rejected upload into an accepted one, or a finished one into a failure."""
    upload = enqueued(catalogue)
    assert FINAL[state](catalogue, upload.upload_id)
    final = again(catalogue, upload)
    assert final.state is state
    changes: list[bool] = [
        catalogue.mark_accepted(upload.upload_id),
        catalogue.mark_done(upload.upload_id),
        catalogue.mark_rejected(upload.upload_id, "late"),
        catalogue.mark_duplicate(upload.upload_id, "acme.late.00000000", SHA),
        catalogue.mark_failed(upload.upload_id, "late"),
        catalogue.start_attempt(upload.upload_id, 0, 0.0),
        catalogue.set_owner(upload.upload_id, this_process()),
    ]
    assert changes == [False] * len(changes)
    assert again(catalogue, upload) == final
    assert catalogue.unfinished(10) == []
    with pytest.raises(PermanentError, match=state.value):
        catalogue.claim_content(upload.upload_id, "cd" * 32)


def test_unknown_uploads_change_nothing(catalogue: Catalogue) -> None:
    """A mistyped id counts as done."""
    assert not catalogue.mark_failed("f" * 64, "unknown")
    with pytest.raises(PermanentError, match="unknown"):
        catalogue.claim_content("f" * 64, SHA)


def test_a_failed_upload_can_be_taken_up_again(catalogue: Catalogue, clock: Clock) -> None:
    """A person re-runs a failed video, and its success cannot be recorded; or anything else can be reopened."""
    upload = enqueued(catalogue)
    assert not catalogue.reopen(upload.upload_id)
    assert catalogue.start_attempt(upload.upload_id, 0, clock.now + 1000)
    assert catalogue.mark_failed(upload.upload_id, "out of luck")
    assert catalogue.reopen(upload.upload_id)
    (reopened,) = catalogue.unfinished(10)
    assert (reopened.state, reopened.attempt, reopened.reason) == (State.QUEUED, 1, None)


def test_the_same_bytes_are_recognised_within_a_tenant(catalogue: Catalogue) -> None:
    """The same video is processed twice; or one tenant learns that another has it."""
    other, first, second = enqueued(catalogue, tenant="abc"), enqueued(catalogue), enqueued(catalogue, "copy.mp4")
    assert catalogue.claim_content(other.upload_id, SHA) is None
    assert catalogue.claim_content(first.upload_id, SHA) is None
    assert catalogue.claim_content(first.upload_id, SHA) is None
    holder = catalogue.claim_content(second.upload_id, SHA)
    assert holder is not None and holder.video_key == first.video_key
    assert catalogue.mark_duplicate(second.upload_id, first.video_key, SHA)
    found = again(catalogue, second)
    assert (found.state, found.duplicate_of, found.sha256) == (State.DUPLICATE, first.video_key, SHA)


@pytest.mark.parametrize("state", [State.FAILED, State.REJECTED, State.DUPLICATE])
def test_a_claim_is_let_go(catalogue: Catalogue, state: State) -> None:
    """After a failure the same content can never be uploaded again: it is a duplicate of something that does not exist."""
    first, second = enqueued(catalogue), enqueued(catalogue, "copy.mp4")
    assert catalogue.claim_content(first.upload_id, SHA) is None
    assert FINAL[state](catalogue, first.upload_id)
    assert catalogue.claim_content(second.upload_id, SHA) is None
    assert again(catalogue, first).sha256 == SHA


def test_one_of_many_claims_the_bytes(catalogue: Catalogue) -> None:
    """The same video put in the inbox under many names at once is processed several times, or not at all."""
    uploads = [enqueued(catalogue, f"{racer}.mp4") for racer in range(RACERS)]
    holders = raced(lambda racer: catalogue.claim_content(uploads[racer].upload_id, SHA))
    (winner,) = [upload for upload, holder in zip(uploads, holders, strict=True) if holder is None]
    assert {holder.video_key for holder in holders if holder} == {winner.video_key}


def claim_in_a_process(url: str, upload_id: str, gate: Any, answers: Any) -> None:
    catalogue = Catalogue(url)
    gate.wait()
    answers.put(catalogue.claim_content(upload_id, SHA) is None)


def test_processes_race_too(url: str) -> None:
    """Threads share a connection pool and a lock that runs on one machine do not: the database itself has to decide."""
    forked = multiprocessing.get_context("fork")
    catalogue = Catalogue(url)
    uploads = [enqueued(catalogue, f"{racer}.mp4") for racer in range(6)]
    catalogue.dispose()
    gate, answers = forked.Barrier(6), forked.Queue()
    racers = [forked.Process(target=claim_in_a_process, args=(url, upload.upload_id, gate, answers)) for upload in uploads]
    for racer in racers:
        racer.start()
    assert sum(answers.get(timeout=60) for _ in racers) == 1
    for racer in racers:
        racer.join()


def test_many_make_the_tables_at_once(url: str) -> None:
    """Daemon, code server and runs start together on a new machine, and one of them dies because the table is there already."""
    for catalogue in raced(lambda _: Catalogue(url)):
        assert catalogue.unfinished(1) == []
        catalogue.dispose()


def test_one_of_many_starts_an_attempt(catalogue: Catalogue, clock: Clock) -> None:
    """Two ticks ask for the same retry, and two runs work on one video."""
    upload = enqueued(catalogue)
    catalogue.set_owner(upload.upload_id, this_process())
    started = raced(lambda _: catalogue.start_attempt(upload.upload_id, 0, clock.now + 60))
    assert sum(started) == 1
    found = again(catalogue, upload)
    assert (found.attempt, found.next_attempt_at, found.owner) == (1, clock.now + 60, None)


def test_videos_are_found_by_the_name_of_their_upload(catalogue: Catalogue, clock: Clock) -> None:
    """A correction goes to another tenant's video or to one whose name only begins alike; or a duplicate and a failure make a name
    ambiguous.
    """
    first = enqueued(catalogue)
    clock.now += 1
    copy, failed, rejected = [enqueued(catalogue, version=version) for version in ("2", "3", "4")]
    clock.now += 1
    other = enqueued(catalogue, "talk.MOV")
    for name in ("talk.part2.mp4", "talks.mp4", "Talk.mp4", "sub/talk.mp4", "tal.mp4", "talk_.mp4"):
        enqueued(catalogue, name)
    enqueued(catalogue, tenant="abc")
    assert catalogue.mark_duplicate(copy.upload_id, first.video_key, SHA)
    assert catalogue.mark_failed(failed.upload_id, "out of luck")
    assert catalogue.mark_rejected(rejected.upload_id, "no video")
    found = catalogue.named("acme", "talk")
    assert [upload.video_key for upload in found[:2]] == [other.video_key, first.video_key]
    assert {upload.video_key for upload in found[2:]} == {failed.video_key, rejected.video_key}
    assert [upload.video_key for upload in catalogue.named("acme", "talk", most=1)] == [other.video_key]
    assert len(catalogue.named("acme", "sub/talk")) == 1
    assert len(catalogue.named("acme", "talk.part2")) == 1
    assert catalogue.named("acme", "") == catalogue.named("acme", "%") == catalogue.named("acme", "tal_") == []


@pytest.mark.parametrize("stem", ["a\nb", "not_utf8_\udcff", "100%41", "é😀", "a'b\"; DROP TABLE uploads", "no ending", ".", "..", "a.b.c"])
def test_strange_names_are_found(catalogue: Catalogue, stem: str) -> None:
    """A video that was uploaded under a strange name, or one without an ending, cannot be corrected by that name."""
    upload = enqueued(catalogue, stem if stem == "no ending" else f"{stem}.mp4")
    assert catalogue.named("acme", stem) == [upload]


@given(st.binary(min_size=1, max_size=40).filter(lambda name: 0 not in name))
def test_any_name_is_found(one_catalogue: Catalogue, name: bytes) -> None:
    """What the database calls the name without its ending is not what the sensor calls it."""
    stem = name.decode("utf-8", "surrogateescape")
    upload, _ = one_catalogue.enqueue("acme", f"inbox/acme/{stem}.mp4", "1", 7)
    assert upload.video_key in {found.video_key for found in one_catalogue.named("acme", stem)}


def test_an_older_database_gets_what_is_new(catalogue: Catalogue, url: str) -> None:
    """After an upgrade every look for a name reads the whole table."""
    for _ in range(2):
        with catalogue._database.connect() as connection:
            connection.exec_driver_sql("DROP INDEX uploads_named")
        Catalogue(url).dispose()


def test_unfinished_shows_what_is_due(catalogue: Catalogue, clock: Clock) -> None:
    """A retry comes at once instead of later, never, or before older ones."""
    waiting, late, early, running = [enqueued(catalogue, f"{name}.mp4") for name in ("waiting", "late", "early", "running")]
    catalogue.start_attempt(waiting.upload_id, 0, clock.now + 100)
    catalogue.start_attempt(late.upload_id, 0, clock.now - 1)
    catalogue.start_attempt(early.upload_id, 0, clock.now - 2)
    assert catalogue.claim_content(running.upload_id, SHA) is None
    assert catalogue.mark_accepted(running.upload_id)
    assert [upload.video_key for upload in catalogue.unfinished(10)] == [early.video_key, late.video_key, running.video_key]
    clock.now += 100
    assert catalogue.unfinished(10)[-1].video_key == waiting.video_key


def test_unfinished_pages(catalogue: Catalogue) -> None:
    """Uploads that fell due in the same moment are skipped or shown twice between pages."""
    expected = {enqueued(catalogue, f"{number}.mp4").upload_id for number in range(7)}
    seen: list[str] = []
    page = catalogue.unfinished(3)
    while page:
        seen += [upload.upload_id for upload in page]
        page = catalogue.unfinished(3, after=page[-1])
    assert len(seen) == 7 and set(seen) == expected


def test_a_killed_owner_is_noticed(catalogue: Catalogue) -> None:
    """A run killed together with its daemon holds its upload for ever; or a living one is taken over."""
    upload = enqueued(catalogue)
    assert not owner_alive(upload)
    assert catalogue.set_owner(upload.upload_id, this_process())
    assert owner_alive(again(catalogue, upload))
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = this_process()
    for identity, alive in [
        (ProcessIdentity(here.host, here.boot, ended.pid, 1), False),
        (ProcessIdentity(here.host, here.boot, here.pid, here.started + 1), False),
        (ProcessIdentity(here.host, "0badb007", here.pid, here.started), False),
        (ProcessIdentity("another-host", "0badb007", 1, 1), True),
    ]:
        assert catalogue.set_owner(upload.upload_id, identity)
        assert owner_alive(again(catalogue, upload)) is alive


def plans_of(catalogue: Catalogue, use: Callable[[], object]) -> list[str]:
    """The database's plan for each query that `use` makes, as one text each."""
    engine = catalogue._database._engine
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        use()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        return ["\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, values)) for sql, values in statements]


def test_the_cost_of_a_tick_does_not_grow(catalogue: Catalogue, clock: Clock) -> None:
    """After a year of uploads each tick reads the whole table, outlasts Dagster's limit, and nothing new is noticed any more."""
    with catalogue._database.connect() as connection:
        done = [
            {
                "upload_id": f"{number:064x}",
                "tenant": "acme",
                "inbox_key": f"inbox/acme/{number}.mp4",
                "version": "1",
                "bytes": 7,
                "video_key": f"acme.{number}.{number:08x}",
                "state": "done",
                "attempt": 1,
                "next_attempt_at": float(number),
                "holds_content": f"{number:064x}",
                "created_at": 0.0,
                "updated_at": 0.0,
            }
            for number in range(20_000)
        ]
        connection.execute(sa.text("BEGIN"))
        connection.execute(sa.insert(sa.table("uploads", *map(sa.column, done[0]))), done)
        connection.execute(sa.text("COMMIT"))
        connection.execute(sa.text("ANALYZE"))
    fresh = enqueued(catalogue)
    seen = [f"{number:064x}" for number in range(0, 20_000, 200)]
    uses: list[Callable[[], object]] = [
        lambda: catalogue.known([*seen, fresh.upload_id]),
        lambda: catalogue.by_upload_id(fresh.upload_id),
        lambda: catalogue.by_video_key(fresh.video_key),
        lambda: catalogue.named("acme", "17"),
        lambda: catalogue.named("acme", "nobody"),
        lambda: catalogue.unfinished(100),
        lambda: catalogue.unfinished(100, after=fresh),
        lambda: catalogue.claim_content(fresh.upload_id, seen[1]),
        lambda: catalogue.enqueue("acme", "inbox/acme/talk.mp4", "1", 7),
    ]
    for use in uses:
        for plan in plans_of(catalogue, use):
            assert "SCAN uploads" not in plan.replace("SCAN uploads USING INDEX uploads_unfinished", ""), plan
            assert "Seq Scan" not in plan, plan
    assert len(catalogue.known([*seen, fresh.upload_id])) == 101
    assert len(plans_of(catalogue, lambda: catalogue.known(seen))) == 1
    assert "uploads_unfinished" in plans_of(catalogue, lambda: catalogue.unfinished(100))[0]


def test_more_ids_than_one_query_takes(catalogue: Catalogue) -> None:
    """An inbox of 50,000 files fails on `too many SQL variables`."""
    upload = enqueued(catalogue)
    assert list(catalogue.known([*(f"{number:064x}" for number in range(25_000)), upload.upload_id])) == [upload.upload_id]
    assert catalogue.known([]) == {}


def test_other_databases_are_refused() -> None:
    """A mistyped address makes an empty database somewhere, and everything is processed again."""
    for address in ("mysql://localhost/videolab", "mssql://localhost/videolab"):
        with pytest.raises(PermanentError, match="not a database"):
            Catalogue(address)


def test_an_unreachable_database_is_no_fault_of_the_upload() -> None:
    """PostgreSQL restarts, and the uploads of that minute are rejected; or the password is in the message."""
    with pytest.raises(TransientError, match="cannot be used now") as unreachable:
        Catalogue("postgresql+psycopg2://someone:secret@127.0.0.1:1/videolab")
    assert "secret" not in str(unreachable.value)
