"""Files of secrets: read only where nobody else can, and written safely on disk before they are in place."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from core.errors import BootError


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """How complaints speak of a file: `named` ("key ring") and its verb ("is"), `missing`, `no_file`."""

    named: str
    verb: str
    missing: str
    no_file: str

    def read(self, path: Path) -> bytes:
        """Its content; `BootError` if it is missing, no file, or open to others."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as missing:
            raise BootError(f"{self.named} {path} {self.verb} missing: {self.missing}") from missing
        except OSError as refused:
            raise BootError(f"{self.named} {path} cannot be read: {refused.strerror}") from refused
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            os.close(descriptor)
            raise BootError(f"{self.named} {path} {self.verb} {self.no_file}")
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_IMODE(mode) & 0o077:
                raise BootError(f"{self.named} {path} {self.verb} open to others: chmod 600 {path}")
            return file.read()

    def draft(self, path: Path, text: str) -> Path:
        """Write what is to stand there beside its place, safely on disk; the caller puts it in place."""
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as refused:
            raise BootError(f"{self.named} {path} cannot be written: {refused.strerror}") from refused
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        return draft
