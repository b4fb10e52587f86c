"""What each platform takes: one entry here is one more asset, with its variants, checks and sheets.

Checked against what integrators restate of the platforms' documents (November 2026; where they differ, the strictest):

* Instagram: Reels through the Content Publishing API: 23 to 60 frames a second, 3 s to 15 minutes, at most 25 Mbit/s, AAC 128 kbit/s
  at 48 kHz, closed GOP, index first, no edit lists, 300 MB (others: 1 GB), 2200 characters. Only 5 to 90 s appear among the Reels.
  (ayrshare.com/docs/media-guidelines/instagram, help.circleboom.com, docs.contentstudio.io)
* TikTok: Content Posting API: 23 to 60 frames a second, 360 to 4096 pixels, 3 s to 10 minutes, 287 MB (others: up to 4 GB),
  90 and 2200 characters. (docs.post-mate.com, docs.emplifi.io, repliz-docs.pages.dev)
* Facebook: feed video 1080x1080 (or 4:5), 1 s to 241 minutes, 4 GB, 30 frames a second, H.264 and AAC of at least 128 kbit/s.
  (gqv.ai/tools/facebook-video-specs, xyzlab.com/meta-ads-specs)
* YouTube: Shorts up to 3 minutes, 1080x1920, 100 characters of title. (videoconverter.wondershare.com, postlinkapp.com)
* Safe areas: no platform states pixels for posts. Meta asks advertisers to leave 14 % at the top, 35 % at the bottom and 6 % at the
  sides of a Reel; what buttons and texts cover in the apps is less, and what is used here. (houseofmarketers.com, get-ryze.ai)
* Loudness: none states one for uploads; -14 LUFS and -1 dBTP is where they play back.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Margins:
    """Pixels from each edge that the platform's own buttons and texts cover."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Platform:
    """One platform's terms.

    Attributes:
        title: what a person calls it.
        width, height: pixels, exact.
        lowest_frame_rate, highest_frame_rate: frames a second; in between the source's own is kept.
        shortest, longest: seconds.
        video_bit_rate: bits a second at most, as is largest_bytes for the whole file.
        audio_bit_rate: bits a second, AAC-LC stereo at 48 kHz.
        loudness: integrated LUFS, to 0.5; true_peak in dBTP at most.
        safe: where captions do not go.
        longest_title, longest_description: characters. most_tags: hashtags.
    """

    title: str
    width: int
    height: int
    lowest_frame_rate: float
    highest_frame_rate: float
    shortest: float
    longest: float
    video_bit_rate: int
    audio_bit_rate: int
    largest_bytes: int
    safe: Margins
    longest_title: int
    longest_description: int
    most_tags: int
    loudness: float = -14.0
    true_peak: float = -1.0


PLATFORMS: dict[str, Platform] = {
    "instagram_reel": Platform(
        title="Instagram Reel",
        width=1080,
        height=1920,
        lowest_frame_rate=23,
        highest_frame_rate=60,
        shortest=3,
        longest=90,
        video_bit_rate=8_000_000,
        audio_bit_rate=128_000,
        largest_bytes=300_000_000,
        safe=Margins(left=60, top=220, right=120, bottom=420),
        longest_title=100,
        longest_description=2200,
        most_tags=5,
    ),
    "tiktok_video": Platform(
        title="TikTok video",
        width=1080,
        height=1920,
        lowest_frame_rate=23,
        highest_frame_rate=60,
        shortest=3,
        longest=600,
        video_bit_rate=8_000_000,
        audio_bit_rate=128_000,
        largest_bytes=287_000_000,
        safe=Margins(left=60, top=130, right=140, bottom=400),
        longest_title=90,
        longest_description=2200,
        most_tags=5,
    ),
    "facebook_feed_video": Platform(
        title="Facebook feed video",
        width=1080,
        height=1080,
        lowest_frame_rate=23,
        highest_frame_rate=30,
        shortest=1,
        longest=14_400,
        video_bit_rate=6_000_000,
        audio_bit_rate=128_000,
        largest_bytes=4_000_000_000,
        safe=Margins(left=54, top=54, right=54, bottom=108),
        longest_title=100,
        longest_description=5000,
        most_tags=5,
    ),
    "youtube_short": Platform(
        title="YouTube Short",
        width=1080,
        height=1920,
        lowest_frame_rate=23,
        highest_frame_rate=60,
        shortest=3,
        longest=180,
        video_bit_rate=8_000_000,
        audio_bit_rate=128_000,
        largest_bytes=1_000_000_000,
        safe=Margins(left=60, top=200, right=140, bottom=400),
        longest_title=100,
        longest_description=5000,
        most_tags=5,
    ),
}
