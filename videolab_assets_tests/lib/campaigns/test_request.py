"""A person's campaign file: what is wrong is said with its line and the reason, and what is right means what it says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.campaigns.request import campaign_key_of, read_activation, read_campaign, read_stop
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.money import Money
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, NOW, Clips, account, request_of

HEAD = CAMPAIGN[: CAMPAIGN.index("creatives:")]


def refused(text: str, now: datetime = NOW, **changes: Any) -> str:
    """All that is said of a file that cannot be used."""
    with pytest.raises(PermanentError) as caught:
        read_campaign(text.encode(), Clips().context(now, account(**changes)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("objective: eng", "objectiv: eng", "Line 2: 'objectiv' is not known, and 'objective' was expected."),
        ("lifetime: 300.00", "lifetime: 900", "Line 3: budget.lifetime is '900', and at most 500.00 EUR, the cap of a campaign of acme,"),
        ("lifetime: 300.00", "daily: 90", "Line 3: budget.daily is '90', and at most 500.00 EUR over 14 days, the cap of a campaign"),
        ("lifetime: 300.00", "lifetime: 3.005", "Line 3: budget.lifetime is '3.005', and an amount in EUR such as 300.00 was expected."),
        ("lifetime: 300.00", "lifetime: 0", "Line 3: budget.lifetime is '0', and more than nothing was expected."),
        ("lifetime: 300.00", "lifetime: 3, daily: 1", "Line 3: either lifetime or daily was expected in budget."),
        ("currency: EUR", "currency: USD", "Line 3: budget.currency is 'USD', and EUR, the currency of act_1001, was expected."),
        ("2030-12-01", "2026-11-26", "Line 4: dates.start is '2026-11-26', and a day from 2026-11-27 on, which is today in Europe/Madrid,"),
        ("2030-12-14", "2030-11-30", "Line 4: dates.end is '2030-11-30', and a day or time that is not before start was expected."),
        ("2030-12-14", "2040-12-14", "Line 4: dates.end is '2040-12-14', and a day at most 366 days after start was expected."),
        ("2030-12-14", "14/12/2030", "Line 4: dates.end is '14/12/2030', and a day such as 2026-12-01, or with a time"),
        ("2030-12-14", "2030-02-31", "Line 4: dates.end is '2030-02-31', and a day such as 2026-12-01, or with a time"),
        ("[ES, MX]", "[ES, mx]", "Line 6: audience.countries 2 is 'mx', and the two capital letters of a country"),
        ("to: 45", "to: 17", "Line 7: audience.ages.to is '17', and a whole number from 18 to 65 was expected."),
        ("to: 45", "to: 45, form: 2", "Line 7: 'form' is not known in audience.ages, and 'from' was expected."),
        ("clip: c02", "clip: c22", "Line 10: creatives 2.clip is 'c22', and a clip of acme.talk.0123abcd that has been made"),
        ("clip: c02", "clip: c01", "Line 10: each clip once for a platform and a look was expected in creatives 2."),
        ("acme.talk.0123abcd, clip: c02", "evil.talk.0123abcd, clip: c02", "Line 10: creatives 2.video is 'evil.talk.0123abcd', and"),
        ("c02, platform: instagram_reel", "c02, platform: tiktok_video", "Line 10: creatives 2.platform is 'tiktok_video', and"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_line_and_reason(old: str, new: str, said: str) -> None:
    """Prevents a campaign that is made otherwise than it is written, and a refusal that leaves a person searching."""
    assert CAMPAIGN.count(old) >= 1
    assert refused(CAMPAIGN.replace(old, new, 1)).startswith(said)


@pytest.mark.parametrize(
    ("creatives", "said"),
    [
        ("{best: 9, platform: instagram_reel}", "Line 8: creatives.best is '9', and at most 5, because"),
        ("{best: few, platform: instagram_reel}", "Line 8: creatives.best is 'few', and a whole number from 1 to 150 was expected."),
        ("{bset: 3, platform: instagram_reel}", "Line 8: 'bset' is not known in creatives, and 'best' was expected."),
        ("{best: 3, platform: youtube_short}", "Line 8: creatives.platform is 'youtube_short', and instagram_reel or"),
        ("{best: 1, platform: instagram_reel, videos: [x.a.12345678]}", "Line 8: creatives.videos 1 is 'x.a.12345678', and the key of a"),
        ("[]", "Line 8: a list of clips, or a group with best and platform, was expected in creatives."),
        ("all", "Line 8: creatives is 'all', and a list of clips, or a group with best and platform, was expected."),
    ],
)
def test_a_wish_for_the_best_is_checked_as_well(creatives: str, said: str) -> None:
    """Prevents the two ways to name clips from being confused in what is told of either."""
    assert said in refused(f"{HEAD}creatives: {creatives}\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("goal: link_clicks\n", "Line 11: goal is 'link_clicks', and thruplay, post_engagement, reach or impressions for engagement"),
        ("button: BUY\nlink: https://example.com\n", "Line 11: button is 'BUY', and APPLY_NOW, "),
        ("button: SHOP_NOW\n", "Line 11: button is 'SHOP_NOW', and a link beside it, or no button, was expected."),
        ("link: http://example.com\n", "Line 11: link is 'http://example.com', and an address that begins with https:// was expected."),
        ("split: both\n", "Line 11: split is 'both', and clip or look was expected."),
        ('text: "a\\x07b"\n', "Line 11: text is 'a\\x07b', and text without control characters was expected."),
    ],
)
def test_options_are_checked(more: str, said: str) -> None:
    """Prevents an option that Meta refuses from being found out only after half of the campaign was made."""
    assert said in refused(CAMPAIGN + more)


@pytest.mark.parametrize("objective", ["traffic", "leads", "sales"])
def test_objectives_that_lead_somewhere_need_a_link(objective: str) -> None:
    """Prevents an ad for a website without the website."""
    said = refused(CAMPAIGN.replace("engagement", objective))
    assert f"link is missing, and an address that {objective} leads to" in said
    assert ("pixel is missing" in said) == (objective != "traffic")


@pytest.mark.parametrize(
    ("changes", "more", "said"),
    [
        ({"caps": None}, "", "Line 3: no campaign as long as acme has no `caps:` in ad_accounts.yaml, was expected in budget."),
        ({"instagram": None}, "", "another platform as long as acme has no `instagram:` in ad_accounts.yaml"),
        ({"advertiser": None}, "", "a country outside the EU as long as acme has no `advertiser:` in ad_accounts.yaml"),
        ({"business": None}, "split: clip\n", "no split as long as acme has no `business:` in ad_accounts.yaml"),
    ],
)
def test_what_the_account_lacks_is_told_before_anything_is_made(changes: dict[str, Any], more: str, said: str) -> None:
    """Prevents half a campaign, because what a later object of it needs was never written down."""
    assert said in refused(CAMPAIGN + more, **changes)


def test_all_problems_are_told_at_once() -> None:
    """Prevents a person from mending one line after the other and uploading each time."""
    text = CAMPAIGN.replace("engagement", "fun").replace("300.00", "1").replace("EUR", "USD").replace("ES,", "es,").replace("c02", "c99")
    said = refused(text).splitlines()[1:]
    assert [line.partition(":")[0] for line in said] == ["Line 2", "Line 3", "Line 6", "Line 10"]


def test_an_empty_file_is_told_what_is_missing() -> None:
    """Prevents an upload that was cut off from being read as a campaign of nothing."""
    said = refused("")
    for name in ("objective", "dates", "budget", "audience", "creatives"):
        assert f"{name} is missing" in said


def test_days_are_those_of_the_account() -> None:
    """Prevents a campaign that ends a day early because the end's own day was not counted, or begins at another place's midnight."""
    dates = request_of().dates
    assert dates.start.astimezone(UTC) == datetime(2030, 11, 30, 23, tzinfo=UTC)
    assert dates.end.astimezone(UTC) == datetime(2030, 12, 14, 23, tzinfo=UTC)
    assert dates.days == 14


def test_a_daily_budget_counts_days_on_the_calendar() -> None:
    """Prevents daylight saving from adding a day to the budget, or taking one away."""
    text = CAMPAIGN.replace("lifetime: 300.00", "daily: 10").replace("2030-12-01", "2030-10-26").replace("2030-12-14", "2030-10-28")
    request = request_of(text)
    assert request.dates.end - request.dates.start == timedelta(hours=72)  # aware moments of one zone subtract by their clocks
    assert request.dates.end.astimezone(UTC) - request.dates.start.astimezone(UTC) == timedelta(hours=73)
    assert request.total() == Money(3000, "EUR")


@pytest.mark.parametrize(("zone", "today"), [("Pacific/Honolulu", "2026-11-26"), ("Pacific/Kiritimati", "2026-11-27")])
def test_today_is_the_accounts_today(zone: str, today: str) -> None:
    """Prevents a day that has ended over there from being taken because it goes on here, and the other way round."""
    now = datetime(2026, 11, 27, 9, tzinfo=UTC)
    context = Clips().context(now, account(time_zone=zone))
    text = CAMPAIGN.replace("2030-12-01", today).replace("2030-12-14", "2026-12-24")
    assert read_campaign(text.encode(), context).dates.start.date().isoformat() == today
    yesterday = (datetime.fromisoformat(today) - timedelta(days=1)).date().isoformat()
    assert f"a day from {today} on" in refused(text.replace(f"start: {today}", f"start: {yesterday}"), now, time_zone=zone)


def test_a_time_of_today_that_has_passed_is_refused() -> None:
    """Prevents a campaign that shall begin in the past."""
    said = refused(CAMPAIGN.replace("2030-12-01", '"2026-11-27 09:59"').replace("2030-12-14", "2026-12-24"))
    assert "a time after 2026-11-27 10:00, which is now in Europe/Madrid" in said


def test_comments_and_spaces_make_no_other_campaign() -> None:
    """Prevents the same campaign from being made and paid twice because a comment was added to its file."""
    key = campaign_key_of("acme", "Spring Sale!.campaign.yaml", request_of())
    assert key.startswith("acme.spring-sale.")
    other = "# for Ana\n\n" + CAMPAIGN.replace("300.00", "300").replace("[ES, MX]", "[ ES,  MX ]  # both") + "dry_run: true\n"
    assert campaign_key_of("acme", "Spring Sale!.campaign.yaml", request_of(other)) == key
    assert campaign_key_of("acme", "Spring Sale!.campaign.yaml", request_of(CAMPAIGN.replace("300.00", "300.01"))) != key


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Prevents a stray file from raising anything but a sentence."""
    with pytest.raises(PermanentError):
        read_campaign(data, Clips(count=1).context())


