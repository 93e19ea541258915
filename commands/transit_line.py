"""The options of `transit` on the command line."""

import argparse
from collections.abc import Callable

from commands import lines, repeated, riders, take_in, transit, unsettled
from commands.decided import Decided
from commands.outbox_line import number
from commands.transit import Asked
from settings import Settings

_Given = argparse.Namespace


def add_transit(parser: argparse.ArgumentParser) -> None:
    """`transit device …`, `quarantine`, `unsettled`, `tariff check`, `account`, `suspend`, `restore`."""
    parser.description = (
        "metro and buses: their gates, what nobody believes of them, their data files, and who may ride"
    )
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    devices = actions.add_parser("device", help="which gates are heard")
    _add_device(devices)
    aside = actions.add_parser("quarantine", help="taps that were kept aside, the latest first")
    aside.add_argument("--before", metavar="N", type=number, default=None, help="before this number")
    aside.add_argument("--device", metavar="NAME", default="", help="of this gate only")
    _limit(aside)
    _runs(aside, lambda settings, it: transit.quarantine(settings, it.before, it.limit, it.device))
    taking = actions.add_parser("take-in", help="let a tap count that was kept aside")
    taking.add_argument("number", metavar="NUMBER", type=number, help="as `quarantine` shows it")
    taking.add_argument("--reason", metavar="WORDS", required=True, help="why; it is kept with the tap")
    taking.add_argument("--by", metavar="NAME", default="", help="who decided it (default: your login)")
    _runs(taking, lambda settings, it: take_in.take_in(settings, it.number, it.by, it.reason))
    failed = actions.add_parser("unsettled", help="days of riders that could not be priced so far")
    failed.add_argument("--after", metavar="ACCOUNT/DAY", default="", help="go on after this one")
    _limit(failed)
    _runs(failed, lambda settings, it: unsettled.listing(settings, it.after, it.limit))
    crowds = actions.add_parser("repeated", help="codes of one phone that let several people in")
    crowds.add_argument("--days", metavar="N", type=number, default=7, help="so many days back (7)")
    crowds.add_argument("--before", metavar="N", type=number, default=None, help="before this number")
    _limit(crowds)
    _runs(crowds, lambda settings, it: repeated.listing(settings, it.days, it.before, it.limit))
    _add_tariff(actions.add_parser("tariff", help="what a ride costs, from which day on"))
    looking = _who(actions.add_parser("account", help="how somebody's account stands, and its last steps"))
    _runs(looking, lambda settings, it: riders.look(settings, it.name))
    _decides(actions.add_parser("suspend", help="let somebody ride no more, until restored"), riders.suspend)
    _decides(actions.add_parser("restore", help="take a suspension back; debts stay"), riders.restore)


def _who(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("name", metavar="NAME", help="of an account (t_…) or of its citizen (c_…)")
    return parser


def _decides(parser: argparse.ArgumentParser, command: Callable[[Settings, Decided], int]) -> None:
    _who(parser)
    parser.add_argument("--reason", metavar="WORDS", required=True, help="why; it is kept with the step")
    parser.add_argument("--by", metavar="NAME", default="", help="who decided it (default: your login)")
    _runs(parser, lambda settings, it: command(settings, Decided(it.name, it.by, it.reason)))


def _add_tariff(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    checking = actions.add_parser("check", help="whether the files of a folder fit together")
    checking.add_argument("folder", metavar="FOLDER", help="a folder of files like those of demo/transit")
    _runs(checking, lambda _settings, it: lines.check(it.folder))


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.description = "which gates are heard"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    adding = _named(actions.add_parser("add", help="register a gate"))
    adding.add_argument("--key", metavar="KEY", required=True, help="what `python -m gate key` printed")
    adding.add_argument("--line", metavar="LINE", required=True, help="its metro or bus line")
    place = adding.add_mutually_exclusive_group(required=True)
    place.add_argument("--station", metavar="STATION", default="", help="where it stands")
    place.add_argument("--vehicle", metavar="VEHICLE", default="", help="in which it rides")
    adding.add_argument(
        "--network", metavar="FOLDER", default="", help="of network.toml (that of the settings)"
    )
    _runs(
        adding,
        lambda settings, it: transit.add(
            settings, Asked(it.name, it.key, it.line, it.station, it.vehicle, it.network)
        ),
    )
    listing = actions.add_parser("list", help="all gates, by their names")
    listing.add_argument("--after", metavar="NAME", default="", help="go on after this name")
    _limit(listing)
    _runs(listing, lambda settings, it: transit.listing(settings, it.after, it.limit))
    revoking = _named(actions.add_parser("revoke", help="hear nothing more of a gate, for good"))
    _runs(revoking, lambda settings, it: transit.revoke(settings, it.name))


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("name", metavar="NAME", help="the gate's name")
    return parser


def _limit(parser: argparse.ArgumentParser) -> None:
    usual = transit.USUAL
    parser.add_argument("--limit", metavar="N", type=int, default=usual, help=f"at most so many ({usual})")


def _runs(parser: argparse.ArgumentParser, command: Callable[[Settings, _Given], int]) -> None:
    parser.set_defaults(command=lambda settings, _assemble, given: command(settings, given))
