"""One gate: a code is shown, judged without the network, noted on disk, and only then the gate opens."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from gate.clock import Clock
from gate.code import Code, Grounds, verify
from gate.faults import OutOfOrder
from gate.journal import Journal, Place, Tap
from gate.settings import Settings
from gate.trust import TrustStore
from gate.used import UsedSet


@dataclass(frozen=True, slots=True)
class Opened:
    """The gate is open for whoever showed this."""

    code: Code
    seq: int


class Gate:
    """Trust, used-set and journal of one device. Its folder belongs to one process at a time."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Open its folder; `GateError` when that cannot be had."""
        self.settings = settings
        self.clock = clock or Clock()
        folder = Path(settings.folder)
        self.journal = Journal(folder / "taps", self.clock, 2 * settings.skew_s)
        self.trust = TrustStore(folder / "trust.json")
        self.clock.surely_over(self.trust.as_of_ms)
        self._used = UsedSet(settings.skew_s)
        for code, at_s in self.journal.uses():
            self._used.add(code, at_s)
        self._one_at_a_time = Lock()

    def show(self, raw: bytes) -> Opened:
        """Judge a code and open; `Refused` says why not, `OutOfOrder` that the gate cannot say."""
        with self._one_at_a_time:
            now_ms = self.clock.now_ms()
            code = self._judged(raw, now_ms)
            self._used.add(code, now_ms // 1000)
            try:
                tap = self.journal.append(now_ms, self._place(), raw)
            except OutOfOrder:
                self._used.discard(code)
                raise
            return Opened(code, tap.seq)

    def look(self, raw: bytes) -> Code:
        """Judge a code and leave no trace of it."""
        with self._one_at_a_time:
            return self._judged(raw, self.clock.now_ms())

    def pending(self) -> list[Tap]:
        """The taps that the server does not have."""
        with self._one_at_a_time:
            return self.journal.pending()

    def done(self, seqs: list[int]) -> None:
        """The server has these taps."""
        with self._one_at_a_time:
            self.journal.done(seqs)

    def take_trust(self, raw: bytes, *, just_told: bool = False) -> bool:
        """Use this trust list from now on; False for one older than ours, unless the server just told it."""
        with self._one_at_a_time:
            taken = self.trust.replace(raw, just_told=just_told)
            self.clock.surely_over(self.trust.as_of_ms)
            return taken

    def close(self) -> None:
        """Give the folder back."""
        self.journal.close()

    def _judged(self, raw: bytes, now_ms: int) -> Code:
        self.trust.require(now_ms, self.settings.oldest_trust_h)
        now_s = now_ms // 1000
        settings = self.settings
        denied = self.trust.denied(now_s)
        return verify(
            raw,
            Grounds(
                trust=self.trust.issuers,
                used=self._used,
                denied=denied,
                allowed=settings.allowed,
                skew_s=settings.skew_s,
                operator=settings.operator.encode(),
            ),
            now_s,
        )

    def _place(self) -> Place:
        settings = self.settings
        return settings.way, settings.station, settings.line, settings.vehicle
