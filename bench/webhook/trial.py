"""The trial: rounds in which all programs get the same messages in turn, then the gateway's memory."""

import http.client
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.webhook.answers import Reader, check_kept, push
from bench.webhook.corpus import Corpus, Writer
from bench.webhook.load import CONNECTIONS, Load, LoadFailedError, play, responses
from bench.webhook.plan import Plan
from bench.webhook.processes import Program

GUARDED = ("careful", "gateway")  # these promise never to lose a count
COUNTING = ("usual", *GUARDED)
NAMES = ("constant", *COUNTING)
# Enough for 2 s of the fastest counting program we can imagine on one core; what is too much is not sent.
PER_SECOND = 12_000
_CUT_OFF = (
    4 * CONNECTIONS
)  # the end of a round drops at most one message a connection, all among the last ones
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: int
    memory_messages: int  # in each of the two halves
    audited: int  # users whose counts are asked at the end
    quick: bool
    told: str = ""  # how much, in words, where these are not rounds of load

    def __str__(self) -> str:
        return self.told or f"{self.rounds} rounds of {self.seconds} s"


FULL = Size(rounds=12, seconds=2, memory_messages=50_000, audited=200, quick=False)
QUICK = Size(rounds=3, seconds=1, memory_messages=3_000, audited=25, quick=True)


@dataclass(frozen=True, slots=True)
class Run:
    """One program in one round."""

    load: Load
    cpu_us: float  # processor time of the server per message


@dataclass(frozen=True, slots=True)
class Batch:
    """Who sent the messages of one run, in order; how many of them got no answer before its time was over."""

    users: tuple[int, ...]
    unanswered: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the gateway, in MB; `messages` in each half."""

    messages: int
    first: float  # after the first half of the messages
    second: float  # after the second half

    @property
    def growth(self) -> float:
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class Trial:
    """Programs, and everything sent to them so far."""

    plan: Plan
    writer: Writer
    reader: Reader
    tell: Tell
    sent: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))

    def rounds(self, programs: Sequence[Program], size: Size) -> list[dict[str, Run]]:
        """Warm up once, then measure; each round begins with another program."""
        done: list[dict[str, Run]] = []
        for number in range(size.rounds + 1):
            corpus = self.writer.write(PER_SECOND * size.seconds, "round")
            first = number % len(programs)
            order = [*programs[first:], *programs[:first]]
            ran = {program.name: self._run(program, corpus, size.seconds) for program in order}
            rates = "  ".join(f"{name} {ran[name].load.rate:,.0f}/s" for name in sorted(ran))
            self.tell(f"round {number}/{size.rounds}  {rates}" if number else f"warm-up    {rates}")
            if number:
                done.append(ran)
        return done

    def memory(self, gateway: Program, messages: int) -> Memory:
        """Send twice so many messages to a fresh gateway and read its memory after each half."""
        resident = []
        for half in ("first", "second"):
            corpus = self.writer.write(messages, "memory")
            self._run(gateway, corpus, seconds=messages // 500)
            resident.append(gateway.resident_mb)
            self.tell(f"memory     {resident[-1]:.1f} MB after the {half} {messages:,} messages")
        return Memory(messages, *resident)

    def audit(self, programs: Sequence[Program], users: int) -> None:
        """Ask some users' counts: nothing that was answered may be lost, nothing counted twice."""
        for program in programs:
            sure, perhaps = tallies(self.sent[program.name])
            for user in list(sure)[:users]:
                count = self.count(program, user) - 1
                if not sure[user] <= count <= sure[user] + perhaps[user]:
                    raise LoadFailedError(
                        f"{program.name} counted {count} messages of a user who sent {sure[user]} "
                        f"(and perhaps {perhaps[user]} more, cut off at the end of a round)"
                    )
            self.tell(f"audit      {program.name}: the counts of {users} users are right")

    def ready(self, program: Program) -> bool:
        """Whether a program answers a signed message as it shall; `OSError` while it does not listen."""
        message = self.writer.next(0)
        status, body = push(self.plan, program.port, message)
        if status == http.client.SERVICE_UNAVAILABLE:
            return False
        if status != http.client.OK or not body:
            raise LoadFailedError(f"{program.name} answers a signed message with {status}")
        if program.name in COUNTING:
            self.sent[program.name].append(Batch((message.user,), unanswered=0))
            self.reader.read(body)
        return True

    def count(self, program: Program, user: int) -> int:
        """Send one message and read the count it is answered with."""
        status, body = push(self.plan, program.port, self.writer.next(user))
        if status != http.client.OK:
            raise LoadFailedError(f"{program.name} answered a signed message with {status}")
        self.sent[program.name].append(Batch((user,), unanswered=0))
        return self.reader.read(body)[1]

    def _run(self, program: Program, corpus: Corpus, seconds: int) -> Run:
        before = program.cpu_seconds
        constant = program.name not in COUNTING
        load = play(corpus, program.target, seconds, again=constant)
        cpu_us = (program.cpu_seconds - before) / load.answered * 1e6
        if not constant:
            self.sent[program.name].append(Batch(corpus.users[: load.sent], load.sent - load.answered))
            check_kept(self.reader, responses(program.target.kept), _all(self.sent[program.name]))
        return Run(load, cpu_us)


def tallies(batches: Sequence[Batch]) -> tuple[Counter[int], Counter[int]]:
    """Count each user's messages: those surely received, and those a round may have cut off."""
    sure: Counter[int] = Counter()
    perhaps: Counter[int] = Counter()
    for batch in batches:
        end = len(batch.users) - (_CUT_OFF if batch.unanswered else 0)
        sure.update(batch.users[:end])
        perhaps.update(batch.users[end:])
    return sure, perhaps


def _all(batches: Sequence[Batch]) -> Counter[int]:
    sure, perhaps = tallies(batches)
    return sure + perhaps
