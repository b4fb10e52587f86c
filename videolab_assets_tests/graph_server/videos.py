"""Videos in chunks, and images by their content."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Any

from .errors import Refusal, invalid, no_such_object, required
from .objects import bend, given, settle_of
from .request import Answer, Call
from .state import Account, Thing, World

CHUNK = 1024 * 1024


@dataclass
class Session:
    """An upload under way: the bytes so far, and the video that they will be."""

    id: str
    video: Thing
    size: int
    chunk: int
    content: bytearray = field(default_factory=bytearray, repr=False)
    finished: bool = False

    def offsets(self) -> dict[str, str]:
        """The range of bytes to send next; both ends are equal when all are there."""
        start = len(self.content)
        return {"start_offset": str(start), "end_offset": str(min(self.size, start + self.chunk))}


def advideos(world: World, account: Account, call: Call, *, chunk: int, polls: int) -> Answer:
    """POST act_X/advideos: a phase of an upload, or a whole video at once."""
    fields = given(call, "video")
    phase = fields.get("upload_phase")
    if phase == "start":
        return _start(world, account, call, fields, chunk, polls)
    if phase in ("transfer", "finish"):
        session = world.uploads.get(str(fields.get("upload_session_id", "")))
        if session is None or session.video.account is not account:
            raise Refusal(100, "(#100) Invalid parameter", subcode=1363041, title="Invalid upload session")
        return _transfer(call, session, fields) if phase == "transfer" else _finish(world, call, session, fields)
    if phase is not None:
        raise Refusal(100, f"(#100) Param upload_phase must be one of {{start, transfer, finish, cancel}} - got {phase!r}.")
    return _at_once(world, account, call, fields, polls)


def _start(world: World, account: Account, call: Call, fields: dict[str, Any], chunk: int, polls: int) -> Answer:
    if not str(fields.get("file_size", "")).isdecimal() or int(fields["file_size"]) < 1:
        raise required("file_size")
    video = world.add("video", account, {"title": fields.get("title", ""), "video_status": "uploading", "polls": polls}, [], settle=0)
    session = Session(str(140_000_000_000_000_000 + world.number()), video, int(fields["file_size"]), chunk)
    world.uploads[session.id] = session
    return Answer({"upload_session_id": session.id, "video_id": video.id, **session.offsets()})


def _transfer(call: Call, session: Session, fields: dict[str, Any]) -> Answer:
    upload = call.received.files.get("video_file_chunk")
    if upload is None or not upload.content:
        raise required("video_file_chunk")
    expected = session.offsets()
    moved = call.trick("upload_offset")
    if moved is not None:
        del session.content[max(0, len(session.content) - int(moved.get("back", 1))) :]
        expected = session.offsets()
    room = int(expected["end_offset"]) - int(expected["start_offset"])
    if moved is not None or str(fields.get("start_offset")) != expected["start_offset"] or len(upload.content) > room:
        data = {name: int(value) for name, value in expected.items()}
        words = "The upload goes on at another offset."
        raise Refusal(
            6000,
            "There was a problem uploading your video file. Please try again.",
            subcode=1363037,
            transient=True,
            data=data,
            words=words,
        )
    session.content += upload.content
    return Answer(session.offsets())


def _finish(world: World, call: Call, session: Session, fields: dict[str, Any]) -> Answer:
    if len(session.content) != session.size:
        data = {name: int(value) for name, value in session.offsets().items()}
        raise Refusal(6000, "There was a problem uploading your video file.", subcode=1363037, data=data, words="Bytes are missing.")
    if not session.finished:
        session.finished = True
        _publish(world, call, session.video, fields, bytes(session.content))
        session.content = bytearray(session.size)
    return Answer({"success": True})


def _publish(world: World, call: Call, video: Thing, fields: dict[str, Any], content: bytes) -> None:
    """The video is whole: lists show it, and its processing begins."""
    title = fields.get("title") or fields.get("name") or video.fields.get("title", "")
    video.fields |= {"title": title, "description": fields.get("description", ""), "video_status": "processing"}
    video.fields |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if not video.fields["polls"]:
        video.fields["video_status"] = "ready"
    if call.trick("video_error") is not None:
        video.fields |= {"video_status": "processing", "polls": 1, "outcome": "error"}
    if call.trick("video_never_ready") is not None:
        video.fields |= {"video_status": "processing", "polls": 1 << 60}
    video.listable_at = world.clock() + settle_of(world, call)
    bend(world, call, video)
    world.made.setdefault((video.account.id, "video"), []).append(video)


def _at_once(world: World, account: Account, call: Call, fields: dict[str, Any], polls: int) -> Answer:
    upload = call.received.files.get("source")
    if upload is None and not str(fields.get("file_url", "")).startswith(("http://", "https://")):
        raise required("source")
    content = upload.content if upload else str(fields["file_url"]).encode()
    video = world.add("video", account, {"video_status": "uploading", "polls": polls}, [], settle=0)
    _publish(world, call, video, fields, content)
    return Answer({"id": video.id})


def polled(video: Thing) -> None:
    """Each read brings the processing forward."""
    if video.fields.get("video_status") != "processing":
        return
    video.fields["polls"] -= 1
    if video.fields["polls"] < 0:
        video.fields["video_status"] = video.fields.get("outcome", "ready")


def adimages(world: World, account: Account, call: Call) -> Answer:
    """POST act_X/adimages: keeps images by the MD5 of their content; the same bytes are the same image."""
    fields = given(call, "image")
    uploads = {name: (upload.filename, upload.content) for name, upload in call.received.files.items()}
    if "bytes" in fields:
        try:
            uploads["bytes"] = ("bytes", base64.b64decode(str(fields["bytes"]), validate=True))
        except binascii.Error as error:
            raise invalid("The bytes are not base64.", 1487411, "Invalid image") from error
    if not uploads:
        raise required("filename")
    images: dict[str, Any] = {}
    for filename, content in uploads.values():
        if not content:
            raise invalid("The image is empty.", 1487411, "Invalid image")
        image = _image(world, account, call, str(fields.get("name") or filename), content)
        images[filename] = {"hash": image.fields["hash"], "url": image.fields["url"], "name": image.fields["name"]}
    return Answer({"images": images})


def _image(world: World, account: Account, call: Call, name: str, content: bytes) -> Thing:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for known in world.of(account.id, "image"):
        if known.fields["hash"] == digest:
            known.fields["status"] = "ACTIVE"
            return known
    fields = {"hash": digest, "name": name, "url": f"https://scontent.example/{digest}.png", "status": "ACTIVE", "size": len(content)}
    thing_id = f"{account.number}:{digest}"
    return world.add("image", account, fields, [account.id], settle=settle_of(world, call), thing_id=thing_id)


def delete_image(world: World, account: Account, call: Call) -> Answer:
    """DELETE act_X/adimages?hash=…"""
    thing = world.things.get(f"{account.number}:{call.params.get('hash', '')}")
    if thing is None:
        raise no_such_object("delete", str(call.params.get("hash", "")))
    thing.fields["status"] = "DELETED"
    return Answer({"success": True})
