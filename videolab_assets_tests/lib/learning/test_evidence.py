"""From ads to evidence: nothing counted twice, nothing credited to the wrong clip."""

from dataclasses import dataclass

import pytest

from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.documents import Clip, ClipPlan, Look, ScoreParts, StoredFile, Variant, Variants
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.learning.evidence import ClipDescription, description_in, gather
from videolab_assets_tests.lib.learning.made import clip_ref, evidence_of

PARTS = ScoreParts(hook=0.9, completeness=0.5, speech_density=0.7, motion=0.1, faces=None, loudness=0.3, laughter=0.0, novelty=1.0)
DESCRIPTION = ClipDescription(score=0.6, parts=PARTS, duration=30.0, look=Look())


@dataclass(frozen=True)
class AnAd:
    """As insights and the ledger have it."""

    ad_id: str
    clip: ClipRef
    campaign_key: str = "acme.spring.11111111"
    cell: str | None = None
    study_id: str | None = None
    account_id: str = "act_1"
    currency: str = "EUR"
    impressions: int = 1000
    plays_3s: int = 400
    thruplays: int = 200
    link_clicks: int = 10
    spend_minor: int = 550


def test_ads_of_one_clip_count_together_and_cells_apart() -> None:
    """Two ads of a clip are two clips, or the cells of an A/B split are mixed with each other or with what was no test."""
    ads = [
        AnAd("1", clip_ref(1)),
        AnAd("2", clip_ref(1)),
        AnAd("3", clip_ref(1), cell="a", study_id="s"),
        AnAd("4", clip_ref(1), cell="b", study_id="s"),
        AnAd("5", clip_ref(1), campaign_key="acme.summer.22222222"),
        AnAd("6", clip_ref(1, label="b")),
    ]
    asked: list[ClipRef] = []

    def describe(clip: ClipRef) -> ClipDescription:
        asked.append(clip)
        return DESCRIPTION

    evidence, foreign = gather([*reversed(ads), AnAd("99", clip_ref(7))], ads, describe)
    assert foreign == ["99"], "an ad that a person made by hand is no evidence of a clip"
    assert len(evidence) == 5
    together = next(one for one in evidence if one.campaign_key.startswith("acme.spring") and one.clip.label == "a" and one.cell is None)
    assert (together.impressions, together.hooked, together.watched, together.clicked, together.spend_minor) == (2000, 800, 400, 20, 1100)
    assert len(asked) == 2, "documents are read once a clip"
    assert sum(one.impressions for one in evidence) == 6000


def test_order_does_not_matter() -> None:
    """The same ads in another order make another proposal."""
    ads = [AnAd(str(number), clip_ref(number % 3, number % 2 + 1)) for number in range(9)]
    forwards, backwards = (gather(some, ads, lambda clip: None)[0] for some in (ads, ads[::-1]))
    assert forwards == backwards
    assert all(one.score is None and one.attributes == {} for one in forwards)


def test_attributes_leave_out_what_nobody_knows() -> None:
    """Faces that could not be judged count as no faces."""
    attributes = DESCRIPTION.attributes()
    assert attributes["part.hook"] == 0.9
    assert "part.faces" not in attributes
    assert attributes["length"] == pytest.approx(3.4012, abs=1e-4)
    assert {name for name in attributes if name.startswith("look.")} == {"look.captions=clear", "look.hook=none", "look.cover=best"}


def test_counts_that_cannot_be_are_refused() -> None:
    """More plays than impressions make a rate above 1, and everything after it nonsense."""
    for watched, impressions in ((11, 10), (-1, 10), (1, 0)):
        with pytest.raises(PermanentError, match="which cannot be: sync the days anew"):
            evidence_of(clip_ref(1), impressions, watched).successes("watched")
    assert evidence_of(clip_ref(1), 10, 10).successes("watched") == 10


def a_file() -> StoredFile:
    return StoredFile(key="library/acme/x", bytes=1, sha256="0" * 64, media_type="video/mp4")


def documents(duration: float) -> tuple[ClipPlan, Variants]:
    clip = Clip(clip_id="c01", start=0.0, end=duration, score=0.6, parts=PARTS, reason="r", title="t", words=[])
    rules = {"rules_version": "1", "rules_sha256": "0" * 64, "ranker": "rules"}
    plan = ClipPlan(frame_rate=25, duration=100, language="en", clips=[clip], looks={"a": Look()}, **rules)
    facts = {"recipe": "", "width": 1080, "height": 1920, "frame_rate": 25, "variable_frame_rate": False, "codec": "h264"}
    facts |= {"pixel_format": "yuv420p", "fast_start": True, "duration": 30.1, "planned_duration": 30.0, "loudness": None}
    facts |= {"true_peak": None, "faces_kept": None, "captions": 0, "captions_outside": 0, "captions_over_faces": 0}
    facts |= {"clip_id": "c01", "label": "a", "title": "t", "description": "d", "look": Look(captions="bold"), "black": 0, "frozen": 0}
    files = {"video": a_file(), "cover": a_file(), "subtitles": None, "post": a_file(), "drawing": a_file()}
    return plan, Variants(clips=[Variant.model_validate({**files, **facts, "framings": [], "encoded_for": []})])


def test_documents_describe_the_clip_that_was_shown() -> None:
    """After a plan is made anew, c01 is another stretch, and its score is credited with the old one's plays."""
    plan, variants = documents(30.0)
    found = description_in(clip_ref(1), plan, variants)
    assert found == ClipDescription(score=0.6, parts=PARTS, duration=30.1, look=Look(captions="bold"))
    assert description_in(clip_ref(1), documents(24.0)[0], variants) is None
    assert description_in(clip_ref(1, label="b"), plan, variants) is None
    assert description_in(clip_ref(1), None, variants) is None
    assert description_in(clip_ref(1), plan, None) is None
