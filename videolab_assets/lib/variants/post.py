"""What a clip is posted with: title, description and hashtags, all in the speaker's own words."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from videolab_assets.lib.captions.phrases import transcript_of
from videolab_assets.lib.documents import Clip, Summary, Word
from videolab_assets.lib.documents.base import Model
from videolab_assets.lib.platforms import Platform
from videolab_assets.lib.summary import NothingSaid, open_engine
from videolab_assets.lib.summary.language import Language, language_of
from videolab_assets.lib.summary.wording import cut, without_full_stop

LONGEST_HASHTAG = 40
_QUOTED = str.maketrans({"<": "‹", ">": "›"})
"""YouTube takes neither angle bracket in a title or a description."""
_JOINERS = "\u200c\u200d"
"""Invisible, but letters of some scripts and many emoji are made with them."""


class Post(Model):
    """Ready to paste.

    Attributes:
        title: at most as long as the platform takes, ending with a word.
        description: what is said in the clip, then its hashtags; empty where nothing is said.
        tags: the hashtags, with their signs.
        text: all of it in one, for platforms that have no title of their own.
    """

    title: str
    description: str
    tags: list[str]
    text: str

    def to_text(self) -> str:
        return self.text

    def to_json(self) -> bytes:
        return self.model_dump_json(indent=2).encode() + b"\n"


def post_of(clip: Clip, words: Sequence[Word], platform: Platform, language: str) -> Post:
    """The post for one clip. Nothing is invented: without words there is the clip's title alone.

    Args:
        words: those spoken in the clip, in any clock.
        language: ISO 639-1.
    """
    summary = _summary_of(words, language)
    known = language_of([*(word.text for word in words), *clip.title.split()], summary.language if summary else language)
    said = _plain(clip.title) or _plain(summary.title if summary else "")
    title = without_full_stop(cut(said, platform.longest_title, known)) if said else ""
    tags = list(_hashtags(summary.tags if summary else []))[: platform.most_tags]
    gist = _plain(summary.description if summary else "")
    description = _joined(gist, tags, platform.longest_description, known)
    repeated = not gist or _begins_alike(gist, title)
    text = description if repeated and gist else _joined(f"{title}\n\n{gist}".strip(), tags, platform.longest_description, known)
    return Post(title=title, description=description, tags=[tag for tag in tags if tag in description.split()], text=text)


def _summary_of(words: Sequence[Word], language: str) -> Summary | None:
    try:
        return open_engine("extractive").summary_of(transcript_of(words, language))
    except NothingSaid:
        return None


def _plain(text: str) -> str:
    """On one line, without control characters and marks that steer the direction of writing."""
    spaced = " ".join(text.split())
    visible = (mark for mark in spaced if mark in _JOINERS or unicodedata.category(mark) not in ("Cc", "Cf", "Cs"))
    return "".join(visible).translate(_QUOTED).strip()


def _hashtags(terms: Sequence[str]) -> Iterator[str]:
    """Letters and digits alone, or platforms would end the tag early; several words each with a capital, accents kept."""
    seen: set[str] = set()
    for term in terms:
        words = [word for part in re.split(r"[\W_]+", unicodedata.normalize("NFC", term)) if (word := part.strip())]
        tag = words[0] if len(words) == 1 else "".join(word[:1].upper() + word[1:] for word in words)
        if tag.casefold() not in seen and len(tag) < LONGEST_HASHTAG and any(mark.isalpha() for mark in tag):
            seen.add(tag.casefold())
            yield f"#{tag}"


def _joined(gist: str, tags: Sequence[str], longest: int, language: Language) -> str:
    """The gist, then as many hashtags as there is room for; the gist is cut only where it fills all of it."""
    text = cut(gist, longest, language) if gist else ""
    line = ""
    for tag in tags:
        grown = f"{line} {tag}".strip()
        if len(text) + 2 + len(grown) <= longest:
            line = grown
    return f"{text}\n\n{line}".strip()


def _begins_alike(gist: str, title: str) -> bool:
    bare = title.rstrip("….!? ").casefold()
    return bool(bare) and gist.casefold().startswith(bare)
