"""What the doctor finds, part by part."""

from pathlib import Path

import pytest

from videolab_assets import doctor
from videolab_assets.defs.resources import resources_of
from videolab_assets.doctor import Finding, examine
from videolab_assets.lib import ffmpeg, sandbox
from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets.settings import Settings


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look for ffmpegs in other wheels, which other tests do."""
    monkeypatch.setattr(ffmpeg, "linked_ffmpegs", dict)


def of(what: str) -> Finding:
    (finding,) = [finding for finding in examine(Settings().pinned()) if finding.what == what]
    return finding


@pytest.mark.usefixtures("home", "cheap")
def test_every_part_is_looked_at() -> None:
    """A part that is needed is forgotten."""
    assert [finding.what for finding in examine(Settings().pinned())] == [
        "ffmpeg",
        "sandbox",
        "store",
        "database",
        "disk",
        "speech",
        "summary",
        "clips",
        "search",
        "campaigns",
    ]


@pytest.mark.usefixtures("home", "cheap")
@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("VIDEOLAB_STORE", "s3://", "store"),
        ("VIDEOLAB_STORE", "/proc/nowhere", "store"),
        ("VIDEOLAB_DATABASE_URL", "mysql://x", "database"),
        ("VIDEOLAB_DATABASE_URL", "sqlite:////proc/nowhere/x.db", "database"),
        ("VIDEOLAB_TRANSCRIBER", "parrot", "speech"),
        ("VIDEOLAB_SUMMARIZER", "parrot", "summary"),
        ("VIDEOLAB_META_ENDPOINT", "http://example.com", "campaigns"),
    ],
)
def test_a_missing_part_is_a_finding(variable: str, value: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that is wrong hides all others behind a traceback."""
    monkeypatch.setenv(variable, value)
    finding = of(what)
    assert finding.fatal
    assert finding.sentence.isprintable()


@pytest.mark.usefixtures("home", "cheap")
def test_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is found out half-way through the first long video."""
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 60)
    assert of("disk").fatal


@pytest.mark.usefixtures("home", "cheap")
def test_no_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without bubblewrap is called unfit, or as safe as one that has it."""
    monkeypatch.setattr(sandbox, "level", lambda: "rlimits")
    finding = of("sandbox")
    assert (finding.level, "install bubblewrap" in finding.sentence) == ("warn", True)


@pytest.mark.usefixtures("home", "cheap")
def test_the_probe_is_no_upload(home: Path) -> None:
    """The doctor's own object lands where the sensor takes it for an upload."""
    examine(Settings().pinned())
    assert not (home / "store" / "inbox").exists()


@pytest.mark.usefixtures("home", "cheap")
@pytest.mark.parametrize(
    ("model", "level", "said"),
    [
        ("gemini-2.0-flash", "fatal", "was retired on 1 June 2026"),
        ("gemini-9-unheard-of", "fatal", "price"),
        ("", "ok", "gemini-3.5-flash-lite"),
    ],
)
def test_gemini(model: str, level: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retired model is found out by the first bill; or the doctor prints the key."""
    monkeypatch.setenv("VIDEOLAB_SUMMARIZER", "gemini")
    monkeypatch.setenv("VIDEOLAB_GEMINI_MODEL", model)
    monkeypatch.setenv("GEMINI_API_KEY", "canary-key-of-gemini")
    finding = of("summary")
    assert (finding.level, said in finding.sentence, "canary" in finding.sentence) == (level, True, False)


@pytest.mark.usefixtures("home", "cheap")
def test_gemini_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video fails at its summary, an hour after the doctor said that all is well."""
    monkeypatch.setenv("VIDEOLAB_SUMMARIZER", "gemini")
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert of("summary").fatal
    assert "GEMINI_API_KEY" in of("summary").sentence


@pytest.mark.usefixtures("home", "cheap")
def test_a_speech_model_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first long video fails after its decode."""
    monkeypatch.setenv("VIDEOLAB_TRANSCRIBER", "whisper")
    monkeypatch.setenv("VIDEOLAB_SPEECH_MODEL", "/nowhere/model.pt")
    assert of("speech").fatal


@pytest.mark.usefixtures("home", "cheap")
def test_what_campaigns_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account without a token or caps, or a version that has ended, is found out when a campaign fails."""
    store = resources_of(Settings().pinned())["store"].open()
    assert of("campaigns").level == "ok"
    terms = "acme:\n  account: act_1\n  currency: EUR\n  time_zone: Europe/Madrid\n  page: '1'\n"
    store.write_bytes(ACCOUNTS, terms.encode(), media_type="application/yaml")
    monkeypatch.setenv("VIDEOLAB_META_VERSION", "v3.0")
    monkeypatch.setenv("VIDEOLAB_META_SETTLE_SECONDS", "100")
    found = " ".join(finding.sentence for finding in examine(Settings().pinned()) if finding.what == "campaigns")
    assert all(word in found for word in ("META_ACCESS_TOKEN", "no caps", "v3.0", "eight times"))
    monkeypatch.delenv("VIDEOLAB_META_VERSION")
    monkeypatch.delenv("VIDEOLAB_META_SETTLE_SECONDS")
    monkeypatch.setenv("META_ACCESS_TOKEN", "EAAhunter2hunter2")
    store.write_bytes(ACCOUNTS, f"{terms}  caps: {{campaign: 1, month: 2}}\n".encode(), media_type="application/yaml")
    finding = of("campaigns")
    assert (finding.level, "hunter2" in finding.sentence) == ("ok", False)
    store.write_bytes(ACCOUNTS, b"acme: [", media_type="application/yaml")
    assert of("campaigns").level == "fatal"
