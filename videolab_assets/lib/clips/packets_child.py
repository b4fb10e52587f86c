"""Reads, joins and reads again the packets of clips, and prints what it found as JSON. Runs as a script in the sandbox.

Standard library and PyAV only, nothing of the package: the folder that holds PyAV is the first argument, what to do the second, as
JSON. The first line of output says that PyAV works here; whatever goes wrong after it is the file's doing.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

MICROSECONDS = 1_000_000
FURTHER_BACK = (0, 3, 15, 60)  # seconds
REORDERED = 32  # packets after the last wanted one within which an earlier frame may still come
SAMPLES_A_PACKET = 1024
BT709_LIMITED = 1  # of primaries, transfer, matrix and range alike
KEY, CLEAN, FOREIGN, UNUSABLE = 1, 2, 4, 8
H264_CLEAN = frozenset({5})
H264_SETS = frozenset({7, 8, 13, 15})
HEVC_CLEAN = frozenset(range(16, 24))


def opened(name: str, request: dict[str, Any]) -> InputContainer:
    import av

    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(request["demuxers"]),
        "codec_whitelist": ",".join(request["decoders"]),
        "probesize": str(request["probesize"]),
        "analyzeduration": str(request["analyzeduration"]),
    }
    return av.open(f"file:{name}", options=options, metadata_errors="replace")


def units(data: bytes, length_size: int) -> Iterator[bytes]:
    """The NAL units of one packet with lengths before them; ValueError where they do not fill it."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if length == 0 or at + length > len(data):
            raise ValueError("a NAL unit reaches beyond its packet")
        yield data[at : at + length]
        at += length


def kind_of(packet: Packet[Stream], codec: str, length_size: int, known: frozenset[bytes]) -> int:
    """Flags: a key packet; one from which decoding starts clean; parameter sets that the header lacks; not to be copied."""
    kind = KEY if packet.is_keyframe else 0
    if packet.is_corrupt or packet.is_discard or packet.pts is None:
        kind |= UNUSABLE
    if codec not in ("h264", "hevc"):
        return kind | (CLEAN if kind & KEY else 0)
    try:
        for unit in units(bytes(packet), length_size):
            if codec == "hevc":
                kind |= CLEAN if unit[0] >> 1 & 63 in HEVC_CLEAN else 0
            elif unit[0] & 31 in H264_CLEAN:
                kind |= CLEAN
            elif unit[0] & 31 in H264_SETS and unit not in known:
                kind |= FOREIGN
    except ValueError:
        kind |= UNUSABLE
    return kind


def parameter_sets(record: bytes) -> tuple[list[bytes], list[bytes], bytes]:
    """Sequence sets, picture sets and the rest of an `avcC` record (ISO/IEC 14496-15, 5.3.3.1.2)."""
    at = 5
    kinds: list[list[bytes]] = []
    for mask in (31, 255):
        count, at = record[at] & mask, at + 1
        kinds.append([])
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2], "big")
            kinds[-1].append(record[at + 2 : at + 2 + length])
            at += 2 + length
    return kinds[0], kinds[1], record[at:]


