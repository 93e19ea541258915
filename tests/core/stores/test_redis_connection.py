"""How the hot path reaches a server: TCP, TLS, silence, absence, and a server that comes back."""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import BootError, StoreGoneError
from core.stores.embedded import binaries
from core.stores.embedded.folder import DataFolder
from core.stores.embedded.valkey import ValkeyServer
from core.stores.redis import Redis, Script

ECHO = Script("return ARGV[1]")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port of this machine that talks as given."""
    ended: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(writer)
        await talk(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in ended:
            writer.close()


def passing_on_to(redis_url: str, instead: tuple[bytes, bytes] = (rb"(?!)", b"")) -> Talk:
    """Talk like the server on that unix socket, but say the one thing instead of the other (a pattern)."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(re.sub(*instead, data))
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_unix_connection(urlsplit(redis_url).path)
        await asyncio.gather(copy(reader, before), copy(behind, writer))

    return talk


async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def says_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis of a test")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "redis.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


async def test_a_server_is_reached_over_tcp(redis_url: str) -> None:
    async with listening(passing_on_to(redis_url)) as port:
        redis = await Redis.open(f"redis://127.0.0.1:{port}/1")
        assert await redis.run(ECHO, [], ["over TCP"]) == b"over TCP"
        await redis.close()


async def test_a_server_is_reached_over_tls(redis_url: str, certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with listening(passing_on_to(redis_url), tls) as port:
        redis = await Redis.open(f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}")
        assert await redis.run(ECHO, [], ["x" * 100_000]) == b"x" * 100_000
        assert await redis.client.ping()
        await redis.close()


async def test_a_server_older_than_6_2_is_refused(redis_url: str) -> None:
    older = passing_on_to(redis_url, (rb"redis_version:\d\.\d", b"redis_version:6.0"))
    async with listening(older) as port:
        redis = await Redis.open(f"redis://127.0.0.1:{port}")
        with pytest.raises(BootError, match=r"Redis 6\.0\.\d+ is too old"):
            await redis.check()
        await redis.close()


async def test_a_stranger_s_certificate_is_not_accepted(redis_url: str, certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with listening(passing_on_to(redis_url), tls) as port:
        with pytest.raises(StoreGoneError):
            await Redis.open(f"rediss://127.0.0.1:{port}")


async def test_a_silent_server_is_given_up_within_the_time_set(redis_url: str) -> None:
    async with listening(says_nothing) as port:
        redis = await Redis.open(f"redis://127.0.0.1:{port}", timeout_s=0.2)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(
                *(redis.run(ECHO, [], [n]) for n in range(10)), return_exceptions=True
            )
        await redis.close()

    assert [type(answer) for answer in answers] == [StoreGoneError] * 10


@pytest.mark.parametrize("talk", [hangs_up, says_nonsense])
async def test_who_waits_for_a_server_that_fails_learns_that_it_is_gone(talk: Talk) -> None:
    async with listening(talk) as port:
        redis = await Redis.open(f"redis://127.0.0.1:{port}")
        with pytest.raises(StoreGoneError):
            await redis.run(ECHO, [], ["anyone?"])
        await redis.close()


async def test_an_absent_server_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StoreGoneError):
        await Redis.open(f"unix://{tmp_path}/nobody.sock")


async def test_a_server_that_comes_back_is_used_again(tmp_path: Path) -> None:
    folder = DataFolder.take(tmp_path)
    program = binaries.valkey_server()

    def start() -> ValkeyServer:
        server = ValkeyServer.launch(program, tmp_path / "valkey", tmp_path, folder.servers_lock)
        server.ready()
        return server

    server = start()
    try:
        redis = await Redis.open(server.url)
        assert await redis.run(ECHO, [], ["before"]) == b"before"
        server.kill()
        server.child.wait(5)
        with pytest.raises(StoreGoneError):
            await redis.run(ECHO, [], ["while it is away"])
        server = start()
        assert await redis.run(ECHO, [], ["after"]) == b"after"
        await redis.close()
    finally:
        server.kill()
        server.child.wait(5)
        folder.give_back()
