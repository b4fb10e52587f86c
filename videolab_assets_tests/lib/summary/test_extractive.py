import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.documents import Summary
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary import NothingSaid, open_engine
from videolab_assets.lib.summary.language import KNOWN, bare, language_of
from videolab_assets.lib.summary.sentences import Sentence, Token
from videolab_assets.lib.summary.wording import cut, dangles, hangs, tidied
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, recut, spoken, talk

pytestmark = pytest.mark.filterwarnings("error")


def summary_of(name: str, draft: bool = False) -> Summary:
    said = talk(name)
    return open_engine("extractive").summary_of(spoken(said["utterances"], "und", draft=draft))


def facts_told(facts: list[list[str]], lines: list[str]) -> int:
    return sum(any(all(word.lower() in line.lower() for word in fact) for line in lines) for fact in facts)


def plain(text: str) -> str:
    return " ".join(bare(word) for word in text.split())


def test_summaries_tell_more_of_the_facts_than_the_first_sentences_do() -> None:
    """Prevents an engine that is no better than taking the beginning, given as many sentences on each talk."""
    told = first = possible = 0
    for name in TALK_NAMES:
        said, summary = talk(name), summary_of(name)
        lines = [point.text for point in summary.key_points]
        told += facts_told(said["facts"], lines)
        first += facts_told(said["facts"], said["utterances"][: len(lines)])
        possible += len(said["facts"])
    assert told >= 0.5 * possible
    assert told >= 2 * first


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_a_talk_gets_every_part_in_its_size(name: str, draft: bool) -> None:
    """Prevents missing or overlong parts: the contract of the summary, on text with punctuation and without."""
    said, summary = talk(name), summary_of(name, draft)
    assert summary.language == said["language"]
    assert 10 <= len(summary.title) <= 70
    assert not summary.title.endswith(".")
    assert any(word in summary.title.lower() for word in said["title"])
    assert 50 <= len(summary.description) <= 300
    assert 5 <= len(summary.tags) <= 10
    assert 3 <= len(summary.key_points) <= 7
    assert [point.time for point in summary.key_points] == sorted({point.time for point in summary.key_points})
    assert re.search(r"^- \d+:\d\d \S", summary.show_notes, re.MULTILINE)


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_key_points_stand_alone_and_never_repeat_each_other(name: str, draft: bool) -> None:
    """Prevents "And that was it." as a key point, greetings among them, and one fact told twice in other words."""
    said, summary = talk(name), summary_of(name, draft)
    points = [plain(point.text) for point in summary.key_points]
    assert not [point.text for point in summary.key_points if dangles(point.text, KNOWN[said["language"]])]
    greeting = re.compile(r"\b(hola|hello|hi|gracias por|muchas gracias|thanks|suscríbete|subscribe|welcome|bienvenidos)\b")
    assert not [point for point in points if greeting.search(point)]
    for twins in said["twins"]:
        as_said = [segment.text for segment in spoken(twins, draft=draft).segments]
        assert sum(any(plain(twin).endswith(point) for point in points) for twin in as_said) <= 1


@pytest.mark.parametrize("name", TALK_NAMES)
def test_key_points_are_said_when_they_claim_to_be(name: str) -> None:
    """Prevents links that jump to another sentence."""
    said = talk(name)
    transcript = spoken(said["utterances"])
    starts = {segment.start: segment.text for segment in transcript.segments}
    for point in open_engine().summary_of(transcript).key_points:
        heard = next(text for start, text in starts.items() if abs(start - point.time) < 0.002)
        assert plain(heard).endswith(plain(point.text))


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_tags_are_the_nouns_a_person_expects(name: str, draft: bool) -> None:
    """Prevents "martes lanzamos": stop words, weekdays, numerals, verbs and greetings as tags, and one tag inside another's place."""
    said, summary = talk(name), summary_of(name, draft)
    language = KNOWN[said["language"]]
    tags = [tag.lower() for tag in summary.tags]
    assert len(set(tags)) == len(tags)
    assert not set(tags) & set(said["never"])
    for tag in tags:
        assert not (set(tag.split()) - language.joints) & (language.stop_words | language.never_tags), tag
    expected = [word for word in said["tags"] if any(word in tag or word in tag + "s" for tag in tags)]
    assert len(expected) >= 0.6 * len(said["tags"]), (tags, expected)


