"""A tiny program that owns embedded stores until it is told to end, for the lifecycle tests."""

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from core.errors import BootError
from core.stores.embedded.stores import EmbeddedStores


def main(data_dir: Path) -> int:
    """Start, say how long it took and where everything is, wait for a signal, stop."""
    signal.signal(signal.SIGTERM, _interrupted)
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
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        stores.stop()


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
