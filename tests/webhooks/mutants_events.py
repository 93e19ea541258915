"""Mistakes in what a push is taken for and how it is named, each with the talk that notices it."""

from functools import partial

from tests.webhooks import door_talks as talks
from tests.webhooks.door_talks import sends, tells, twice_at_the_desk
from tests.webhooks.house import TAKEN, Edit, Mutant
from tests.webhooks.wire import NOW, push, seal_push

_events = partial(Edit, "webhooks.wechat_events")

UNDERSTANDING = [
    Mutant(
        "a push is addressed to our account",
        _events('if word(fields, "ToUserName") != original_id:', "if False:"),
        sends(seal_push(push(ToUserName="gh_other", MsgType="text", MsgId="1"))),
        "403",
        TAKEN,
    ),
    Mutant(
        "an unknown event is an event",
        _events("return Kind.UNKNOWN, _raw(fields)", 'raise PushRefusedError("unknown")'),
        tells(seal_push(push(MsgType="event", Event="Teleported"))),
        "unknown",
        "400",
    ),
    Mutant(
        "an unknown kind of message is no accident",
        _events(
            '(_EVENTS if type_ == "event" else _MESSAGES).get(name)',
            '(_EVENTS if type_ == "event" else _MESSAGES)[name]',
        ),
        tells(seal_push(push(MsgType="hologram", MsgId="1"))),
        "unknown",
        "500",
    ),
    Mutant(
        "an event's name is read in any case",
        _events('word(fields, "Event").lower() if', 'word(fields, "Event") if'),
        tells(seal_push(push(MsgType="event", Event="CLICK", EventKey="k"))),
        "click",
        "unknown",
    ),
]

_MESSAGE = 'f"{conversation}:m:{_id_part(message)}:{sent}"'
_RECEIPT = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "Status": "success"}
_SCAN = {"MsgType": "event", "Event": "SCAN", "EventKey": "1", "Ticket": "T", "Extra": "E"}
_SAID = {"MsgType": "text", "Content": "好", "MsgId": "1"}
IDS = [
    Mutant(
        "two messages of one second are two",
        _events(_MESSAGE, 'f"{conversation}:m:{sent}"'),
        twice_at_the_desk(push(**_SAID), push(**_SAID | {"MsgId": "2"})),
        "two",
        "one",
    ),
    Mutant(
        "one MsgId at two times is two messages",
        _events(_MESSAGE, 'f"{conversation}:m:{_id_part(message)}"'),
        twice_at_the_desk(push(**_SAID), push(**_SAID | {"CreateTime": str(NOW + 1)})),
        "two",
        "one",
    ),
    Mutant(
        "one MsgId of two citizens is two messages",
        _events(_MESSAGE, 'f"city:0:m:{_id_part(message)}:{sent}"'),
        twice_at_the_desk(push(**_SAID), push(**_SAID | {"FromUserName": "oAnother"})),
        "two",
        "one",
    ),
    Mutant(
        "a retry of a message is the same message, encrypted anew",
        _events(_MESSAGE, 'f"{conversation}:m:{datetime.now().timestamp()}"'),
        twice_at_the_desk(push(**_SAID), push(**_SAID)),
        "one",
        "two",
    ),
    Mutant(
        "two receipts of one second are two",
        _events(':{digest}"', '"'),
        twice_at_the_desk(push(**_RECEIPT, MsgID="1"), push(**_RECEIPT, MsgID="2")),
        "two",
        "one",
    ),
    Mutant(
        "two taps in one second are two",
        _events(":{_id_part(word(fields, 'EventKey'))}", ""),
        twice_at_the_desk(push(**_SCAN), push(**_SCAN | {"EventKey": "2"})),
        "two",
        "one",
    ),
    Mutant(
        "two sorts of event in one second are two",
        _events(":{_id_part(name)}:", ":"),
        twice_at_the_desk(push(**_SCAN), push(**_SCAN | {"Event": "CLICK"})),
        "two",
        "one",
    ),
    Mutant(
        "a retry of an event may have its fields in another order",
        _events(
            "rest = sorted(pair for pair in leaves(fields)", "rest = list(pair for pair in leaves(fields)"
        ),
        twice_at_the_desk(push(**_SCAN), push(**dict(reversed(_SCAN.items())))),
        "one",
        "two",
    ),
    Mutant(
        "a retry of an event may be spelled in another case",
        _events('word(fields, "Event").lower() if', 'word(fields, "Event") if'),
        twice_at_the_desk(push(**_SCAN), push(**_SCAN | {"Event": "scan"})),
        "one",
        "two",
    ),
    Mutant(
        "an id is short",
        _events("if len(part) <= _ID_PART and part.isprintable():", "if part.isprintable():"),
        talks.a_very_long_address,
        "short",
        "long",
    ),
    Mutant(
        "no openid is in an id",
        _events("seal.conversation(account, openid)", 'f"{account}:{openid}"'),
        talks.the_id,
        "nobody's name",
        "names the citizen",
    ),
]
