from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.summary.language import ENGLISH, SPANISH, Language
from videolab_assets.lib.summary.sentences import LONGEST_SENTENCE, LONGEST_UTTERANCE, sentence_ends, sentences_of, tokens_of
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, recut, spoken, talk


def divided(text: str, language: Language) -> list[str]:
    words = text.split()
    sentences: list[list[str]] = [[]]
    for word, ends in zip(words, sentence_ends(words, language), strict=True):
        sentences[-1].append(word)
        if ends:
            sentences.append([])
    return [" ".join(sentence) for sentence in sentences if sentence]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (SPANISH, ["Vino la Dra. Ruiz con el Sr. Gómez.", "Hablaron poco."]),
        (SPANISH, ["Lo vi en EE. UU. hace años.", "Era caro."]),
        (SPANISH, ["Vive en EE. UU.", "Los demás siguen aquí."]),
        (SPANISH, ["Riega temprano, p. ej. antes de las 9 a. m. si puedes.", "Luego espera."]),
        (SPANISH, ["Cuesta 3.5 euros, véase la pág. 4 del libro.", "Nada más."]),
        (SPANISH, ["Fuimos al mar.", "Las olas eran altas."]),
        (SPANISH, ["J. L. Borges escribió cuentos.", "¿Los leíste?", "¡Qué maravilla!", "¿No?"]),
        (SPANISH, ["Pues... no lo sé.", "Quizá…", "Mañana lo vemos."]),
        (SPANISH, ["Compramos pan, leche, etc. y volvimos.", "Fin."]),
        (ENGLISH, ["Dr. Susan B. Hale met Mr. Jones at 5 p.m. on Main St. near the river.", "They talked."]),
        (ENGLISH, ["They used divers, e.g. after storms, i.e. rarely.", "It cost $3.50 per dive."]),
        (ENGLISH, ["He lives in the U.S. with his dog.", "Is that so?", "Yes."]),
        (ENGLISH, ["It began in the U.S.", "The rest followed."]),
        (ENGLISH, ["John Smith Jr. Hall opened the door.", "He left."]),
        (SPANISH, ["El pan de Ruiz Hnos. Gómez lo vende.", "Es bueno."]),
        (ENGLISH, ["See fig. 3 and no. 5 for details.", "I said no.", "She loves modern art.", "Really!"]),
        (ENGLISH, ['He said "stop."', "Then he left."]),
        (ENGLISH, ["1. Open the lid.", "2. Pour the water."]),
        (ENGLISH, ["Wait... what happened?", "Nothing."]),
        (SPANISH, ["La Sra. Peña y la Lcda. Soto viven en la Av. Mayor.", "Son vecinas."]),
        (SPANISH, ["Llegó a las 10 p. m. y durmió.", "Se fue a las 6 a. m.", "Nadie lo vio."]),
        (SPANISH, ["Nació en el 40 a. C.", "Murió joven."]),
        (SPANISH, ["Trabaja en Aceros S. A. desde 1990.", "Le gusta."]),
        (SPANISH, ["Viajó a EE.UU. con Mons. Romero.", "Volvió a la Univ. Central."]),
        (SPANISH, ["Compró pan, leche, etc.", "Después cenó."]),
        (SPANISH, ["Es el núm. 4 de la calle.", "La 1.ª edición, n.º 5, se agotó."]),
        (ENGLISH, ["We meet at 5 p.m. Monday.", "Doors open at 4 p.m.", "Bring food."]),
        (ENGLISH, ["Add salt, pepper, etc.", "Stir well."]),
        (ENGLISH, ["Mt. Everest is high.", "Bob, a.k.a. The Goat, climbed it vs. all odds."]),
        (ENGLISH, ["J. R. R. Tolkien met Gen. Lee in Washington, D.C.", "The talk was short."]),
        (ENGLISH, ["No. 5 is alive.", "She said no.", "Mrs. Lee, Ph.D. in law, agreed."]),
    ],
)
def test_sentences_end_where_a_reader_says(language: Language, sentences: list[str]) -> None:
    """Prevents a split after "Dra." or "e.g.", and two sentences glued together after a word that only looks abbreviated."""
    assert divided(" ".join(sentences), language) == sentences


