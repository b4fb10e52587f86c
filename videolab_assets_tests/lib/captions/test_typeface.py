"""The typeface: what of a text it can draw."""

from hypothesis import example, given
from hypothesis import strategies as st

from videolab_assets.lib.captions.typeface import drawable, fonts, typeface


@given(st.text())
@example("\u1e92\u0301")
def test_only_what_the_font_has_is_drawn(text: str) -> None:
    """An empty frame in the picture, or an instruction to the player, for a character that nobody thought of."""
    shown = drawable(text)
    assert all(mark == " " or mark in typeface().glyphs for mark in shown)
    assert not set(shown) & set("{}\\")
    assert shown == shown.strip()
    assert drawable(shown) == shown
    typeface().ink(shown)


def test_spanish_and_typography_are_drawn_as_they_are() -> None:
    """Accents lost, or dashes and quotation marks missing."""
    text = "¿Qué? ¡Sí! Ñandú, pingüino «así» “so” ‘it’s’ – — … 50 % € º ª Łódź Žižek ß ÄÖÜ"
    assert drawable(text) == text


def test_the_fonts_are_a_folder_of_fonts() -> None:
    """The sandbox gets a folder without the one font that the script names."""
    assert (fonts() / "OpenSans-ExtraBold.ttf").is_file()
