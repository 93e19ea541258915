"""The options of `payments`."""

import argparse

from commands import payments
from commands.decided import Decided
from services.payments.listing import Which

_LISTS = {
    Which.OPEN: "what is owed, and not paid so far",
    Which.FAILED: "of these, what failed and is tried again",
    Which.STAFF: "what was given up: nobody but a person will see to it",
    Which.REFUNDS: "refunds that are not done",
    Which.STRAYS: "what WeChat Pay told that fits nothing of ours",
}


def add_payments(parser: argparse.ArgumentParser) -> None:
    """`payments open|failed|staff|refunds|strays`, `payments again ID --reason WHY`."""
    kinds = parser.add_subparsers(required=True, metavar="LIST")
    for which, about in _LISTS.items():
        listing = kinds.add_parser(which.value, help=about)
        listing.add_argument("--after", metavar="ID", default="", help="go on after this line")
        listing.add_argument(
            "--limit", metavar="N", type=int, default=payments.USUAL, help="at most so many (20)"
        )
        listing.set_defaults(
            which=which.value,
            command=lambda settings, _assemble, given: payments.listing(
                settings, given.which, given.after, given.limit
            ),
        )
    again = kinds.add_parser("again", help="ask anew for a debt of `staff`, or for a refund that failed")
    again.add_argument("name", metavar="ID", help="as the lists show it")
    again.add_argument("--by", metavar="NAME", default="", help="who decided it (whoever is logged in)")
    again.add_argument("--reason", metavar="WHY", required=True, help="for the audit")
    again.set_defaults(
        command=lambda settings, _assemble, given: payments.again(
            settings, Decided(given.name, given.by, given.reason)
        )
    )
