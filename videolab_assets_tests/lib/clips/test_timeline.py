"""Timelines: what OpenTimelineIO itself reads of ours, and what we read of what editing programs make of them."""

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.clips.plan import Fixed
from videolab_assets.lib.clips.timeline import read_timeline, to_otio
from videolab_assets.lib.documents import Clip, ClipPlan, Look, ScoreParts
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.sidecars import LONGEST_TIMELINE

KEY = "acme.talk.0123abcd"
OTHER = "acme.walk.89abcdef"
URI = f"file:///var/lib/videolab/library/acme/{KEY}/source.mp4"
NTSC = Fraction(30000, 1001)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(50), Fraction(60000, 1001), Fraction(14250, 1000)]
SECONDS = 300.0


def clip(number: int, first: int, end: int, rate: Fraction, title: str = "A title") -> Clip:
    nothing = dict.fromkeys(ScoreParts.model_fields)
    parts = ScoreParts(**nothing | {"hook": 0.5})
    times = {"start": float(first / rate), "end": float(end / rate)}
    return Clip(
        clip_id=f"c{number:02d}", **times, score=0.75, parts=parts, reason="Begins with a question: «¿por qué?»", title=title, words=[]
    )


def plan(clips: list[Clip], rate: Fraction = NTSC, duration: float = SECONDS) -> ClipPlan:
    return ClipPlan(
        frame_rate=float(rate),
        duration=duration,
        language="es",
        rules_version="spring",
        rules_sha256="0" * 64,
        ranker="rules",
        clips=clips,
        looks={"a": Look()},
    )


def ours(rate: Fraction = NTSC) -> str:
    """Two clips, the later one ranked first."""
    return to_otio(plan([clip(1, 3000, 3900, rate), clip(2, 30, 930, rate, "Uno, «dos»")], rate), KEY, URI, "Talk (1).mp4")


def read(text: str | bytes, duration: float = SECONDS, rate: Fraction = NTSC) -> list[Fixed]:
    return read_timeline(text if isinstance(text, bytes) else text.encode(), KEY, duration, float(rate))


def edited(change: Callable[[Any], None], rate: Fraction = NTSC) -> str:
    """Our timeline as an editing program leaves it."""
    timeline = otio.schema.Timeline.from_json_string(ours(rate))
    change(timeline)
    return str(timeline.to_json_string(indent=1))


def rational(seconds: float, rate: float) -> Any:
    return otio.opentime.RationalTime(round(seconds * rate), rate)


def stretch(start: float, length: float, rate: float = 25.0) -> Any:
    return otio.opentime.TimeRange(rational(start, rate), rational(length, rate))


def refused(text: str | bytes) -> str:
    with pytest.raises(PermanentError) as refusal:
        read(text)
    assert refusal.value.sentence.isprintable()
    return refusal.value.sentence


@pytest.mark.parametrize("rate", RATES)
def test_others_read_the_very_frames(rate: Fraction) -> None:
    """At 29.97 an editor opens each clip one frame late; or finds no file, no order, no reason."""
    timeline = otio.adapters.read_from_string(ours(rate), "otio_json")
    (track,) = timeline.tracks
    assert track.kind == "Video"
    assert [item.name for item in track] == ["A title", "Uno, «dos»"]
    for item, (first, end) in zip(track, ((3000, 3900), (30, 930)), strict=True):
        shown = item.source_range
        assert (shown.start_time.value, shown.duration.value) == (first, end - first)
        assert shown.start_time.rate == shown.duration.rate == float(rate)
        media = item.media_reference
        assert (media.target_url, media.name, media.available_range.start_time.value) == (URI, "Talk (1).mp4", 0)
        assert media.available_range.duration.value == round(Fraction(300) * rate)
        assert item.trimmed_range_in_parent() and media.available_range.contains(shown)
        noted = item.metadata["videolab"]
        assert (noted["video_key"], noted["score"], dict(noted["parts"])) == (KEY, 0.75, {"hook": 0.5})
        assert [marker.name for marker in item.markers] == ["Begins with a question: «¿por qué?»"]
        assert item.markers[0].marked_range.start_time == shown.start_time
    assert track[1].metadata["videolab"]["clip_id"] == "c02"


