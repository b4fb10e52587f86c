"""The whole collection of hostile and odd uploads against the gate."""

import base64
import json
import os
import resource
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import RejectedUpload
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import admit

GENERATOR = Path(__file__).parents[2] / "shared" / "hostile" / "make_hostile.py"
ADDRESS = ("127.0.0.1", 18999)  # named in hls_http.mp4
MOST_RESIDENT_BYTES = 2 << 30
REAL_LEVEL = sandbox.level()

pytestmark = [
    pytest.mark.skipif(not GENERATOR.is_file(), reason="the hostile uploads are not beside this checkout"),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "inputs"
    subprocess.run([sys.executable, str(GENERATOR), str(folder), "--ffmpeg", str(binary())], check=True, timeout=300, capture_output=True)
    return folder


def verdict(path: Path) -> tuple[str, str]:
    try:
        admission = admit(path)
    except RejectedUpload as rejection:
        assert rejection.sentence.isprintable()
        json.dumps(rejection.found, allow_nan=False)
        return "reject", rejection.code
    return admission.verdict, " ".join(admission.missing)


@pytest.mark.parametrize("level", ["bubblewrap", "rlimits"])
def test_every_input_gets_the_verdict_it_deserves(level: str, collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One upload hangs, crashes or starves the machine, reads a neighbour's file, calls an address, or is judged wrongly."""
    if level == "bubblewrap" and REAL_LEVEL != "bubblewrap":
        pytest.skip("bubblewrap does not work on this machine")
    monkeypatch.setattr(sandbox, "level", lambda: level)
    used: list[sandbox.Completed] = []
    run = sandbox.run

    def watched(*arguments: Any, **options: Any) -> sandbox.Completed:
        used.append(run(*arguments, **options))
        return used[-1]

    monkeypatch.setattr(sandbox, "run", watched)
    cases = json.loads((collection / "manifest.json").read_text())["cases"]
    assert len(cases) > 100
    with socket.create_server(ADDRESS) as listener:
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda case: verdict(collection / os.fsdecode(base64.b64decode(case["name_base64"]))), cases))
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    judged = zip(cases, said, strict=True)
    assert [(case["file"], *given) for case, given in judged if given[0] not in (case["expected"], *case["also_allowed"])] == []
    assert max(done.peak_memory_bytes for done in used) < MOST_RESIDENT_BYTES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_RESIDENT_BYTES
    assert {done.why for done in used} <= {"exit"}