def test_dots_before_lower_case_end_sentences_in_text_without_capitals() -> None:
    """Prevents one endless sentence from an engine that writes full stops but no capitals."""
    assert divided("hello there. my name is ann. how are you?", ENGLISH) == ["hello there.", "my name is ann.", "how are you?"]


@pytest.mark.parametrize("name", TALK_NAMES)
@pytest.mark.parametrize("draft", [False, True])
def test_talks_divide_into_what_was_said(name: str, draft: bool) -> None:
    """Prevents sentences that run together or fall apart: with punctuation by it, without it by the pauses."""
    said = talk(name)
    transcript = spoken(said["utterances"], said["language"], draft=draft)
    language = SPANISH if said["language"] == "es" else ENGLISH
    found = [sentence.text for sentence in sentences_of(tokens_of(transcript), language)]
    expected = [segment.text for segment in transcript.segments]
    assert found == expected


def test_sentences_run_across_the_segments_of_a_punctuating_engine() -> None:
    """Prevents half sentences: Whisper's segments end anywhere."""
    said = ["The bridge was closed. It stood", "in the water for a", "whole week. Then it", "reopened."]
    transcript = spoken(said, pause=0.1)
    found = [sentence.text for sentence in sentences_of(tokens_of(transcript), ENGLISH)]
    assert found == ["The bridge was closed.", "It stood in the water for a whole week.", "Then it reopened."]


@pytest.mark.parametrize("length", [5, 9, 1000])
def test_segments_without_a_pause_end_no_sentence(length: int) -> None:
    """Prevents "gracias a" as a sentence where a Whisper without punctuation divides running speech every few words."""
    said = ["The oven is new and it was given to the village by a baker", "Solar panels feed it every day of the year since then"]
    transcript = recut(spoken(said, draft=True, pause=0.4), length)
    found = [sentence.text for sentence in sentences_of(tokens_of(transcript), ENGLISH)]
    assert found == [segment.text for segment in spoken(said, draft=True).segments]


def test_running_speech_without_any_sign_is_divided_into_lengths_that_can_be_read() -> None:
    """Prevents key points of forty words from text that has neither full stops nor pauses; no piece ends on an article."""
    transcript = recut(spoken(talk("coffee_en")["utterances"], draft=True, pause=0.0), 10_000)
    found = sentences_of(tokens_of(transcript), ENGLISH)
    assert max(len(sentence.tokens) for sentence in found) <= LONGEST_UTTERANCE
    assert not {"the", "a", "of", "to"} & {sentence.tokens[-1].text for sentence in found}


def test_a_segment_without_word_times_is_spread_over_its_length() -> None:
    """Prevents losing the words of an engine, or of a corrected file, that times only lines."""
    transcript = Transcript(
        engine="made",
        model="",
        language="en",
        draft=False,
        duration=9.0,
        segments=[Segment(start=2.0, end=6.0, text="one two three four", words=[])],
    )
    tokens = tokens_of(transcript)
    assert [(token.text, token.start, token.end) for token in tokens] == [
        ("one", 2.0, 3.0),
        ("two", 3.0, 4.0),
        ("three", 4.0, 5.0),
        ("four", 5.0, 6.0),
    ]


@given(
    st.lists(
        st.tuples(st.text(max_size=12), st.floats(), st.floats()),
        max_size=120,
    )
)
def test_no_word_is_lost_and_time_never_runs_backwards(words: list[tuple[str, float, float]]) -> None:
    """Prevents words dropped at a boundary, endless sentences, and times out of order from whatever an engine returns."""
    said = [Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in words]
    transcript = Transcript(
        engine="made",
        model="",
        language="und",
        draft=True,
        duration=0.0,
        segments=[Segment(start=0.0, end=0.0, text="", words=said[at : at + 30]) for at in range(0, len(said), 30)],
    )
    tokens = tokens_of(transcript)
    sentences = sentences_of(tokens, ENGLISH)
    assert [token for sentence in sentences for token in sentence.tokens] == tokens
    assert all(0 < len(sentence.tokens) <= LONGEST_SENTENCE for sentence in sentences)
    assert all(0 <= one.start <= one.end and one.start <= other.start for one, other in pairwise(tokens))
    assert all(token.text.split() == [token.text] for token in tokens)