@settings(max_examples=30)
@given(
    st.sampled_from(RATES),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(70, 500)), min_size=1, max_size=6, unique=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
def test_unchanged_it_is_the_same_plan(rate: Fraction, times: list[tuple[int, int]], title: str) -> None:
    """Opening and saving a timeline moves every clip by a frame, or reorders them."""
    clips = [clip(1 + number, first, first + frames, rate, title) for number, (first, frames) in enumerate(times)]
    found = read(to_otio(plan(clips, rate, 4000.0), KEY, URI, "talk.mp4"), 4000.0, rate)
    assert [(one.start, one.end) for one in found] == [(one.start, one.end) for one in clips]
    assert {one.origin for one in found} == {"timeline"}


def test_titles() -> None:
    """A new title is lost; or the clip is called after the file, which editing programs put there."""
    assert [one.title for one in read(ours())] == ["A title", "Uno, «dos»"]

    def rename(timeline: Any) -> None:
        timeline.tracks[0][0].name = " New\ntitle\u202e " + "x" * 200
        timeline.tracks[0][1].name = "Talk (1).mp4"

    first, second = read(edited(rename))
    assert first.title and first.title.startswith("New title x") and len(first.title) == 100
    assert second.title == "Uno, «dos»"

    def relink(timeline: Any) -> None:
        item = timeline.tracks[0][0]
        item.name, item.media_reference.target_url = "source copy.mp4", "D:\\clips\\source%20copy.mp4"
        item.metadata.clear()

    assert read(edited(relink))[0].title is None


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_editor_does(version: int) -> None:
    """Trimmed, moved, dropped and new clips, gaps, transitions, markers, a second video track or sound tracks are misread."""

    def edit(timeline: Any) -> None:
        track = timeline.tracks[0]
        first, second = track[0], track[1]
        second.source_range = stretch(10.0, 5.0, 25.0)
        new = first.deepcopy()
        new.source_range = stretch(200.0, 20.0, 1000.0)
        new.name = "New"
        dropped = first.deepcopy()
        dropped.source_range = stretch(50.0, 20.0)
        dropped.enabled = False
        del track[0]
        track.insert(0, otio.schema.Gap(duration=rational(2.0, 30.0)))
        track.append(otio.schema.Transition("SMPTE_Dissolve", in_offset=rational(0.5, 25.0), out_offset=rational(0.5, 25.0)))
        track.append(new)
        track.append(dropped)
        above = otio.schema.Track("V2", kind="Video")
        above.append(otio.schema.Gap(duration=rational(5.0, 25.0)))
        above.append(first)
        hidden = otio.schema.Track("V3", kind="Video", children=[first.deepcopy()])
        hidden[0].source_range = stretch(0.0, 5.0)
        hidden.enabled = False
        sound = otio.schema.Track("A1", kind="Audio", children=[second.deepcopy()])
        sound[0].source_range = stretch(60.0, 9.0)
        sound[0].media_reference = otio.schema.ExternalReference("file:///music.wav")
        timeline.tracks.extend([above, hidden, sound])

    timeline = otio.schema.Timeline.from_json_string(ours())
    edit(timeline)
    text = otio.adapters.write_to_string(timeline, "otio_json", target_schema_versions={"Clip": version})
    found = read(text)
    expected = [("Uno, «dos»", 10.0, 15.0), ("A title", 100.1, 130.13), ("New", 200.0, 220.0)]
    assert [one.title for one in found] == [title for title, _, _ in expected]
    for one, (_, start, end) in zip(found, expected, strict=True):
        assert (one.start, one.end) == pytest.approx((start, end), abs=float(1 / NTSC) / 2)
        assert (Fraction(one.start) * NTSC).limit_denominator(1000).denominator == 1, "between two frames"


@pytest.mark.parametrize(
    ("written", "meant"), [(29.97, NTSC), (23.98, Fraction(24000, 1001)), (23.976, Fraction(24000, 1001)), (24.0, Fraction(24))]
)
def test_rates_that_are_nearly_right(written: float, meant: Fraction) -> None:
    """An editing program writes 23.98, and an hour into the video every clip is half a second early."""

    def rerate(timeline: Any) -> None:
        for item in timeline.tracks[0]:
            item.source_range = otio.opentime.TimeRange(
                otio.opentime.RationalTime(86_400, written), otio.opentime.RationalTime(240, written)
            )

    (found,) = read(edited(rerate, meant), 5000.0, meant)
    assert (found.start, found.end) == (float(86_400 / meant), float(86_640 / meant))


