"""Who may spend where: the file that says so, and Meta's word on it."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.meta.accounts import ACCOUNTS, LONGEST_FILE, AdAccount, account_for, accounts_of, check_account, read_accounts
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.money import Money
from videolab_assets.lib.store import Store, open_store
from videolab_assets_tests.graph_server import GraphServer, graph_server

FILE = """\
acme:
  account: act_1001
  currency: EUR
  time_zone: Europe/Madrid
  page: "1029384756"
  instagram: "1784140000"
  business: "99887766"
  advertiser: Acme S.L.
  payor: Acme Holding
  caps: {campaign: 500.00, month: 2000}
  windows: [7d_click, 1d_view]
shop-2:
  account: act_1002
  currency: JPY
  time_zone: Asia/Tokyo
  page: 5
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        yield server


def account_of(file: str = FILE, tenant: str = "acme") -> AdAccount:
    return read_accounts(file.encode())[tenant]


def test_a_file_becomes_accounts() -> None:
    """Prevents a cap that is a hundred times as high as written, and fields that get lost."""
    account = account_of()
    assert (account.tenant, account.account, account.page, account.instagram) == ("acme", "act_1001", "1029384756", "1784140000")
    assert account.campaign_cap == Money(50000, "EUR") and account.month_cap == Money(200000, "EUR")
    assert account.zone == ZoneInfo("Europe/Madrid") and account.windows == ("7d_click", "1d_view")
    assert (account.dsa_beneficiary, account.dsa_payor) == ("Acme S.L.", "Acme Holding")


def test_without_caps_there_are_none() -> None:
    """Prevents a tenant without caps taken for one without limits."""
    account = account_of(tenant="shop-2")
    assert account.campaign_cap is None and account.month_cap is None and account.dsa_payor is None
    capped = FILE.replace("  page: 5", "  page: 5\n  caps: {campaign: 50000, month: 90000}")
    assert account_of(capped, "shop-2").campaign_cap == Money(50000, "JPY")


WRONG = {
    "an unknown currency": ("EUR", "EURO", "Line 3: acme.currency is 'EURO', and a currency"),
    "no account": ("act_1001", "1001", "Line 2: acme.account is '1001', and an advertising account's id"),
    "no time zone": ("Europe/Madrid", "Madrid", "Line 4: acme.time_zone is 'Madrid', and a time zone"),
    "a page by its name": ('"1029384756"', "Acme", "Line 5: acme.page is 'Acme', and an id of Meta's"),
    "a typo": ("advertiser", "advertizer", "Line 8: 'advertizer' is not known in acme, and 'advertiser' was expected."),
    "a cap in cents of cents": ("500.00", "500.001", "Line 10: acme.caps.campaign is '500.001', and an amount that can be paid in EUR"),
    "a cap in words": ("500.00", "much", "Line 10: acme.caps.campaign is 'much', and an amount"),
    "a negative cap": ("2000}", "-1}", "Line 10: acme.caps.month is '-1', and an amount"),
    "a cap of nothing": ("2000}", "0}", "Line 10: acme.caps.month is '0', and more than nothing"),
    "half of the caps": (", month: 2000}", "}", "Line 10: acme.caps.month is missing, and an amount"),
    "a dead window": ("1d_view", "7d_view", "Line 11: acme.windows 2 is '7d_view', and 1d_click, 7d_click"),
    "a window twice": ("1d_view", "7d_click", "Line 11: each window once was expected in acme.windows."),
    "no tenant": ("acme:", "Acme Inc:", "Line 1: the name of a tenant"),
    "the account of another": ("act_1002", "act_1001", "Line 13: shop-2.account is 'act_1001', and an account of its own"),
    "cents of yen": ("page: 5", "page: 5\n  caps: {campaign: 5.50, month: 9}", "Line 17: shop-2.caps.campaign is '5.50', and an amount"),
    "nothing of a tenant": (FILE, "acme: soon\n", "Line 1: acme is 'soon', and a group of `name: value` lines was expected."),
    "a list": (FILE, "- acme\n", "Line 1: a list of 1 stands there, and a group"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_has_its_line_and_its_reason(name: str) -> None:
    """Prevents money spent by an account, a zone or a cap that was a slip of the pen, an error that does not say where it is, and a window
    that ended although the SDK still lists it (SDK defect 10)."""
    old, new, said = WRONG[name]
    with pytest.raises(PermanentError) as caught:
        account_of(FILE.replace(old, new, 1))
    assert caught.value.sentence.startswith(said)


def test_all_mistakes_are_told_at_once() -> None:
    """Prevents a file that is corrected line by line, with a run for each."""
    with pytest.raises(PermanentError) as caught:
        account_of(FILE.replace("EUR", "EURO").replace("Asia/Tokyo", "Tokyo"))
    assert "Line 3" in caught.value.detail and "Line 15" in caught.value.detail


def test_no_file_is_no_account(store: Store) -> None:
    """Prevents a crash of whatever lists accounts before anybody has written the file, and a refusal that does not say what to do."""
    assert accounts_of(store) == {}
    with pytest.raises(PermanentError, match=r"write `acme:` with account, .* into rules/ad_accounts.yaml"):
        account_for(store, "acme")
    store.write_bytes(ACCOUNTS, FILE.encode(), media_type="application/yaml")
    assert sorted(accounts_of(store)) == ["acme", "shop-2"] and account_for(store, "acme") == account_of()


@pytest.mark.parametrize("data", [FILE.replace("EUR", "E").encode(), b"\xff", b"a: b: c", b"#" * (LONGEST_FILE + 1)])
def test_a_broken_file_is_named(data: bytes, store: Store) -> None:
    """Prevents "line 3" of nobody knows which file."""
    store.write_bytes(ACCOUNTS, data, media_type="application/yaml")
    with pytest.raises(PermanentError) as caught:
        accounts_of(store)
    assert ACCOUNTS in caught.value.sentence


def check(server: GraphServer, account: AdAccount) -> None:
    check_account(Graph(Connection(server.token, server.endpoint)), account)


@pytest.mark.parametrize(
    ("currency", "zone", "status", "said"),
    [
        ("USD", "Europe/Madrid", 1, "is an account in USD, and rules/ad_accounts.yaml says EUR"),
        ("EUR", "America/Los_Angeles", 1, "has the time zone America/Los_Angeles"),
        ("EUR", "Europe/London", 1, "has the time zone Europe/London"),
        ("EUR", "Europe/Madrid", 2, "because it is disabled"),
        ("EUR", "Europe/Madrid", 55, "a state that is not known here (55)"),
    ],
)
def test_meta_has_the_last_word(currency: str, zone: str, status: int, said: str, server: GraphServer) -> None:
    """Prevents a budget in the wrong currency, days cut at the wrong hour, and objects in an account that cannot advertise."""
    server.add_account("act_1001", currency=currency, timezone=zone, status=status)
    with pytest.raises(PermanentError) as caught:
        check(server, account_of())
    assert said in caught.value.sentence


@pytest.mark.parametrize(
    ("ours", "theirs"), [("Europe/Madrid", "Europe/Madrid"), ("Asia/Kolkata", "Asia/Calcutta"), ("Europe/Kyiv", "Europe/Kiev")]
)
def test_a_zone_may_have_two_names(ours: str, theirs: str, server: GraphServer) -> None:
    """Prevents a right file refused because Meta writes the older name."""
    server.add_account("act_1001", currency="EUR", timezone=theirs)
    check(server, account_of(FILE.replace("Europe/Madrid", ours)))
