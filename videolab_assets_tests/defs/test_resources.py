"""What the environment turns into."""

from pathlib import Path

import pytest

from videolab_assets.defs.resources import StoreResource, resources_of
from videolab_assets.settings import Settings

SECRET = "hunter2"  # noqa: S105 - what must never be shown


def test_the_environment_decides(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting is read under another name than the one that the documentation gives."""
    monkeypatch.setenv("VIDEOLAB_MAX_BYTES", "5")
    monkeypatch.setenv("VIDEOLAB_MAX_SECONDS", "6.5")
    monkeypatch.setenv("VIDEOLAB_MAX_PIXELS", "7")
    monkeypatch.setenv("VIDEOLAB_MAX_STREAMS", "8")
    caps = resources_of(Settings())["workshop"].caps
    assert (caps.bytes, caps.seconds, caps.pixels, caps.streams) == (5, 6.5, 7, 8)
    assert resources_of(Settings())["store"].open().describe() == f"folder {home / 'store'}"


def test_no_secret_is_part_of_a_resource(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The UI shows the configuration of resources to everybody."""
    monkeypatch.setenv("VIDEOLAB_DATABASE_URL", f"postgresql://u:{SECRET}@h/d")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    resources = resources_of(Settings())
    assert SECRET not in "".join(repr(resource) + resource.model_dump_json(exclude={"store"}) for resource in resources.values())


def test_a_bucket_is_connected_to_once(s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of boto3 is made for every document: seconds of CPU for each video."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    resource = StoreResource(location=f"s3://{s3_bucket}/x", s3_endpoint=s3_endpoint, s3_region="us-east-1")
    assert resource.open() is resource.open()
    assert resource.open() is not StoreResource(location=f"s3://{s3_bucket}/y", s3_endpoint=s3_endpoint, s3_region="us-east-1").open()
