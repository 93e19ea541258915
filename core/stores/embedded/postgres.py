"""The embedded PostgreSQL: made once, started on a unix socket, stopped without waiting for clients."""

import os
import pwd
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from core.errors import BootError
from core.stores.embedded.child import Child, Launch, RunAs, can_run, run, spawn

_START_S = 30.0  # after a crash it reads its log of changes first
_LEFTOVER_S = 10.0
_POLL_S = 0.005
_STATUS_LINE = 7  # of postmaster.pid
_LOG_LIMIT = 5_000_000
USER = DATABASE = "bianmin"
PORT = 5432  # only a part of the socket's name


@dataclass(frozen=True, slots=True)
class PostgresPlan:
    """What is run, where, and under which user."""

    programs: Path
    data: Path
    runtime: Path
    run_as: RunAs
    version: str
    scratch: bool = False  # without durability, for tests

    @property
    def making(self) -> Path:
        """Where initdb works; renamed when everything is there."""
        return self.data.with_name(f"{self.data.name}.tmp")

    @property
    def log(self) -> Path:
        return self.data.with_name("postgresql.log")


class PostgresServer:
    """One PostgreSQL server of ours on a unix socket."""

    def __init__(self, child: Child, plan: PostgresPlan) -> None:
        self.child = child
        self._plan = plan

    @classmethod
    def launch(cls, plan: PostgresPlan, held_lock: int) -> "PostgresServer":
        """Spawn it on a folder that `prepare` made fit; `ready` says when it answers."""
        if plan.log.exists() and plan.log.stat().st_size > _LOG_LIMIT:
            plan.log.replace(plan.log.with_suffix(".log.1"))
        child = spawn(
            Launch(
                command=[plan.programs / "postgres", "-D", plan.data, *_options(plan)],
                death_signal=signal.SIGINT,  # SIGTERM would wait for clients for ever
                log=plan.log,
                held_lock=held_lock,
                run_as=plan.run_as,
            )
        )
        return cls(child, plan)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={self._plan.runtime}&port={PORT}"

    def ready(self) -> str:
        """Wait until it accepts connections; return its version."""
        deadline = time.monotonic() + _START_S
        while not self._accepting():
            if self.child.ended or time.monotonic() > deadline:
                raise BootError(f"PostgreSQL does not start: {self.child.last_words()}")
            time.sleep(_POLL_S)
        return self._plan.version

    def _accepting(self) -> bool:
        lines = _pid_file(self._plan.data)
        ours = bool(lines) and lines[0].strip() == str(self.child.pid)
        return ours and len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"

    def stop(self) -> None:
        """Ask it to end now: clients are cut off, what was committed stays."""
        self.child.signal(signal.SIGINT)

    def kill(self) -> None:
        """End it without a checkpoint; the next start repairs that."""
        self.child.signal(signal.SIGQUIT)


def prepare(plan: PostgresPlan, held_lock: int) -> None:
    """Make the data folder if it is missing; refuse one of another version or one that is in use."""
    if plan.making.exists():
        shutil.rmtree(plan.making)  # an initdb that was cut short
    if not plan.data.exists():
        _make(plan, held_lock)
    _give_to_user(plan, plan.data)
    _check_version(plan)
    _await_leftover(plan.data)
    # Nobody works in the folder, so what the file names is another process that got the same number since.
    (plan.data / "postmaster.pid").unlink(missing_ok=True)


def plan_for(programs: Path, data: Path, runtime: Path, *, scratch: bool = False) -> PostgresPlan:
    """Find out which version it is and under which user it can run."""
    choices = [RunAs.NAMESPACE, RunAs.NOBODY] if os.geteuid() == 0 else [RunAs.SELF]
    for run_as in choices:
        version = can_run([programs / "postgres"], run_as)
        if version:
            return PostgresPlan(programs, data, runtime, run_as, version.split()[2], scratch)
    if os.geteuid() == 0:
        raise BootError(
            "PostgreSQL refuses to run as root, and neither a user namespace nor the user nobody works here: "
            "start as an ordinary user, or set stores.database_url to a server"
        )
    raise BootError(f"{programs / 'postgres'} does not run here: set stores.database_url to a server")


def _make(plan: PostgresPlan, held_lock: int) -> None:
    plan.making.mkdir(mode=0o700)
    _give_to_user(plan, plan.making)
    initdb: list[str | Path] = [plan.programs / "initdb", "-D", plan.making, "-U", USER, "-E", "UTF8"]
    # With the locale C, trigrams find nothing in Chinese. Trust: who reaches the socket's 0700 folder is us.
    initdb += ["--locale=C.UTF-8", "--auth=trust", *(["--no-sync"] if plan.scratch else [])]
    single: list[str | Path] = [plan.programs / "postgres", "--single", "-D", plan.making, "postgres"]
    for command, stdin in ((initdb, b""), (single, f"CREATE DATABASE {DATABASE};\n".encode())):
        step = Launch(
            command=command,
            death_signal=signal.SIGTERM,
            log=plan.log,
            held_lock=held_lock,
            run_as=plan.run_as,
            stdin=stdin,
        )
        run(step)
    plan.making.rename(plan.data)
    folder = os.open(plan.data.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _give_to_user(plan: PostgresPlan, folder: Path) -> None:
    """As root: hand the folder to whom this start's server runs as, which may differ from the last one."""
    if plan.run_as is RunAs.SELF:
        return
    nobody = pwd.getpwnam("nobody")
    uid, gid = (nobody.pw_uid, nobody.pw_gid) if plan.run_as is RunAs.NOBODY else (0, 0)
    if plan.run_as is RunAs.NOBODY:
        folder.parent.chmod(0o711)  # to pass through, not to look around
        os.chown(plan.runtime, uid, gid)
    if folder.stat().st_uid == uid:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(Path(place) / name, uid, gid)
    os.chown(folder, uid, gid)


def _check_version(plan: PostgresPlan) -> None:
    try:
        made_by = (plan.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError as missing:
        raise BootError(
            f"{plan.data} is no PostgreSQL folder (no PG_VERSION): move it away and start again"
        ) from missing
    ours = plan.version.split(".")[0]
    if made_by != ours:
        raise BootError(
            f"{plan.data} was made by PostgreSQL {made_by}, this is {ours}: "
            "carry it over with pg_upgrade or pg_dump, or choose another stores.data_dir"
        )


def _await_leftover(data: Path) -> None:
    deadline = time.monotonic() + _LEFTOVER_S
    while (pid := server_in(data)) is not None:
        if time.monotonic() > deadline:
            raise BootError(
                f"another PostgreSQL (pid {pid}) still works in {data}: end it with kill -INT {pid}"
            )
        time.sleep(_POLL_S * 10)


def server_in(data: Path) -> int | None:
    """The pid of any PostgreSQL process of this folder: it works inside it and is called postgres.

    The whole process table is asked, not only the pid file's number: backends of a killed server count too.
    """
    folder = data.resolve()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # A program replaced by an upgrade is shown as "postgres (deleted)".
            is_postgres = (entry / "exe").readlink().name.startswith("postgres")
            if is_postgres and (entry / "cwd").readlink() == folder:
                return int(entry.name)
        except OSError:
            continue  # it ended while we looked, or it is another user's and so not ours
    return None


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _options(plan: PostgresPlan) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(plan.runtime),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "max_connections": "100",
        "jit": "off",  # our statements are short
        "log_error_verbosity": "terse",  # no DETAIL lines: they quote citizens' values
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
    if plan.scratch:
        settings |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_size": "128MB",
        }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
