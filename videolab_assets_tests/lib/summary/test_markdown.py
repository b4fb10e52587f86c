import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from videolab_assets.lib.documents import KeyPoint, Summary
from videolab_assets.lib.summary import open_engine, to_markdown
from videolab_assets.lib.summary.markdown import clock, escaped, plain, plain_notes
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


ALLOWED = {"heading", "paragraph", "bullet_list", "list_item", "inline", "text", "softbreak"}
ADDRESS = re.compile(r"(https?|ftp)://|(?<![a-z])www\.", re.IGNORECASE)
LOOSE = r"< > </b> <b> <!-- --> [ ]( ) ![ http: https:// // www. e.com * _ ` ~~~ ``` # | \ &lt; &#60; &amp; = --- + a Wort 12:34 $ ^ :"
MARKS = st.sampled_from([*LOOSE.split(" "), "- ", "1. ", "    ", "\t", "\n", "\n\n", "> "])


def kinds_in(page: str) -> set[str]:
    """The kinds of everything that Markdown makes of a page."""
    kinds: set[str] = set()
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page):
        kinds |= {part.type.removesuffix("_open").removesuffix("_close") for part in [token, *(token.children or [])]}
    return kinds


@given(st.lists(MARKS, max_size=40).map("".join) | st.text())
@example("# a\n===\nb\n---\n")
@example("http:https:////e.com")
@example("    code\n\n\tcode")
@example("- a\n        - b\n      c\n1. d\n2) e")
def test_notes_by_a_stranger_hold_headings_bullets_and_paragraphs_only(text: str) -> None:
    """Prevents HTML, links, images, code and tables in the page that the UI shows, however they are pieced together."""
    page = plain_notes(text)
    assert kinds_in(page) <= ALLOWED
    assert not ADDRESS.search(page)


@given(st.lists(MARKS, max_size=30).map("".join))
@example("see https://e.com, www.e.com")
@example("http:https:////e.com")
def test_escaped_words_stay_words(text: str) -> None:
    """Prevents spoken or written marks from becoming markup in a title, a description or a tag."""
    assert kinds_in(f"# {escaped(text)}") <= {"heading", "inline", "text"}
    assert kinds_in(f"Tags: {escaped(text)}") <= {"paragraph", "inline", "text"}
    assert not ADDRESS.search(escaped(text))


def test_notes_keep_what_they_may_have() -> None:
    """Prevents cleaning that takes the structure, the times or the words with it."""
    notes = """
## First **part** #

Some *words* about [soil](https://example.org/soil) at 12:34.
* A bullet, `code` and 3 * 4
  1. Nested
      - Deeper
1. Numbered

##### Deep
> Quoted <i>text</i>
| a | b |
|---|---|
***
```python
2026. A year
"""
    assert plain_notes(notes) == (
        "### First part\n\nSome words about soil at 12:34.\n\n- A bullet, code and 3 \\* 4\n  - Nested\n    - Deeper\n- Numbered\n\n"
        "#### Deep\n\nQuoted text\n\n\\| a \\| b \\|\n\n2026\\. A year"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("AT&amp;T &lt;b&gt;bold&lt;/b&gt;", "AT&T bold"),
        ("<scr<b>ipt>alert</scr</b>ipt>", "alert"),
        ("snake_case and __strong__ and 2*3*4", "snake_case and strong and 2*3*4"),
        ("[a [nested](x) link](y)", "a nested link"),
        ("zero\u200bwidth \u2066and\u2069 \x07bell", "zerowidth and bell"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("one\u2028two\x85three", "one two three"),
        ("(https://a.example)", "(a.example)"),
    ],
)
def test_plain_text_keeps_its_words(text: str, words: str) -> None:
    """Prevents cleaning that eats words, and marks that survive it by being nested."""
    assert plain(text) == words


@pytest.mark.parametrize(
    "text", ["<" * 4000, "<a" * 2000, "[" * 4000, "[a](" * 1000, "*a " * 1300, "<!--" * 1000, "`" * 4000, "http:" * 800]
)
def test_cleaning_ends(text: str) -> None:
    """Prevents a text made to keep a pattern busy from holding a run: each of these took minutes if the time grew with the cube."""
    plain_notes(text)
    plain(text)
