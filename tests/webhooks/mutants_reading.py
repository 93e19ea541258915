"""Mistakes in what is read, understood and answered at the door, each with the talk that notices it."""

from functools import partial

from core.errors import NotInTimeError, StoreGoneError
from tests.webhooks import door_talks as talks
from tests.webhooks.door_talks import OTHER_WORDS, in_turn, sends, tells
from tests.webhooks.house import BIND, DIGESTS, DOOR, TAKEN, Edit, Mutant, plain
from tests.webhooks.wire import NOW, TEXT, Sealed, push, seal_push

_xml = partial(Edit, "webhooks.wechat_xml")
_replies = partial(Edit, "webhooks.wechat_replies")
_door = partial(Edit, DOOR)

_PLAINLY = "if opened.key is not None:"
_KEY = 'f"bm:{account}:d:{timestamp}:{nonce}"'
BINDING = [
    Mutant(
        "a plain signature carries one body",
        _door("if not await self._bind(", "if False and not await self._bind("),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS), "open")),
        "200 403",
        "200 200",
    ),
    Mutant(
        "the first body stays",
        Edit(BIND, "'NX', ", ""),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS), "open")),
        "200 403",
        "200 200",
    ),
    Mutant(
        "the body is compared",
        Edit(BIND, "redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0", "1"),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS), "open")),
        "200 403",
        "200 200",
    ),
    Mutant(
        "WeChat's retry goes on",
        Edit(BIND, "redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0", "0"),
        in_turn((plain(TEXT), "open"), (plain(TEXT), "open")),
        "200 200",
        "200 403",
    ),
    Mutant(
        "all of the body counts",
        Edit(DIGESTS, "hashlib.sha256(body)", "hashlib.sha256(body[:128])"),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS), "open")),
        "200 403",
        "200 200",
    ),
    Mutant(
        "for 620 s",
        Edit(BIND, "'PX', CLAIM_MS", "'PX', 600000"),
        talks.another_body_ten_minutes_later,
        "200 403",
        f"200 {TAKEN}",
    ),
    Mutant(
        "each nonce by itself",
        Edit(DIGESTS, _KEY, 'f"bm:{account}:d:{timestamp}"'),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS, nonce="2"), "open")),
        "200 200",
        "200 403",
    ),
    Mutant(
        "each second by itself",
        Edit(DIGESTS, _KEY, 'f"bm:{account}:d:{nonce}"'),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS, at=NOW + 1), "open")),
        "200 200",
        "200 403",
    ),
    Mutant(
        "each account by itself",
        Edit(DIGESTS, _KEY, 'f"bm:d:{timestamp}:{nonce}"'),
        in_turn((plain(TEXT), "open"), (plain(OTHER_WORDS), "wide")),
        "200 200",
        "200 403",
    ),
    Mutant(
        "an encrypted body is signed and needs no binding",
        _door(_PLAINLY, "if False:"),
        in_turn((seal_push(), "city"), (seal_push(OTHER_WORDS), "city")),
        "200 200",
        "200 403",
    ),
    Mutant(
        "a verification's signature carries no message",
        _door("if not self._envelope.encrypted:", "if False:"),
        talks.a_message_under_the_signature_of_a_verification,
        "200 403",
        f"200 {TAKEN}",
    ),
    Mutant(
        "while nobody can tell, WeChat comes again",
        _door("if isinstance(trouble, StoreGoneError | NotInTimeError):", "if False:"),
        talks.while_redis_is_gone,
        "503",
        "500",
    ),
]

_BESIDE = push(FromUserName="oSomebodyElse", MsgType="text", Content="别人的话", MsgId="9")
_DOCTYPE = "parser.StartDoctypeDeclHandler = _refuse_doctype"
_ENTITY = TEXT.replace("<![CDATA[挂心内科]]>", "&order;")
_PARTS = "<a>" * 12 + "</a>" * 12
_SAFE = seal_push()
_STORE = "if isinstance(trouble, StoreGoneError | NotInTimeError):"
_LINE = '_log.exception("push_failed", account=self._account, exc_info=trouble, **which)'
READING = [
    Mutant(
        "of a compatible push only what was encrypted is used",
        Edit(
            "webhooks.wechat_envelope",
            "return self._decrypt(encrypted, token)",
            "return self._decrypt(encrypted, token)._replace(message=body)",
        ),
        tells(seal_push(clear=_BESIDE.removeprefix("<xml>").removesuffix("</xml>")), "both"),
        "text 挂心内科",
        "text 别人的话",
    ),
    Mutant(
        "DOCTYPE is refused",
        _xml(_DOCTYPE, "pass"),
        tells(plain("<!DOCTYPE xml>" + TEXT), "open"),
        "400",
        "text 挂心内科",
    ),
    Mutant(
        "nobody's entity speaks for a citizen",
        _xml(_DOCTYPE, "pass"),
        tells(seal_push('<!DOCTYPE xml [<!ENTITY order "取消预约">]>' + _ENTITY)),
        "400",
        "text 取消预约",
    ),
    Mutant(
        "the short cut leaves entities to the reader",
        _xml(r"[^\]<>&\x00", r"[^\]<>\x00"),
        tells(seal_push(TEXT.replace("<![CDATA[挂心内科]]>", "1 &lt; 2"))),
        "text 1 < 2",
        "text 1 &lt; 2",
    ),
    Mutant(
        "depth is bounded",
        _xml(" or len(open_elements) > MAX_DEPTH", ""),
        tells(seal_push(push(MsgType="hologram", Parts=_PARTS))),
        "400",
        "unknown",
    ),
    Mutant(
        "the number of elements is bounded",
        _xml("left < 0 or ", ""),
        tells(seal_push(push(MsgType="hologram", Parts="<a>1</a>" * 1_000))),
        "400",
        "unknown",
    ),
    Mutant(
        "control characters are not mended before the signature is known",
        Edit("webhooks.wechat_envelope", "import parse, word", "import parse_mended as parse, word"),
        sends(Sealed(_SAFE.query, _SAFE.body.replace("<xml>", "<xml><Note>\x08</Note>"))),
        "400",
        TAKEN,
    ),
    Mutant(
        "after that they silence nobody",
        _door("import parse_mended", "import parse as parse_mended"),
        tells(seal_push(TEXT.replace("挂", "\x08挂"))),
        "text 挂心内科",
        "400",
    ),
    Mutant(
        "a body announced too large is not waited for",
        _door("if (request.content_length or 0) > MAX_BODY:", "if False:"),
        talks.a_body_announced_too_large,
        "413",
        "408",
    ),
    Mutant(
        "a body without end is not read to its end",
        _door("while len(body) <= MAX_BODY and", "while"),
        talks.a_body_without_end,
        "413",
        "408",
    ),
    Mutant(
        "64 KB are the limit in pieces too",
        _door("if len(body) > MAX_BODY:", "if False:"),
        talks.a_body_in_pieces_that_is_a_little_too_large,
        "413",
        "200",
    ),
    Mutant(
        "a body that does not arrive is given up",
        _door("asyncio.timeout(BODY_S)", "asyncio.timeout(None)"),
        talks.a_body_that_does_not_arrive,
        "408",
        "no answer",
    ),
]

