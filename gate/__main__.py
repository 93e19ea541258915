"""`python -m gate`: one ticket gate, which needs no network to say who may ride."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from gate import signing, street
from gate.code import LONGEST_TEXT, Refused
from gate.door import build
from gate.faults import GateError
from gate.gate import Gate
from gate.picture import MOST_BYTES, text_in
from gate.screen import Screen, Shown
from gate.settings import Serve, Settings, load
from gate.upload import NoServer, Uploader

_DRAIN_S = 0.5
Command = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str]) -> int:
    """Run one command: 0 when every code opened, 1 when one did not, 2 when the gate cannot work."""
    given = _parser().parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        if "folder" in given:
            return _street(given)
        command: Command = given.command
        return command(load(Path(given.config)), given)
    except (GateError, NoServer) as wrong:
        print(f"gate: {wrong}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gate", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE", default="gate.toml", help="which gate this is (gate.toml)"
    )
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)

    def add(name: str, command: Command, does: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=does, description=does)
        parser.set_defaults(command=command)
        return parser

    checking = add(
        "check", _check, "judge codes in pictures, or on standard input one a line, and open for them"
    )
    checking.add_argument("picture", nargs="*", help="PNG or JPEG")
    checking.add_argument("--only-look", action="store_true", help="open for nobody, and note nothing")
    add("serve", _serve, "a virtual gate for this machine's browser; uploads as long as it runs")
    many = commands.add_parser("street", help="several virtual gates in one program, for a demo city")
    many.add_argument("folder", help="where the settings of each lie, NAME.toml")
    many.add_argument("--port", type=int, default=Serve().port, help="where they answer (%(default)s)")
    many.add_argument("--member", default="", help=argparse.SUPPRESS)
    add("upload", _upload, "fetch the trust list, and send every tap that the server does not have")
    trusting = add("trust", _trust, "take a trust list from a file, where no network reaches")
    trusting.add_argument("file")
    add("status", _status, "what this gate holds")
    add("key", _key, "make the key with which it signs its uploads, and show what the server must know of it")
    return parser


def _check(settings: Settings, given: argparse.Namespace) -> int:
    with closing(Gate(settings)) as gate:
        screen = Screen(gate)
        all_open = True
        for name, text in _shown(given.picture, screen):
            shown = text if isinstance(text, Shown) else screen.show(text, only_look=given.only_look)
            all_open = all_open and shown.open
            why = " ".join(filter(None, (shown.reason, shown.detail)))
            print(
                f"{name}{'✓' if shown.open else '✕'} {shown.words}{f'  ({why})' if why else ''}", flush=True
            )
    return 0 if all_open else 1


def _shown(pictures: Sequence[str], screen: Screen) -> Iterator[tuple[str, str | Shown]]:
    """Each code's name and text, or at once what the screen says of it."""
    if not pictures:
        while line := sys.stdin.readline(LONGEST_TEXT * 2):
            yield "", line.rstrip("\r\n")
    for picture in pictures:
        try:
            with Path(picture).open("rb") as file:
                yield f"{picture}: ", text_in(file.read(MOST_BYTES + 1))
        except OSError as refused:
            raise GateError(f"{picture} cannot be read: {refused.strerror}") from refused
        except Refused as refused:
            yield f"{picture}: ", screen.refused(refused)


def _serve(settings: Settings, _given: argparse.Namespace) -> int:
    with closing(Gate(settings)) as gate:
        device = signing.load(settings.device, Path(settings.key)) if settings.server else None
        where = settings.serve
        told = f"{settings.place}  http://{where.host}:{where.port}/"
        _answer(build(Screen(gate), settings, device), where, lambda: print(told, flush=True))
    return 0


def _street(given: argparse.Namespace) -> int:
    where = Serve(port=given.port)
    if given.member:  # beside a program that has the terminal for itself
        quiet = structlog.make_filtering_bound_logger(logging.WARNING)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), wrapper_class=quiet)
    with street.opened(Path(given.folder)) as stands:
        _answer(street.application(stands), where, lambda: street.tell(given.member))
    return 0


def _answer(app: web.Application, where: Serve, ready: Callable[[], None]) -> None:
    """Answer until asked to end."""
    try:
        web.run_app(
            app,
            host=where.host,
            port=where.port,
            access_log=None,
            shutdown_timeout=_DRAIN_S,  # screens ask for what comes next, and wait
            print=lambda _: ready(),
        )
    except OSError as refused:
        raise GateError(f"cannot listen on {where.host}, port {where.port}: {refused.strerror}") from refused


def _upload(settings: Settings, _given: argparse.Namespace) -> int:
    async def once(gate: Gate) -> int:
        device = signing.load(settings.device, Path(settings.key))
        async with aiohttp.ClientSession() as http:
            return await Uploader(gate, device, http).once()

    with closing(Gate(settings)) as gate:
        sent = asyncio.run(once(gate))
        waiting = len(gate.journal.pending())
        print(f"the server has {sent} more taps; {waiting} wait")
    return 0 if waiting == 0 else 1


def _trust(settings: Settings, given: argparse.Namespace) -> int:
    with closing(Gate(settings)) as gate:
        try:
            taken = gate.take_trust(Path(given.file).read_bytes())
        except OSError as refused:
            raise GateError(f"{given.file} cannot be read: {refused.strerror}") from refused
        if not taken:
            raise GateError(f"{given.file} is older than the list in use, which stays")
    return 0


def _status(settings: Settings, _given: argparse.Namespace) -> int:
    with closing(Gate(settings)) as gate:
        trust = gate.trust
        age = (gate.clock.unchecked_ms() - trust.as_of_ms) / 3_600_000
        print(f"{settings.place} ({settings.device}), way {settings.way}")
        print(f"taps the server does not have: {len(gate.journal.pending())}")
        print(
            f"issuer keys: {len(trust.issuers)}"
            + (f", as of {age:.1f} h ago" if trust.as_of_ms else ", never fetched")
        )
    return 0


def _key(settings: Settings, _given: argparse.Namespace) -> int:
    print(signing.create(settings.device, Path(settings.key)).public)
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
