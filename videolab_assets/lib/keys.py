"""Names in the store and in Dagster: tenants, video keys and the folders that follow from them."""

import hashlib
import re
import unicodedata

from videolab_assets.lib.errors import PermanentError

INBOX = "inbox"
LIBRARY = "library"
WORK = "work"
REJECTED = "rejected"
REQUESTS = "requests"

TENANT_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
VIDEO_KEY_PATTERN = re.compile(
    r"(?P<tenant>[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)\.(?P<slug>[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?)\.(?P<digest>[0-9a-f]{8})"
)


def checked_tenant(tenant: str) -> str:
    """The tenant itself, if it is a lower-case slug of 1 to 32 letters, digits and inner hyphens.

    Raises:
        PermanentError: it is not.
    """
    if not TENANT_PATTERN.fullmatch(tenant):
        raise PermanentError(f"{tenant!r} is not a tenant: use 1 to 32 lower-case letters, digits and hyphens, as in inbox/acme/.")
    return tenant


def checked_video_key(video_key: str) -> str:
    """The key itself, if it reads `<tenant>.<slug>.<8 hex>`.

    Dagster's storage takes any string as a partition key, commas and newlines included, so every entry checks.

    Raises:
        PermanentError: it does not.
    """
    if not VIDEO_KEY_PATTERN.fullmatch(video_key):
        raise PermanentError(f"{video_key!r} is not a video key: it has the form <tenant>.<name>.<8 hex digits>.")
    return video_key


def slug(name: str, longest: int = 48) -> str:
    """`name` without its ending, folded to lower-case ASCII letters, digits and single hyphens; `video` when nothing is left."""
    stem = name.rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    folded = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return folded[:longest].strip("-") or "video"


def upload_id(inbox_key: str, version: str) -> str:
    """Names one upload: this object in this version. 64 hex digits.

    `version` is what the store says of the bytes (`StoreObject.version`), so the same name uploaded again is another upload.
    """
    identity = inbox_key.encode("utf-8", "surrogateescape") + b"\0" + version.encode()
    return hashlib.sha256(identity).hexdigest()


def video_key_of(tenant: str, inbox_key: str, upload: str) -> str:
    """The video key, and so the partition key, of an upload (see `upload_id`)."""
    return checked_video_key(f"{checked_tenant(tenant)}.{slug(inbox_key)}.{upload[:8]}")


def tenant_of(video_key: str) -> str:
    """The tenant that a video key belongs to."""
    return checked_video_key(video_key).partition(".")[0]


def library_key(video_key: str, name: str) -> str:
    """The store key of one of a video's files: `library/<tenant>/<video key>/<name>`."""
    return f"{LIBRARY}/{tenant_of(video_key)}/{video_key}/{name}"
