"""What every bench is as a command: options, stores of its own, progress, one result."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import uvloop

from bench.machine import BUSY, this_machine
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from bench.webhook.processes import ROOT
from bench.webhook.report import Figure, as_json, as_page
from bench.webhook.trial import FULL, QUICK, Size
from core.errors import BootError
from core.stores.embedded.stores import EmbeddedStores
from core.stores.migrations import migrate

Measure = Callable[[Plan, Executor, Size], list[Figure]]


def run(
    name: str,
    about: str | None,
    measure: Measure,
    arguments: Sequence[str],
    sizes: tuple[Size, Size] = (FULL, QUICK),
) -> int:
    """Measure and print; 1 when the load did not go through cleanly. `sizes` are full and quick."""
    full, quick = sizes
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=about)
    parser.add_argument("--quick", action="store_true", help=f"{quick}: within 40 s")
    parser.add_argument("--json", action="store_true", help="one object of named figures on stdout")
    given = parser.parse_args(arguments)
    size, machine = quick if given.quick else full, this_machine()
    if machine.load > BUSY:
        tell(
            f"the machine is busy (load {machine.load:.1f}): ratios will be wide, rates and latencies too bad"
        )
    try:
        with _stores() as plan, ProcessPoolExecutor(os.cpu_count()) as pool:
            found = measure(plan, pool, size)
    except (LoadFailedError, BootError) as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    now = datetime.now().astimezone()
    print(as_json(found, size) if given.json else as_page(found, size, machine, now, name=name))
    return 0


def tell(line: str) -> None:
    """Show how far we are, beside the result."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _stores() -> Iterator[Plan]:
    """Valkey and PostgreSQL of our own in a scratch folder, migrated, and a plan that names them."""
    with tempfile.TemporaryDirectory(prefix="bianmin-bench-") as folder:
        stores = EmbeddedStores.start(Path(folder) / "stores")
        try:
            uvloop.run(migrate(stores.database_url, ROOT / "migrations"))
            plan = Plan(stores.redis_url, stores.database_url, folder)
            plan.write()
            yield plan
        finally:
            stores.stop()
