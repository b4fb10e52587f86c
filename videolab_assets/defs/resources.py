"""Where assets read and write: the store, the catalogue, the library's documents, and room to work in."""

import functools
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from videolab_assets.lib.catalogue import Catalogue
from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import DOCUMENTS, Document
from videolab_assets.lib.gate import Caps
from videolab_assets.lib.library import Library
from videolab_assets.lib.search import Index
from videolab_assets.lib.store import Store, open_store
from videolab_assets.settings import Settings

S3_TRIES = 8
"""Behind a proxy that broke a third of all connections, eight tries lost nothing of 120 transfers."""


class StoreResource(dg.ConfigurableResource[Store]):
    """The object store: a local folder, or anything that speaks S3. Keys and secrets come from the environment, never from here."""

    location: str = Field(description="`s3://bucket/prefix`, or a folder")
    s3_endpoint: str | None = Field(None, description="address of an S3 server that is not AWS's")
    s3_region: str | None = Field(None, description="region named when signing requests")

    def open(self) -> Store:
        """The store, connected."""
        if not self.location.startswith("s3://"):
            return open_store(self.location)
        return _bucket(self.location, self.s3_endpoint, self.s3_region)

    def library(self) -> Library:
        """The videos' folders in the store."""
        return Library(self.open())


@functools.cache
def _bucket(location: str, endpoint: str | None, region: str | None) -> Store:
    """One client a process: each takes a fifth of a second of CPU to make, and every document of a run opens the store."""
    from dagster_aws.s3 import S3Resource  # boto3 costs every process a fifth of a second

    s3 = S3Resource(endpoint_url=endpoint, region_name=region, max_attempts=S3_TRIES)
    return open_store(location, s3_client=s3.get_client())


class CatalogueResource(dg.ConfigurableResource[Catalogue]):
    """VideoLab's own tables. The URL may hold a password, so it is read from the environment where the tables are opened."""

    def open(self) -> Catalogue:
        """The catalogue, with its tables made."""
        return _catalogue(Settings().database)


class SearchResource(dg.ConfigurableResource[Index]):
    """The search index, in the same database as the catalogue."""

    def open(self) -> Index:
        """The index, with its tables made."""
        return _index(Settings().database)


# One of each a process: they bring connections of their own, and the sensor opens the catalogue at every tick.
@functools.cache
def _catalogue(database: str) -> Catalogue:
    return Catalogue(database)


@functools.cache
def _index(database: str) -> Index:
    return Index(Database(database))


def database() -> Database:
    """VideoLab's database, for what keeps its own tables there."""
    return Database(Settings().database)


class Workshop(dg.ConfigurableResource[None]):
    """What every step needs beside its inputs: a scratch folder and the caps of the gate."""

    scratch: str = Field(description="folder for work in progress; best on the same file system as a local store")
    max_bytes: int
    max_seconds: float
    max_pixels: int
    max_streams: int

    @property
    def folder(self) -> Path:
        """Where private work folders are made and removed."""
        return Path(self.scratch)

    @property
    def caps(self) -> Caps:
        """What the gate lets in."""
        return Caps(bytes=self.max_bytes, seconds=self.max_seconds, pixels=self.max_pixels, streams=self.max_streams)


class DocumentIOManager(dg.ConfigurableIOManager):
    """Writes what an asset returns as JSON beside its files, and reads it back for the assets that name it as an input."""

    store: dg.ResourceDependency[StoreResource]

    def handle_output(self, context: dg.OutputContext, obj: Document) -> None:
        """Writes the document whole or not at all."""
        key = self.store.library().write(context.partition_key, obj)
        context.add_output_metadata({"document": dg.MetadataValue.text(key)})

    def load_input(self, context: dg.InputContext) -> Any:
        """The document of the upstream asset, for this partition.

        Raises:
            dg.Failure: it has not been made, or is not in the store any more.
        """
        name = context.asset_key.path[-1]
        document = self.store.library().document(context.partition_key, DOCUMENTS[name])
        if document is None:
            raise dg.Failure(f"{name} of {context.partition_key} is not in the store: materialize it first.", allow_retries=False)
        return document


def resources_of(settings: Settings) -> dict[str, Any]:
    """The resources that the environment names."""
    store = StoreResource(location=settings.store_location, s3_endpoint=settings.s3_endpoint or None, s3_region=settings.s3_region)
    return {
        "store": store,
        "catalogue": CatalogueResource(),
        "search": SearchResource(),
        "workshop": Workshop(
            scratch=str(settings.scratch),
            max_bytes=settings.max_bytes,
            max_seconds=settings.max_seconds,
            max_pixels=settings.max_pixels,
            max_streams=settings.max_streams,
        ),
        "io_manager": DocumentIOManager(store=store),
    }
