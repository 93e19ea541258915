"""A tiny program that owns embedded stores until it is told to end, for the lifecycle tests."""

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from core.errors import BootError
from core.stores.embedded import child, postgres
from core.stores.embedded.child import RunAs
from core.stores.embedded.stores import EmbeddedStores

WITHOUT_NAMESPACES = "--without-namespaces"
ENDING = (signal.SIGINT, signal.SIGTERM)


def main(data_dir: Path, *, namespaces: bool) -> int:
    """Start, say how long it took and where everything is, wait for a signal, stop."""
    signal.signal(signal.SIGTERM, _interrupted)
    if not namespaces:
        postgres.can_run = can_run_without_namespaces  # type: ignore[attr-defined] # as a test would do it
    began = time.monotonic()
    try:
        stores = EmbeddedStores.start(data_dir)
    except BootError as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    up = {
        "seconds": time.monotonic() - began,
        "redis_url": stores.redis_url,
        "database_url": stores.database_url,
        "versions": stores.versions,
        "pids": {name: server.child.pid for name, server in stores._servers.items()},
    }
    try:
        # Held back from here on: a signal between a look for it and a pause would be slept through.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        signal.sigwait(ENDING)
    except KeyboardInterrupt:
        return 0
    finally:
        stores.stop()
    return 0


def can_run_without_namespaces(command: Sequence[str | Path], run_as: RunAs) -> str | None:
    """What `can_run` finds where the kernel gives root no user namespaces."""
    return None if run_as is RunAs.NAMESPACE else child.can_run(command, run_as)


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), namespaces=WITHOUT_NAMESPACES not in sys.argv))