def test_a_dangling_sentence_is_chosen_only_where_nothing_better_exists() -> None:
    """Prevents both a key point that starts with "it" beside better ones, and no key points at all where every sentence does."""
    dangling = [
        "It turns the heavy lens around the lamp all night.",
        "They paint the tower white against the dark rocks.",
        "This keeps fishing boats off the northern reef.",
        "He carried oil up the spiral stairs every evening.",
    ]
    better = [
        "A keeper winds the clockwork before sunset.",
        "Sailors count the flashes between two towers.",
        "Electric motors replaced the clockwork in 1950.",
    ]
    mixed = open_engine().summary_of(spoken([dangling[0], better[0], dangling[1], better[1], dangling[2], better[2], dangling[3]]))
    assert {point.text for point in mixed.key_points} == set(better)
    only = open_engine().summary_of(spoken(dangling))
    assert len(only.key_points) == 3


@pytest.mark.parametrize("punctuated", [True, False])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_where_segments_end_changes_nothing(name: str, punctuated: bool) -> None:
    """Prevents half sentences as key points from Whisper, whose segments end anywhere."""
    said = spoken(talk(name)["utterances"], "und", draft=not punctuated, pause=0.8)
    whole, recutted = (open_engine().summary_of(transcript) for transcript in (said, recut(said, 7)))
    assert (recutted.title, recutted.description, recutted.tags) == (whole.title, whole.description, whole.tags)
    assert [point.text for point in recutted.key_points] == [point.text for point in whole.key_points]


@pytest.mark.parametrize("name", TALK_NAMES)
def test_running_speech_without_any_sign_is_still_told(name: str) -> None:
    """Prevents points that begin with "and it" or end with "thanks to the" where nothing marks the sentences."""
    said = talk(name)
    summary = open_engine().summary_of(recut(spoken(said["utterances"], "und", draft=True, pause=0.05), 10_000))
    language = KNOWN[said["language"]]
    assert 3 <= len(summary.key_points) <= 7
    points = [point.text for point in summary.key_points]
    assert not [text for text in [summary.title, *points] if hangs(text.rstrip("…"), language)]
    assert not dangles(summary.title, language)
    assert sum(dangles(text, language) for text in points) <= 1
    assert not {tag.lower() for tag in summary.tags} & set(said["never"])


@pytest.mark.parametrize(
    ("code", "beginnings"),
    [
        (
            "en",
            "And|But|So it|It|It's|This|That's|These|He|She'd|They|Her|Which|Because|Then|However,|For example,|On the other hand,|Yet",
        ),
        (
            "es",
            "Y|Pero|Entonces ella|Ella|Él|Eso|Esto|Lo|Le|Que|Porque|Por eso|Con eso|Sin embargo,|Además,|O sea,|Así que|Ésta|Luego|Y ahi",
        ),
    ],
)
def test_beginnings_that_point_back_are_known(code: str, beginnings: str) -> None:
    """Prevents a key point that begins with a word whose meaning was said before, once openers are taken away."""
    language = KNOWN[code]
    for beginning in beginnings.split("|"):
        tokens = tuple(Token(word, 0.0, 0.0) for word in f"{beginning} old river water village".split())
        text = tidied(Sentence(tokens), language, punctuated=True)
        assert dangles(text, language) or text == "Old river water village.", beginning
    assert not dangles("The river flooded the village.", language)
    assert not dangles("El río inundó la aldea.", language)


def test_a_sentence_without_its_end_is_chosen_only_where_nothing_better_exists() -> None:
    """Prevents a key point that ends with "to the" beside whole ones, where an engine has divided running speech."""
    hanging = [
        "the pump lifts water from the river to the",
        "a solar panel drives the pump during a long and",
        "farmers share the water of the pump with my",
        "each field waits its turn for the",
    ]
    whole = ["rust eats steel pipes within ten winters", "copper pipes last for eighty winters", "plumbers weld copper with a small flame"]
    mixed = open_engine().summary_of(spoken([text for pair in zip(hanging[:3], whole, strict=True) for text in pair], draft=True))
    assert {point.text.lower().rstrip(".") for point in mixed.key_points} == set(whole)
    assert len(open_engine().summary_of(spoken(hanging, draft=True)).key_points) == 3


