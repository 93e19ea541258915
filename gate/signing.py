"""How the server knows a gate: Ed25519 over six lines, as docs/transit-code.md says; and the key file."""

import base64
import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gate.faults import GateError

TAG = "bianmin-device-1"


def signed_lines(method: str, path: str, moment: tuple[str, str], body: bytes) -> bytes:
    """What is signed; `path` is all behind the server's address, `moment` is time and nonce."""
    return "\n".join([TAG, method, path, *moment, hashlib.sha256(body).hexdigest()]).encode()


class Device:
    """A gate's name and key, towards the server."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key

    def headers(self, method: str, path: str, now_s: int, body: bytes = b"") -> dict[str, str]:
        """The four headers of a request."""
        moment = str(now_s), secrets.token_urlsafe(18)
        signature = self._key.sign(signed_lines(method, path, moment, body))
        return {
            "Bianmin-Name": self.name,
            "Bianmin-Time": moment[0],
            "Bianmin-Nonce": moment[1],
            "Bianmin-Signature": unpadded(signature),
        }

    @property
    def public_key(self) -> bytes:
        """The 32 bytes the server knows it by."""
        return self._key.public_key().public_bytes_raw()

    @property
    def public(self) -> str:
        """What the server is told of the key, in base64url."""
        return unpadded(self.public_key)


def load(name: str, path: Path) -> Device:
    """Read the key file: PKCS 8 in PEM, its owner's alone."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise GateError(f"{path} is open to others: chmod 600 {path}")
            key = load_pem_private_key(file.read(), None)
    except FileNotFoundError:
        raise GateError(f"{path} is missing: make one with `python -m gate key`") from None
    except OSError as refused:
        raise GateError(f"{path} cannot be read: {refused.strerror}") from None
    except (ValueError, TypeError) as wrong:
        raise GateError(f"{path} is no private key without a password") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise GateError(f"{path} is no Ed25519 key")
    return Device(name, key)


def create(name: str, path: Path) -> Device:
    """Make a key file; one that is there is never touched."""
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise GateError(f"{path} exists already and was left as it is") from None
    except OSError as refused:
        raise GateError(f"{path} cannot be written: {refused.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return Device(name, key)


def unpadded(raw: bytes) -> str:
    """base64url without `=`."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
