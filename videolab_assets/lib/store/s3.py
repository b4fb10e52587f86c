"""The store in a bucket: AWS, and anything that speaks S3 well enough.

What servers differ in is tried out rather than assumed (`S3Store.supports_conditional`). Retries of single requests are the
client's business; a body that breaks off half-way is resumed here, because no client does that.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeAlias

from boto3 import client as boto3_client
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError, PartialCredentialsError

from videolab_assets.lib.errors import PermanentError, RejectedUpload, TransientError, VideoLabError
from videolab_assets.lib.store import (
    LONGEST_KEY,
    TEMPORARIES,
    AlreadyThere,
    ChangedWhileRead,
    Fetched,
    ObjectMissing,
    Store,
    StoreObject,
    checked_key,
)
from videolab_assets.lib.store.copies import CHUNK, copy_hashed

S3Client: TypeAlias = Any
"""What `boto3.client("s3")` gives: boto3 makes the class at run time, so there is nothing to name."""

LARGEST_SINGLE_REQUEST = 5 * 1024**3
"""Bytes that one PutObject or CopyObject takes."""

_TRIES = 6
_CONFLICTS = 8
_UNSUPPORTED = (400, 405, 501)
_MISSING = ("404", "NoSuchKey", "NotFound")
_THERE = ("412", "PreconditionFailed")
_CONFLICT = ("409", "ConditionalRequestConflict", "OperationAborted")
_REFUSED = (
    "403",
    "401",
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
)
_FULL = ("QuotaExceeded", "XMinioStorageFull", "507", "InsufficientStorage")


def default_client() -> S3Client:
    """A client from boto3's own configuration, with the retries that survived a proxy cutting every third connection."""
    return boto3_client("s3", config=Config(retries={"max_attempts": 8, "mode": "standard"}))


