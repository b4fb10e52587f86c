"""`videolab`: the command line. It only ever puts files into the inbox and reads what came of them."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from videolab_assets.lib.errors import RejectedUpload, VideoLabError
from videolab_assets.lib.keys import checked_tenant, checked_video_key
from videolab_assets.lib.summary.markdown import clock
from videolab_assets.settings import Settings, complaint

if TYPE_CHECKING:
    from videolab_assets.submit import Outcome

DONE, FAILED, REJECTED = 0, 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they hold passwords
    help="VideoLab: uploaded videos become proxies, transcripts, summaries, and clips for every platform.",
)
_shown = Console()
_progress = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def process(
    file: Annotated[Path, typer.Argument(help="A video or sound file on this machine.", metavar="FILE")],
    tenant: Annotated[str, typer.Option(help="Whose inbox it goes to.")] = "default",
    as_json: Json = False,
) -> None:
    """Put FILE into the inbox, wait for its run through the upload sensor, and list what was made.

    Exit code 0: done; 2: rejected, with the reason; 1: failed.
    """
    from videolab_assets.submit import Outcome, submit

    settings = Settings().pinned()
    try:
        outcome = submit(file, tenant, settings, _say)
    except RejectedUpload as rejection:
        outcome = Outcome("rejected", "", False, rejection.sentence)
    if as_json:
        _print_json(dataclasses.asdict(outcome))
    else:
        _print_outcome(outcome, settings)
    raise typer.Exit({"done": DONE, "duplicate": DONE, "rejected": REJECTED}.get(outcome.status, FAILED))


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="A video key: <tenant>.<name>.<8 hex digits>.", metavar="KEY")], as_json: Json = False
) -> None:
    """Print what is known of the video KEY: its upload, its documents and its files."""
    from videolab_assets.defs.resources import resources_of
    from videolab_assets.lib.documents import DOCUMENTS
    from videolab_assets.submit import outputs_of

    settings = Settings().pinned()
    resources = resources_of(settings)
    library = resources["store"].library()
    upload = resources["catalogue"].open().by_video_key(checked_video_key(key))
    if upload is None:
        raise RejectedUpload("unknown", f"No video is known as {key}.")
    documents = {asset: document for asset, kind in DOCUMENTS.items() if (document := library.document(key, kind))}
    outputs, missing = outputs_of(key, library)
    known = {"state": upload.state.value, "attempts": upload.attempt, "reason": upload.reason, "duplicate_of": upload.duplicate_of}
    if as_json:
        shown = {asset: document.model_dump(mode="json") for asset, document in documents.items()}
        _print_json({"video_key": key, "upload": known, "documents": shown, "outputs": outputs, "missing": missing})
        return
    for name, value in known.items():
        if value is not None:
            _shown.print(f"{name}: {escape(str(value))}", highlight=False)
    for asset in ("source_video", "summary"):
        if asset in documents:
            _print_fields(asset, documents[asset].model_dump(mode="json", exclude={"recipe", "files", "show_notes"}))
    _print_outputs(outputs, settings)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help='Words that are said together; "a phrase"; a beginn*.', metavar="WORDS")],
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's videos.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many moments.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """Find the moments in all transcripts at which WORDS are said: time, video key and sentence, the best first."""
    from videolab_assets.defs.resources import resources_of
    from videolab_assets.lib.search import present

    resources = resources_of(Settings().pinned())
    found = resources["search"].open().find(" ".join(words), tenant=checked_tenant(tenant) if tenant else None, limit=limit)
    moments = present(found, resources["store"].library())
    if as_json:
        _print_json({"moments": [dataclasses.asdict(moment) for moment in moments]})
        return
    for moment in moments:
        _shown.print(
            f"[bold]{clock(moment.start)}[/bold]  [cyan]{moment.video_key}[/cyan]  {escape(moment.sentence)}",
            highlight=False,
            soft_wrap=True,
        )
    if not moments:
        _shown.print("Nobody says that in any transcript.")


@app.command()
def stop(
    tenant: Annotated[str, typer.Argument(help="Whose campaigns.", metavar="TENANT")],
    reason: Annotated[str, typer.Option(help="Why, for whoever finds them stopped.")] = "stopped from the command line",
    campaign: Annotated[str, typer.Option(help="One campaign's key, in place of all.", metavar="KEY")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Lift the stop; nothing is turned on by that.")] = False,
) -> None:
    """The kill switch: pause all campaigns of TENANT at Meta, and let none be made or turned on until it is lifted.

    It needs neither Dagster nor the inbox.
    """
    from videolab_assets.defs.campaigns.meta import graph_for, patience
    from videolab_assets.defs.resources import database, resources_of
    from videolab_assets.lib.campaigns.kill_switch import stop_tenant
    from videolab_assets.lib.campaigns.ledger import Ledger

    resources = resources_of(Settings().pinned())
    ledger = Ledger(database())
    if resume:
        lifted = ledger.stops.lift(checked_tenant(tenant), reason, campaign)
        _shown.print("The stop is lifted; what it paused stays paused." if lifted else "No such stop stands.")
        return
    done = stop_tenant(
        checked_tenant(tenant),
        reason,
        lambda: graph_for(tenant, paced=False),
        ledger,
        resources["store"].open(),
        campaign_key=campaign,
        patience=patience(),
        progress=_say,
    )
    _shown.print(f"{len(done.paused)} campaigns ran and are paused now, {len(done.still)} stood still before.", highlight=False)


@app.command()
def doctor() -> None:
    """Check ffmpeg, sandbox, store, database, disk and engines, a line each. Exit code 1 if something needed is missing."""
    from videolab_assets.doctor import examine

    findings = examine(Settings().pinned())
    for finding in findings:
        _shown.print(f"{finding.mark} {finding.what}: {escape(finding.sentence)}", highlight=False, soft_wrap=True)
    raise typer.Exit(FAILED if any(finding.fatal for finding in findings) else DONE)


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Open Dagster's UI, daemon and sensors included, on http://127.0.0.1:3000."""
    from videolab_assets.instance import serve

    serve(Settings().pinned(), port)


