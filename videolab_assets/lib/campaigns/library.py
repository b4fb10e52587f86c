"""The clips that can be advertised: variants in the store whose files are there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from videolab_assets.lib.campaigns.terms import Best, CampaignContext, ClipRef, ClipSource
from videolab_assets.lib.documents import VARIANTS, Clip, ClipPlan, Variant
from videolab_assets.lib.keys import LIBRARY, VIDEO_KEY_PATTERN, tenant_of
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import AdAccount

Performance = Callable[[ClipRef], float | None]
"""How well a clip did as an ad, the more the better; None where that is not known."""


def not_known(_: ClipRef) -> float | None:
    """Nothing has been advertised yet."""
    return None


@dataclass
class CampaignClips:
    """A tenant's clips. Documents are read once, so an object of this serves one request.

    Args:
        library: where the variants are.
        tenant: whose.
        performance: what the best are chosen by.
    """

    library: Library
    tenant: str
    performance: Performance = not_known
    _variants: dict[tuple[str, str], list[Variant]] = field(default_factory=dict)
    _plans: dict[str, dict[str, Clip]] = field(default_factory=dict)

    def context(self, account: AdAccount, now: datetime | None = None) -> CampaignContext:
        """What a campaign's file is held against.

        Args:
            account: the tenant's.
            now: an aware moment; this one where left out.
        """
        return CampaignContext(account, now or datetime.now(UTC), self.source, self.best)

    def source(self, ref: ClipRef) -> ClipSource | None:
        """What an ad of the clip is made of; None where there is no such variant or one of its files is gone."""
        if ref.platform not in VARIANTS or not VIDEO_KEY_PATTERN.fullmatch(ref.video_key) or tenant_of(ref.video_key) != self.tenant:
            return None
        wanted = (ref.clip_id, ref.label)
        variant = next((one for one in self._of(ref.video_key, ref.platform) if (one.clip_id, one.label) == wanted), None)
        if variant is None or not (self.library.has(variant.video) and self.library.has(variant.cover)):
            return None
        clip = self._clips(ref.video_key).get(ref.clip_id)
        score = clip.score if clip else 0.0
        return ClipSource(
            ref=ref, video=variant.video, cover=variant.cover, title=variant.title, text=variant.description or variant.title, score=score
        )

    def best(self, wish: Best, both_looks: bool = False) -> list[ClipSource]:
        """The clips that a wish comes to, at most as many as it asks for, each in one look.

        Those whose performance is known come first, by that; the others after them by the score of their clip plan, as the two cannot be
        compared. Equal ones come in the order of their names, the first look before the second.

        Args:
            both_looks: only those that exist in both, and then in the first.
        """
        sources = [source for ref in self._refs(wish) if (source := self.source(ref))]
        if both_looks:
            second = {(one.ref.video_key, one.ref.clip_id) for one in sources if one.ref.label == "b"}
            sources = [one for one in sources if one.ref.label == "a" and (one.ref.video_key, one.ref.clip_id) in second]
        once: dict[tuple[str, str], ClipSource] = {}
        for source in sorted(sources, key=self._rank):
            once.setdefault((source.ref.video_key, source.ref.clip_id), source)
        return list(once.values())[: wish.best]

    def _rank(self, source: ClipSource) -> tuple[bool, float, str, str, str]:
        ref, known = source.ref, self.performance(source.ref)
        return known is None, -(source.score if known is None else known), ref.video_key, ref.clip_id, ref.label

    def _refs(self, wish: Best) -> Iterator[ClipRef]:
        for video_key in sorted(set(wish.videos)) if wish.videos is not None else self._videos(wish.platform):
            for variant in self._of(video_key, wish.platform):
                yield ClipRef(video_key=video_key, clip_id=variant.clip_id, platform=wish.platform, label=variant.label)

    def _videos(self, platform: str) -> list[str]:
        """Keys of the tenant's videos that have variants for the platform."""
        ending = f"/{platform}.json"
        keys = (found.key.split("/") for found in self.library.store.list(f"{LIBRARY}/{self.tenant}") if found.key.endswith(ending))
        return sorted(parts[2] for parts in keys if len(parts) == 4 and VIDEO_KEY_PATTERN.fullmatch(parts[2]))

    def _of(self, video_key: str, platform: str) -> list[Variant]:
        if (video_key, platform) not in self._variants:
            document = self.library.readable(video_key, VARIANTS[platform])
            self._variants[video_key, platform] = document.clips if document else []
        return self._variants[video_key, platform]

    def _clips(self, video_key: str) -> dict[str, Clip]:
        if video_key not in self._plans:
            plan = self.library.readable(video_key, ClipPlan)
            self._plans[video_key] = {clip.clip_id: clip for clip in plan.clips} if plan else {}
        return self._plans[video_key]
