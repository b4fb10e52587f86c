"""What is typed and what is said, compared without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.search.query import LONGEST_QUERY, MOST_TERMS, Query, words_in


def found(typed: str, sentence: str, following: str = "") -> bool:
    return Query.of(typed).worth(sentence, following) > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("También TAMBIE\u0301N tambien", ["tambien", "tambien", "tambien"]),
        ("Ñandú, ñandu; nandu", ["nandu", "nandu", "nandu"]),
        ("¿Qué pingüino?", ["que", "pinguino"]),
        ("Straße ﬁx İstanbul ΣΊΣΥΦΟΣ", ["strasse", "fix", "istanbul", "σισυφοσ"]),
        ("don't don’t dont", ["dont", "dont", "dont"]),
        ("3.5 e-mail EE. UU. C++ a_b", ["3", "5", "e", "mail", "ee", "uu", "c", "a", "b"]),
        ("… ¡! @acme \x00 🎬", ["acme"]),
        ("", []),
    ],
)
def test_words_are_folded_alike_however_they_are_written(text: str, words: list[str]) -> None:
    """Prevents a sentence that is found only by those who type its accents, capitals and composed characters."""
    assert words_in(text) == words


@given(st.text(max_size=60))
def test_folded_words_are_what_both_databases_keep_as_they_are(text: str) -> None:
    """Prevents words that FTS5 would divide or PostgreSQL would quote: then the index would hold others than the query asks for."""
    words = words_in(text)
    assert all(word.isalnum() and word == word.casefold() and len(word) <= 64 for word in words)
    assert words_in(" ".join(words)) == words


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("flor", "Compramos flores."),
        ("flores", "Una flor roja."),
        ("panes", "El pan está listo."),
        ("luz", "Las luces se apagan."),
        ("veces", "Lo dije una vez."),
        ("canciones", "La canción termina."),
        ("ley", "Las leyes cambian."),
        ("café", "Dos cafés, por favor."),
        ("bridge", "Two bridges fell."),
        ("bridges", "A bridge fell."),
        ("city", "Cities grow."),
        ("cities", "The city grows."),
        ("boxes", "One box is left."),
        ("church", "The churches are old."),
        ("hero", "Our heroes rest."),
    ],
)
def test_one_and_many_are_the_same_word(typed: str, sentence: str) -> None:
    """Prevents "bridge" from missing "bridges", in Spanish and in English, unless it was asked for in quotation marks."""
    assert found(typed, sentence)
    assert not found(f'"{typed}"', sentence)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("plan", "The plane lands."), ("casa", "En caso de duda."), ("not", "A note."), ("gas", "A gate."), ("70", "The year 70s.")],
)
def test_other_words_are_other_words(typed: str, sentence: str) -> None:
    """Prevents a stemmer's mistakes: what was not said must not be found."""
    assert not found(typed, sentence)


@pytest.mark.parametrize(
    ("typed", "yes", "no"),
    [
        ('"masa madre"', "La masa madre vive.", "La madre amasa la masa."),
        ("“masa madre”", "La masa madre vive.", "Masa de la madre."),
        ("«masa madre»", "La masa madre vive.", "Masa de la madre."),
        ('"masa madre', "La masa madre vive.", "Masa de la madre."),
        ("3.5", "Cuesta 3.5 euros.", "Entre 5 y 3 euros."),
        ("e-mail", "An e-mail came.", "A mail for e."),
        ("ferment*", "La fermentación es lenta.", "El fermento no: fer mento."),
        ('"masa fer*"', "Una masa fermentada.", "Fermenta la masa."),
        ("masa,pan", "Pan de masa madre.", "Solo pan."),
        ("NOT masa", "Masa, do not go.", "Masa."),
        ("a*", "A dog.", "Another dog."),
    ],
)
def test_phrases_and_beginnings(typed: str, yes: str, no: str) -> None:
    """Prevents a phrase found in another order, a star taken for a letter, and one letter with a star, which would be half a dictionary."""
    assert found(typed, yes)
    assert typed == "ferment*" or not found(typed, no)


def test_two_neighbouring_sentences_answer_together_and_less_well() -> None:
    """Prevents losing what a speaker says across a full stop, and showing it before a sentence that says it all."""
    query = Query.of("oven solar")
    alone = query.worth("The oven has been replaced at last by many long words, and somewhere far from it the roof is solar.", "")
    together = query.worth("The oven is new.", "Solar panels feed it.")
    assert alone > 0.5 >= together > 0
    assert query.worth("The oven is new.", "It is red.") == 0
    assert query.worth("Nothing.", "A solar oven.") == 0, "the second sentence answers for itself"


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [
        ("año", "Un año bueno.", "Un ano bueno."),
        ("ano", "Un ano bueno.", "Un año bueno."),
        ("¿año?", "Un año bueno.", "Un ano bueno."),
        ("bridge", "A bridge fell.", "Some bridges fell."),
        ("bridge", "A bridge fell.", "A bridge that nobody had looked at for more than thirty long years fell in the night."),
        ("old bridge", "The old bridge fell over again last night.", "The old man left the bridge."),
        ("bridge", "Bridge after bridge fell.", "One small bridge fell."),
    ],
)
def test_the_better_answer_comes_first(typed: str, better: str, worse: str) -> None:
    """Prevents an order that ignores spelling, length, closeness and repetition."""
    query = Query.of(typed)
    assert query.worth(better, "") > query.worth(worse, "") > 0.5


@pytest.mark.parametrize("typed", ["", "   ", '""', "***", "¿?", "🎬", "\x00", "'", "\udcff"])
def test_nothing_to_search_for_is_said_in_a_sentence(typed: str) -> None:
    """Prevents a list of everything, or a database's syntax error, for a query without a word."""
    with pytest.raises(PermanentError, match=r"^There is no word to search for: .*\.$"):
        Query.of(typed)


@pytest.mark.parametrize("typed", ["x" * (LONGEST_QUERY + 1), " ".join(f"w{number}" for number in range(MOST_TERMS + 1))])
def test_too_much_is_said_in_a_sentence(typed: str) -> None:
    """Prevents a statement as long as whatever is pasted."""
    with pytest.raises(PermanentError, match=r"^That is too much to search for: .*\.$"):
        Query.of(typed)


def test_the_same_word_twice_is_asked_for_once() -> None:
    """Prevents a limit on words that counts repetitions, and work done twice."""
    assert len(Query.of("the the The THE").terms) == 1
