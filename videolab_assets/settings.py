"""Everything that the environment decides, with the defaults of a machine that has nothing but pip."""

import os
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from `VIDEOLAB_…` environment variables; secrets (S3 keys, passwords in URLs) are never copied into Dagster's config."""

    model_config = SettingsConfigDict(env_prefix="VIDEOLAB_", extra="ignore")

    home: Path = Field(Path(".videolab"), description="folder of everything embedded: store, database, Dagster's home, scratch")
    store: str = Field("", description="`s3://bucket/prefix`, or a folder; empty: `<home>/store`")
    s3_endpoint: str = Field("", description="address of an S3 server that is not AWS's; credentials come from boto3's usual places")
    s3_region: str = Field("us-east-1", description="region named when signing S3 requests")
    database_url: str = Field("", description="SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg2://…`); empty: SQLite in `<home>`")
    dagster_postgres_url: str = Field("", description="PostgreSQL URL for Dagster's own storage; empty: SQLite in `<home>/dagster`")
    ffmpeg: str = Field("", description="path of an ffmpeg; empty: the one inside the imageio-ffmpeg wheel")
    transcriber: str = Field("pocketsphinx", description="speech engine")
    speech_model: str = Field("", description="the speech engine's model, by name or path; empty: the engine's default")
    speech_device: str = Field("auto", description="where the speech engine computes: auto, cpu or cuda")
    speech_language: str = Field("", description="ISO 639-1 code of what is spoken; empty: found out")
    speech_task: Literal["transcribe", "translate"] = Field("transcribe", description="`translate`: the words in English")
    summarizer: str = Field("extractive", description="summary engine")
    ranker: str = Field("rules", description="who has the last word on the order of clips: rules, or gemini")
    face_model: str = Field("", description="path of a YuNet ONNX file to find faces with; empty: OpenCV's own cascades")
    gemini_model: str = Field("", description="id of the Gemini model; empty: the one that VideoLab was last tried with")
    gemini_endpoint: str = Field("", description="address of a Gemini server that is not Google's")
    gemini_daily_cap: float = Field(
        1.0, ge=0, description="US dollars that a tenant may cost in a day (UTC), for summaries and the order of clips"
    )
    gemini_price_input: float | None = Field(None, ge=0, description="US dollars a million tokens, where the table does not know the model")
    gemini_price_output: float | None = Field(None, ge=0, description="the same for what the model writes")
    meta_endpoint: str = Field("", description="address of a Graph server that is not Meta's")
    meta_version: str = Field("", description="version of the Marketing API; empty: the one that VideoLab was last tried with")
    meta_timeout: float = Field(30.0, gt=0, description="seconds that Meta has for an answer")
    meta_settle_seconds: float = Field(
        900.0, gt=0, description="after a request whose outcome is unknown, Meta has this long before it is asked what became of it"
    )
    meta_stop: str = Field("", description="with any text here nothing is made or turned on at Meta; the text is given as the reason")
    insights_first_day: date = Field(date(2026, 1, 1), description="the first day of `ad_insights`; Meta keeps 37 months")
    settle_seconds: float = Field(5.0, ge=0, description="an upload is whole when nothing has touched it for this long (S3: at once)")
    sensor_seconds: int = Field(10, ge=1, description="pause between two looks into the inbox")
    max_attempts: int = Field(3, ge=1, description="runs given to one upload, or to what a sidecar asks for, before it counts as failed")
    max_in_flight: int = Field(100, ge=1, description="uploads queued or running at once; the rest waits in the inbox")
    max_bytes: int = Field(10 * 1024**3, description="largest upload")
    max_seconds: float = Field(4 * 3600.0, description="longest upload")
    max_pixels: int = Field(8192 * 4320, description="largest picture")
    max_streams: int = Field(32, description="most streams in a file")

    def pinned(self) -> Self:
        """These settings with `home` made, absolute and in the environment, for processes that work in other folders."""
        home = self.home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        os.environ["VIDEOLAB_HOME"] = str(home)
        return self.model_copy(update={"home": home})

    @property
    def store_location(self) -> str:
        """The store as `open_store` takes it: an `s3://` URL or an absolute folder."""
        return self.store if self.store.startswith("s3://") else str(Path(self.store or self.home / "store").resolve())

    @property
    def database(self) -> str:
        """SQLAlchemy URL of VideoLab's own tables."""
        return self.database_url or f"sqlite:///{(self.home / 'videolab.db').resolve()}"

    @property
    def scratch(self) -> Path:
        """Folder for work in progress; emptied after every step."""
        return (self.home / "scratch").resolve()

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder, unless `DAGSTER_HOME` says otherwise."""
        return (self.home / "dagster").resolve()


def complaint(error: ValidationError) -> str:
    """Which variables are wrong and how, in a sentence that quotes none of them: one may hold a password."""
    wrong = [f"VIDEOLAB_{str(fault['loc'][0]).upper()} ({fault['msg']})" for fault in error.errors(include_input=False)]
    return f"These environment variables cannot be used: {', '.join(wrong)}."
