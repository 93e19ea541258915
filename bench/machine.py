"""Where a measurement was made: processor, memory, system, Python."""

import os
import platform
from pathlib import Path

import msgspec

BUSY = 0.5  # load from which others disturb a measurement


class Machine(msgspec.Struct, frozen=True):
    """What a reader needs to compare figures."""

    cores: int
    processor: str
    memory_gb: float
    system: str
    python: str
    load: float  # average of the last minute, before the measurement


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        memory_gb=round(kilobytes(Path("/proc/meminfo"), "MemTotal") / 1024**2, 1),
        system=f"{_system()}, Linux {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg()[0],
    )


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB of 1024² bytes."""
    return kilobytes(Path(f"/proc/{pid}/status"), "VmRSS") / 1024


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used so far, its own and the kernel's on its behalf."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    user, kernel = int(fields[11]), int(fields[12])
    return (user + kernel) / os.sysconf("SC_CLK_TCK")


def kilobytes(path: Path, name: str) -> int:
    """Read one `Name:  123 kB` line of a file under /proc."""
    return int(_field(path, name).split()[0])


def _field(path: Path, name: str) -> str:
    lines = (line.partition(":") for line in path.read_text("utf-8").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
