"""The options of `privacy` on the command line."""

import argparse

from commands import privacy


def add_privacy(parser: argparse.ArgumentParser) -> None:
    """`privacy show|requests|close|receipt`."""
    parser.description = "what is kept of citizens and how long, and what they asked for"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    showing = actions.add_parser("show", help="each table: what for, how long, what the last purge did")
    showing.set_defaults(command=lambda settings, _assemble, _given: privacy.show(settings))
    listing = actions.add_parser("requests", help="what citizens want put right, the most urgent first")
    listing.set_defaults(command=lambda settings, _assemble, _given: privacy.requests(settings))
    closing = actions.add_parser("close", help="answer a request; its citizen is told")
    closing.add_argument("number")
    closing.add_argument("--by", metavar="NAME", default="", help="who answered it (default: your login)")
    closing.add_argument("--refused", metavar="REASON", default="", help="why it was not done")
    closing.set_defaults(
        command=lambda settings, _assemble, given: privacy.close(
            settings, given.number, given.by, given.refused
        )
    )
    looking = actions.add_parser("receipt", help="what a deletion receipt says, and what its hash is over")
    looking.add_argument("number")
    looking.set_defaults(command=lambda settings, _assemble, given: privacy.receipt(settings, given.number))
