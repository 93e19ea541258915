"""`issue`: it signs for the gateway, within its limits, and nobody else reads its keys."""

import ast
import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from clients.issuer import SocketIssuer
from commands import issue, issuer_keys
from commands.issuing import Attendant, Issuing, Limits
from core.clock import ManualClock
from core.errors import BootError
from gate.code import IssuerKey, Reason, Refused, check_issuer, device_code, device_signer, read, verify
from services.transit.issuer import IssuerGone
from settings import Issuer, Settings, Stores
from tests.commands.conftest import Own, Tell
from tests.support.program import ROOT
from tests.support.ride_codes import GRANT, NONCE, PHONE, PICTURE, Knowledge
from tests.support.talk import words_of


@dataclass
class Signing:
    """An issuer at its socket, and the gateway's way to it."""

    keys: Path
    socket: Path
    clock: ManualClock
    users: set[int]
    stack: AsyncExitStack
    connections: int = 0

    async def start(self) -> None:
        self.stack = AsyncExitStack()
        opened = self.stack.enter_context(issue.listening(self.socket, strangers=False))
        attendant = Attendant(Issuing(self.keys, Limits(cap_fen=5000), self.clock), self.users)

        async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            await attendant.attend(reader, writer)

        server = await asyncio.start_unix_server(attend, sock=opened)
        self.stack.push_async_callback(attendant.end)
        self.stack.callback(server.close)

    async def stop(self) -> None:
        await self.stack.aclose()

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    async def trust(self, issuer: SocketIssuer) -> dict[int, IssuerKey]:
        """What a gate would learn."""
        return {
            kid: IssuerKey(Ed25519PublicKey.from_public_bytes(key))
            for kid, key in (await issuer.public_keys()).items()
        }


@pytest.fixture
async def signing(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Signing]:
    issuer_keys.create(tmp_path / "issuer")
    with ExitStack() as short:
        folder = os.open(tmp_path, os.O_RDONLY)
        short.callback(os.close, folder)
        place = Path(
            f"/proc/self/fd/{folder}/issuer.sock"
        )  # a socket's name has a hundred characters at most
        at_work = Signing(tmp_path / "issuer", place, clock, {os.geteuid()}, AsyncExitStack())
        await at_work.start()
        yield at_work
        await at_work.stop()


@pytest.fixture
async def issuer(signing: Signing) -> AsyncIterator[SocketIssuer]:
    way = SocketIssuer(signing.socket, timeout_s=1)
    yield way
    await way.close()


def asked(signing: Signing, **changes: Any) -> Any:
    return replace(GRANT, kid=0, expires_at=signing.now + 900, **changes)


async def test_the_gateway_has_a_grant_signed_and_a_gate_believes_it(
    signing: Signing, issuer: SocketIssuer
) -> None:
    signed = await issuer.grant(asked(signing))
    code = device_code(signed, signing.now, NONCE, device_signer(PHONE))
    knows = Knowledge(await signing.trust(issuer))
    assert verify(code, knows.grounds, signing.now).kid in knows.trust
    knows.trust = {kid: replace(Knowledge().trust[7]) for kid in knows.trust}
    with pytest.raises(Refused) as told:
        verify(code, knows.grounds, signing.now)
    assert told.value.reason == Reason.FORGED_ISSUER, "control: under another key"


async def test_a_picture_for_the_chat_is_signed(signing: Signing, issuer: SocketIssuer) -> None:
    signed = await issuer.code(replace(PICTURE, gen_time=signing.now))
    assert verify(signed, Knowledge(await signing.trust(issuer)).grounds, signing.now).ttl_s == 120
    assert signing.connections == 1, "questions share a connection"