def test_the_sources_time_code() -> None:
    """A camera's time code begins at 10:00:00, and every clip lies ten hours after the video's end."""

    def timecode(timeline: Any) -> None:
        for item in timeline.tracks[0]:
            start = item.source_range.start_time.to_seconds() + 36_000
            item.source_range = stretch(start, 20.0, 30.0)
            item.media_reference.available_range = stretch(36_000.0, SECONDS, 30.0)

    assert [one.start for one in read(edited(timecode))] == pytest.approx([100.1, 1.0], abs=0.02)


def test_a_clip_without_times_is_its_whole_media() -> None:
    """A clip that was never trimmed is refused, though the timeline says how long it is."""

    def untrimmed(timeline: Any) -> None:
        timeline.tracks[0][0].source_range = None
        timeline.tracks[0][1].media_reference.available_range = None

    assert [(one.start, one.end) for one in read(edited(untrimmed))] == [
        pytest.approx(times, abs=0.02) for times in ((0.0, SECONDS), (1.0, 31.03))
    ]

    def timeless(timeline: Any) -> None:
        untrimmed(timeline)
        timeline.tracks[0][1].source_range = None

    assert refused(edited(timeless)).endswith("there are no times, and a source_range was expected.")


@pytest.mark.parametrize(
    "url",
    [
        URI,
        f"s3://bucket/library/acme/{KEY}/source.mp4",
        f"https://store.example/library/acme/{KEY}/source.mp4?X-Amz-Signature=0a",
        f"C:\\videos\\{KEY}\\source.mp4",
        f"/Users/me/{KEY}.mp4",
        "file:///Users/me/x%20y/" + KEY.replace(".", "%2E") + ".mov",
    ],
)
def test_a_video_is_known_by_its_place(url: str) -> None:
    """An editing program that drops what it does not know of makes every timeline useless."""

    def forget(timeline: Any) -> None:
        for item in timeline.tracks[0]:
            item.metadata.clear()
            item.media_reference = otio.schema.ExternalReference(url)

    assert len(read(edited(forget))) == 2


def other_media(timeline: Any) -> None:
    item = timeline.tracks[0][1]
    item.metadata.clear()
    item.media_reference = otio.schema.ExternalReference("file:///intro.mov", stretch(0, 60))


def other_video(timeline: Any) -> None:
    timeline.tracks[0][1].media_reference.metadata["videolab"] = {"video_key": OTHER}


def generated(timeline: Any) -> None:
    timeline.tracks[0][1].media_reference = otio.schema.GeneratorReference("bars")


def unknown(timeline: Any) -> None:
    item = timeline.tracks[0][1]
    item.metadata.clear()
    item.media_reference = otio.schema.MissingReference()


def compound(timeline: Any) -> None:
    timeline.tracks[0].append(otio.schema.Stack("Compound", children=[otio.schema.Track()]))


def nested(timeline: Any) -> None:
    timeline.tracks.append(otio.schema.Stack("Inner"))


def slow(timeline: Any) -> None:
    timeline.tracks[0][1].effects.append(otio.schema.LinearTimeWarp("half", time_scalar=0.5))


def frozen(timeline: Any) -> None:
    timeline.tracks[0][1].effects.append(otio.schema.FreezeFrame("still"))


def trimmed(timeline: Any) -> None:
    timeline.tracks[0].source_range = stretch(0, 30)


def late(timeline: Any) -> None:
    timeline.tracks[0][1].source_range = stretch(295, 10)


def after(timeline: Any) -> None:
    timeline.tracks[0][1].source_range = stretch(400, 10)


def early(timeline: Any) -> None:
    timeline.tracks[0][1].source_range = stretch(-5, 10)


def short(timeline: Any) -> None:
    timeline.tracks[0][1].source_range = stretch(5, 0.5)


def backwards(timeline: Any) -> None:
    timeline.tracks[0][1].source_range = stretch(50, -10)


