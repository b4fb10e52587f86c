"""What a video is about, in words to publish with it."""

import time
from collections.abc import Iterator

import dagster as dg

from videolab_assets.defs.engines import summarizer_of
from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import tell_skipped, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.resources import StoreResource
from videolab_assets.lib.documents import Summary, Transcript
from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.summary import NothingSaid, to_markdown
from videolab_assets.lib.summary.prompts import prompt_for
from videolab_assets.settings import Settings

SUMMARIZER = summarizer_of(Settings())
SUMMARY_VERSION = f"2 {SUMMARIZER.identity}"


@dg.asset(
    group_name="editorial",
    partitions_def=videos,
    output_required=False,
    kinds={SUMMARIZER.name, "markdown"},
    owners=OWNERS,
    code_version=SUMMARY_VERSION,
)
def summary(context: dg.AssetExecutionContext, transcript: Transcript, store: StoreResource) -> Iterator[dg.MaterializeResult[Summary]]:
    """Title, description, tags, key points and show notes, as JSON and Markdown, in the language that is spoken.

    The embedded engine picks sentences out of the transcript, in Spanish and English; it needs no model and no network. Gemini writes
    its own, and follows the wish that somebody laid into the inbox as `<name of the video>.prompt.txt`, or the tenant's. A video in
    which nothing is said has no summary, and an observation says so.
    """
    video_key, library = context.partition_key, store.library()
    with told(context):
        prompt = prompt_for(video_key, library)
        if prompt and not SUMMARIZER.follows_prompts:
            context.log.warning(f"The wish for this summary is not followed: the {SUMMARIZER.name} engine quotes what is said.")
            prompt = None
        made_of = recipe(
            asset="summary",
            code=SUMMARY_VERSION,
            language=transcript.language,
            text=[segment.text for segment in transcript.segments],
            prompt=prompt,
        )
        found = library.made(video_key, Summary, made_of)
        if found is None:
            started = time.monotonic()
            try:
                written = SUMMARIZER.summary_of(transcript, prompt, tenant=tenant_of(video_key))
            except NothingSaid as nothing:
                tell_skipped(context, "summary", nothing.sentence)
                return
            markdown = library.add_bytes(video_key, "summary.md", to_markdown(written).encode(), "text/markdown")
            seconds = round(time.monotonic() - started, 3)
            made = written.model_copy(update={"recipe": made_of, "files": [markdown], "seconds": seconds})
    document = found or made
    yield materialization(document, library, found=bool(found))