def number_of(unit: bytes, at: int) -> int:
    """The number that a parameter set begins with, an Exp-Golomb code `at` that byte (Rec. ITU-T H.264, 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in unit[at : at + 8])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1], 2) - 1


def merged(original: bytes, ours: list[bytes]) -> bytes:
    """One `avcC` record with the parameter sets of all pieces, whose numbers do not collide.

    Players hand the record to their decoder before the first frame and may ignore sets inside the packets.
    """
    sequences, pictures, rest = parameter_sets(original)
    flags, level = original[2], original[3]
    for record in ours:
        if record[1] != original[1] or record[4] & 3 != original[4] & 3:
            raise ValueError("our encoder made another profile than the source has")
        more_sequences, more_pictures, _ = parameter_sets(record)
        sequences, pictures = sequences + more_sequences, pictures + more_pictures
        flags, level = flags & record[2], max(level, record[3])
    written = [len(unit).to_bytes(2, "big") + unit for unit in (*sequences, *pictures)]
    heads = bytes([1, original[1], flags, level, original[4], 0xE0 | len(sequences)])
    return heads + b"".join(written[: len(sequences)]) + bytes([len(pictures)]) + b"".join(written[len(sequences) :]) + rest


def fingerprint(packet: Packet[Stream]) -> str:
    return hashlib.blake2b(packet, digest_size=12).hexdigest()


def survey(request: dict[str, Any]) -> dict[str, Any]:
    """The packets of the source's picture around a clip, in decoding order, from the last clean key packet that comes before it."""
    with opened("in/source", request) as container:
        stream = container.streams[request["video"]]
        time_base, start = stream.time_base or Fraction(1), container.start_time or 0
        codec = stream.codec_context.codec.canonical_name
        header = stream.codec_context.extradata or b""
        has_record = len(header) > 21 and header[0] == 1
        length_size = (header[21 if codec == "hevc" else 4] & 3) + 1 if has_record else 4
        sequences, sets = parameter_sets(header)[:2] if has_record and codec == "h264" else ([], [])
        known = frozenset([*sequences, *sets])
        found: list[tuple[int | None, int, str]] = []
        began, wanted = Fraction(request["from"]), Fraction(request["until"])

        def seconds(packet: Packet[Stream]) -> Fraction:
            return (packet.pts or 0) * time_base - Fraction(start, MICROSECONDS)

        for back in FURTHER_BACK:
            found.clear()
            container.seek(round(max(Fraction(0), began - back) * MICROSECONDS) + start)
            after = 0
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                found.append((packet.pts, kind_of(packet, codec, length_size, known), fingerprint(packet)))
                after = after + 1 if packet.pts is not None and seconds(packet) >= wanted else 0
                if after > REORDERED:
                    break
            clean = (pts for pts, kind, _ in found if kind & CLEAN and pts is not None)
            if back >= began or any(pts * time_base - Fraction(start, MICROSECONDS) <= began for pts in clean):
                break
        return {
            "profile": sequences[0][1] if sequences else None,
            "level": sequences[0][3] if sequences else None,
            "numbers": [number_of(unit, 4) for unit in sequences] + [number_of(unit, 1) for unit in sets],
            "time_base": [time_base.numerator, time_base.denominator],
            "start": start,
            "packets": found,
        }


def copied(container: InputContainer, request: dict[str, Any]) -> Iterator[Packet[Any]]:
    """The packets to copy."""
    first, left = request["middle"]["first"], request["middle"]["count"]
    container.seek(request["middle"]["seek"])
    begun = False
    for packet in container.demux(container.streams[request["video"]]):
        begun = begun or packet.pts == first
        if begun:
            yield packet
            left -= 1
            if left == 0:
                return
    raise ValueError("the packets to copy are not where they were")


def encoded(container: InputContainer) -> Iterator[Packet[Any]]:
    """All packets of an encoded piece."""
    container.seek(0)
    for packet in container.demux(container.streams.video[0]):
        if packet.size:
            yield packet


def pictures(inputs: dict[str, InputContainer], request: dict[str, Any]) -> Iterator[tuple[int, Packet[Any]]]:
    """Packets in decoding order, with which frame of the clip each shows."""
    rate = Fraction(request["rate"])
    for name, begins in request["pieces"]:
        packets = copied(inputs[name], request) if name == "source" else encoded(inputs[name])
        first = request["middle"]["first"] if name == "source" else 0
        for packet in packets:
            yield begins + round(((packet.pts or 0) - first) * (packet.time_base or Fraction(1)) * rate), packet