async def test_on_a_day_without_fares_nobody_got_a_code(signing: Signing, issuer: SocketIssuer) -> None:
    signed = await issuer.code(replace(PICTURE, gen_time=signing.now, cap_fen=0))
    assert verify(signed, Knowledge(await signing.trust(issuer)).grounds, signing.now).cap_fen == 0


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"cap_fen": 5001}, "beyond"),
        ({"type": 4}, "no such type"),
        ({"ttl_s": 61}, "longer than it may"),
        ({"user_key": bytes(33)}, "compressed"),
        ({"acct_ref": b"short"}, "5 bytes"),
        ({"custom": bytes(33)}, "more than 32"),
    ],
)
async def test_what_is_beyond_its_limits_is_signed_for_nobody(
    signing: Signing, issuer: SocketIssuer, wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await issuer.grant(asked(signing, **wrong))
    assert await issuer.grant(asked(signing)), "and it goes on"


@pytest.mark.parametrize("seconds", [0, -1, 911])
async def test_a_grant_lasts_fifteen_minutes_at_most(
    signing: Signing, issuer: SocketIssuer, seconds: int
) -> None:
    with pytest.raises(ValueError, match="15 minutes"):
        await issuer.grant(replace(asked(signing), expires_at=signing.now + seconds))


@pytest.mark.parametrize("wrong", [{"ttl_s": 301}, {"ttl_s": 0}])
async def test_a_picture_is_made_now_and_for_minutes(
    signing: Signing, issuer: SocketIssuer, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="longer than it may"):
        await issuer.code(replace(PICTURE, gen_time=signing.now, **wrong))
    with pytest.raises(ValueError, match="made now"):
        await issuer.code(replace(PICTURE, gen_time=signing.now + 11))


async def test_another_users_program_is_not_answered(signing: Signing, issuer: SocketIssuer) -> None:
    assert await issuer.public_keys(), "control: ours is"
    await signing.stop()
    signing.users = {os.geteuid() + 1}
    await signing.start()
    with pytest.raises(IssuerGone):
        await SocketIssuer(signing.socket, timeout_s=1).public_keys()


async def test_the_issuer_was_started_anew_and_nobody_noticed(signing: Signing, issuer: SocketIssuer) -> None:
    await issuer.grant(asked(signing))
    await signing.stop()
    with pytest.raises(IssuerGone):
        await issuer.grant(asked(signing))
    await signing.start()
    assert await issuer.grant(asked(signing))
    await signing.stop()
    await signing.start()
    assert await issuer.grant(asked(signing)), "on a connection that was cut meanwhile"


async def test_an_issuer_that_hangs_is_gone_in_time(tmp_path: Path) -> None:
    hanging = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hanging.wait()
        writer.close()

    server = await asyncio.start_unix_server(say_nothing, tmp_path / "s")
    way = SocketIssuer(tmp_path / "s", timeout_s=0.05)
    with pytest.raises(IssuerGone):
        await way.public_keys()
    with pytest.raises(BootError, match="没有应答"):
        await way.told()
    hanging.set()
    server.close()


async def test_many_ask_at_once_and_each_gets_its_own(signing: Signing, issuer: SocketIssuer) -> None:
    refs = [number.to_bytes(16) for number in range(40)]
    signed = await asyncio.gather(*(issuer.grant(asked(signing, acct_ref=ref)) for ref in refs))
    codes = [read(device_code(each, signing.now, NONCE, device_signer(PHONE))) for each in signed]
    assert [code.acct_ref for code in codes] == refs


@pytest.mark.parametrize(
    "said", [b"\xff\xff", b"\x00\x02{}", b"\x00\x05hello", b"\x00", b'\x00\x0f{"is":"nope1"}']
)
async def test_garbage_ends_its_connection_and_no_other(
    signing: Signing, issuer: SocketIssuer, said: bytes
) -> None:
    await issuer.public_keys()
    reader, writer = await asyncio.open_unix_connection(signing.socket)
    writer.write(said)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await issuer.public_keys()
    assert signing.connections == 2


async def test_a_new_key_is_told_two_days_before_it_signs(signing: Signing, issuer: SocketIssuer) -> None:
    (old,) = await issuer.public_keys()
    new = issuer_keys.rotate(signing.keys, signing.now, issue.LEAD_S)
    assert set(await issuer.public_keys()) == {old, new}, "without a restart"
    assert "新密钥待启用" in await issuer.told()

    async def signs() -> int:
        picture = read(await issuer.code(replace(PICTURE, gen_time=signing.now)))
        check_issuer(picture, await signing.trust(issuer), signing.now)
        return picture.kid

    assert await signs() == old
    signing.clock.move(timedelta(seconds=issue.LEAD_S))
    assert await signs() == new
    issuer_keys.revoke(signing.keys, old, signing.now)
    was = issuer_keys.load(signing.keys)
    assert set(await issuer.public_keys()) == {new} == {each.kid for each in was}
    (gone,) = await issuer.revoked_keys()
    assert gone == old, "so that gates hear of it, and not only miss it"


async def test_a_long_list_of_revoked_keys_would_not_fit_into_an_answer(
    signing: Signing, issuer: SocketIssuer
) -> None:
    for _ in range(30):
        (old,) = await issuer.public_keys()
        signing.clock.move(timedelta(seconds=1))
        issuer_keys.rotate(signing.keys, signing.now, 0)
        issuer_keys.revoke(signing.keys, old, signing.now)
    revoked = await issuer.revoked_keys()
    assert len(revoked) == 4
    assert old in revoked, "the latest stay"
    assert len(await issuer.public_keys()) == 1


async def test_a_key_file_that_was_spoilt_meanwhile_changes_nothing(
    signing: Signing, issuer: SocketIssuer
) -> None:
    known = await issuer.public_keys()
    signing.keys.write_text("garbage", "utf-8")
    assert await issuer.public_keys() == known
    signing.keys.unlink()
    assert await issuer.grant(asked(signing)), "the gateway does not need to read it, nor that it is there"


async def test_the_socket_is_for_its_owner_and_for_one_issuer(signing: Signing) -> None:
    assert stat.S_IMODE(signing.socket.stat().st_mode) == 0o600
    with (
        pytest.raises(BootError, match="another issuer answers"),
        issue.listening(signing.socket, strangers=False),
    ):
        pass


def test_a_socket_that_was_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    with issue.listening(place, strangers=True):
        assert stat.S_IMODE(place.stat().st_mode) == 0o666, "who asks is looked at by name"


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.chmod(0o640), "open to others"),
        (lambda path: path.write_text("format = 1\n[keys]\n", "utf-8"), "damaged"),
        (lambda path: path.write_text("format = 2\n[keys]\n", "utf-8"), "format 2"),
        (
            lambda path: path.write_text('format = 1\n[keys.1]\nseed = "AA=="\nsince = 0\n', "utf-8"),
            "damaged",
        ),
        (
            lambda path: path.write_text('format = 1\n[keys.x]\nseed = "AA=="\nsince = 0\n', "utf-8"),
            "damaged",
        ),
        (lambda path: path.write_bytes(b"\xff\xfe"), "damaged"),
        (lambda path: (path.unlink(), path.mkdir()), "not in a file"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, spoil: Spoil, why: str) -> None:
    path = tmp_path / "issuer"
    issuer_keys.create(path)
    spoil(path)
    with pytest.raises(BootError, match=why):
        issuer_keys.load(path)


