"""The index over SQLite and a real PostgreSQL: the same answers in the same order."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import Segment, Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.search import Index, index
from videolab_assets.lib.search.query import words_in
from videolab_assets.lib.summary.sentences import tokens_of
from videolab_assets_tests.lib.summary.spoken import spoken, talk

BAKERY, BRIDGES, OTHER = "acme.bakery.00000001", "acme.bridges.00000002", "acme-2.bridges.00000003"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/videolab.db"
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


@pytest.fixture
def searched(url: str) -> Iterator[Index]:
    opened = Index(Database(url))
    yield opened
    opened.dispose()


@pytest.fixture
def both(tmp_path: Path, postgres_url: str) -> Iterator[tuple[Index, Index]]:
    pair = Index(Database(f"sqlite:///{tmp_path}/videolab.db")), Index(Database(postgres_url))
    yield pair
    for opened in pair:
        opened.dispose()


def in_pieces(*sentences: str) -> Transcript:
    """The sentences, one every ten seconds, so that each is one for the index too."""
    segments = [Segment(start=10.0 * place, end=10.0 * place + 4, text=text, words=[]) for place, text in enumerate(sentences)]
    return Transcript(engine="made", model="", language="en", draft=False, duration=10.0 * len(segments), segments=segments)


def sentences(found: list[index.Moment]) -> list[str]:
    return [moment.sentence for moment in found]


def test_a_moment_has_its_time_its_sentence_and_its_video(searched: Index) -> None:
    """Prevents a hit that leads to another second, another video or half a sentence."""
    said = spoken(talk("bakery_es")["utterances"], "es")
    assert searched.put(BAKERY, said) == len(said.segments) == searched.count(BAKERY)
    searched.put(BRIDGES, spoken(talk("bridges_en")["utterances"]))
    segment = next(segment for segment in said.segments if "domicilio" in segment.text)
    (moment,) = searched.find("REPARTO Bicicleta telefono")
    assert (moment.video_key, moment.sentence) == (BAKERY, segment.text)
    assert (moment.start, moment.end) == pytest.approx((segment.start, segment.words[-1].end))


def test_all_words_must_be_said_in_the_sentence_or_in_it_and_the_next(searched: Index) -> None:
    """Prevents hits that hold only one of the words, and words that are minutes apart."""
    searched.put(
        BRIDGES, in_pieces("An oven stood here.", "A baker left.", "The oven is warm.", "Solar power feeds it.", "The solar oven.")
    )
    found = searched.find("solar oven")
    assert sentences(found) == ["The solar oven.", "The oven is warm. Solar power feeds it."]
    assert [(moment.start, moment.end) for moment in found] == [(40.0, 44.0), (20.0, 34.0)]
    assert searched.find("baker power") == []


def test_a_phrase_may_run_over_a_pause(searched: Index) -> None:
    """Prevents a phrase lost where an engine without punctuation has heard a pause inside it."""
    searched.put(BRIDGES, in_pieces("The old stone", "bridge is closed", "stone of a bridge"))
    assert sentences(searched.find('"stone bridge"')) == ["The old stone bridge is closed"]


def test_putting_again_replaces_and_removing_leaves_nothing(searched: Index) -> None:
    """Prevents words of an earlier transcript, or of a deleted video, from being found."""
    searched.put(BAKERY, in_pieces("Old words here.", "More old words."))
    searched.put(BRIDGES, in_pieces("Old bridges."))
    assert searched.put(BAKERY, in_pieces("New words here.")) == 1
    assert sentences(searched.find("old")) == ["Old bridges."]
    assert searched.remove(BAKERY)
    assert not searched.remove(BAKERY)
    assert searched.find("words") == []
    assert (searched.count(), searched.count(BAKERY), searched.video_keys()) == (1, 0, [BRIDGES])


def test_silence_is_known_and_found_nowhere(searched: Index) -> None:
    """Prevents a silent video from failing, or from being indexed again every night because it seems to be missing."""
    assert searched.put(BAKERY, in_pieces()) == 0
    assert searched.video_keys() == [BAKERY]


def test_a_tenant_finds_only_its_own(searched: Index) -> None:
    """Prevents one customer's words in another's answers, also where one name begins like the other."""
    for key in (BAKERY, OTHER, "2.bridges.00000004"):
        searched.put(key, in_pieces("The acme bridge of 2 towns."))
    assert {moment.video_key for moment in searched.find("bridge")} == {BAKERY, OTHER, "2.bridges.00000004"}
    for tenant, key in (("acme", BAKERY), ("acme-2", OTHER), ("2", "2.bridges.00000004")):
        assert [moment.video_key for moment in searched.find("bridge", tenant=tenant)] == [key]
    assert searched.find("bridge", tenant="acm") == []
    with pytest.raises(PermanentError, match="is not a tenant"):
        searched.find("bridge", tenant='acme" OR "x')


def test_videos_are_listed_page_by_page(searched: Index) -> None:
    """Prevents videos left out between two pages, and an order that differs between databases."""
    keys = [f"{tenant}.{slug}.{number:08x}" for tenant in ("a", "a-b", "ab", "b") for slug in ("x", "x-1") for number in range(3)]
    for key in keys:
        searched.put(key, in_pieces("Something."))
    listed: list[str] = []
    while page := searched.video_keys(after=listed[-1] if listed else "", limit=5):
        assert len(page) <= 5
        listed += page
    assert listed == sorted(keys)
    assert searched.count_videos() == len(keys)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(searched: Index, limit: int) -> None:
    """Prevents a listing of everything where SQL takes a negative limit for none."""
    with pytest.raises(PermanentError, match="1 to 1000"):
        searched.find("word", limit=limit)


def test_what_is_everywhere_is_still_found(searched: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a search for "the" from reading every sentence there is, and from finding nothing for that."""
    monkeypatch.setattr(index, "MOST_RANKED", 12)
    for number in range(5):
        searched.put(f"acme.talk.{number:08x}", in_pieces(*["The same."] * 4))
    found = searched.find("the", limit=4)
    assert len(found) == 4
    assert {moment.video_key for moment in searched.find("the", limit=20)} == {f"acme.talk.{number:08x}" for number in range(5)}
    assert {moment.video_key for moment in found} <= {f"acme.talk.{number:08x}" for number in (2, 3, 4)}, "the newest"


