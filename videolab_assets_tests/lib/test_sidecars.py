"""Which files in an inbox are sidecars, and of what."""

import os

from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.clips.rules import RULES_KEY
from videolab_assets.lib.keys import VIDEO_KEY_PATTERN, upload_id
from videolab_assets.lib.sidecars import KINDS, Kind, kind_of, sidecar_of
from videolab_assets.lib.store import StoreObject


@given(st.binary(min_size=1, max_size=60).filter(lambda name: not {0, 47} & set(name)))
def test_every_name_is_one_or_the_other(name: bytes) -> None:
    """A sidecar's name loses or gains something, so that it stands for another video."""
    key = f"inbox/acme/{os.fsdecode(name)}"
    sidecar = sidecar_of(StoreObject(key, 1, 0.0, "1"))
    kind = kind_of(key)
    assert (sidecar is None) == (kind is None)
    if sidecar and kind:
        assert key[: -len(kind.ending)] == f"inbox/acme/{sidecar.stem}"
        assert sidecar.sidecar_id == upload_id(key, "1")


@given(st.from_regex(VIDEO_KEY_PATTERN, fullmatch=True), st.sampled_from(KINDS), st.booleans())
def test_every_video_key_is_a_name(video_key: str, kind: Kind, loud: bool) -> None:
    """The one name that always works does not for some video."""
    ending = kind.ending.upper() if loud else kind.ending
    sidecar = sidecar_of(StoreObject(f"inbox/acme/some/folder/{video_key}{ending}", 1, 0.0, "1"))
    assert sidecar
    assert (sidecar.name, sidecar.kind) == (video_key, kind)


def test_no_ending_hides_another() -> None:
    """One kind's files are taken for another's, whose ending theirs has too; or replace each other in the video's folder."""
    endings = [kind.ending for kind in KINDS]
    assert [kind_of(f"talk{ending}") for ending in endings] == list(KINDS)
    assert len({kind.library_name for kind in KINDS}) == len(KINDS)
    assert kind_of("talk.yaml") is kind_of("talk.clips.mp4") is kind_of(RULES_KEY) is None
