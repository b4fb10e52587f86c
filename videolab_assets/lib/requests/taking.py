"""What each kind of request is checked for, and what its run is told.

Everything that can be known here is checked before any run starts, so that a mistake has its line and its reason within a look or two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.ordering import order
from videolab_assets.lib.campaigns.request import read_activation, read_stop
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.learning.approval import read_approval
from videolab_assets.lib.learning.performance import performance_in
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import accounts_of
from videolab_assets.lib.publications import read_publication, variant_exists
from videolab_assets.lib.requests.desk import Request, Taken
from videolab_assets.lib.requests.kinds import ACTIVATION, APPROVAL, CAMPAIGN, PUBLICATION, STOP, RequestKind
from videolab_assets.lib.store import Store


@dataclass(frozen=True)
class Clerk:
    """Takes requests.

    Attributes:
        now: epoch seconds.
    """

    store: Store
    database: Database
    now: float

    def take(self, request: Request, data: bytes) -> Taken:
        """What the request asks for.

        Raises:
            PermanentError: it cannot be followed; the sentence names the line and the reason.
        """
        takers: dict[RequestKind, Callable[[Request, bytes], Taken]] = {
            CAMPAIGN: self._campaign,
            ACTIVATION: self._activation,
            STOP: self._stop,
            PUBLICATION: self._publication,
            APPROVAL: self._approval,
        }
        return takers[request.kind](request, data)

    def _campaign(self, request: Request, data: bytes) -> Taken:
        try:
            accounts_of(self.store)
        except PermanentError as error:  # not the fault of whoever orders a campaign
            raise TransientError(error.sentence, error.detail) from error
        moment = datetime.fromtimestamp(self.now, UTC)
        return Taken(order(self.store, data, request.tenant, f"{request.name}.yaml", moment, performance_in(self.store)))

    def _activation(self, request: Request, data: bytes) -> Taken:
        activation = read_activation(data, request.tenant)
        if Ledger(self.database).plan(activation.campaign) is None:
            raise PermanentError(f"There is no campaign {activation.campaign}: copy its key from the UI, where it is a partition.")
        return Taken(config=activation.model_dump(mode="json"))

    def _stop(self, request: Request, data: bytes) -> Taken:
        """A stop holds from the moment in which it is read; its run then pauses what is at Meta."""
        asked = read_stop(data, request.tenant)
        if not asked.resume:
            Ledger(self.database).stops.stop(request.tenant, asked.reason, asked.campaign or "")
        return Taken(config={"tenant": request.tenant, **asked.model_dump(mode="json", exclude_none=True)})

    def _publication(self, request: Request, data: bytes) -> Taken:
        library = Library(self.store)
        asked = read_publication(data, request.tenant, lambda *clip: variant_exists(library, *clip), self.now)
        return Taken(config=asked.model_dump(mode="json"))

    def _approval(self, _: Request, data: bytes) -> Taken:
        return Taken(config=read_approval(data).model_dump(mode="json"))