def test_openers_and_hesitations_are_left_out() -> None:
    """Prevents a point that reads "And, uh, the the pump": it is cleaned, and a sentence left dangling by that is not chosen."""
    said = [
        "And um the the pump lifts water from the river to the field.",
        "So that is nice.",
        "Y.",
        "Farmers share one pump between four fields.",
        "A solar panel drives the pump during the day.",
        "A tank on the hill keeps water for the night.",
    ]
    texts = [point.text for point in open_engine().summary_of(spoken(said)).key_points]
    assert "The pump lifts water from the river to the field." in texts
    assert not any("nice" in text for text in texts)


def test_advertisements_are_not_what_a_talk_is_about() -> None:
    """Prevents a sponsor who repeats the talk's own words from becoming its first key point."""
    pitch = "Our sponsor makes water pumps, solar panels and water tanks for every farmer and every field."
    said = [
        "A solar panel drives the water pump during the day.",
        pitch,
        "The water tank on the hill keeps water for the night.",
        "Farmers share one pump between four fields.",
        "Dry fields need water twice a week in summer.",
    ]
    summary = open_engine().summary_of(spoken(said))
    assert pitch not in [point.text for point in summary.key_points]
    assert pitch not in summary.description


def test_verbs_between_nouns_are_no_tags() -> None:
    """Prevents a verb without a telling ending from becoming a tag because it is said often."""
    said = [
        "Young farmers cultivate red tomatoes.",
        "Old neighbours cultivate green lettuce.",
        "Most families cultivate fresh herbs.",
        "The farmers sell the tomatoes at the market.",
        "The neighbours bring the lettuce to the market.",
    ]
    tags = open_engine().summary_of(spoken(said)).tags
    assert "cultivate" not in " ".join(tags)
    assert {"farmers", "market"} <= set(tags)


@pytest.mark.parametrize(
    ("said", "never", "always"),
    [
        (
            [
                "El cerebro limpia los residuos del sueño.",
                "El cerebro limpia la memoria, claro.",
                "La Dra. Ruiz limpia su consulta cuidadosamente, okay.",
                "La Dra. Soto muestra un totalmente nuevo molino de piedra, claro, okay.",
                "El cerebro no es un totalmente redondo molino de piedra.",
                "Gracias a la Dra. Soto, gracias al cerebro, claro.",
            ],
            {"limpia", "dra", "claro", "okay", "gracias", "cuidadosamente", "totalmente"},
            {"cerebro", "molino de piedra"},
        ),
        (
            [
                "Dr. Hale literally loves the harbor, okay.",
                "Dr. Hale doesn't leave the harbor at 5 p.m. alone.",
                "Alright, guys, the harbor doesn't open at 5 p.m. alone.",
                "Honestly, guys, eleven boats honestly left the harbor.",
                "Literally eleven boats, alright.",
            ],
            {"dr", "okay", "literally", "honestly", "guys", "alright", "doesn't", "doesn", "p.m", "eleven"},
            {"harbor", "boats"},
        ),
    ],
)
def test_fillers_titles_adverbs_and_numbers_are_no_tags(said: list[str], never: set[str], always: set[str]) -> None:
    """Prevents tags that say how a person talks rather than what about."""
    tags = [tag.lower() for tag in open_engine().summary_of(spoken(said, "und")).tags]
    assert not never & {word for tag in tags for word in tag.split()}
    assert always <= set(tags)


def test_the_announced_topic_becomes_the_title() -> None:
    """Prevents a title that quotes a detail where the speaker has said what the video is about."""
    assert summary_of("balcony_es").title == "Cómo montar un huerto en el balcón sin gastar mucho dinero"
    assert summary_of("onboarding_en").title == "How our support team cut its response time in half"


