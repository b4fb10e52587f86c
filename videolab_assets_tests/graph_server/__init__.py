"""A Graph server on this machine that behaves as Meta's Marketing API does, and fails on request. See README.md beside this file."""

from .catalogue import FAULTS
from .faults import Fault
from .limits import Leak, Limits
from .request import Received
from .server import TOKEN, GraphServer, graph_server
from .state import Account, ManualClock

__all__ = ["FAULTS", "TOKEN", "Account", "Fault", "GraphServer", "Leak", "Limits", "ManualClock", "Received", "graph_server"]
