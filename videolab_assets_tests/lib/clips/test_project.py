"""The project document: it opens by itself, and nothing in it leads nowhere."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.clips.project import Project, ProjectClip, ProjectVideo, project_of, validated
from videolab_assets.lib.documents import AudioStream, ClipPlan, Look, Probe, Proxy, SourceVideo, StoredFile, VideoStream, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.store import Store
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.clips.test_timeline import KEY, NTSC, SECONDS, clip, plan

SOURCE, PROXY = library_key(KEY, "source.mp4"), library_key(KEY, "proxy.mp4")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = LocalStore(tmp_path / "store")
    for key in (SOURCE, PROXY):
        store.write_bytes(key, b"video", media_type="video/mp4")
    return store


def source(picture: bool = True) -> SourceVideo:
    video = VideoStream(
        index=0, codec="h264", width=1080, height=1920, coded_width=1920, coded_height=1080, frame_rate=29.97, pixel_format="yuv420p"
    )
    sound = AudioStream(index=1, codec="aac", sample_rate=48000, channels=2, layout="stereo")
    probe = Probe(container="mov", duration=SECONDS, bytes=5, bit_rate=1, streams=2, video=video if picture else None, audio=sound)
    return SourceVideo(
        video_key=KEY,
        tenant="acme",
        original_name="Talk (1).mp4",
        upload="1" * 64,
        source_key=SOURCE,
        sha256="0" * 64,
        verdict="accept",
        probe=probe,
    )


def proxy() -> Proxy:
    file = StoredFile(key=PROXY, bytes=5, sha256="0" * 64, media_type="video/mp4")
    return Proxy(width=720, height=1280, frame_rate=29.97, duration=SECONDS, bit_rate=1, audio_video_offset=0.0, files=[file])


def two_clips() -> ClipPlan:
    spoken = [Word(text="Hola.", start=101.0, end=101.5, confidence=0.9)]
    return plan([clip(1, 3000, 3900, NTSC).model_copy(update={"words": spoken}), clip(2, 30, 930, NTSC)])


def test_an_editor_finds_everything(store: Store) -> None:
    """A front end has to ask for four more documents to show a clip, or rounds its times to other frames than the cutter."""
    project = validated(project_of(two_clips(), source(), proxy()), store)
    document = json.loads(project.model_dump_json())
    (video,), (first, second) = document["videos"], document["clips"]
    assert (document["kind"], document["schema_version"], document["rules_version"]) == ("videolab.project", 1, "spring")
    assert (video["id"], video["source"], video["proxy"], video["name"]) == (KEY, SOURCE, PROXY, "Talk (1).mp4")
    assert (video["width"], video["height"], video["timebase"]) == (1080, 1920, [30000, 1001])
    assert (first["first_frame"], first["end_frame"], second["first_frame"]) == (3000, 3900, 30)
    assert first["start"] == float(Fraction(3000) / NTSC)
    assert (first["words"][0]["text"], first["parts"]["hook"], first["video"]) == ("Hola.", 0.5, KEY)
    assert Project.model_validate_json(project.model_dump_json()) == project


def test_without_a_proxy(store: Store) -> None:
    """A video of which the proxy could not be made has no project."""
    assert validated(project_of(two_clips(), source()), store).videos[0].proxy is None


def test_a_plan_without_clips(store: Store) -> None:
    """A video too short for a clip fails at its project."""
    assert validated(project_of(plan([]), source(), proxy()), store).clips == []


def test_sound_has_no_project() -> None:
    """A sound file's project has a picture of no size."""
    with pytest.raises(PermanentError, match="has no picture"):
        project_of(two_clips(), source(picture=False))


def changed(video: dict[str, Any] | None = None, clip: dict[str, Any] | None = None, twice: str | None = None) -> Project:
    whole = project_of(two_clips(), source(), proxy())
    videos, clips = list(whole.videos), list(whole.clips)
    videos[0] = ProjectVideo.model_validate(videos[0].model_dump() | (video or {}))
    clips[1] = ProjectClip.model_validate(clips[1].model_dump() | (clip or {}))
    if twice == "video":
        videos.append(videos[0])
    return whole.model_copy(update={"videos": videos, "clips": clips})


@pytest.mark.parametrize(
    ("project", "sentence"),
    [
        (changed(clip={"end": 301.0, "end_frame": 9021}), "Clip c02 of this project ends at 5:01, after its video, which ends at 5:00."),
        (changed(clip={"end": 0.5}), "Clip c02 of this project ends at 0:00.5, where it starts or before."),
        (changed(clip={"first_frame": 60}), "The frames of clip c02 of this project are not those of its times."),
        (changed(clip={"id": "c01"}), "This project has two clips called 'c01'."),
        (changed(twice="video"), f"This project has two videos called '{KEY}'."),
        (
            changed(clip={"video": "acme.other.00000000"}),
            "Clip c02 of this project is of 'acme.other.00000000', which is none of its videos.",
        ),
        (
            changed(video={"source": SOURCE + ".gone"}),
            f"{SOURCE}.gone, which this project refers to, is not in the store: materialize its asset again.",
        ),
        (
            changed(video={"proxy": PROXY + ".gone"}),
            f"{PROXY}.gone, which this project refers to, is not in the store: materialize its asset again.",
        ),
    ],
)
def test_what_leads_nowhere(project: Project, sentence: str, store: Store) -> None:
    """An editor opens a project and finds clips after the end, or no video."""
    with pytest.raises(PermanentError) as refusal:
        validated(project, store)
    assert refusal.value.sentence == sentence


def test_looks_travel_along(store: Store) -> None:
    """Whoever shows the project cannot tell the two variants of a clip apart."""
    two = two_clips().model_copy(update={"looks": {"a": Look(), "b": Look(captions="off")}})
    document = json.loads(validated(project_of(two, source()), store).model_dump_json())
    assert document["looks"]["b"]["captions"] == "off"