def main() -> None:
    """The entry point: errors that a person can act on are one sentence, not a traceback."""
    try:
        app()
    except VideoLabError as error:
        _progress.print(escape(str(error)), style="red", highlight=False)
        sys.exit(REJECTED if isinstance(error, RejectedUpload) else FAILED)
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        _progress.print(escape(complaint(error)), style="red", highlight=False, soft_wrap=True)
        sys.exit(FAILED)


def _say(line: str) -> None:
    _progress.print(escape(line), style="dim", highlight=False, soft_wrap=True)


def _print_json(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")


def _print_fields(title: str, fields: dict[str, Any]) -> None:
    _shown.print(f"\n[bold]{title}[/bold]")
    for name, value in fields.items():
        _shown.print(f"  {name}: {escape(json.dumps(value, ensure_ascii=False))}", highlight=False, soft_wrap=True)


def _print_outcome(outcome: "Outcome", settings: Settings) -> None:
    if outcome.outputs:
        _print_outputs(outcome.outputs, settings)
    for asset in outcome.skipped if outcome.status == "done" else []:
        _shown.print(f"not made: {asset}")
    sentences = {
        "done": f"Done: {outcome.video_key}"
        if outcome.new
        else f"Nothing new was made: these bytes are there already as {outcome.video_key}.",
        "duplicate": f"Nothing new was made: these bytes are there already as {outcome.video_key}.",
        "rejected": f"Rejected: {outcome.reason}",
        "failed": f"Failed: {outcome.reason}",
    }
    _shown.print(escape(sentences[outcome.status]), highlight=False, soft_wrap=True)


def _print_outputs(outputs: list[dict[str, Any]], settings: Settings) -> None:
    folder = outputs[0]["key"].rpartition("/")[0] if outputs else ""
    table = Table(title=f"{settings.store_location}/{folder}", title_justify="left")
    for column in ("asset", "file"):
        table.add_column(column)
    for column in ("bytes", "seconds"):
        table.add_column(column, justify="right")
    asset_before = None
    for output in outputs:
        is_first = output["asset"] != asset_before
        asset_before = output["asset"]
        seconds = f"{output['seconds']:.1f}" if is_first else ""
        table.add_row(
            output["asset"] if is_first else "", escape(output["key"].removeprefix(f"{folder}/")), f"{output['bytes']:,}", seconds
        )
    _shown.print(table)
