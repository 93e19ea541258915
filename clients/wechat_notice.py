"""From a notice to the body of a template message or a subscription notification (wechat-facts 2.3, 2.4)."""

from core.chat.cutting import clean
from core.delivery.sender import Notice

Part = dict[str, object]


def template_body(notice: Notice, openid: str) -> Part | None:
    """The body of `message/template/send`; None where nothing is filled in."""
    body = _body(notice, openid)
    if body is not None:
        if notice.url:
            body["url"] = clean(notice.url)
        if notice.client_id:
            body["client_msg_id"] = notice.client_id
    return body


def subscription_body(notice: Notice, openid: str) -> Part | None:
    """The body of `message/subscribe/bizsend`, which calls the address a page and knows no id of ours."""
    body = _body(notice, openid)
    if body is not None and notice.url:
        body["page"] = clean(notice.url)
    return body


def _body(notice: Notice, openid: str) -> Part | None:
    if not notice.template_id or not notice.fields:
        return None
    body: Part = {
        "touser": openid,
        "template_id": notice.template_id,
        "data": {key: {"value": clean(value)} for key, value in notice.fields},
    }
    if program := notice.program:
        body["miniprogram"] = {"appid": program.appid, "pagepath": program.path}
    return body
