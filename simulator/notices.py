"""Reads `template/send` and `subscribe/bizsend`, with the code WeChat gives for each mistake."""

from dataclasses import dataclass, field

from simulator.payload import Body, inner, read_object, string
from simulator.refusals import ApiError

MOST_URL_BYTES = 1024
MOST_CLIENT_MSG_ID = 128

Said = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a bot wants a citizen to see; `said` is None where a value is no text."""

    touser: str
    template_id: str
    said: Said = field(default_factory=dict)
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    client_msg_id: str = ""


def parse_template(body: bytes) -> Notice:
    """The message in a request; raises ApiError as the platform would."""
    plain = read_object(body)
    url, client_msg_id = string(plain, "url"), string(plain, "client_msg_id")
    if url and not _reachable(url):
        raise ApiError(40035, "url is no http address, or too long")
    if len(client_msg_id) > MOST_CLIENT_MSG_ID:
        raise ApiError(40035, f"client_msg_id: at most {MOST_CLIENT_MSG_ID} characters")
    return _notice(plain, url, client_msg_id)


def parse_subscription(body: bytes) -> Notice:
    """The notification in a request; raises ApiError as the platform would."""
    plain = read_object(body)
    page = plain.get("page") or ""
    if not isinstance(page, str) or (page and not _reachable(page)):
        raise ApiError(41030)
    return _notice(plain, page)


def _notice(plain: Body, url: str, client_msg_id: str = "") -> Notice:
    program = inner(plain, "miniprogram")
    appid, pagepath = string(program, "appid"), string(program, "pagepath")
    if program and not appid:
        raise ApiError(40013, "miniprogram.appid is missing")
    said = {name: _value(given) for name, given in inner(plain, "data").items()}
    touser, template_id = string(plain, "touser"), string(plain, "template_id")
    return Notice(touser, template_id, said, url, appid, pagepath, client_msg_id)


def _reachable(url: str) -> bool:
    return url.startswith(("http://", "https://")) and len(url.encode()) <= MOST_URL_BYTES


def _value(given: object) -> str | None:
    value = given.get("value") if isinstance(given, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None