def test_keys_are_made_rotated_and_revoked_at_the_terminal(own: Own, tell: Tell) -> None:
    assert "main.py issue --create" in tell(own.folder, "issue").line
    assert tell(own.folder, "issue", "--create").code == 0
    path = own.folder / "var" / "issuer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "left as they are" in tell(own.folder, "issue", "--create").line
    (first,) = issuer_keys.load(path)
    assert "48 hours" in tell(own.folder, "issue", "--rotate").out
    assert "signs now" in tell(own.folder, "issue", "--revoke", str(first.kid)).line
    assert "signs now" in tell(own.folder, "issue", "--rotate", "--at-once").out
    assert tell(own.folder, "issue", "--revoke", str(first.kid)).code == 0
    assert first.kid not in {key.kid for key in issuer_keys.load(path)}
    assert "no number 1" in tell(own.folder, "issue", "--revoke", "1").line


def test_a_citizen_hears_politely_that_no_code_can_be_made_now() -> None:
    gone = IssuerGone(why="no such file")
    assert "请稍后再试" in words_of().render(f"errors/{gone.code}", **gone.facts)
    assert "file" not in str(gone), "why is for the operator"


def test_users_who_may_ask_are_named(tmp_path: Path) -> None:
    stores = Stores(data_dir=str(tmp_path))
    assert issue.allowed(Settings(stores=stores)) == {os.geteuid()}
    assert issue.allowed(Settings(stores=stores, issuer=Issuer(users="root, nobody"))) >= {0, 65_534}
    with pytest.raises(BootError, match="no user 'nobody-at-all'"):
        issue.allowed(Settings(stores=stores, issuer=Issuer(users="nobody-at-all")))


def test_the_key_file_is_opened_by_the_issuing_process_alone() -> None:
    readers = set()
    for path in ROOT.glob("*/**/*.py"):
        if path.relative_to(ROOT).parts[0] in {"tests", ".venv", "var"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [each.name for each in node.names] if isinstance(node, ast.ImportFrom | ast.Import) else []
            )
            if "issuer_keys" in names or "commands.issuer_keys" in (getattr(node, "module", ""), *names):
                readers.add(path.name)
    assert readers == {"issue.py", "issuing.py"}


async def test_who_is_hung_up_on_at_the_end_is_no_error_in_the_log(signing: Signing) -> None:
    wrong: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, found: wrong.append(found["message"]))
    issuer = SocketIssuer(signing.socket)
    await issuer.public_keys()
    await signing.stop()
    await asyncio.sleep(0)  # so that what asyncio keeps of the connection is called back
    assert wrong == []
    await issuer.close()
    await signing.start()
