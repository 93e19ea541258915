"""The human desk in the console: what citizens wrote for a person to read, answered and closed."""

from collections.abc import Collection
from functools import partial

from aiohttp import web

from core.chat.desk import Desk
from core.delivery.answering import MOST, Answering, NoSuchMessage
from core.effects import Effect, digest_of
from core.errors import DomainError
from services.staff.model import Member, Role
from services.staff.service import Did, Staff
from webhooks.console.guard import Guard
from webhooks.console.pages import HOME, ConsolePages, Inside, number_of
from webhooks.console.work import Work
from webhooks.forms import Form
from webhooks.routes import Request, Route

DESK = f"{HOME}/messages"
SCOPE = "desk:"  # in front of the account whose desk a member works at
_PAGE = 20
_MOST_BYTES = 12 * MOST + 1_000  # a character is up to nine bytes in a form, and there are tokens


class HumanDesk:
    """Messages of the accounts whose desk a member works at; every look and every deed is in the audit."""

    def __init__(
        self, desk: Desk, answering: Answering, staff: Staff, guard: Guard, pages: ConsolePages
    ) -> None:
        self._desk = desk
        self._answering = answering
        self._staff = staff
        self._guard = guard
        self._pages = pages

    def routes(self) -> list[Route]:
        """For clerks."""
        clerk, take = Role.CLERK, self._guard.require_form
        return [
            Route("GET", DESK, self._guard.require(clerk)(self._list), "staff"),
            Route("POST", DESK, take(clerk, most=_MOST_BYTES)(self._do), "staff"),
        ]

    def work(self) -> Work:
        """What stands on the first page."""
        return Work("答复留言", "市民找人工，等您回答。", DESK, [Role.CLERK], self._count)

    async def _count(self, member: Member) -> int | None:
        accounts = accounts_of(member)
        return (await self._desk.waiting(accounts)).count if accounts else None

    async def _list(self, request: Request, inside: Inside) -> web.Response:
        after = number_of(request.query.get("after", ""))
        return await self._shown(inside, after, did=request.query.get("did", ""))

    async def _do(self, _request: Request, inside: Inside, form: Form) -> web.Response:
        member, number, after = inside.member, number_of(form.get("no", "")), number_of(form.get("after", ""))
        closes, text = form.get("what") in {"close", "both"}, form.get("answer", "")
        did = "message_closed" if form.get("what") == "close" else "message_answered"
        try:
            if did == "message_answered":
                await self._answer(member, number, text, form.get("once", ""))
            if closes and not await self._desk.close(number, member.id, accounts_of(member)):
                raise NoSuchMessage
        except DomainError as refusal:
            about = "" if isinstance(refusal, NoSuchMessage) else f"desk:{number}"
            await self._staff.note(Did(member.id, did, about, "refused"))
            said = {"words": self._pages.words(refusal), "wrong": number, "answer": text}
            return await self._shown(inside, after, 409, **said)
        await self._staff.note(Did(member.id, did, f"desk:{number}"))
        return self._pages.led(f"{DESK}?did={form.get('what') or 'answer'}&after={after}")

    async def _answer(self, member: Member, number: str, text: str, once: str) -> None:
        """Send an answer; the same form sent twice is one answer."""
        answer = partial(self._answering.answer, number, text, member.id)
        effect = Effect(f"console/{member.id}/desk/{number}", f"answer-{once[:32]}", digest_of(answer))
        await answer(effect, accounts=accounts_of(member))

    async def _shown(self, inside: Inside, after: str, status: int = 200, **said: str) -> web.Response:
        member = inside.member
        accounts = accounts_of(member)
        await self._staff.note(Did(member.id, "messages_shown"))
        found = await self._desk.list(after, _PAGE + 1, accounts=accounts)
        shown = found[:_PAGE]
        facts = {"words": "", "wrong": "", "did": "", "answer": "", **said}
        if facts["wrong"] not in {each.id for each in shown}:
            facts["wrong"] = ""  # it is not in the list any more: the reason stands above
        return self._pages.shown(
            "desk",
            inside,
            status,
            messages=shown,
            answers=await self._answering.answers([each.id for each in shown]),
            more=len(found) > _PAGE,
            total=(await self._desk.waiting(accounts)).count,
            works=bool(accounts),
            after=after,
            most=MOST,
            **facts,
        )


def accounts_of(member: Member) -> Collection[str]:
    """The accounts whose desk a member works at: `desk:city` among their scopes."""
    return [each.removeprefix(SCOPE) for each in member.scopes if each.startswith(SCOPE)]
