"""Reading answers as WeChat would: decrypted, addressed to the right user, saying the right count."""

import http.client
import re
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from wechatpy.crypto import WeChatCrypto

from bench.webhook.corpus import Message, signed
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import PATH, Plan, counted, openid

_COUNT = re.compile(re.escape(counted(0)).replace("0", r"(\d+)"))
_TIMEOUT_S = 6.0


class Reader:
    """Reads encrypted answers of one account."""

    def __init__(self, plan: Plan) -> None:
        self._crypto = WeChatCrypto(plan.token, plan.aes_key, plan.appid)

    def read(self, body: bytes) -> tuple[str, int]:
        """Return whom an answer is for and the count it tells; anything else is a `LoadFailedError`."""
        try:
            outer = _fields(body)
            clear = self._crypto.decrypt_message(
                body, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"]
            )
            inner = _fields(clear.encode())
            said = _COUNT.fullmatch(inner["Content"])
        except Exception as unreadable:
            raise LoadFailedError(f"an answer cannot be read: {unreadable!r}: {body[:200]!r}") from unreadable
        if said is None:
            raise LoadFailedError(f"an answer says {inner['Content']!r} instead of a count")
        return inner["ToUserName"], int(said[1])


def check_kept(reader: Reader, bodies: Sequence[bytes], sent: Counter[int]) -> None:
    """Vouch for kept answers: each counts at most what its user has sent by now."""
    users = {openid(user): count for user, count in sent.items()}
    for body in bodies:
        user, count = reader.read(body)
        if not 1 <= count <= users.get(user, 0):
            raise LoadFailedError(f"user {user} sent {users.get(user, 0)} messages and was told {count}")


def push(plan: Plan, port: int, message: Message) -> tuple[int, bytes]:
    """Deliver one message the way WeChat does, signed now; status and body of the answer."""
    return deliver(port, *signed(plan, message))


def deliver(port: int, query: str, body: bytes) -> tuple[int, bytes]:
    """Deliver a push that is signed already: WeChat repeats one with the second it was written in."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", f"{PATH}?{query}", body, {"Content-Type": "text/xml"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _fields(document: bytes) -> dict[str, str]:
    root = ET.fromstring(document)  # noqa: S314 - from the program under test
    return {element.tag: element.text or "" for element in root}
