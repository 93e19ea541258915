"""The options of `staff` on the command line."""

import argparse
from collections.abc import Callable

from commands import staff
from commands.outbox_line import number
from services.staff.model import Role
from settings import Settings

_Given = argparse.Namespace


def add_staff(parser: argparse.ArgumentParser) -> None:
    """`staff add|list|work|password|disable|enable|audit`."""
    parser.description = "who may come into the console, and what was done there"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    adding = _named(actions.add_parser("add", help="take somebody on"))
    _work(adding)
    _generate(adding)
    _runs(adding, lambda settings, it: staff.add(settings, it.name, it.role, it.scope, generate=it.generate))
    listing = actions.add_parser("list", help="everybody, by their names")
    listing.add_argument("--after", metavar="NAME", default="", help="go on after this name")
    _limit(listing)
    _runs(listing, lambda settings, it: staff.listing(settings, it.after, it.limit))
    working = _named(actions.add_parser("work", help="give somebody other roles and scopes"))
    _work(working)
    _runs(working, lambda settings, it: staff.work_of(settings, it.name, it.role, it.scope))
    password = _named(actions.add_parser("password", help="give somebody another password"))
    _generate(password)
    _runs(password, lambda settings, it: staff.password(settings, it.name, generate=it.generate))
    disabling = _named(actions.add_parser("disable", help="shut somebody out, at once"))
    _runs(disabling, lambda settings, it: staff.disable(settings, it.name))
    enabling = _named(actions.add_parser("enable", help="let somebody in again"))
    _runs(enabling, lambda settings, it: staff.enable(settings, it.name))
    auditing = actions.add_parser("audit", help="what was done, the latest first")
    auditing.add_argument("--who", metavar="NAME", default="", help="by this member only")
    auditing.add_argument("--before", metavar="N", type=number, default=None, help="before this number")
    _limit(auditing)
    _runs(auditing, lambda settings, it: staff.audit(settings, it.who, it.before, it.limit))


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("name", metavar="NAME", help="what they log in with")
    return parser


def _work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        metavar="ROLE",
        action="append",
        default=[],
        help=f"{', '.join(Role)}; may be given again",
    )
    parser.add_argument(
        "--scope",
        metavar="SCOPE",
        action="append",
        default=[],
        help="a place or institution, such as hospital:zhongnan; may be given again",
    )


def _generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--generate", action="store_true", help="make a password and show it once, instead of asking for one"
    )


def _limit(parser: argparse.ArgumentParser) -> None:
    usual = staff.USUAL
    parser.add_argument("--limit", metavar="N", type=int, default=usual, help=f"at most so many ({usual})")


def _runs(parser: argparse.ArgumentParser, command: Callable[[Settings, _Given], int]) -> None:
    parser.set_defaults(command=lambda settings, _assemble, given: command(settings, given))
