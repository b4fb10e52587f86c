"""`python -m videolab_assets_tests.graph_server`: the server on its own, until it is interrupted."""

import argparse
import os
import sys
import threading
from datetime import timedelta

from .catalogue import FAULTS
from .reports import local_today
from .server import TOKEN, GraphServer


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m videolab_assets_tests.graph_server", description="Meta's Marketing API, on this machine."
    )
    parser.add_argument("--port", type=int, default=8080, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed-demo", action="store_true", help="accounts in three time zones, with 28 days of insights in the first")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[@PATTERN]", help="fail once with this fault; may be repeated")
    parser.add_argument("--list-faults", action="store_true", help="show every fault, and end")
    arguments = parser.parse_args()
    if arguments.list_faults:
        sys.stdout.write("".join(f"{fault.name:22}{fault.sentence}\n" for fault in FAULTS.values()))
        return
    server = GraphServer(os.environ.get("GRAPH_SERVER_TOKEN", TOKEN), arguments.port)
    if arguments.seed_demo:
        seed_demo(server)
    for wanted in arguments.fault:
        name, _, pattern = wanted.partition("@")
        server.fault(name, pattern or None)
    sys.stdout.write(f"{server.endpoint} answers to the token {server.token}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.close()


def seed_demo(server: GraphServer) -> None:
    """Accounts to look at: act_1001 (Madrid, with ads and numbers), act_1002 (Honolulu) and act_1003 (Kiritimati)."""
    account = server.add_account("act_1001", "EUR", "Europe/Madrid", business="2001", page="3001", instagram="4001", name="Demo")
    server.add_account("act_1002", "USD", "Pacific/Honolulu", business="2001", page="3001")
    server.add_account("act_1003", "JPY", "Pacific/Kiritimati", business="2001", page="3001")
    first = local_today(server.world, account) - timedelta(days=28)
    account.insights.generate(ads=12, campaigns=2, first=first, days=28)


if __name__ == "__main__":
    main()
