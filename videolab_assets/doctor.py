"""Is this machine ready? One finding a line, each with what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from videolab_assets.defs.resources import resources_of
from videolab_assets.lib import ffmpeg, sandbox
from videolab_assets.lib.errors import VideoLabError
from videolab_assets.settings import Settings

LEAST_FREE_BYTES = 2 * 1024**3
COMFORTABLE_FREE_BYTES = 20 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One line: `fatal` means that VideoLab cannot work like this, `warn` that it can but should not have to."""

    what: str
    sentence: str
    level: Literal["ok", "warn", "fatal"] = "ok"

    @property
    def fatal(self) -> bool:
        return self.level == "fatal"

    @property
    def mark(self) -> str:
        return {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fatal": "[red]FAIL[/red]"}[self.level]


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which an upload would meet it. A check that fails becomes a finding, not an exception."""
    checks: list[tuple[str, Callable[[Settings], Iterator[Finding]]]] = [
        ("ffmpeg", _ffmpeg),
        ("sandbox", _sandbox),
        ("store", _store),
        ("database", _database),
        ("disk", _disk),
        ("speech", _speech),
        ("summary", _summary),
        ("clips", _clips),
        ("search", _search),
        ("campaigns", _campaigns),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings += check(settings)
        except VideoLabError as error:
            findings.append(Finding(name, str(error).replace("\n", " "), "fatal"))
    return findings


def _ffmpeg(_: Settings) -> Iterator[Finding]:
    version = ffmpeg.version()
    missing = ffmpeg.missing_features()
    if missing:
        yield Finding("ffmpeg", f"{ffmpeg.binary()} lacks {', '.join(missing)}: set VIDEOLAB_FFMPEG to a fuller build.", "fatal")
    else:
        yield Finding("ffmpeg", f"{version}, {ffmpeg.binary()}, with every encoder and filter that is needed")
    for where, linked in {"ffmpeg": version, **ffmpeg.linked_ffmpegs()}.items():
        if ffmpeg.has_magicyuv_hole(linked):
            sentence = f"{where} carries ffmpeg {linked}, which CVE-2026-8461 affects; the decoder list keeps it out of reach, but upgrade."
            yield Finding("ffmpeg", sentence, "warn")


def _sandbox(_: Settings) -> Iterator[Finding]:
    if sandbox.level() == "bubblewrap":
        yield Finding("sandbox", "bubblewrap: uploads are opened with no network and no other file in sight")
    else:
        yield Finding("sandbox", "limits and lists only: install bubblewrap so that uploads are opened with no other file in sight", "warn")


def _store(settings: Settings) -> Iterator[Finding]:
    store = resources_of(settings)["store"].open()
    probe = "checks/doctor"
    store.write_bytes(probe, b"ok", media_type="text/plain")
    if store.read_bytes(probe, 16) != b"ok":
        yield Finding("store", f"{store.describe()} does not give back what was written", "fatal")
        return
    conditional = "" if store.supports_conditional else "; it ignores conditional writes, which later steps need"
    yield Finding("store", f"{store.describe()}, readable and writable{conditional}", "warn" if conditional else "ok")


def _database(settings: Settings) -> Iterator[Finding]:
    catalogue = resources_of(settings)["catalogue"].open()
    yield Finding("database", f"{catalogue.describe()}, {catalogue.count_unfinished()} uploads in flight")


def _disk(settings: Settings) -> Iterator[Finding]:
    settings.scratch.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.scratch).free
    sentence = f"{free / 1024**3:.0f} GiB free for work in progress in {settings.scratch}"
    if free < LEAST_FREE_BYTES:
        yield Finding("disk", f"{sentence}: free some, a long video needs several", "fatal")
    else:
        yield Finding("disk", sentence, "ok" if free >= COMFORTABLE_FREE_BYTES else "warn")


def _speech(settings: Settings) -> Iterator[Finding]:
    from videolab_assets.defs.engines import transcriber_of

    engine = transcriber_of(settings)
    engine.check()
    languages = f", for {', '.join(sorted(engine.languages))}" if engine.languages else ""
    draft = "; its words are a draft" if engine.draft else ""
    if engine.weights_are_here():
        yield Finding("speech", f"{engine.name} with {engine.model}{languages}{draft}; it needs no key")
    else:
        yield Finding("speech", f"{engine.name} with {engine.model}: the model is downloaded when it first hears something", "warn")


def _summary(settings: Settings) -> Iterator[Finding]:
    from videolab_assets.defs.engines import summarizer_of

    engine = summarizer_of(settings)
    complaints = list(engine.complaints())
    for sentence in complaints:
        yield Finding("summary", sentence, "warn")
    if not complaints:
        yield Finding("summary", f"{engine.name}: {engine.identity}")


def _clips(settings: Settings) -> Iterator[Finding]:
    from videolab_assets.defs.engines import ranker_of
    from videolab_assets.lib.clips.rules import RULES_KEY, rules_in_force

    ranker, rules = ranker_of(settings), rules_in_force(resources_of(settings)["store"].open())
    problems = [*ranker.complaints(), *([rules.problem] if rules.problem else [])]
    if settings.face_model and not Path(settings.face_model).is_file():
        problems.append(f"VIDEOLAB_FACE_MODEL is {settings.face_model!r}, which is not a file: give the path of a YuNet ONNX file.")
    for sentence in problems:
        yield Finding("clips", sentence, "warn")
    if not problems:
        yield Finding("clips", f"rules {rules.rules.version!r} ({RULES_KEY} in the store changes them), order by {ranker.identity}")


def _search(settings: Settings) -> Iterator[Finding]:
    index = resources_of(settings)["search"].open()
    yield Finding("search", f"{index.count():,} moments of {index.count_videos():,} videos")


def _campaigns(settings: Settings) -> Iterator[Finding]:
    from videolab_assets.lib.meta.accounts import ACCOUNTS, accounts_of
    from videolab_assets.lib.meta.graph import VERSION, checked_endpoint, complaints, token_variable

    checked_endpoint(settings.meta_endpoint)
    accounts = accounts_of(resources_of(settings)["store"].open())
    if not accounts:
        yield Finding("campaigns", f"nobody has an advertising account here: {ACCOUNTS} in the store would name them")
        return
    version = settings.meta_version or VERSION
    problems = complaints(version, datetime.now(UTC).date())
    for account in accounts.values():
        if token_variable(account.tenant) is None:
            problems.append(f"there is no access token for {account.tenant}: set META_ACCESS_TOKEN")
        if account.caps is None:
            problems.append(f"{account.tenant} has no caps in {ACCOUNTS}, and so may not advertise")
    if settings.meta_settle_seconds < 8 * settings.meta_timeout:
        problems.append("VIDEOLAB_META_SETTLE_SECONDS is below eight times VIDEOLAB_META_TIMEOUT: a slow answer could be taken for none")
    if settings.meta_stop:
        problems.append("VIDEOLAB_META_STOP is set: nothing is made or turned on")
    for sentence in problems:
        yield Finding("campaigns", sentence, "warn")
    if not problems:
        yield Finding("campaigns", f"Meta {version}, {len(accounts)} accounts with a token and caps: {', '.join(sorted(accounts))}")
