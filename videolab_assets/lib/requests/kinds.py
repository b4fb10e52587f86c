"""Which files of the inbox are requests, and what follows each."""

from dataclasses import dataclass
from typing import Literal

Job = Literal["create_campaign", "activate_campaign", "stop_campaigns", "record_publication", "approve_rules"]
Asset = Literal["meta_campaign", "publications", "platform_rules"]


@dataclass(frozen=True)
class RequestKind:
    """One kind of request.

    Attributes:
        ending: how its name in the inbox ends, in lower case.
        job: does what it asks for.
        asset: where the UI shows why one was refused.
    """

    ending: str
    job: Job
    asset: Asset


CAMPAIGN = RequestKind(".campaign.yaml", "create_campaign", "meta_campaign")
ACTIVATION = RequestKind(".activation.yaml", "activate_campaign", "meta_campaign")
STOP = RequestKind(".stop.yaml", "stop_campaigns", "meta_campaign")
PUBLICATION = RequestKind(".publication.yaml", "record_publication", "publications")
APPROVAL = RequestKind(".approval.yaml", "approve_rules", "platform_rules")
KINDS = (CAMPAIGN, ACTIVATION, STOP, PUBLICATION, APPROVAL)

LONGEST_REQUEST = 64 * 1024
"""Bytes of any request."""


def request_kind_of(name: str) -> RequestKind | None:
    """The kind of request that a file of that name is; None for everything else in the inbox."""
    return next((kind for kind in KINDS if name.lower().endswith(kind.ending)), None)
