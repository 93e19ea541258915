"""Files that a power cut leaves whole: the old one or the new one."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file, durably."""
    replace(path, content)
    keep_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put a whole file in another one's place, which a power cut may yet take back (`keep_folder`)."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def keep_folder(folder: Path) -> None:
    """See to it that a new name in a folder survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
