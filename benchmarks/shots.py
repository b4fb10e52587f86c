"""Shot detection: its CPU seconds over those of decoding alone, and its F1 beside PySceneDetect's in the same run.

PySceneDetect brings an `opencv-python` that would replace the headless build, so it lives in an environment of its own; see
`HOW_TO_GET_THE_PEER`.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks.footage import Boundary, Footage, Look, make, score
from benchmarks.measure import cpu_seconds, in_turn, result
from videolab_assets.lib.decode import decode
from videolab_assets.lib.documents import Probe
from videolab_assets.lib.gate import admit

PEER_VARIABLE = "SCENEDETECT_PYTHON"
HOW_TO_GET_THE_PEER = (
    "PySceneDetect was not compared: python -m venv /tmp/scenedetect && /tmp/scenedetect/bin/pip install 'opencv-python-headless<5' click "
    "platformdirs tqdm numpy && /tmp/scenedetect/bin/pip install --no-deps scenedetect, then run this again with "
    f"{PEER_VARIABLE}=/tmp/scenedetect/bin/python"
)
PEER_PROGRAM = """
import json, sys
from scenedetect import AdaptiveDetector, ContentDetector, detect
found = {}
for detector in (ContentDetector, AdaptiveDetector):
    found[detector.__name__] = [start.get_seconds() for start, _ in detect(sys.argv[1], detector())][1:]
print(json.dumps(found))
"""


def run() -> list[dict[str, Any]]:
    """Measures on 60 s of 1080p30 and, for F1, on 180 s of 360p30 as well; makes both first, about two minutes, unless they are there."""
    folder = Path(tempfile.gettempdir()) / "videolab-benchmarks"
    timed = make(folder, seed=1, seconds=60, look=Look(1920, 1080, 30))
    longer = make(folder, seed=31, seconds=180, look=Look(640, 360, 30))
    probes = {piece.path: admit(piece.path).probe for piece in (timed, longer)}
    ours, decoding = in_turn(
        lambda: cpu_seconds(lambda: find_shots(timed, probes[timed.path])),
        lambda: cpu_seconds(lambda: decode_alone(timed.path)),
    )
    unit = "CPU s for 60 s of 1080p30; peer: decoding alone"
    return [result("shots", ours, decoding, unit, 1.10, filmed=timed.filmed, **accuracy([timed, longer], probes))]


def accuracy(pieces: Sequence[Footage], probes: Mapping[Path, Probe]) -> dict[str, Any]:
    """F1 in percent over all `pieces`, of ours and of each of PySceneDetect's detectors."""
    known = on_one_timeline([piece.boundaries for piece in pieces])
    found = {"ours": [find_shots(piece, probes[piece.path]) for piece in pieces]}
    peer = peer_python()
    if peer:
        for piece in pieces:
            for detector, times in find_scenes(peer, piece.path).items():
                found.setdefault(detector, []).append(times)
    results: dict[str, Any] = {} if peer else {"note": HOW_TO_GET_THE_PEER}
    for detector, by_piece in found.items():
        moved = [time + 1000.0 * number for number, times in enumerate(by_piece) for time in times]
        scored = score(known, moved, pieces[0].frame_rate)
        results[f"f1_{detector}"] = scored.f1
        results[f"cut_f1_{detector}"] = scored.cut_f1
        results[f"gradual_found_{detector}"] = f"{scored.gradual_found} of {scored.gradual}"
    return results


def on_one_timeline(pieces: Sequence[Sequence[Boundary]]) -> list[Boundary]:
    """The boundaries of all pieces, each a thousand seconds after the one before."""
    return [
        replace(boundary, start=boundary.start + 1000.0 * number, end=boundary.end + 1000.0 * number)
        for number, boundaries in enumerate(pieces)
        for boundary in boundaries
    ]


def decode_alone(path: Path) -> None:
    """What any analysis has to pay at least."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-f", "null", "-"]
    subprocess.run(command, check=True)


def find_shots(piece: Footage, probe: Probe) -> list[float]:
    """Our boundaries in seconds, by the product's own pass with nothing but the shots wanted: faces and sharpness included."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        detected = decode(piece.path, probe, {"shots"}, Path(folder)).shots
    return [shot.start for shot in detected.shots[1:]] if detected else []


def peer_python() -> str | None:
    """The interpreter that has PySceneDetect, if one was named or this is one."""
    named = os.environ.get(PEER_VARIABLE)
    return named or (sys.executable if importlib.util.find_spec("scenedetect") else None)


def find_scenes(python: str, path: Path) -> dict[str, list[float]]:
    """Boundaries in seconds by PySceneDetect's detectors, each with its default settings."""
    ended = subprocess.run([python, "-c", PEER_PROGRAM, str(path)], check=True, capture_output=True, text=True)
    found: dict[str, list[float]] = json.loads(ended.stdout.splitlines()[-1])
    return found
