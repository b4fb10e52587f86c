"""The engines that the environment names. Opening them costs nothing: a model is loaded when there is something to hear or to write."""

import dataclasses

from videolab_assets.defs.resources import database
from videolab_assets.lib.clips.reranking import Ranker, open_ranker
from videolab_assets.lib.speech.engine import Engine, SpeechOptions
from videolab_assets.lib.speech.engine import open_engine as open_speech_engine
from videolab_assets.lib.summary import SummaryEngine, SummaryOptions
from videolab_assets.lib.summary import open_engine as open_summary_engine
from videolab_assets.settings import Settings


def transcriber_of(settings: Settings) -> Engine:
    """The speech engine."""
    options = SpeechOptions(
        model=settings.speech_model, device=settings.speech_device, language=settings.speech_language or None, task=settings.speech_task
    )
    return open_speech_engine(settings.transcriber, options)


def summarizer_of(settings: Settings) -> SummaryEngine:
    """The summary engine."""
    return open_summary_engine(settings.summarizer, _gemini_options(settings))


def ranker_of(settings: Settings) -> Ranker:
    """Who has the last word on the order of clips."""
    return open_ranker(settings.ranker, _gemini_options(settings))


def _gemini_options(settings: Settings) -> SummaryOptions:
    options = SummaryOptions(
        endpoint=settings.gemini_endpoint,
        price_input=settings.gemini_price_input,
        price_output=settings.gemini_price_output,
        daily_cap=settings.gemini_daily_cap,
        database=database,
    )
    if settings.gemini_model:
        options = dataclasses.replace(options, model=settings.gemini_model)
    return options
