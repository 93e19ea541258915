"""The options of `transit` on the command line."""

import argparse

from commands import lines


def add_transit(parser: argparse.ArgumentParser) -> None:
    """`transit tariff check FOLDER`."""
    parser.description = "metro and buses: the data files of their fares"
    parts = parser.add_subparsers(title="parts", metavar="<part>", required=True)
    _add_tariff(parts.add_parser("tariff", help="what a ride costs, from which day on"))


def _add_tariff(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    checking = actions.add_parser("check", help="whether the files of a folder fit together")
    checking.add_argument("folder", metavar="FOLDER", help="a folder of files like those of demo/transit")
    checking.set_defaults(command=lambda _settings, _assemble, given: lines.check(given.folder))
