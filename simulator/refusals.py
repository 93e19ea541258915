"""The two ways the simulator says no: in words to scripts, in error codes to bots."""


class RefusedError(Exception):
    """A script asked for something that cannot be; the text says what is wrong and what is allowed."""


class ApiError(Exception):
    """WeChat's API refuses with an error code."""

    def __init__(self, code: int, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint

    @property
    def message(self) -> str:
        text = MESSAGES.get(self.code, "invalid request")
        return f"{text} hint: [{self.hint}]" if self.hint else text


class FieldError(ApiError):
    """47003, which names the bad field as WeChat writes it."""

    def __init__(self, field: str) -> None:
        super().__init__(47003, field)

    @property
    def message(self) -> str:
        return f"{MESSAGES[self.code]} {self.hint}"


MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub button level",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40032: "invalid openid list size",
    40033: r"invalid charset. please check your request, if include \uxxxx will create fail!",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40052: "invalid action name",
    40053: "invalid action info",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40066: "invalid url",
    40125: "invalid appsecret",
    40163: "code been used",
    40249: "marketing content is not allowed in a template message",
    40250: "template content is empty or invalid",
    40251: "template is limited after violations",
    40252: "template is under review",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    42002: "refresh_token expired",
    42003: "oauth_code expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43116: "template is abused and limited",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit must slower retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45072: "invalid command",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
}
