"""Posts that are out: read from a person's file, and recorded once for a clip and an account."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.publications import Publication, Publications, read_publication

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
VIDEO = "acme.lighthouse.1a2b3c4d"
REEL = "https://www.instagram.com/reel/C9aBcDeFgHi/?igsh=tracking"
FIELDS = {
    "video": VIDEO,
    "clip": "c01",
    "platform": "instagram_reel",
    "account": '"@Acme.Video"',
    "post": REEL,
    "time": "2026-11-20 18:00+01:00",
}


def written(**changed: str) -> bytes:
    """A file with some of its values replaced."""
    return "".join(f"{name}: {value}\n" for name, value in {**FIELDS, **changed}.items()).encode()


def read(data: bytes, tenant: str = "acme", there: tuple[str, ...] = ("c01", "c02")) -> Publication:
    return read_publication(data, tenant, lambda _video, clip, _platform, _look: clip in there, NOW.timestamp())


@pytest.fixture(params=["sqlite", "postgresql"])
def publications(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Publications]:
    url = f"sqlite:///{tmp_path}/videolab.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    yield Publications(database, NOW.timestamp)
    database.dispose()


def test_what_a_person_writes_is_understood() -> None:
    """A time loses its offset, or the same account written with @ and capitals counts as another."""
    publication = read(written())
    assert (publication.account, publication.post_id()) == ("acme.video", "C9aBcDeFgHi")
    assert publication.time == datetime(2026, 11, 20, 17, tzinfo=UTC)


ADDRESSES = {
    ("instagram_reel", "https://instagram.com/acme/p/C9_a-b/"): "C9_a-b",
    ("instagram_reel", "17841400000000000"): "17841400000000000",
    ("tiktok_video", "https://www.tiktok.com/@acme.video/video/7300000000000000001?lang=es"): "7300000000000000001",
    ("facebook_feed_video", "https://www.facebook.com/acme/videos/1234567890/"): "1234567890",
    ("facebook_feed_video", "https://facebook.com/watch/?v=1234567890"): "1234567890",
    ("facebook_feed_video", "https://fb.watch/abC-12/"): "abC-12",
    ("youtube_short", "https://youtube.com/shorts/dQw4w9WgXcQ"): "dQw4w9WgXcQ",
    ("youtube_short", "https://youtu.be/dQw4w9WgXcQ?t=3"): "dQw4w9WgXcQ",
    ("youtube_short", "https://m.youtube.com/watch?v=dQw4w9WgXcQ"): "dQw4w9WgXcQ",
}


@pytest.mark.parametrize(("platform", "post"), ADDRESSES)
def test_the_posts_id_is_found_in_its_address(platform: str, post: str) -> None:
    """One post is recorded twice, once by its address and once by its id."""
    assert read(written(platform=platform, post=post)).post_id() == ADDRESSES[platform, post]


WRONG = {
    "another's video": ({"video": "other.lighthouse.1a2b3c4d"}, "Line 1", "acme"),
    "no video key": ({"video": "../../etc"}, "Line 1", "video key"),
    "an unknown clip": ({"clip": "c09"}, "Line 2", VIDEO),
    "no clip": ({"clip": "first"}, "Line 2", "c01"),
    "an unknown platform": ({"platform": "myspace"}, "Line 3", "instagram_reel"),
    "another platform's address": ({"post": "https://www.tiktok.com/@a/video/1"}, "Line 5", "instagram.com"),
    "a page that is no post": ({"post": "https://www.instagram.com/acme/"}, "Line 5", "address of a post"),
    "a script": ({"post": "'javascript:alert(1)//instagram.com/reel/1'"}, "Line 5", "address of a post"),
    "a time without its offset": ({"time": "2026-11-20 18:00"}, "Line 6", "offset"),
    "a time to come": ({"time": "2026-12-24 18:00+01:00"}, "Line 6", "passed"),
    "a typo in a key": ({"clips": "c01"}, "Line 7", "'clip'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_line(case: str) -> None:
    """A person cannot find their mistake; or somebody records posts for another tenant's videos."""
    changed, line, said = WRONG[case]
    with pytest.raises(PermanentError) as caught:
        read(written(**changed))
    assert caught.value.sentence.startswith(f"{line}:"), caught.value.sentence
    assert said in caught.value.sentence


def test_a_clip_is_recorded_once_for_an_account(publications: Publications) -> None:
    """The same clip counts as posted twice, and what it earned is halved; or a repeated run fails."""
    first = read(written())
    assert publications.record(first)
    assert not publications.record(first)
    assert publications.record(read(written(account="other", post="C2")))
    assert publications.record(read(written(clip="c02", post="C3")))
    with pytest.raises(PermanentError, match=r"out on acme\.video already, as the post C9aBcDeFgHi of 2026-11-20 17:00"):
        publications.record(read(written(post="C4")))
    with pytest.raises(PermanentError, match=f"recorded already, as {VIDEO}/c01"):
        publications.record(read(written(clip="c02", account="third")))
    assert publications.count() == 3
    assert {one.post_id for one in publications.latest("acme")} == {"C9aBcDeFgHi", "C2", "C3"}
    assert publications.latest("other") == []
    assert publications.latest()[0].publication.time == first.time


def test_racers_record_it_once(publications: Publications) -> None:
    """Two runs that follow the same post at once both believe that theirs is the first."""
    gate = threading.Barrier(8)

    def race(number: int) -> bool:
        gate.wait()
        try:
            return publications.record(read(written(post=f"C{number}")))
        except PermanentError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 1
    assert publications.count() == 1


@given(st.text(max_size=200), st.integers(-3, 3))
def test_nothing_that_is_written_there_breaks_it(post: str, days: int) -> None:
    """A file from outside makes the sensor fail for everybody."""
    moment = (NOW + timedelta(days=days)).isoformat()
    fields = {**FIELDS, "account": "acme", "post": post, "time": moment}
    try:
        publication = Publication.model_validate(fields, context={"now": NOW.timestamp()})
    except ValueError:
        return
    assert days <= 0
    assert 1 <= len(publication.post_id()) <= 64
