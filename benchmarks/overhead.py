"""What Dagster costs a video beside the media work, and how much memory the run's process takes, in fresh processes like a run's."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import in_turn, result
from videolab_assets.lib.ffmpeg import binary

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"
CPU_SECONDS_ALLOWED = 4.0
"""For 17 assets and 36 checks; when there were 11 and 13, it was 3."""
MEGABYTES_ALLOWED = 400.0
LONG_SECONDS = 3600

WITH_DAGSTER = """
import sys, time
from pathlib import Path
import dagster as dg
from videolab_assets.definitions import defs
from videolab_assets.instance import open_instance
from videolab_assets.settings import Settings
instance = open_instance(Settings().pinned())
definitions = defs()
job = definitions.get_repository_def().get_job("process_video")
instance.add_dynamic_partitions("videos", [sys.argv[1]])
run = job.execute_in_process(instance=instance, partition_key=sys.argv[1])
assert run.success
"""

WITHOUT_DAGSTER = """
import sys
from videolab_assets.lib.catalogue import Catalogue
from videolab_assets.lib.clips import cutting, planning
from videolab_assets.lib.clips.reranking import open_ranker
from videolab_assets.lib.database import Database
from videolab_assets.lib.gate import Caps
from videolab_assets.lib.ingest import take_in
from videolab_assets.lib.library import Library
from videolab_assets.lib.media import MEDIA_ASSETS, make
from videolab_assets.lib.search import Index
from videolab_assets.lib.speech.engine import open_engine
from videolab_assets.lib.store import open_store
from videolab_assets.lib.subtitles import cues_of, to_ass, to_srt, to_webvtt
from videolab_assets.lib.summary import open_engine as open_summary_engine, to_markdown
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.transcript import make as make_transcript
from videolab_assets.lib.variants import making
from videolab_assets.settings import Settings
settings = Settings().pinned()
catalogue, library = Catalogue(settings.database), Library(open_store(settings.store_location))
source = take_in(catalogue.by_video_key(sys.argv[1]), library, catalogue, settings.scratch, Caps())
made = make(library, source, set(MEDIA_ASSETS), settings.scratch)
spoken = make_transcript(sys.argv[1], made.documents["audio"], library, open_engine("pocketsphinx"), settings.scratch).transcript
cues = cues_of(spoken, shot_times=[shot.start for shot in made.documents["shots"].shots[1:]])
to_srt(cues), to_webvtt(cues), to_ass(cues, width=1280, height=720), to_markdown(open_summary_engine().summary_of(spoken))
Index(Database(settings.database)).put(sys.argv[1], spoken)
for document in (source, *made.documents.values(), spoken):
    library.write(sys.argv[1], document)
plan = planning.make(sys.argv[1], library, open_ranker("rules"), settings.scratch).plan
clips = cutting.make(library, source, plan, settings.scratch).clips
making.make(sys.argv[1], library, plan, clips, list(PLATFORMS), settings.scratch)
"""

ENQUEUE = """
import sys
from pathlib import Path
from videolab_assets.lib.catalogue import Catalogue
from videolab_assets.lib.store import open_store
from videolab_assets.settings import Settings
settings = Settings().pinned()
store = open_store(settings.store_location)
store.write_bytes("inbox/bench/video.mp4", Path(sys.argv[1]).read_bytes(), media_type="video/mp4")
found = store.stat("inbox/bench/video.mp4")
print(Catalogue(settings.database).enqueue("bench", found.key, found.version, found.bytes)[0].video_key)
"""

AND_MEASURE = """
import json, resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss / 1024}))
"""


def run() -> list[dict[str, Any]]:
    """CPU seconds of the run's own process, imports included, less those of a process that makes the same without Dagster."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        excerpt = _excerpt(Path(folder))
        with_dagster, without = in_turn(lambda: _spent(WITH_DAGSTER, excerpt)["cpu"], lambda: _spent(WITHOUT_DAGSTER, excerpt)["cpu"])
        short, long = (_spent(WITH_DAGSTER, path)["megabytes"] for path in (SAMPLE, _long_video(Path(folder))))
    unit = "CPU s a video beside the media work; limit: what the project allows"
    figures = {"run_process": round(with_dagster, 2), "same_work_without_dagster": round(without, 2)}
    memory = "MB at the peak of the run's process; limit: what the project allows"
    return [
        result("overhead", with_dagster - without, CPU_SECONDS_ALLOWED, unit, 1.0, **figures),
        result("overhead_memory", max(short, long), MEGABYTES_ALLOWED, memory, 1.0, of_77_s=round(short, 1), of_1_hour=round(long, 1)),
    ]


def _spent(program: str, video: Path) -> dict[str, float]:
    """What a fresh process spends on one upload in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as home:
        environment = {**os.environ, "VIDEOLAB_HOME": home, "DAGSTER_HOME": f"{home}/dagster"}
        key = subprocess.run(
            [sys.executable, "-c", ENQUEUE, str(video)], env=environment, check=True, capture_output=True, text=True
        ).stdout
        done = subprocess.run(
            [sys.executable, "-c", program + AND_MEASURE, key.strip()],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        spent: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return spent


def _excerpt(folder: Path) -> Path:
    """The first 20 s of the sample: one clip, and little enough media work that its own ups and downs do not hide what is asked."""
    path = folder / "excerpt.mp4"
    command = [str(binary()), "-nostdin", "-v", "error", "-i", str(SAMPLE), "-t", "20", "-c", "copy", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def _long_video(folder: Path) -> Path:
    """An hour: the sample's speech, then near-silence, under a small moving picture."""
    path = folder / "long.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=10:d={LONG_SECONDS}"]
    options = ["-map", "0:v", "-map", "1:a", "-af", f"apad=whole_dur={LONG_SECONDS}", "-t", str(LONG_SECONDS), "-preset", "ultrafast"]
    command = [str(binary()), "-nostdin", "-v", "error", *picture, "-i", str(SAMPLE), *options, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path
