"""What a clip is posted with: in the platform's limits, in the speaker's words."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.documents import Clip, ScoreParts, Word
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.variants.post import Post, post_of

SPANISH = (
    "La mayoría cree que la batería muere por el frío. En realidad es el alternador, que nadie revisa hasta el invierno. "
    "Una correa gastada carga la batería con la mitad del voltaje. La energía solar no carga la batería de noche. "
    "Puedes revisar el alternador con un multímetro barato en dos minutos. Si el voltaje baja de trece voltios, cambia la correa."
)
ENGLISH = (
    "Most people think the battery dies because of the cold. In fact it's the alternator, which nobody ever checks until winter. "
    "A worn alternator belt charges the battery at half the voltage. You can check the alternator with a cheap multimeter. "
    "If the voltage is below thirteen volts, replace the alternator belt before the battery dies."
)
TALKS = {"es": SPANISH, "en": ENGLISH}
TIKTOK = PLATFORMS["tiktok_video"]
HASHTAG = re.compile(r"#\w*[^\W\d_]\w*")
NO_PARTS = ScoreParts.model_validate(dict.fromkeys(ScoreParts.model_fields))


def clip_called(title: str) -> Clip:
    return Clip(clip_id="c01", start=0.0, end=40.0, score=0.5, parts=NO_PARTS, reason="made", title=title, words=[])


def said(text: str) -> list[Word]:
    return [Word(text=word, start=0.4 * at, end=0.4 * at + 0.35, confidence=1.0) for at, word in enumerate(text.split())]


@pytest.mark.parametrize("language", TALKS)
@pytest.mark.parametrize("name", PLATFORMS)
def test_a_post_is_within_the_platform_and_says_what_is_said(name: str, language: str) -> None:
    """A post that the platform refuses for its length or its hashtags, or that says what nobody said."""
    platform, talk = PLATFORMS[name], TALKS[language]
    post = post_of(clip_called(talk.split(".")[0] + "."), said(talk), platform, language)
    assert post.title == talk.split(".")[0]
    gist, _, tags = post.description.partition("\n\n")
    assert gist and all(sentence in talk for sentence in re.split(r"(?<=\.) ", gist))
    assert 3 <= len(post.tags) <= platform.most_tags
    assert tags == " ".join(post.tags)
    assert all(HASHTAG.fullmatch(tag) for tag in post.tags)
    assert post.text.startswith(post.title) and post.text.endswith(tags)


def test_spanish_hashtags_keep_their_accents() -> None:
    """`#bateria` finds other posts than `#batería`."""
    post = post_of(clip_called(""), said(SPANISH), TIKTOK, "es")
    assert "#batería" in post.tags
    assert post.title and post.title.rstrip("…") in SPANISH


def test_a_long_title_ends_with_a_word() -> None:
    """A title cut in the middle of a word."""
    title = "Why the alternator belt of every second car that is driven in winter wears out long before anybody notices that it does"
    post = post_of(clip_called(title), [], replace(TIKTOK, longest_title=60), "en")
    assert 30 < len(post.title) <= 60
    assert title.startswith(post.title.rstrip("…"))
    assert title[len(post.title.rstrip("…"))] in " ,"


def test_without_words_nothing_is_invented() -> None:
    """A clip of music gets a description of what is not in it."""
    post = post_of(clip_called("Sunrise over the harbour"), [], TIKTOK, "und")
    assert post == Post(title="Sunrise over the harbour", description="", tags=[], text="Sunrise over the harbour")
    assert post_of(clip_called(""), [], TIKTOK, "und").text == ""


def test_a_title_that_opens_the_description_is_not_said_twice() -> None:
    """The same sentence twice in a row where a platform has no title."""
    post = post_of(clip_called("Batteries die in winter."), said("Batteries die in winter."), TIKTOK, "en")
    assert post.text.count("Batteries die") == 1


def test_the_stored_post_can_be_read_again() -> None:
    """Accents escaped or a field lost in the file beside the clip."""
    post = post_of(clip_called(""), said(SPANISH), TIKTOK, "es")
    assert Post.model_validate_json(post.to_json()) == post
    assert "batería" in post.to_json().decode()
    assert set(json.loads(post.to_json())) == {"title", "description", "tags", "text"}


@settings(max_examples=40)
@given(
    title=st.text(max_size=150),
    words=st.lists(st.text(max_size=15), max_size=40),
    longest=st.tuples(st.integers(1, 120), st.integers(1, 300)),
    most_tags=st.integers(0, 6),
)
def test_any_text_stays_within_the_limits(title: str, words: list[str], longest: tuple[int, int], most_tags: int) -> None:
    """A hostile title ends the post's line, turns the page's writing around, or is refused for its angle brackets."""
    platform = replace(TIKTOK, longest_title=longest[0], longest_description=longest[1], most_tags=most_tags)
    spoken = [Word(text=text, start=float(at), end=at + 0.5, confidence=1.0) for at, text in enumerate(words)]
    post = post_of(clip_called(title), spoken, platform, "en")
    assert len(post.title) <= longest[0]
    assert max(len(post.description), len(post.text)) <= longest[1]
    assert len(post.tags) <= most_tags
    assert not set(post.title + post.description) & set("<>\u202e\u200f\x00")
    assert "\n" not in post.title


def test_marks_that_turn_writing_around_are_left_out() -> None:
    """A title that reads as another one."""
    post = post_of(clip_called("safe \u202etxet\u202c <b>bold</b>\x00"), [], TIKTOK, "en")
    assert post.title == "safe txet ‹b›bold‹/b›"