@pytest.mark.parametrize(
    ("change", "there", "words"),
    [
        (other_media, "{", f"the clip shows 'file:///intro.mov', and the video {KEY} was expected."),
        (other_video, "{", f"the clip shows '{OTHER}', and the video {KEY} was expected."),
        (unknown, "{", f"the clip shows 'Uno, «dos»', and the video {KEY} was expected."),
        (
            generated,
            '"DEFAULT_MEDIA": {',
            "'GeneratorReference.1' stands there, and ExternalReference.1 or MissingReference.1 was expected.",
        ),
        (compound, "{", "'Stack.1' stands there, and Clip.1, Clip.2, Gap.1 or Transition.1 was expected."),
        (nested, "{", "'Stack.1' stands there, and Track.1 was expected."),
        (slow, "{", "'LinearTimeWarp.1' changes the clip's speed, and a clip as the video plays was expected."),
        (frozen, "{", "'FreezeFrame.1' changes the clip's speed, and a clip as the video plays was expected."),
        (trimmed, '"source_range": {', "the track is trimmed as a whole, and a track of which the clips are trimmed was expected."),
        (late, '"source_range": {', "the clip ends at 5:05, and a time up to the video's end at 5:00 was expected."),
        (after, '"source_range": {', "the clip starts at 6:40, and a time within the video, which ends at 5:00, was expected."),
        (early, '"source_range": {', "the clip starts at -0:05, and a time within the video, which ends at 5:00, was expected."),
        (short, '"source_range": {', "the clip lasts 0:00.48, and a length from 1 second to 10 minutes was expected."),
        (backwards, '"duration": {', "the length is below 0, and a length was expected."),
    ],
)
def test_what_cannot_be_made(change: Callable[[Any], None], there: str, words: str) -> None:
    """A clip of another video, at another speed or out of its bounds is cut as something else; or nobody learns which it is."""
    text = edited(change)
    line, _, sentence = refused(text).partition(": ")
    assert sentence == words
    assert text.splitlines()[int(line.removeprefix("Line ")) - 1].strip() == there


def test_ends_and_beginnings_are_rounded() -> None:
    """Half a frame before the first one, or as much after the last one as containers disagree about, and the timeline is refused."""

    def whole(timeline: Any) -> None:
        timeline.tracks[0][0].source_range = stretch(-0.01, 20.0, 1000.0)
        timeline.tracks[0][1].source_range = stretch(280.0, 20.9, 1000.0)

    first, second = read(edited(whole))
    assert (first.start, second.end) == (0.0, SECONDS)


@pytest.mark.parametrize("count", [0, 21])
def test_how_many(count: int) -> None:
    """A timeline without clips leaves a plan without clips; one of a thousand is rendered for days."""

    def copies(timeline: Any) -> None:
        track = timeline.tracks[0]
        for number in range(count):
            item = track[0].deepcopy()
            item.source_range = stretch(number, 5.0)
            track.append(item)
        del track[0:2]

    assert refused(edited(copies)).endswith("at least one was expected." if count == 0 else "at most 20 were expected.")


def test_the_same_clip_twice_is_one() -> None:
    """A clip that is shown again at the end is rendered twice under two names."""

    def again(timeline: Any) -> None:
        timeline.tracks[0].append(timeline.tracks[0][0].deepcopy())

    assert [one.title for one in read(edited(again))] == ["A title", "Uno, «dos»"]


def hostile(path: str, value: object) -> bytes:
    """Our timeline with the value at a path of names."""
    root = json.loads(ours())
    *names, last = path.split("/")
    holder: Any = root
    for name in names:
        holder = holder[int(name) if name.isdigit() else name]
    holder[last] = value
    return json.dumps(root, indent=1).encode()


