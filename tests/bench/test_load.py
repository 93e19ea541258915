"""A bench whose load fails says so instead of printing figures."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from wechatpy.crypto import WeChatCrypto

from bench.webhook.answers import Reader, check_kept
from bench.webhook.corpus import Writer
from bench.webhook.load import CONNECTIONS, LoadFailedError, Target, play
from bench.webhook.plan import Plan, counted, openid
from bench.webhook.trial import Batch, tallies
from tests.support.required import need


@pytest.fixture
def wrk() -> None:
    """The load generator itself."""
    need(shutil.which("wrk"), "wrk is not installed")


class Server(BaseHTTPRequestHandler):
    """Answers everything with `status` and `body`."""

    protocol_version = "HTTP/1.1"
    status, body = 200, b"fine"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """A server that answers as a test says."""
    status, body = request.param
    handler = type("Answering", (Server,), {"status": status, "body": body})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever).start()
    yield Target("stand-in", server.server_port, tmp_path / "kept")
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("wrk")
@pytest.mark.parametrize("target", [(200, b"fine")], indirect=True)
def test_a_corpus_is_sent_once_and_the_run_ends_with_it(target: Target, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        corpus = Writer(Plan("", "", str(tmp_path)), pool).write(300, "round")

    load = play(corpus, target, seconds=20)

    assert (load.sent, load.answered) == (300, 300)
    assert load.seconds < 10


@pytest.mark.usefixtures("wrk")
@pytest.mark.parametrize("target", [(500, b"trouble"), (200, b"")], indirect=True)
def test_bad_answers_abort_the_bench(target: Target, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        corpus = Writer(Plan("", "", str(tmp_path)), pool).write(100, "round")

    with pytest.raises(LoadFailedError, match="stand-in: 100 bad answers"):
        play(corpus, target, seconds=20)


@pytest.mark.usefixtures("wrk")
def test_nobody_listening_aborts_the_bench(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        corpus = Writer(Plan("", "", str(tmp_path)), pool).write(10, "round")

    with pytest.raises(LoadFailedError, match="stand-in: wrk failed"):
        play(corpus, Target("stand-in", 9, tmp_path / "kept"), seconds=1)


def answered(plan: Plan, user: int, text: str) -> bytes:
    """What a program would answer."""
    clear = f"<xml><ToUserName>{openid(user)}</ToUserName><Content>{text}</Content></xml>"
    crypto = WeChatCrypto(plan.token, plan.aes_key, plan.appid)
    return str(crypto.encrypt_message(clear, "nonce", "1700000000")).encode()


def test_kept_answers_must_be_counts_their_users_can_have_reached(tmp_path: Path) -> None:
    plan = Plan("", "", str(tmp_path))
    reader, sent = Reader(plan), Counter({5: 2})

    check_kept(reader, [answered(plan, 5, counted(1)), answered(plan, 5, counted(2))], sent)
    with pytest.raises(LoadFailedError, match="sent 2 messages and was told 3"):
        check_kept(reader, [answered(plan, 5, counted(3))], sent)
    with pytest.raises(LoadFailedError, match="instead of a count"):
        check_kept(reader, [answered(plan, 5, "系统繁忙")], sent)
    with pytest.raises(LoadFailedError, match="cannot be read"):
        check_kept(reader, [b"success"], sent)


def test_a_round_that_was_cut_off_leaves_its_last_messages_open() -> None:
    whole = Batch((1, 2, 1), unanswered=0)
    cut = Batch(tuple([3] * 200), unanswered=CONNECTIONS)

    sure, perhaps = tallies([whole, cut])

    assert sure == Counter({1: 2, 2: 1, 3: 200 - 4 * CONNECTIONS})
    assert perhaps == Counter({3: 4 * CONNECTIONS})