def join(request: dict[str, Any]) -> dict[str, Any]:
    """Writes `out/joined.mp4`: encoded pieces and copied packets as one picture on one grid, and the sound from time 0.

    Frame n is shown at n / rate, the packet decoded as number i at (i - delay) / rate, with the smallest delay that holds for all.
    """
    import av

    names = [name for name, _ in request["pieces"]]
    inputs = {name: opened(f"in/{name}", request) for name in {*names, *(["sound"] if request["sound"] else [])}}
    delay = max(place - number for place, (number, _) in enumerate(pictures(inputs, request)))
    # A player that honours an edit list, and one that doesn't, must show the same.
    options = {"movflags": "+faststart+negative_cts_offsets", "use_editlist": "0", "video_track_timescale": str(request["timescale"])}
    with av.open("file:out/joined.mp4", "w", format="mp4", options=options) as output:
        piece = next((name for name in names if name != "source"), None)
        template = inputs[piece].streams.video[0] if piece else inputs["source"].streams[request["video"]]
        picture = output.add_stream_from_template(template)
        if "source" in names:
            original = inputs["source"].streams[request["video"]].codec_context.extradata or b""
            ours = [inputs[name].streams.video[0].codec_context.extradata or b"" for name in names if name != "source"]
            picture.codec_context.extradata = merged(original, ours)
        for tag in ("color_primaries", "color_trc", "colorspace", "color_range"):
            setattr(picture.codec_context, tag, BT709_LIMITED)
        writers = [written_pictures(picture, inputs, request, delay)]
        if request["sound"]:
            source = inputs["sound"].streams.audio[0]
            writers.append(written_sound(output.add_stream_from_template(source), inputs["sound"], source))
        for _, packet in heapq.merge(*writers, key=lambda one: one[0]):  # else the muxer keeps the first stream in memory
            output.mux(packet)
    for container in inputs.values():
        container.close()
    return {"joined": True}


def written_pictures(
    stream: Stream, inputs: dict[str, InputContainer], request: dict[str, Any], delay: int
) -> Iterator[tuple[Fraction, Packet[Any]]]:
    import av

    step = 1 / Fraction(request["rate"])
    for place, (number, source) in enumerate(pictures(inputs, request)):
        packet: Packet[Any] = av.Packet(bytes(source))  # a new one: what else the source says of it is not meant for the clip
        packet.stream, packet.time_base = stream, step
        packet.pts, packet.dts, packet.duration, packet.is_keyframe = number, place - delay, 1, source.is_keyframe
        yield place * step, packet


def written_sound(stream: AudioStream, container: InputContainer, source: AudioStream) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """Every packet, the encoder's priming too, from time 0 on: what is heard in its place is why the sound was encoded later."""
    time_base = Fraction(1, source.codec_context.sample_rate)
    place = 0
    for packet in container.demux(source):
        if packet.size == 0:
            continue
        packet.stream, packet.time_base = stream, time_base
        packet.pts = packet.dts = place
        packet.duration = SAMPLES_A_PACKET
        yield place * time_base, packet
        place += SAMPLES_A_PACKET


def steady(request: dict[str, Any]) -> dict[str, Any]:
    """Whether the clocks of some streams never go back, nor forward by more than a gap, in the whole file."""
    back, gap = Fraction(request["back"]), Fraction(request["gap"])
    latest: dict[int, Fraction] = {}
    with opened("in/source", request) as container:
        for packet in container.demux([container.streams[index] for index in request["streams"]]):
            if packet.dts is None:
                continue
            now, before = packet.dts * (packet.time_base or Fraction(1)), latest.get(packet.stream_index)
            if before is not None and not -back <= now - before <= gap:
                return {"steady": False}
            latest[packet.stream_index] = now
    return {"steady": True}


def read(request: dict[str, Any]) -> dict[str, Any]:
    """Every packet of a finished clip, as a player's demuxer sees it."""
    found: dict[str, Any] = {"pictures": [], "sounds": []}
    with opened("in/source", request) as container:
        for stream in container.streams:
            found[f"{stream.type}_time_base"] = [(stream.time_base or Fraction(1)).numerator, (stream.time_base or Fraction(1)).denominator]
        for packet in container.demux():
            if packet.size == 0:
                continue
            if packet.stream.type == "video":
                found["pictures"].append((packet.pts, packet.dts, fingerprint(packet)))
            else:
                found["sounds"].append(packet.pts)
    return found


def main() -> None:
    sys.path.append(sys.argv[1])
    import av

    request = json.loads(sys.argv[2])
    print(json.dumps({"pyav": av.__version__}), flush=True)  # noqa: T201
    try:
        answer = {"survey": survey, "join": join, "steady": steady, "read": read}[request["do"]](request)
    except (av.FFmpegError, MemoryError, ValueError, IndexError) as problem:
        answer = {"refused": f"{type(problem).__name__}: {problem}"[:200]}
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    main()
