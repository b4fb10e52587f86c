"""Who may spend money where, and how much: `rules/ad_accounts.yaml`, which only whoever runs VideoLab writes.

It lies beside the rules and not in the inbox, because whoever uploads shall not say what may be spent.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, RootModel, StringConstraints, ValidationInfo, field_validator, model_validator

from videolab_assets.lib.documents.base import Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import TENANT_PATTERN
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.money import OFFSETS, Money, example
from videolab_assets.lib.store import ObjectMissing, Store
from videolab_assets.lib.yaml_text import Line, Unsuitable, read_yaml

ACCOUNTS = "rules/ad_accounts.yaml"
LONGEST_FILE = 64 * 1024

Window = Literal["1d_click", "7d_click", "28d_click", "1d_view", "1d_ev"]
"""The attribution windows that live; 7d_view and 28d_view ended on 12 January 2026."""

USABLE_STATUSES = {1: "active", 9: "in its grace period", 201: "active"}
STATUSES = {2: "disabled", 3: "unsettled", 7: "under review", 8: "pending settlement", 100: "being closed", 101: "closed", 202: "closed"}


def _text(pattern: str, expected: str) -> object:
    return Field(pattern=pattern, json_schema_extra={"expected": expected})


Id = Annotated[str, StringConstraints(strip_whitespace=True), _text(r"^[0-9]{1,30}$", "an id of Meta's, which has only digits")]
AccountId = Annotated[
    str, StringConstraints(strip_whitespace=True), _text(r"^act_[0-9]{1,30}$", "an advertising account's id, such as act_123456")
]
Currency = Annotated[str, Field(json_schema_extra={"expected": "the currency of the account, such as EUR"})]
TimeZone = Annotated[str, Field(json_schema_extra={"expected": "the time zone of the account, such as Europe/Madrid"})]
Amount = Annotated[str, Field(json_schema_extra={"expected": "an amount in the account's currency, such as 500.00"})]
Windows = Annotated[
    tuple[Window, ...], Field(max_length=5, json_schema_extra={"expected": "a list of 1d_click, 7d_click, 28d_click, 1d_view or 1d_ev"})
]


class Caps(Model):
    """What may be spent at most, in the account's currency.

    Attributes:
        campaign: by one campaign over its whole life.
        month: by all campaigns that are first turned on in one calendar month (UTC).
    """

    campaign: Amount
    month: Amount


class Terms(Model):
    """What the file says of one tenant.

    Attributes:
        account: the advertising account's id.
        currency: the account's.
        time_zone: the account's; days are its days.
        page: the Facebook page that the ads speak for.
        instagram: the Instagram user that they speak for; needed for reels.
        business: whose tests an A/B split is; needed for one.
        advertiser: whom the ads are for and who pays, shown to people in the EU.
        beneficiary: whom they are for, where that is another.
        payor: who pays, where that is another.
        caps: without them nothing is made.
        windows: attribution windows of the results; the account's own setting where empty.
    """

    account: AccountId
    currency: Currency
    time_zone: TimeZone
    page: Id
    instagram: Id | None = None
    business: Id | None = None
    advertiser: Line | None = None
    beneficiary: Line | None = None
    payor: Line | None = None
    caps: Caps | None = None
    windows: Windows = ()

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, currency: str) -> str:
        if currency not in OFFSETS:
            raise Unsuitable("a currency of Meta's accounts in three capital letters, such as EUR,")
        return currency

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in _zones():
            raise Unsuitable("a time zone by its name, such as Europe/Madrid,")
        return zone

    @field_validator("windows")
    @classmethod
    def _once(cls, windows: tuple[Window, ...]) -> tuple[Window, ...]:
        if len(set(windows)) < len(windows):
            raise Unsuitable("each window once")
        return windows

    @model_validator(mode="after")
    def _payable(self) -> "Terms":
        for name in ("campaign", "month") if self.caps else ():
            try:
                amount = Money.of(getattr(self.caps, name), self.currency)
            except PermanentError as error:
                raise Unsuitable(
                    f"an amount that can be paid in {self.currency}, such as {example(self.currency)},", "caps", name
                ) from error
            if amount.minor == 0:
                raise Unsuitable("more than nothing", "caps", name)
        return self


class AdAccount(Terms):
    """A tenant's advertising account.

    Attributes:
        tenant: whose it is; the rest as in `Terms`.
    """

    tenant: str

    @property
    def zone(self) -> ZoneInfo:
        """Where its days begin and end."""
        return ZoneInfo(self.time_zone)

    @property
    def campaign_cap(self) -> Money | None:
        """What one campaign may spend; None where there are no caps, and so nothing may be made."""
        return Money.of(self.caps.campaign, self.currency) if self.caps else None

    @property
    def month_cap(self) -> Money | None:
        """What the campaigns of one month may spend together; None as above."""
        return Money.of(self.caps.month, self.currency) if self.caps else None

    @property
    def dsa_beneficiary(self) -> str | None:
        """Whom the ads are for, as the EU wants it told."""
        return self.beneficiary or self.advertiser

    @property
    def dsa_payor(self) -> str | None:
        """Who pays for the ads, likewise."""
        return self.payor or self.advertiser


class _File(RootModel[dict[str, Terms]]):
    @model_validator(mode="after")
    def _tenants(self, info: ValidationInfo) -> "_File":
        for tenant in self.root:
            if not TENANT_PATTERN.fullmatch(tenant):
                raise Unsuitable("the name of a tenant, with 1 to 32 lower-case letters, digits and hyphens,", tenant)
        seen: dict[str, str] = {}
        for tenant, terms in self.root.items():
            if terms.account in seen:
                raise Unsuitable(f"an account of its own and not that of {seen[terms.account]!r}", tenant, "account")
            seen[terms.account] = tenant
        return self


def read_accounts(data: bytes) -> dict[str, AdAccount]:
    """The accounts in a file, by tenant.

    Raises:
        PermanentError: it cannot be used; with the line and the reason, in the detail all of them.
    """
    file = read_yaml(data, _File, longest=LONGEST_FILE, what="file of advertising accounts")
    return {tenant: AdAccount(tenant=tenant, **dict(terms)) for tenant, terms in file.root.items()}


def accounts_of(store: Store) -> dict[str, AdAccount]:
    """The accounts that `ACCOUNTS` in the store names; none where there is no such file.

    Raises:
        PermanentError: as `read_accounts`, naming the file.
    """
    try:
        data = store.read_bytes(ACCOUNTS, LONGEST_FILE)
    except ObjectMissing:
        return {}
    try:
        return read_accounts(data)
    except PermanentError as error:
        raise PermanentError(f"{ACCOUNTS}: {error.sentence}", error.detail) from error


def account_for(store: Store, tenant: str) -> AdAccount:
    """The tenant's account.

    Raises:
        PermanentError: there is none; the sentence says what to write where.
    """
    account = accounts_of(store).get(tenant)
    if account is None:
        fields = "account, currency, time_zone, page and caps"
        raise PermanentError(f"{tenant!r} has no advertising account here: write `{tenant}:` with {fields} into {ACCOUNTS}.")
    return account


def check_account(graph: Graph, account: AdAccount) -> None:
    """Compares what the file says of an account with what Meta says.

    Raises:
        PermanentError: another currency, days that begin at other times, or an account that may not advertise.
        GraphError: as `Graph.get`.
    """
    told = graph.get(account.account, {"fields": "currency,timezone_name,account_status,name"}, expects=("currency",))
    if told["currency"] != account.currency:
        raise PermanentError(
            f"{account.account} is an account in {str(told['currency'])[:10]}, and {ACCOUNTS} says {account.currency}: correct the file."
        )
    zone = str(told.get("timezone_name"))[:60]
    if not _same_days(zone, account.time_zone):
        raise PermanentError(f"{account.account} has the time zone {zone}, and {ACCOUNTS} says {account.time_zone}: correct the file.")
    status = told.get("account_status")
    if status not in USABLE_STATUSES:
        words = STATUSES.get(status, f"in a state that is not known here ({str(status)[:20]})") if isinstance(status, int) else "unknown"
        raise PermanentError(f"{account.account} cannot advertise now, because it is {words}: see to it in Meta's Ads Manager.")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _same_days(first: str, second: str) -> bool:
    """Whether days begin and end at the same moments, as they do in zones that only have two names, in the years that matter."""
    if first == second:
        return True
    if first not in _zones() or second not in _zones():
        return False
    start = datetime(datetime.now(UTC).year - 4, 1, 1, tzinfo=UTC)
    moments = (start + timedelta(hours=12 * half) for half in range(2 * 366 * 6))
    one, other = ZoneInfo(first), ZoneInfo(second)
    return all(moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments)
