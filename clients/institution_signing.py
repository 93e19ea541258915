"""How gateway and institution know one another: HMAC-SHA256 under a secret of both (docs/institution.md)."""

import hashlib
import hmac
from collections.abc import Sequence

NAME = "Bianmin-Name"
TIME = "Bianmin-Time"
NONCE = "Bianmin-Nonce"
SIGNATURE = "Bianmin-Signature"

_REQUEST = "bianmin-request-1"
_ANSWER = "bianmin-answer-1"


def of_request(secret: str, path: str, moment: Sequence[str], body: bytes) -> str:
    """The signature of a POST; `path` begins behind the institution's address, `moment` is time and nonce."""
    return _signed(secret, [_REQUEST, "POST", path, *moment], body)


def of_answer(secret: str, status: int, moment: Sequence[str], body: bytes) -> str:
    """The signature of an answer; `moment` is the time of the answer and the nonce of its request."""
    return _signed(secret, [_ANSWER, str(status), *moment], body)


def _signed(secret: str, lines: Sequence[str], body: bytes) -> str:
    said = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
    return hmac.digest(secret.encode(), said.encode(), "sha256").hex()
