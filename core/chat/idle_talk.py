"""What is said to a number, a nod or a flower where nothing is asked: understood, and no answer."""

from core.chat import answers, moves
from core.chat.replies import Text
from core.chat.routes import Routes
from core.chat.sessions import Session
from core.chat.words import Words


def answer(said: str, session: Session, routes: Routes, words: Words) -> Text | None:
    """The reply to such a message, as it was written; None if it says something of its own."""
    folded = answers.fold(said)
    numbered = answers.is_number(folded)
    declined = moves.stops(folded) and "取消" not in folded.replace("不取消", "")
    moving = moves.says_nothing_alone(folded)
    nod = declined or moving or answers.is_nod(folded)
    if not (numbered or nod):
        return Text("chat/sticker") if answers.is_sticker(said) else None
    if numbered and session.offers and not 1 <= (answers.number(folded) or 0) <= len(session.offers):
        return Text("chat/not_a_line", said=folded, lines=len(session.offers), more=False)
    done = routes.named(session.done)
    if done is None:
        return Text("chat/nothing_open", numbered=numbered, moving=moving)
    own = f"{done.route.domain}/settled"
    return Text(own if words.has(own) else "chat/settled", title=done.route.title)
