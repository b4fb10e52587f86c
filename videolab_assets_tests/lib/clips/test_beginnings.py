"""Beginnings that stand alone, and those that point back."""

import pytest

from videolab_assets.lib.clips.beginnings import points_back
from videolab_assets.lib.summary.language import ENGLISH, SPANISH, language_called

POINTS_BACK = {
    "en": [
        "It was expensive",
        "He left",
        "That's what he said",
        "And then we saw",
        "But nobody",
        "So this",
        "Well, um, he left",
        "This is why",
    ],
    "es": ["Es más cara", "Él vino tarde", "Eso es todo", "Entonces abrimos", "Pero nadie", "Y por eso", "Bueno, eh, ella", "Esa casa"],
}
STANDS_ALONE = {
    "en": [
        "It is raining",
        "It's time to",
        "It takes a year",
        "Here's how",
        "This is how you",
        "This week",
        "Those who",
        "The bridge",
        "Why?",
    ],
    "es": [
        "El puente",
        "Es hora de",
        "Está lloviendo",
        "Esta lloviendo",
        "Lo que nadie",
        "Tal vez",
        "Este año",
        "¿Quién",
        "Esto es lo que",
    ],
}
LANGUAGES = {"en": ENGLISH, "es": SPANISH}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in POINTS_BACK.items() for text in texts])
def test_pronouns_and_connectives_point_back(code: str, text: str) -> None:
    """Prevents clips that open with "he" of whom nobody has heard."""
    assert points_back(text.split(), LANGUAGES[code])


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in STANDS_ALONE.items() for text in texts])
def test_what_only_looks_so_stands_alone(code: str, text: str) -> None:
    """Prevents the best openings ("Here's how", "Lo que nadie cuenta") from being refused for their first word."""
    assert not points_back(text.split(), LANGUAGES[code])


def test_nothing_is_known_of_other_languages() -> None:
    """Prevents Spanish or English lists from deciding over Portuguese."""
    assert not points_back(["Ele", "veio"], language_called("pt"))
    assert not points_back([], ENGLISH)
    assert not points_back(["—", "..."], ENGLISH)