class S3Store(Store):
    """Objects below `prefix` (may be empty) of a bucket that exists."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""

    def describe(self) -> str:
        below = f", below {self._prefix}" if self._prefix else ""
        return f"S3 bucket {self._bucket} at {self._client.meta.endpoint_url}{below}"

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._name(key)}"

    @property
    def objects_are_whole(self) -> bool:
        return True

    @cached_property
    def supports_conditional(self) -> bool:
        name = f"{self._prefix}{TEMPORARIES}/probe-{secrets.token_hex(8)}"
        with self._errors_explained(name):
            try:
                return [self._put_if_absent(name, b"", {}) for _ in range(2)] == [True, False]
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in _UNSUPPORTED:
                    return False
                raise
            finally:
                self._client.delete_object(Bucket=self._bucket, Key=name)

    def list(self, folder: str) -> Iterator[StoreObject]:
        start = self._name(folder.rstrip("/")) + "/" if folder.strip("/") else self._prefix
        own = f"{self._prefix}{TEMPORARIES}/"
        with self._errors_explained(folder):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start):
                for entry in page.get("Contents", ()):
                    is_folder_marker = entry["Key"].endswith("/") and entry["Size"] == 0
                    if not is_folder_marker and not entry["Key"].startswith(own):
                        yield self._object(entry["Key"].removeprefix(self._prefix), entry["Size"], entry)

    def stat(self, key: str) -> StoreObject | None:
        head = self._head(self._name(key))
        return None if head is None else self._object(key, head["ContentLength"], head)

    def read_bytes(self, key: str, limit: int) -> bytes:
        with self._errors_explained(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._name(key))
            if answer["ContentLength"] > limit:
                answer["Body"].close()
                raise PermanentError(f"{key!r} is larger than the {limit} bytes that are read of such an object.")
            return b"".join(self._chunks(self._name(key), answer))

    def write_bytes(self, key: str, data: bytes, *, media_type: str, only_if_absent: bool = False) -> bool:
        described = {"ContentType": media_type, "Metadata": {"sha256": hashlib.sha256(data).hexdigest()}}
        name = self._name(key)
        with self._errors_explained(key):
            if only_if_absent:
                self._require_conditional()
                return self._put_if_absent(name, data, described)
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, **described)
            return True

    def put_file(self, path: Path, key: str, *, media_type: str, sha256: str, only_if_absent: bool = False) -> bool:
        described = {"ContentType": media_type, "Metadata": {"sha256": sha256}}
        name = self._name(key)
        if path.is_symlink() or not path.is_file():
            raise PermanentError(f"{path.name!r} is no plain file: only plain files can be stored.")
        with self._errors_explained(key):
            if not only_if_absent:
                self._client.upload_file(str(path), self._bucket, name, ExtraArgs=described)
                return True
            self._require_conditional()
            if path.stat().st_size > LARGEST_SINGLE_REQUEST:  # servers exist that take the condition on a put but not on a multipart
                raise PermanentError(f"{path.name!r} is too large to be stored only if absent: at most {LARGEST_SINGLE_REQUEST:,} bytes.")
            if self._head(name) is not None:  # spares sending the body; the condition is what decides
                return False
            with path.open("rb") as file:
                return self._put_if_absent(name, file, described)

    def fetch(self, key: str, path: Path, *, longest: int) -> Fetched:
        name = self._name(key)
        with self._errors_explained(key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if _code(error) in _MISSING:
                    raise ObjectMissing(f"{key!r} was deleted or renamed before it could be read: upload it again.") from error
                raise
            size = answer["ContentLength"]
            with closing(answer["Body"]):
                if size == 0:
                    raise RejectedUpload("empty", "The file is empty: the upload was cut off, or there was nothing in it.", {"bytes": 0})
                if size > longest:
                    sentence = f"The file has {size:,} bytes; at most {longest:,} are taken."
                    raise RejectedUpload("too_big", sentence, {"bytes": size, "longest": longest})
                copied, sha256 = copy_hashed(self._chunks(name, answer), path, size)
        return Fetched(copied, sha256, _version(answer))

    @contextmanager
    def local(self, key: str, scratch: Path) -> Iterator[Path]:
        path = scratch / f"{secrets.token_hex(8)}{_ascii_suffix(key)}"
        name = self._name(key)
        with self._errors_explained(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
            _, sha256 = copy_hashed(self._chunks(name, answer), path, answer["ContentLength"])
        try:
            expected = answer["Metadata"].get("sha256", sha256)
            if sha256 != expected:
                raise TransientError(f"{key!r} does not have the bytes it was stored with.", f"SHA-256 {sha256}, expected {expected}")
            yield path
        finally:
            path.unlink(missing_ok=True)

    def move(self, source: str, target: str) -> None:
        target_name = self._name(target)
        source_name = self._name_as_listed(source)
        if source == target:
            raise AlreadyThere(f"{source!r} cannot be moved onto itself.")
        with self._errors_explained(source):
            listed = self._listed(source_name)
            there = self._head(target_name)
            if listed is None:
                if there is None:
                    raise ObjectMissing(f"{source!r} is not in the store: it was never made, or somebody deleted or renamed it.")
                return
            # The copy's ETag says nothing: it differs from that of a source which came in several parts.
            mark = hashlib.sha256(f"{source_name}\n{_version(listed)}".encode()).hexdigest()
            if there is not None and there["Metadata"].get("moved-from") != mark:
                raise AlreadyThere(f"{source!r} cannot be moved: {target!r} is already there.")
            if there is None:
                self._copy(source_name, listed, target_name, mark)
            again = self._listed(source_name)
            if again is not None and _version(again) != _version(listed):
                raise ChangedWhileRead(f"{source!r} was uploaded again while it was moved: the earlier version is {target!r}.")
            self._remove(source_name)

    def delete(self, key: str, version: str) -> bool:
        found = self.stat(key)
        if found is None or found.version != version:
            return False
        with self._errors_explained(key):
            self._remove(self._name(key))
        return True

    def sweep_temporaries(self) -> int:
        return 0

    def _name(self, key: str) -> str:
        """The object's name in the bucket, which is UTF-8 and no longer than S3 allows."""
        checked_key(key, longest=LONGEST_KEY - len(self._prefix.encode()))
        return self._name_as_listed(key)

    def _name_as_listed(self, key: str) -> str:
        """The name of what a listing may have shown: to S3 `a/../b` is one more plain name, which has to be moved out of the way."""
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise PermanentError(f"{key!r} is not a key for S3: its bytes are not UTF-8.") from error
        return self._prefix + key

    def _object(self, key: str, size: int, described: dict[str, Any]) -> StoreObject:
        return StoreObject(key, size, float(int(described["LastModified"].timestamp())), _version(described), self._is_regular(key))

    def _is_regular(self, key: str) -> bool:
        try:
            self._name(key)
        except PermanentError:
            return False
        return True

    def _head(self, name: str) -> dict[str, Any] | None:
        with self._errors_explained(name):
            try:
                head: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
        return head

    def _listed(self, name: str) -> dict[str, Any] | None:
        """The listing's entry for exactly that name: unlike a look at the object, it needs no address made of a name like `a/../b`."""
        page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=name, MaxKeys=1)
        return next((entry for entry in page.get("Contents", ()) if entry["Key"] == name), None)

    def _require_conditional(self) -> None:
        if not self.supports_conditional:
            raise PermanentError(f"The {self.describe()} ignores conditional writes: VideoLab needs a server that honours If-None-Match.")

    def _put_if_absent(self, name: str, body: bytes | IO[bytes], described: dict[str, Any]) -> bool:
        for attempt in range(_CONFLICTS):
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*", **described)
            except ClientError as error:
                if _code(error) in _THERE:
                    return False
                if _code(error) not in _CONFLICT:
                    raise
                time.sleep(0.05 * 2**attempt)  # AWS: another conditional put of this key was under way, and may yet fail
            else:
                return True
        raise TransientError(f"Others keep writing {name!r} at the same time.")

    def _chunks(self, name: str, answer: dict[str, Any]) -> Iterator[bytes]:
        """The body of a GetObject answer, resumed where the connection broke, as long as it is the same version."""
        copied, size, etag = 0, answer["ContentLength"], answer["ETag"]
        broken: BotoCoreError | None = None
        for _ in range(_TRIES):
            try:
                if broken is not None:
                    answer = self._client.get_object(Bucket=self._bucket, Key=name, Range=f"bytes={copied}-", IfMatch=etag)
                    if answer["ETag"] != etag or not answer.get("ContentRange", "").startswith(f"bytes {copied}-"):
                        raise _replaced(name)
                # Not `with answer["Body"] as body`: that hands out the bare stream, for which a body cut short is a body that ended.
                with closing(answer["Body"]) as body:
                    while chunk := body.read(CHUNK):
                        copied += len(chunk)
                        yield chunk
            except ClientError as error:
                if _code(error) in (*_THERE, *_MISSING):
                    raise _replaced(name) from error
                raise
            except BotoCoreError as error:
                if copied == size:  # all there, and the checksum is wrong
                    raise
                broken = error
            else:
                return
        raise TransientError(f"Reading {name!r} from the {self.describe()} broke off {_TRIES} times.", str(broken))

    def _copy(self, source: str, listed: dict[str, Any], target: str, mark: str) -> None:
        origin = {"Bucket": self._bucket, "Key": source}
        described: dict[str, Any] = {"Metadata": {"moved-from": mark}, "MetadataDirective": "REPLACE"}
        if self._is_regular(source.removeprefix(self._prefix)) and (head := self._head(source)) is not None:
            described["ContentType"] = head["ContentType"]
            if "sha256" in head["Metadata"]:
                described["Metadata"]["sha256"] = head["Metadata"]["sha256"]
        if listed["Size"] > LARGEST_SINGLE_REQUEST:
            self._client.copy(origin, self._bucket, target, ExtraArgs=described, Config=TransferConfig(multipart_chunksize=CHUNK * 512))
            return
        if self.supports_conditional:
            described["IfNoneMatch"] = "*"
        self._client.copy_object(Bucket=self._bucket, Key=target, CopySource=origin, CopySourceIfMatch=listed["ETag"], **described)

    def _remove(self, name: str) -> None:
        if self._is_regular(name.removeprefix(self._prefix)):
            self._client.delete_object(Bucket=self._bucket, Key=name)
        else:  # in a request's body a name like `a/../b` stays what it is; in its address a proxy may fold it into `b`
            answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": [{"Key": name}], "Quiet": True})
            if answer.get("Errors"):
                raise TransientError(f"{name!r} could not be deleted.", str(answer["Errors"]))

    @contextmanager
    def _errors_explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._explained(error, key) from error
        except Boto3Error as error:
            if isinstance(error.__context__, ClientError):  # the transfer manager keeps the cause only here
                raise self._explained(error.__context__, key) from error
            raise TransientError(f"The transfer of {key!r} to or from the {self.describe()} failed.", str(error)) from error
        except (NoCredentialsError, PartialCredentialsError, ParamValidationError) as error:
            raise PermanentError(f"The {self.describe()} cannot be used as it is configured: check the access keys.", str(error)) from error
        except BotoCoreError as error:
            raise TransientError(f"The {self.describe()} cannot be reached.", str(error)) from error

    def _explained(self, error: ClientError, key: str) -> VideoLabError:
        code, detail = _code(error), str(error)
        if code in _MISSING:
            return ObjectMissing(f"{key!r} is not in the store: it was never made, or somebody deleted or renamed it.", detail)
        if code == "NoSuchBucket":
            return PermanentError(f"There is no {self.describe()}: make the bucket, or correct its name.", detail)
        if code in _REFUSED:
            return PermanentError(f"The {self.describe()} refuses access: check the access keys and what they may do.", detail)
        if code in _FULL:
            return TransientError(f"The {self.describe()} is full or over its quota: free some space, then try again.", detail)
        if code in _THERE:
            return ChangedWhileRead(f"{key!r} changed meanwhile: it is looked at again.", detail)
        return TransientError(f"The {self.describe()} failed to handle {key!r}.", detail)


def _replaced(name: str) -> ChangedWhileRead:
    return ChangedWhileRead(f"{name!r} was replaced while it was read: it is looked at again.")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _version(described: Mapping[str, Any]) -> str:
    # Whole seconds: some servers give fractions in a listing and none of an object itself.
    return f"{described['ETag'].strip(chr(34))}-{int(described['LastModified'].timestamp())}"


def _ascii_suffix(key: str) -> str:
    """The key's ending where it is a harmless one, since some readers go by it; never anything else of a name that a user chose."""
    return match[0] if (match := re.search(r"\.[a-z0-9]{1,8}\Z", key)) else ""
