"""The options of `outbox` on the command line."""

import argparse
from collections.abc import Callable
from functools import partial

from commands import announce, outbox, outbox_jobs
from settings import Settings

_Given = argparse.Namespace
_DIGITS = 18  # more than the database will ever have counted, and no more than it can
_CHANGES = {
    "stop": "let a job rest; what is under way arrives",
    "continue": "go on with a job that was stopped",
    "cancel": "end a job for good",
}


def add_outbox(parser: argparse.ArgumentParser) -> None:
    """`outbox status|jobs|job|stop|continue|cancel|unknown|announce`."""
    parser.description = "what we send ourselves: how it stands, notices to many"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    status = actions.add_parser("status", help="what waits, and how far each job is; live at a terminal")
    status.add_argument("--once", action="store_true", help="print it once")
    _runs(status, lambda settings, given: outbox.status(settings, once=given.once))
    listing = actions.add_parser("jobs", help="notices to many, the latest first")
    _pages(listing)
    _runs(listing, lambda settings, given: outbox_jobs.listing(settings, given.before, given.limit))
    showing = actions.add_parser("job", help="how far one job is")
    showing.add_argument("number", type=number)
    _runs(showing, lambda settings, given: outbox_jobs.show(settings, given.number))
    for what, does in _CHANGES.items():
        changing = actions.add_parser(what, help=does)
        changing.add_argument("number", type=number)
        changing.add_argument("--yes", action="store_true", help="do not ask")
        _runs(changing, partial(_change, what))
    doubtful = actions.add_parser("unknown", help="messages of which nobody knows whether they arrived")
    _pages(doubtful)
    _runs(doubtful, lambda settings, given: outbox_jobs.unknown(settings, given.before, given.limit))
    _add_announce(actions.add_parser("announce", help="tell all followers of an account something"))


def _add_announce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="a file of templates/notices, without .toml")
    parser.add_argument("--account", metavar="NAME", default="city", help="the official account (city)")
    parser.add_argument("--facts", metavar="FILE", required=True, help="what the notice says, a TOML file")
    parser.add_argument("--dry", action="store_true", help="only show what would be sent")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    _runs(
        parser,
        lambda settings, given: announce.announce(
            settings, given.kind, given.account, given.facts, sure=given.yes, dry=given.dry
        ),
    )


def _change(what: str, settings: Settings, given: _Given) -> int:
    return outbox_jobs.change(settings, given.number, what, sure=given.yes)


def number(given: str) -> int:
    """Read a number the database may have given."""
    if not (given.isascii() and given.isdecimal() and len(given) <= _DIGITS):
        raise argparse.ArgumentTypeError(f"{given!r} is not the number of a job or message")
    return int(given)


def _pages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--before", metavar="N", type=number, default=None, help="those before this number")
    usual = outbox_jobs.USUAL
    parser.add_argument("--limit", metavar="N", type=int, default=usual, help=f"at most so many ({usual})")


def _runs(parser: argparse.ArgumentParser, command: Callable[[Settings, _Given], int]) -> None:
    parser.set_defaults(command=lambda settings, _assemble, given: command(settings, given))
