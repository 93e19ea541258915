"""Why a push from WeChat, or from somebody who pretends to be WeChat, is turned away."""

MALFORMED = 400
FORBIDDEN = 403
TIMED_OUT = 408
TOO_LARGE = 413


class PushRefusedError(Exception):
    """A push nobody will work on. `reason` goes into one log line and never into the answer.

    The reason is a fixed sentence: nothing out of the request, which may be personal or hostile, is in it.
    """

    def __init__(self, reason: str, status: int = MALFORMED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