def test_both_databases_answer_alike(both: tuple[Index, Index]) -> None:
    """Prevents an installation that finds other moments, or in another order, after its move from SQLite to PostgreSQL."""
    for opened in both:
        for number, name in enumerate(("bakery_es", "balcony_es", "bridges_en", "onboarding_en")):
            said = talk(name)
            opened.put(f"acme.talk.{number:08x}", spoken(said["utterances"], said["language"], draft=number % 2 == 1))
    for typed in (
        "de",
        "the",
        "masa madre",
        '"masa madre"',
        "pan*",
        "bridges water",
        "fermentacion lenta",
        "3.5",
        "U.S.",
        "años",
        "dont",
        "so",
    ):
        first, second = (opened.find(typed, limit=1000) for opened in both)
        assert first == second, typed
    assert both[0].find("masa madre")


WORDS = st.sampled_from(["alba", "Alba", "álba", "boca", "BOCA", "cielo", "cielos", "don't", "3.5"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.lists(WORDS, min_size=1, max_size=5), max_size=6), asked=st.lists(WORDS, min_size=1, max_size=3), quoted=st.booleans()
)
def test_exactly_what_was_said_is_found(both: tuple[Index, Index], said: list[list[str]], asked: list[str], quoted: bool) -> None:
    """Prevents moments missed, or found without their words: compared with looking through every sentence."""
    plain = [[word.removesuffix("s") if not quoted else word for word in words_in(" ".join(words))] for words in said]
    wanted = [words_in(word) for word in ([" ".join(asked)] if quoted else asked)]
    wanted = [[word.removesuffix("s") if not quoted else word for word in words] for words in wanted]

    def holds(words: list[str]) -> bool:
        return all(any(words[at : at + len(one)] == one for at in range(len(words))) for one in wanted)

    alone = {10.0 * place for place, words in enumerate(plain) if holds(words)}
    together = {
        10.0 * place
        for place in range(len(plain) - 1)
        if holds(plain[place] + plain[place + 1]) and not holds(plain[place]) and not holds(plain[place + 1])
    }
    typed = " ".join(asked)
    answers = []
    for opened in both:
        opened.put(BAKERY, in_pieces(*(" ".join(words) for words in said)))
        answers.append(opened.find(f'"{typed}"' if quoted else typed, limit=1000))
    assert answers[0] == answers[1]
    assert {moment.start for moment in answers[0] if moment.score > 0.5} == alone
    assert {moment.start for moment in answers[0] if moment.score <= 0.5} == together


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="\"'*()^-+:{}[]\\%_&|!<>@;,. \x00\nabAND", max_size=40),
    st.sampled_from(
        ['" OR 1=1', "words:x", "NEAR(a b)", "a AND NOT b", "'; DROP TABLE search_moments; --", "{words} : a", "a:*", "^a", "%(asked)s"]
    ),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=HOSTILE, said=HOSTILE)
