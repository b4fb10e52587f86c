"""Who shall see a campaign."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from videolab_assets.lib.campaigns.objectives import EU
from videolab_assets.lib.campaigns.terms import Digits, context_of
from videolab_assets.lib.documents import Model
from videolab_assets.lib.recipe import JsonValue
from videolab_assets.lib.yaml_text import Unsuitable

YOUNGEST, OLDEST = 18, 65
"""Years; Meta counts everybody older as 65."""

MOST_LISTED = 100
_GENDERS: dict[str, list[JsonValue]] = {"men": [1], "women": [2]}


def _country(code: str) -> str:
    if len(code) != 2 or not (code.isascii() and code.isalpha() and code.isupper()):
        raise Unsuitable("the two capital letters of a country, such as ES,")
    return code


Country = Annotated[str, AfterValidator(_country)]


class Ages(Model):
    """Years, both included."""

    lowest: int = Field(alias="from", default=YOUNGEST, ge=YOUNGEST, le=OLDEST)
    highest: int = Field(alias="to", default=OLDEST, ge=YOUNGEST, le=OLDEST)

    @field_validator("highest")
    @classmethod
    def _not_below(cls, highest: int, info: ValidationInfo) -> int:
        lowest = info.data.get("lowest")
        if lowest is not None and highest < lowest:
            raise Unsuitable(f"an age of {lowest} or more")
        return highest


class Audience(Model):
    """People in some countries, narrowed down as far as is said."""

    countries: list[Country] = Field(min_length=1, max_length=MOST_LISTED)
    ages: Ages = Ages()
    genders: Literal["all", "women", "men"] = "all"
    interests: list[Digits] = Field(default_factory=list, max_length=MOST_LISTED)
    custom_audiences: list[Digits] = Field(default_factory=list, max_length=MOST_LISTED)
    advantage: bool = False

    @field_validator("countries")
    @classmethod
    def _may_be_shown_there(cls, countries: list[str], info: ValidationInfo) -> list[str]:
        account = context_of(info).account
        european = next((place for place, country in enumerate(countries) if country in EU), None)
        if european is not None and not account.dsa_beneficiary:
            raise Unsuitable(f"a country outside the EU as long as {account.tenant} has no `advertiser:` in ad_accounts.yaml,", european)
        return countries

    def targeting(self) -> dict[str, JsonValue]:
        """As Meta wants it in an ad set, without placements."""
        interests: list[JsonValue] = [{"id": one} for one in self.interests]
        custom: list[JsonValue] = [{"id": one} for one in self.custom_audiences]
        return {
            "geo_locations": {"countries": [*self.countries]},
            "age_min": self.ages.lowest,
            "age_max": self.ages.highest,
            **({"genders": _GENDERS[self.genders]} if self.genders in _GENDERS else {}),
            **({"flexible_spec": [{"interests": interests}]} if interests else {}),
            **({"custom_audiences": custom} if custom else {}),
            "targeting_automation": {"advantage_audience": int(self.advantage)},
        }