ANSWERING = [
    Mutant(
        "a reply is cut to 2,047 bytes",
        _replies("cut(clean(said.text))", "clean(said.text)"),
        talks.says_too_much("a" * 2_048),
        "2047 bytes",
        "2048 bytes",
    ),
    Mutant(
        "2,047 and not 2,048",
        Edit("core.chat.cutting", "MAX_TEXT_BYTES = 2_047", "MAX_TEXT_BYTES = 2_048"),
        talks.says_too_much("a" * 2_048),
        "2047 bytes",
        "2048 bytes",
    ),
    Mutant(
        "a reply is cut between characters",
        Edit("core.chat.cutting", 'decode(errors="ignore")', 'decode(errors="replace")'),
        talks.says_too_much("中" * 700),
        "2046 bytes",
        "2049 bytes",
    ),
    Mutant(
        "]]> in a reply is said and ends nothing",
        _replies('text = text.replace("]]>", "]]]]><![CDATA[>")', "pass"),
        talks.says("a]]>b"),
        "200 a]]>b",
        "200 unreadable",
    ),
    Mutant(
        "control characters in a reply do not break it",
        _replies("cut(clean(said.text))", "cut(said.text)"),
        talks.says("请\x08选择"),
        "200 请选择",
        "200 unreadable",
    ),
    Mutant(
        "until everything is ready WeChat shall come again",
        _door(
            "arrived = loop.time()\n        if not self._ready():", "arrived = loop.time()\n        if False:"
        ),
        talks.before_everything_is_ready,
        "503 503",
        f"{TAKEN} 503",
    ),
    Mutant(
        "a verification too",
        _door("if not self._ready():\n            return web.Response(status=503)\n        now", "now"),
        talks.before_everything_is_ready,
        "503 503",
        "503 200",
    ),
    Mutant(
        "when a store is gone WeChat shall come again",
        _door(_STORE, "if isinstance(trouble, NotInTimeError):"),
        talks.fails(StoreGoneError("Redis")),
        "503; push_put_off",
        "500; push_failed",
    ),
    Mutant(
        "when an attempt runs out WeChat shall come again",
        _door(_STORE, "if isinstance(trouble, StoreGoneError):"),
        talks.fails(NotInTimeError()),
        "503; push_put_off",
        "500; push_failed",
    ),
    Mutant(
        "a mistake of ours leaves a line",
        _door(_LINE, "pass"),
        talks.fails(ZeroDivisionError()),
        "500; push_failed",
        "500",
    ),
    Mutant(
        "a mistake before there is an event leaves one too",
        _door(_LINE, "pass"),
        talks.a_mistake_before_there_is_an_event,
        "500; push_failed",
        "500",
    ),
    Mutant(
        "a mistake of ours says nothing to strangers",
        _door(
            "return web.Response(status=500)",
            "return web.Response(status=500, text=str(trouble))",
        ),
        talks.a_mistake_before_there_is_an_event,
        "500; push_failed",
        "500 our secret; push_failed",
    ),
    Mutant(
        "a refusal says nothing",
        _door(
            "web.Response(status=trouble.status)",
            "web.Response(status=trouble.status, text=trouble.reason)",
        ),
        sends(seal_push(token="stranger")),
        "403",
        "403 wrong msg_signature",
    ),
    Mutant(
        "no openid is in the log",
        _door(
            "return self._turned_away(trouble, event.id)",
            "return self._turned_away(trouble, event.openid)",
        ),
        talks.a_secret_in_the_log,
        "nobody's name",
        "the openid is in the log",
    ),
]
