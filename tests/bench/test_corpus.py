"""Corpora: distinct, signed, in the form the load script reads."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from bench.webhook.corpus import Message, Writer, signed
from bench.webhook.load import responses
from bench.webhook.plan import Plan, openid


def test_a_message_opens_with_wechatpy(tmp_path: Path) -> None:
    plan = Plan("", "", str(tmp_path))
    query, body = signed(plan, Message(serial=12, user=34))
    given = dict(pair.split("=") for pair in query.split("&"))
    crypto = WeChatCrypto(plan.token, plan.aes_key, plan.appid)

    message = parse_message(
        crypto.decrypt_message(body, given["msg_signature"], given["timestamp"], given["nonce"])
    )

    assert (message.source, message.content) == (openid(34), "计数 12")


def test_no_message_comes_twice(tmp_path: Path) -> None:
    plan = Plan("", "", str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        writer = Writer(plan, pool)
        requests = []
        for name in ("one", "two"):
            corpus = writer.write(1_500, name)
            written = responses(corpus.path)  # the same form: a line with the length, then so many bytes
            assert len(written) == len(corpus.users) == 1_500
            requests += written

    nonces = {re.findall(rb"&nonce=(\d+)&", request)[0] for request in requests}
    assert len(nonces) == 3_000
    assert all(request.startswith(b"POST /wechat/city?signature=") for request in requests)


def test_requests_stand_in_the_order_of_their_users(tmp_path: Path) -> None:
    plan = Plan("", "", str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        corpus = Writer(plan, pool).write(1_200, "round")

    senders = [re.findall(rb"&openid=(\w+)&", request)[0].decode() for request in responses(corpus.path)]
    assert senders == [openid(user) for user in corpus.users]
