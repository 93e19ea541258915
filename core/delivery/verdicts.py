"""What becomes of a message after its request: one place from WeChat's answer to the row's next state."""

from dataclasses import dataclass

from core.delivery.mail import SUBSCRIPTION, TEMPLATE, WINDOW, Mail
from core.delivery.rows import Result
from core.delivery.sender import (
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sent,
    SurelyNotSent,
    Unknown,
    Unsendable,
)

WINDOW_AGAIN_S = 2.0  # how often we look whether a citizen has written
_REPEAT_S, _REPEAT_MOST_S = 5.0, 120.0  # twice as long each time
_RECEIPT_S = 300.0  # a subscription notice of unknown fate may still get its receipt
_MENDED_S = 60.0  # whether a person has put the settings or the account right
_PARKED_S = 600.0  # a template or an API WeChat does not let us use
_CODES_TRIED = 5  # times, for a code nobody has told us about
_ONE_NOTICE = frozenset((41030, 47003))  # the page and the field of this message, not the template itself


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more of an API (`*`: of any) leaves an account for so many seconds."""

    api: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row's next state, whether the message left us, and what else is to be noted.

    `asked`: the platform heard of it, whatever it said.
    """

    result: Result
    left_us: bool
    asked: bool = True
    stop: Stop | None = None
    closes_window: bool = False
    voids_credit: bool = False
    loses_recipient: bool = False


def verdict(mail: Mail, outcome: Outcome) -> Verdict:
    """Judge one outcome."""
    match outcome:
        case Sent(msg_id=msg_id):
            result = Result(
                mail.row, "accepted", msg_id=msg_id, channel=mail.channel, perhaps=mail.row.perhaps
            )
            return Verdict(result, left_us=True)
        case PerhapsSent(reason=reason):
            return Verdict(_perhaps(mail, reason), left_us=True)
        case SurelyNotSent(reason=reason, retry_after=after_s, policy=policy):
            stop = Stop(mail.channel, after_s) if policy else None
            result = again(mail, reason, after_s, paused=stop is not None)
            return Verdict(result, left_us=False, asked=policy is not None, stop=stop)
        case Refused():
            return _refused(mail, outcome)
        case Unknown(code=code, words=words):
            return _refused(mail, Refused(Policy.UNKNOWN, code, words))
        case Unsendable(type=type_):
            reason = f"nothing to send: {type_ or 'silence'}"
            return unasked(Result(mail.row, "cancelled", reason))


def unasked(result: Result) -> Verdict:
    """Judge a message of which the platform never heard."""
    return Verdict(result, left_us=False, asked=False)


def again(mail: Mail, reason: str, after_s: float, *, paused: bool = False) -> Result:
    """Queue what surely was not sent once more, unless that has gone on for as long as its lane allows."""
    if mail.row.given_up:
        return given_up(mail, reason)
    return queued(mail, reason, after_s, paused=paused)


def given_up(mail: Mail, reason: str) -> Result:
    """End what was tried for long enough."""
    return lost(mail, f"given up: {reason}")


def lost(mail: Mail, reason: str) -> Result:
    """End what cannot be sent; one of whose requests perhaps arrived is not booked as unsent."""
    state = "unknown" if mail.row.perhaps else "failed"
    return Result(mail.row, state, reason, channel=mail.channel or mail.row.channel)


def queued(mail: Mail, reason: str, after_s: float, *, perhaps: bool = False, paused: bool = False) -> Result:
    """Queue it once more; what perhaps arrived keeps its way. `paused`: its API is stopped until then."""
    row, channel = mail.row, mail.channel if perhaps or mail.row.perhaps else ""
    return Result(
        row, "queued", reason, row.waits_s(after_s), channel=channel, perhaps=perhaps, paused=paused
    )


def _perhaps(mail: Mail, reason: str) -> Result:
    """Repeat only what WeChat knows by our id, or what does no harm twice."""
    if (mail.channel == TEMPLATE or mail.row.repeatable) and not mail.row.given_up:
        return queued(mail, reason, _pause_s(mail.row.tries), perhaps=True)
    if mail.channel == SUBSCRIPTION:
        return Result(mail.row, "sending", reason, _RECEIPT_S, channel=mail.channel, perhaps=True)
    return Result(mail.row, "unknown", reason, channel=mail.channel, perhaps=True)


def _pause_s(tries: int) -> float:
    """How long to wait after so many tries: who has no answer now often has none five seconds later."""
    return min(_REPEAT_MOST_S, _REPEAT_S * 2.0 ** min(tries - 1, 10))


def _refused(mail: Mail, no: Refused) -> Verdict:
    """What to do instead, by the policy of WeChat's code; the end of it where nothing is."""
    words = f"{no.code} {no.words}".strip()
    result = lost(mail, words)
    stop: Stop | None = None
    unwilling = no.policy is Policy.UNWILLING
    match no.policy:
        case Policy.WINDOW if mail.is_reply:
            result = Result(mail.row, "held", no.words, WINDOW_AGAIN_S)
        case Policy.WINDOW if mail.channel == WINDOW:  # the next look finds another way, also for a repeat
            result = Result(mail.row, "queued", words)
        case Policy.CONFIGURATION:
            result, stop = queued(mail, words, _MENDED_S, paused=True), Stop("*", _MENDED_S)
        case Policy.PERMISSION:
            result, stop = again(mail, words, _PARKED_S), Stop(mail.channel, _PARKED_S)
        case Policy.TEMPLATE if no.code not in _ONE_NOTICE and mail.template:
            stop = Stop(f"{mail.channel}:{mail.template}", _PARKED_S)
            result = again(mail, words, _PARKED_S)
        case Policy.UNWILLING if mail.channel == SUBSCRIPTION:
            result = again(mail, words, 0)
        case Policy.UNKNOWN if mail.row.tries < _CODES_TRIED:
            result = again(mail, words, _MENDED_S)
    return Verdict(
        result,
        left_us=False,
        stop=stop,
        closes_window=no.policy is Policy.WINDOW,
        voids_credit=unwilling and mail.channel == SUBSCRIPTION,
        # Who wants nothing of ours gets nothing more, until they write again; a 允许 is another matter.
        loses_recipient=no.policy is Policy.GONE or (unwilling and mail.channel != SUBSCRIPTION),
    )
