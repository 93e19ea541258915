"""What became of a message, in the words of core: from failures and refusals to outcomes."""

from datetime import datetime, timedelta

import structlog

from clients.wechat_call import WeChatGoneError, WeChatRefusedError
from clients.wechat_codes import policy_of
from clients.wechat_token import TOKEN_CALL
from core.clock import CITY_ZONE, Clock
from core.delivery.sender import Outcome, PerhapsSent, Policy, Refused, SurelyNotSent, Unknown

_SOON_S = 5.0  # before we knock again at a platform that did not open
_FORCED_S = 30.0  # WeChat forces a new token at most that often (wechat-facts 2.1)
_MINUTE_S, _HOUR_S = 60.0, 3600.0
_SHOWN = 4  # characters of an openid that a log may show
_MOST_CODES = 1_000
_FOR_A_PERSON = frozenset((Policy.CONFIGURATION, Policy.PERMISSION))  # wechat-facts 4: stop, alarm

_log = structlog.get_logger("wechat")


class Outcomes:
    """Judges what WeChat said to one account, and calls a person where only a person can help."""

    def __init__(self, account: str, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._alarmed: dict[int, float] = {}

    def of(self, failed: WeChatGoneError | WeChatRefusedError) -> Outcome:
        """What a failure means for the message."""
        if isinstance(failed, WeChatGoneError):
            return _lost(failed)
        outcome = _refusal(failed, self._clock.now())
        if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.policy in _FOR_A_PERSON):
            self._alarm(failed)
        return outcome

    def of_a_stranger(self) -> Outcome:
        """What a message comes to whose account is not in the settings (any more)."""
        words = f"accounts.{self._account} is not in the settings"
        self._alarm(WeChatRefusedError("", 0, words))
        return Refused(Policy.CONFIGURATION, 0, words)

    def told(self, openid: str, outcome: Outcome) -> Outcome:
        """Leave one line about what did not arrive: no words, no openid, no token in it."""
        _log.warning("not delivered", account=self._account, openid=_masked(openid), outcome=str(outcome))
        return outcome

    def _alarm(self, no: WeChatRefusedError) -> None:
        """Call a person, once an hour for each code."""
        now = self._clock.timestamp()
        if now - self._alarmed.get(no.code, -_HOUR_S) < _HOUR_S:
            return
        if len(self._alarmed) >= _MOST_CODES:
            self._alarmed.clear()
        self._alarmed[no.code] = now
        policy = policy_of(no.code) if no.code else Policy.CONFIGURATION
        what = "unknown code" if policy is Policy.UNKNOWN else "nothing is sent until a person helps"
        _log.error(what, account=self._account, call=no.call, code=no.code, words=no.words)


def _lost(gone: WeChatGoneError) -> Outcome:
    """Without a token nothing was sent, whatever became of the question for one."""
    if gone.reached and gone.call != TOKEN_CALL:
        return PerhapsSent(gone.reason)
    return SurelyNotSent(f"{gone.call}: {gone.reason}", _SOON_S)


def _refusal(no: WeChatRefusedError, now: datetime) -> Outcome:
    """What a refusal means: the moment is to blame, or the token, the settings, or the message itself."""
    policy, words = policy_of(no.code), f"{no.code} {no.words}"
    asked_token = no.call == TOKEN_CALL
    if policy is Policy.UNKNOWN:
        return Unknown(no.code, no.words)
    if policy is Policy.BUSY and not asked_token:
        return PerhapsSent(words)
    waits = {
        Policy.BUSY: _SOON_S,
        Policy.TOKEN: _FORCED_S,
        Policy.RATE_MINUTE: _MINUTE_S,
        Policy.RATE_DAY: _until_tomorrow(now),
    }
    # A refused token is replaced; who is refused when asking for one has a wrong secret.
    if policy in waits and not (policy is Policy.TOKEN and asked_token):
        return SurelyNotSent(f"{no.call}: {words}", waits[policy], policy)
    if asked_token:  # which says nothing of the message, nor of whom it is for
        return Refused(Policy.CONFIGURATION, no.code, no.words)
    return Refused(policy, no.code, no.words)


def _until_tomorrow(now: datetime) -> float:
    """Seconds until a minute after the city's midnight, when daily quotas begin anew (wechat-facts 3)."""
    today = now.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1, minutes=1) - now).total_seconds()


def _masked(openid: str) -> str:
    return f"…{openid[-_SHOWN:]}" if len(openid) > 4 * _SHOWN else "…"