TRACK = "tracks/children/0"
FIRST = f"{TRACK}/children/0"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Line 1: the end of the file stands there, and a value was expected."),
        (b"[]", "Line 1: a list stands there, and an OpenTimelineIO timeline was expected."),
        (b"{}", "Line 1: '{ }' stands there, and Timeline.1 was expected."),
        (b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}', "Line 1: 'SerializableCollection.1' stands there"),
        (b"[" * 500_000, "Line 1: '[' stands there, and no more than 64 levels, one in another, was expected."),
        (b" " * (LONGEST_TIMELINE + 1), "This timeline is larger than 4096 KiB"),
        (hostile("OTIO_SCHEMA", "Timeline.99"), "Line 1: 'Timeline.99' stands there, and Timeline.1 was expected."),
        (hostile("tracks", None), "nothing stands there, and Stack.1 was expected."),
        (hostile("tracks/children", 7), "children is 7, and a list was expected."),
        (hostile(f"{TRACK}/children", [7]), "7 stands there, and Clip.1, Clip.2, Gap.1 or Transition.1 was expected."),
        (hostile(f"{FIRST}/OTIO_SCHEMA", "Clip.3"), "'Clip.3' stands there, and Clip.1, Clip.2, Gap.1 or Transition.1 was expected."),
        (hostile(f"{FIRST}/source_range", [1]), "a list stands there, and TimeRange.1 was expected."),
        (hostile(f"{FIRST}/source_range/start_time/rate", 0), "rate is 0, and a number of frames a second was expected."),
        (hostile(f"{FIRST}/source_range/start_time/rate", True), "rate is True, and a number of frames a second was expected."),
        (hostile(f"{FIRST}/source_range/start_time/rate", 1e300), "rate is 1e+300, and a number of frames a second was expected."),
        (hostile(f"{FIRST}/source_range/duration/value", 1e300), "value is 1e+300, and a number of frames was expected."),
        (hostile(f"{FIRST}/source_range/duration/value", "9" * 999), "value is '99999"),
        (hostile(f"{FIRST}/source_range/duration/value", float("nan")), "'NaN' stands there, and JSON was expected."),
        (
            hostile(f"{FIRST}/media_references/DEFAULT_MEDIA", 5),
            "5 stands there, and ExternalReference.1 or MissingReference.1 was expected.",
        ),
    ],
)
def test_hostile_files(data: bytes, words: str) -> None:
    """A file made for it takes the process down, or all of its memory; or nobody learns what is wrong."""
    assert words in refused(data)


WHOLE = ours()


@given(st.data())
def test_any_bytes(data: st.DataObject) -> None:
    """Somebody's file raises what nobody catches, and the sensor stands still; or a clip outside the video reaches the planner."""
    start = data.draw(st.integers(0, len(WHOLE)))
    length = data.draw(st.integers(0, 40))
    piece = data.draw(
        st.text(max_size=20)
        | st.sampled_from(["null", "1e9", "-5", '"Gap.1"', "{}", "[]", '"OTIO_SCHEMA": 3,', "0.0", "true", "1e-300", "}"])
    )
    text = WHOLE[:start] + piece + WHOLE[start + length :]
    try:
        found = read(text)
    except PermanentError as refusal:
        assert refusal.sentence.isprintable() and "expected" in refusal.sentence
    else:
        assert all(one.start >= 0 and 1 <= one.end - one.start <= 600 and one.end <= SECONDS for one in found)


PATHS = st.sampled_from(
    [
        "tracks", "tracks/children", f"{TRACK}/kind", f"{TRACK}/enabled", f"{TRACK}/source_range", f"{FIRST}/effects", f"{FIRST}/name",
        f"{FIRST}/metadata", f"{FIRST}/metadata/videolab", f"{FIRST}/metadata/videolab/title", f"{FIRST}/metadata/videolab/video_key",
        f"{FIRST}/media_references", f"{FIRST}/active_media_reference_key", f"{FIRST}/media_references/DEFAULT_MEDIA/target_url",
        f"{FIRST}/media_references/DEFAULT_MEDIA/available_range", f"{FIRST}/media_references/DEFAULT_MEDIA/metadata",
        f"{FIRST}/source_range/start_time/value", f"{FIRST}/source_range/duration/rate", f"{FIRST}/OTIO_SCHEMA",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["file://[", "Clip.1", "a\\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["OTIO_SCHEMA", "videolab", "value"]), inner, max_size=2),
    max_leaves=4,
)


@given(PATHS, ANYTHING)
def test_anything_anywhere(path: str, value: object) -> None:
    """A value of another kind than expected raises what nobody catches."""
    try:
        found = read(hostile(path, value))
    except PermanentError as refusal:
        assert refusal.sentence.isprintable() and "expected" in refusal.sentence
    else:
        assert all(one.title is None or one.title.isprintable() for one in found)