def test_whatever_is_typed_or_said_is_data(both: tuple[Index, Index], typed: str, said: str) -> None:
    """Prevents syntax errors and injection through a query, and a transcript that one of the databases refuses."""
    transcript = in_pieces(said, "A usual sentence.")
    for opened in both:
        opened.put(BAKERY, transcript)
        for asked in (typed, said):
            try:
                assert all(moment.video_key == BAKERY for moment in opened.find(asked))
            except PermanentError as error:
                assert "\n" not in str(error)
                assert not words_in(asked)
        for token in tokens_of(transcript):
            assert all(opened.find(word) for word in words_in(token.text)), "what is said is found"


def at_once(work: Callable[[int], None], workers: int) -> None:
    """Runs `work` on so many threads, all let go together."""
    gate = threading.Barrier(workers)

    def one(worker: int) -> None:
        gate.wait()
        work(worker)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(workers)))


def test_a_reader_never_sees_half_of_a_video(searched: Index, url: str) -> None:
    """Prevents answers of mixed or missing sentences while a run puts a video anew."""
    versions = [in_pieces(*[f"Shared {name}."] * 40) for name in ("alpha", "beta")]
    searched.put(BAKERY, versions[0])
    seen: set[tuple[str, int]] = set()
    finished = threading.Event()

    def work(worker: int) -> None:
        own = Index(Database(url))
        if worker == 0:
            for turn in range(30):
                own.put(BAKERY, versions[turn % 2])
            finished.set()
        else:
            while not finished.is_set():
                found = own.find("shared", limit=1000)
                seen.add((" ".join(sorted({moment.sentence for moment in found})), len(found)))
        own.dispose()

    at_once(work, 3)
    assert seen <= {("Shared alpha.", 40), ("Shared beta.", 40)}
    assert seen


def test_runs_that_put_at_once_lose_and_double_nothing(url: str) -> None:
    """Prevents two runs of one video from leaving both their sentences, locked databases, and tables made twice."""

    Database(url).make(sa.MetaData())

    def work(worker: int) -> None:
        own = Index(Database(url))
        for _ in range(5):
            own.put(BAKERY, in_pieces(*[f"Version {worker}."] * 10))
            assert own.count(BAKERY) == 10
            own.put(f"acme.own.{worker:08x}", in_pieces("Of my own."))
        own.dispose()

    at_once(work, 8)
    searched = Index(Database(url))
    found = searched.find("version", limit=1000)
    assert len(found) == 10 == searched.count(BAKERY)
    assert len(set(sentences(found))) == 1
    assert searched.count_videos() == 9
    searched.dispose()


def test_the_words_of_sqlite_stay_in_step_with_its_rows(tmp_path: Path) -> None:
    """Prevents an FTS5 index that points at rows that are gone, however rows come and go."""
    database = Database(f"sqlite:///{tmp_path}/videolab.db")
    searched = Index(database)
    for number in range(30):
        searched.put(f"acme.talk.{number % 7:08x}", in_pieces(*[f"Sentence {place} of {number}." for place in range(number)]))
        searched.remove(f"acme.talk.{number % 5:08x}")
    with database.connect() as connection:
        connection.execute(sa.text("DELETE FROM search_moments WHERE id % 3 = 0"))
        connection.execute(sa.text("INSERT INTO search_words(search_words, rank) VALUES ('integrity-check', 1)"))


def test_sqlite_without_fts5_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents "no such module: fts5", taken for a locked database and tried again for ever."""
    monkeypatch.setattr(index, "FTS5", "fts5-of-another-build")
    with pytest.raises(PermanentError, match=r"^This Python's SQLite has no FTS5.*PostgreSQL\.$"):
        Index(Database(f"sqlite:///{tmp_path}/videolab.db"))


def test_only_a_video_key_is_indexed(searched: Index) -> None:
    """Prevents rows that no tenant owns."""
    with pytest.raises(PermanentError, match="is not a video key"):
        searched.put("acme", in_pieces("A sentence."))
    assert searched.count() == 0
