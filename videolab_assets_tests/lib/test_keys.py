"""Names that become folders, partitions and run tags."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import keys
from videolab_assets.lib.errors import PermanentError

NAMES = st.text(st.characters(codec=None), max_size=300)
"""Any characters at all, lone surrogates included."""

STORED_NAMES = st.text(max_size=300) | st.binary(max_size=300).map(lambda name: name.decode("utf-8", "surrogateescape"))
"""What a store can list: text, or bytes of a file name whose undecodable ones arrive as those surrogates that stand for bytes."""


@given(NAMES)
def test_any_name_gives_a_plain_slug(name: str) -> None:
    """A hostile file name must not put separators, controls or quotes into a partition key."""
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?", keys.slug(name))


@given(STORED_NAMES, st.text(max_size=50))
def test_any_upload_gives_a_valid_video_key(name: str, version: str) -> None:
    """A name must never lead to a key that the checks at every entry then refuse."""
    upload = keys.upload_id(f"inbox/acme/{name}", version)
    key = keys.video_key_of("acme", f"inbox/acme/{name}", upload)
    assert keys.checked_video_key(key) == key
    assert keys.tenant_of(key) == "acme"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_new_version_is_another_upload(name: str, before: str, after: str) -> None:
    """A file uploaded again under the same name would be taken for the one already processed, or one file for two."""
    same = keys.upload_id(name, before) == keys.upload_id(name, after)
    assert same == (before == after)


def test_a_slug_is_readable() -> None:
    """A person has to find her video by its key in the UI."""
    assert keys.slug("inbox/acme/Entrevista a la Dra. Núñez (final).MP4") == "entrevista-a-la-dra-nunez-final"
    assert keys.slug("inbox/acme/日本語.mp4") == "video"


@pytest.mark.parametrize("tenant", ["", "Acme", "a_b", "-a", "a-", "a.b", "..", "a/b", "ä", "a" * 33, "a\n"])
def test_only_slugs_are_tenants(tenant: str) -> None:
    """A tenant is a folder: a separator or a dot in it would reach another tenant's files."""
    with pytest.raises(PermanentError, match="tenant"):
        keys.checked_tenant(tenant)


@pytest.mark.parametrize(
    "key", ["", "a.b", "a.b.1234567", "a.b.1234567g", "a.b.12345678\n", "a,b.c.12345678", "../x.y.12345678", "a.b.c.12345678"]
)
def test_only_video_keys_are_video_keys(key: str) -> None:
    """Dagster takes any string as a partition; a comma breaks its backfills and a slash would leave the folder."""
    with pytest.raises(PermanentError, match="video key"):
        keys.checked_video_key(key)
