"""What is said to a number, a nod or a no where nothing is asked: they are understood, and answer nothing."""

from core.chat import answers, moves
from core.chat.replies import Text
from core.chat.routes import Routes
from core.chat.sessions import Session
from core.chat.words import Words

_HEARD = answers.fold_all(
    "知道了 我知道了 明白 明白了 收到 了解 了解了 好了 嗯好 嗯好的 好好 好好好 哦 噢 喔 哦哦 哦好 哦好的"
    " 嗯嗯嗯 没事 没事了 没有了"
)


def answer(folded: str, session: Session, routes: Routes, words: Words) -> Text | None:
    """The reply to such a message; None if it says something of its own."""
    numbered = answers.is_number(folded)
    declined = moves.stops(folded) and "取消" not in folded.replace("不取消", "")
    nod = declined or answers.yes_or_no(folded) is not None or folded in _HEARD
    if not (numbered or nod):
        return None
    if numbered and session.offers and not 1 <= (answers.number(folded) or 0) <= len(session.offers):
        return Text("chat/not_a_line", said=folded, lines=len(session.offers), more=False)
    done = routes.named(session.done)
    if done is None:
        return Text("chat/nothing_open", numbered=numbered)
    own = f"{done.route.domain}/settled"
    return Text(own if words.has(own) else "chat/settled", title=done.route.title)