@pytest.mark.parametrize(
    ("utterances", "title", "description"),
    [
        (["Banana."], "Banana", "Banana."),
        (["banana"], "Banana", "Banana."),
        (["The water is cold."], "The water is cold", "The water is cold."),
        (["Thank you."] * 200, "Thank you", "Thank you."),
    ],
)
def test_little_said_gives_little_and_no_repetition(utterances: list[str], title: str, description: str) -> None:
    """Prevents padding: a word, a sentence, or an engine's loop must not become seven equal key points."""
    summary = open_engine().summary_of(spoken(utterances))
    assert (summary.title, summary.description, summary.key_points, summary.show_notes) == (title, description, [], "")


@pytest.mark.parametrize("utterances", [[], [""], ["   "], ["\x00"], ["uh", "um"]])
def test_nothing_said_is_told_as_such(utterances: list[str]) -> None:
    """Prevents a summary of silence, and a failure that blames the video."""
    with pytest.raises(NothingSaid, match="Nothing is said"):
        open_engine().summary_of(spoken(utterances))


def test_an_unknown_engine_is_named_with_the_known_ones() -> None:
    """Prevents a KeyError for a misspelt VIDEOLAB_SUMMARIZER."""
    with pytest.raises(PermanentError, match=r"gpt.*extractive"):
        open_engine("gpt")


def test_an_hour_is_divided_into_sections() -> None:
    """Prevents notes of one block, and points taken from the beginning alone, for long videos."""
    utterances = [text for name in ("bridges_en", "onboarding_en") for text in talk(name)["utterances"]]
    summary = open_engine().summary_of(spoken(utterances, pause=50.0))
    assert 5 <= summary.show_notes.count("### ") <= 12
    length = spoken(utterances, pause=50.0).duration
    assert summary.key_points[0].time < length / 3
    assert summary.key_points[-1].time > length * 2 / 3


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("el huerto está en la terraza de mi casa y lo riego cada mañana", "en", "es"),
        ("the garden is on the roof of my house and i water it every day", "es", "en"),
        ("Madrid Sevilla Bilbao", "es", "es"),
        ("banana", "und", "und"),
        ("le jardin est sur le toit de la maison", "fr", "fr"),
        ("o jardim está no telhado e eu rego todos os dias de manhã", "pt", "pt"),
    ],
)
def test_the_words_decide_the_language_unless_they_cannot(text: str, said: str, code: str) -> None:
    """Prevents English stop words on a Spanish talk that an English-only engine has labelled `en`, and French taken for Spanish."""
    assert language_of(text.split(), said).code == code


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(alphabet="ab ñ.,?!¿'\"-…\n\x00<&1", max_size=120), max_size=25),
    st.sampled_from(["en", "es", "und", "zz"]),
)
def test_any_words_give_a_summary_within_its_limits(utterances: list[str], language: str) -> None:
    """Prevents crashes and overlong parts on whatever an engine may write."""
    try:
        summary = open_engine().summary_of(spoken(utterances, language))
    except NothingSaid:
        return
    assert 0 < len(summary.title) <= 70
    assert 0 < len(summary.description) <= 300
    assert len(summary.key_points) <= 7
    assert len(summary.tags) <= 10
    assert len({point.text for point in summary.key_points}) == len(summary.key_points)


@given(st.text(min_size=1), st.integers(min_value=2, max_value=80))
def test_a_cut_fits_and_keeps_the_beginning(text: str, longest: int) -> None:
    """Prevents a cut text that is longer than allowed or says something else."""
    for language in KNOWN.values():
        shorter = cut(text, longest, language)
        assert len(shorter) <= longest
        assert "".join(text.split()).startswith("".join(shorter.split()).rstrip("…"))


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("The lamp is small, but the lens makes it strong enough for ships", "The lamp is small"),
        ("The lamp in the tower is strong enough for ships far away", "The lamp in the tower is strong…"),
        ("The keeper of the lighthouse walks to the sea", "The keeper of the lighthouse…"),
        ("The lighthouse stands near to the sea", "The lighthouse stands near…"),
    ],
)
def test_cuts_fall_at_clauses_and_never_leave_an_article(text: str, shorter: str) -> None:
    """Prevents titles that end in "to the" or in the middle of a word."""
    assert cut(text, 32, KNOWN["en"]) == shorter