@given(st.sampled_from(CAMPAIGN.splitlines()), st.text(max_size=12), st.integers(0, 60))
def test_no_damaged_line_breaks_the_reader(line: str, text: str, place: int) -> None:
    """Prevents a typo from raising anything but a sentence with a line."""
    damaged = CAMPAIGN.replace(line, line[:place] + text + line[place:], 1)
    try:
        request_of(damaged)
    except PermanentError as error:
        assert error.sentence.startswith(("Line ", "This campaign file"))


@given(st.decimals(min_value="0.01", max_value="9999.99", places=2))
def test_a_budget_is_taken_to_the_cent_and_never_above_the_cap(amount: Any) -> None:
    """Prevents rounding from letting a cent more through than is allowed, or from spending another amount than was written."""
    text = CAMPAIGN.replace("300.00", str(amount))
    if amount > 500:
        assert "at most 500.00 EUR" in refused(text)
    else:
        assert request_of(text).total() == Money(int(amount * 100), "EUR")


def test_a_split_compares_a_few_clips_on_one_platform() -> None:
    """Prevents a test whose cells differ in more than what is tested."""
    assert "a list of 2 to 5 clips" in refused(
        f"{HEAD}creatives:\n  - {{video: acme.talk.0123abcd, clip: c01, platform: instagram_reel}}\nsplit: clip\n"
    )
    mixed = CAMPAIGN.replace("c02, platform: instagram_reel", "c02, platform: facebook_feed_video")
    assert "because a split compares on one platform" in refused(mixed + "split: clip\n")
    clips = Clips()
    del clips.sources[next(ref for ref in clips.sources if (ref.clip_id, ref.label) == ("c02", "b"))]
    with pytest.raises(PermanentError, match="a clip in both looks"):
        request_of(CAMPAIGN + "split: look\n", clips.context())


def test_an_activation_names_a_campaign_and_an_amount() -> None:
    """Prevents turning on what was not named, or for an amount that was not said."""
    text = "campaign: acme.spring.0123abcd\nbudget: 300\ncurrency: EUR\nby: Ana\n"
    assert read_activation(text.encode(), "acme").money() == Money(30_000, "EUR")
    for old, new, said in [
        ("acme.spring", "other.spring", "the key of a campaign of acme"),
        ("300", "all of it", "the campaign's whole budget"),
        ("by: Ana", "", "by is missing"),
        ("budget", "buget", "'buget' is not known, and 'budget' was expected"),
    ]:
        with pytest.raises(PermanentError) as caught:
            read_activation(text.replace(old, new).encode(), "acme")
        assert said in str(caught.value)


def test_a_stop_is_for_the_tenant_itself() -> None:
    """Prevents one tenant from stopping another's campaigns."""
    assert read_stop(b"reason: enough\n", "acme").campaign is None
    assert read_stop(b"reason: go on\nresume: true\n", "acme").resume
    with pytest.raises(PermanentError, match="the key of a campaign of acme"):
        read_stop(b"reason: enough\ncampaign: other.spring.0123abcd\n", "acme")
