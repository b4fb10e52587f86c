from videolab_assets.lib.documents import KeyPoint, Summary
from videolab_assets.lib.summary import open_engine, to_markdown
from videolab_assets.lib.summary.markdown import clock
from videolab_assets_tests.lib.summary.spoken import spoken, talk


def test_a_page_holds_every_part_in_the_summarys_language() -> None:
    """Prevents a page that lacks what the JSON has, or English headings over Spanish text."""
    summary = open_engine().summary_of(spoken(talk("balcony_es")["utterances"], "es"))
    page = to_markdown(summary)
    assert page.startswith(f"# {summary.title}\n\n{summary.description}\n")
    assert "## Puntos clave" in page
    assert "## Notas del episodio" in page
    assert f"**Etiquetas:** {', '.join(summary.tags)}" in page
    assert all(f"- **{clock(point.time)}** {point.text}" in page for point in summary.key_points)


def test_what_is_said_never_becomes_markup() -> None:
    """Prevents links, HTML and headings made of a transcript's words in the page that the UI shows."""
    hostile = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) # *bold* `code` &lt; \n# heading"
    summary = Summary(
        engine="extractive",
        model="",
        language="en",
        title=hostile,
        description=f"1. {hostile}",
        tags=[hostile],
        key_points=[KeyPoint(time=3700.9, text=f"- {hostile}")],
        show_notes="",
    )
    page = to_markdown(summary)
    assert r"\<img src=x onerror=alert(1)\>" in page
    assert r"\[click\](javascript" in page
    assert r"\&lt;" in page
    assert "\n# heading" not in page
    assert "\n1\\. " in page
    assert r"- **1:01:40** \- " in page


def test_spoken_markup_is_escaped_in_show_notes() -> None:
    """Prevents the notes, which are Markdown already, from carrying a speaker's brackets into the page as a link."""
    said = [
        f"Page number {word} has a link [here](javascript:alert) and a tag <b>." for word in ("one", "apple", "river", "stone", "cloud")
    ]
    notes = (
        open_engine()
        .summary_of(spoken([*said, "Other words are harmless for the reader.", "A garden grows behind the old house."]))
        .show_notes
    )
    assert notes
    assert "[here](" not in notes.replace("\\[here\\](", "")
    assert "<b>" not in notes.replace("\\<b\\>", "")


def test_clock_shows_the_second_that_has_begun() -> None:
    """Prevents rounding up past the words, and hours lost after sixty minutes."""
    assert [clock(time) for time in (0, 59.99, 60, 3599.999, 3600, 36061)] == ["0:00", "0:59", "1:00", "59:59", "1:00:00", "10:01:01"]
