"""Addresses of services that a secret is sent to."""

from urllib.parse import urlsplit

from videolab_assets.lib.errors import PermanentError

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def checked_address(address: str, setting: str) -> str:
    """The address without a slash at its end, if a secret may be sent there.

    Args:
        address: as a person has set it.
        setting: the name of the environment variable that it stands in.

    Raises:
        PermanentError: it is no address, holds credentials, or would carry the secret unencrypted over a network.
    """
    try:
        parts = urlsplit(address)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        usable = secure and parts.hostname and not (parts.username or parts.password or parts.query or parts.fragment) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable:
        raise PermanentError(f"{setting} cannot be used: give https://host, or http:// for this machine, without a password.")
    return address.rstrip("/")
