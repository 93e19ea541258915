"""The command line: which command, with which options."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

from commands import (
    catalogue,
    check,
    issue,
    menu,
    messages,
    migrate,
    ring,
    run,
    schedule,
    serve,
    simulate,
    work,
)
from commands.community_line import add_community
from commands.fleet import MOST, Member
from commands.gateway import Assemble
from commands.outbox_line import add_outbox
from commands.payments_line import add_payments
from commands.privacy_line import add_privacy
from commands.staff_line import add_staff
from commands.transit_line import add_transit
from settings import Settings

Command = Callable[[Settings, Assemble], int]
_PLAIN: tuple[tuple[str, Command, str], ...] = (
    ("run", run.run, "everything on this machine: gateway, stores, demo city and a phone"),
    ("work", work.work, "sends notices and reminders; as many of them as you like, on any machine"),
    ("schedule", schedule.schedule, "keeps the time: reminders that are due, new days, what is over"),
    ("migrate", migrate.migrate, "bring the database's schema up to date"),
    ("check", check.check, "look whether everything the gateway needs is there"),
)


def parse(arguments: Sequence[str]) -> Command:
    """Choose the command; an unknown one prints the usage and exits with 2."""
    parser = argparse.ArgumentParser(
        prog="bianmin", description="便民 Bianmin: a messaging gateway for a city's WeChat official accounts"
    )
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)

    for name, command, does in _PLAIN:
        plain = commands.add_parser(name, help=does, description=does)
        plain.set_defaults(command=partial(_without_options, command))
    add_serve(commands.add_parser("serve", help="the gateway, on stores of your own"))
    add_issue(commands.add_parser("issue", help="signs ride codes for the gateway, which never sees the key"))
    simulating = commands.add_parser("simulate", help="only the stand-in for WeChat, with its phone")
    simulating.add_argument(
        "--webhook", metavar="URL", default="", help="where to push (default: the gateway)"
    )
    simulating.set_defaults(
        command=lambda settings, _assemble, given: simulate.simulate(settings, given.webhook)
    )
    add_messages(commands.add_parser("messages", help="what citizens left for the human desk"))
    add_keys(commands.add_parser("keys", help="the key ring of a database of your own"))
    add_catalogue(commands.add_parser("catalogue", help="the hospitals of your city, out of data files"))
    add_outbox(commands.add_parser("outbox", help="what we send ourselves: how it stands, notices to many"))
    add_payments(
        commands.add_parser("payments", help="what is owed, what was given up, and what needs a person")
    )
    add_privacy(
        commands.add_parser("privacy", help="what is kept of citizens and how long, and what they asked for")
    )
    add_menu(commands.add_parser("menu", help="the menu under the chat of each official account"))
    add_staff(commands.add_parser("staff", help="who may come into the console, and what was done there"))
    add_transit(commands.add_parser("transit", help="metro and buses: their gates, data files and riders"))
    add_community(commands.add_parser("community", help="where people live, out of sheets"))
    given = parser.parse_args(arguments)
    return lambda settings, assemble: int(given.command(settings, assemble, given))


def _without_options(command: Command, settings: Settings, assemble: Assemble, _given: object) -> int:
    return command(settings, assemble)


def add_serve(parser: argparse.ArgumentParser) -> None:
    """`serve`, in one process or in several; `--member` is how one of several is told which it is."""
    parser.description = "the gateway, on stores of your own"
    parser.add_argument(
        "--processes",
        metavar="N",
        type=_count,
        default=1,
        help=f"answer in so many processes, 1 to {MOST} (1)",
    )
    parser.add_argument("--member", type=Member.parse, help=argparse.SUPPRESS)
    parser.set_defaults(
        command=lambda settings, assemble, given: serve.serve(
            settings, assemble, processes=given.processes, member=given.member
        )
    )


def add_issue(parser: argparse.ArgumentParser) -> None:
    """`issue`, and what is done to its keys while it goes on."""
    parser.description = "signs ride codes for the gateway, which never sees the key"
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--create", action="store_true", help="make the key file")
    doing.add_argument("--rotate", action="store_true", help="add a key that signs after two days")
    doing.add_argument("--revoke", metavar="NUMBER", type=int, help="forget a key that does not sign")
    parser.add_argument("--at-once", action="store_true", help="with --rotate: the new key signs now")
    parser.add_argument("--member", type=Member.parse, help=argparse.SUPPRESS)
    parser.set_defaults(command=_issue)


def _issue(settings: Settings, _assemble: Assemble, given: argparse.Namespace) -> int:
    if given.create:
        return issue.create(settings)
    if given.rotate:
        return issue.rotate(settings, at_once=given.at_once)
    if given.revoke is not None:
        return issue.revoke(settings, given.revoke)
    return issue.issue(settings, given.member)


def _count(given: str) -> int:
    if not (given.isdecimal() and 1 <= int(given) <= MOST):
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number from 1 to {MOST}")
    return int(given)


def add_messages(parser: argparse.ArgumentParser) -> None:
    """`messages list|show|close`."""
    parser.description = "what citizens left for the human desk"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    listing = actions.add_parser("list", help="those that wait, oldest first")
    listing.add_argument("--after", metavar="ID", default="", help="go on after this message")
    listing.add_argument(
        "--limit", metavar="N", type=int, default=messages.USUAL, help="at most so many (20)"
    )
    listing.add_argument("--all", action="store_true", help="those that were closed too")
    listing.set_defaults(
        command=lambda settings, _assemble, given: messages.listing(
            settings, given.after, given.limit, given.all
        )
    )
    showing = actions.add_parser("show", help="one in full")
    showing.add_argument("id")
    showing.set_defaults(command=lambda settings, _assemble, given: messages.show(settings, given.id))
    closing = actions.add_parser("close", help="mark one as dealt with")
    closing.add_argument("id")
    closing.add_argument("--by", metavar="NAME", default="", help="who dealt with it (default: your login)")
    closing.set_defaults(
        command=lambda settings, _assemble, given: messages.close(settings, given.id, given.by)
    )


def add_keys(parser: argparse.ArgumentParser) -> None:
    """`keys create|rotate`."""
    parser.description = "the key ring under which everything personal is sealed"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    creating = actions.add_parser("create", help="make a ring for a new database")
    creating.set_defaults(command=lambda settings, _assemble, _given: ring.create(settings))
    rotating = actions.add_parser("rotate", help="add a key and seal with it from now on")
    rotating.set_defaults(command=lambda settings, _assemble, _given: ring.rotate(settings))


def add_catalogue(parser: argparse.ArgumentParser) -> None:
    """`catalogue load FOLDER`."""
    parser.description = "the hospitals of your city, out of data files"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    loading = actions.add_parser("load", help="put a folder of files like those of demo/ into the database")
    loading.add_argument("folder", metavar="FOLDER")
    loading.set_defaults(command=lambda settings, _assemble, given: catalogue.load(settings, given.folder))


def add_menu(parser: argparse.ArgumentParser) -> None:
    """`menu sync`."""
    parser.description = "the menu under the chat of each official account"
    actions = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    syncing = actions.add_parser(
        "sync", help="make each menu at WeChat what its bot has, and show what changes"
    )
    syncing.add_argument("--dry", action="store_true", help="only show what would change")
    syncing.set_defaults(command=lambda settings, _assemble, given: menu.sync(settings, dry=given.dry))
