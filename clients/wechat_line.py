"""What one account asks of WeChat: each question with its token, and once more if that one is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from yarl import URL

from clients.wechat_call import A, Body, Calls, Question, WeChatGoneError, WeChatRefusedError
from clients.wechat_codes import policy_of
from clients.wechat_token import TOKEN_CALL, AccessToken
from core.delivery.sender import Policy

_NOTHING: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")


class Line:
    """The way to WeChat for one account; a question is over after two time-outs."""

    def __init__(self, calls: Calls, token: AccessToken) -> None:
        self._calls = calls
        self._token = token
        self._urls: dict[str, tuple[str, URL]] = {}  # of what is asked often: by call, for the present token

    async def ready(self) -> None:
        """Have a token at hand, so that the next question does not wait for one; within one time-out."""
        if not self._token.fresh():
            await self._token_by(asyncio.get_running_loop().time() + self._calls.timeout_s)

    async def post(self, question: Question[A], body: object) -> A:
        """Ask with a body of JSON."""
        return await self.send(question, Body.json(body))

    async def send(self, question: Question[A], body: Body, query: Mapping[str, str] = _NOTHING) -> A:
        """Ask with a body of any kind."""

        async def ask(token: str) -> A:
            return await self._calls.ask(question, self._url(question, token, query), body)

        return await self._with_token(question, ask)

    async def get(self, question: Question[A], query: Mapping[str, str] = _NOTHING) -> A:
        """Ask without a body."""

        async def ask(token: str) -> A:
            return await self._calls.ask(question, self._url(question, token, query))

        return await self._with_token(question, ask)

    async def fetch(
        self,
        question: Question[A],
        query: Mapping[str, str],
        read: Callable[[str, bytes], T],
    ) -> T:
        """Ask for something that may be no JSON: `read` makes of content type and bytes what it is."""

        async def ask(token: str) -> T:
            return read(*await self._calls.fetch(question, self._url(question, token, query)))

        return await self._with_token(question, ask)

    def _url(self, question: Question[A], token: str, query: Mapping[str, str]) -> URL:
        if query:
            return self._calls.url(question, {"access_token": token, **query})
        known, url = self._urls.get(question.call, ("", None))
        if url is None or known != token:
            url = self._calls.url(question, {"access_token": token})
            self._urls[question.call] = token, url
        return url

    async def _with_token(self, question: Question[A], ask: Callable[[str], Awaitable[T]]) -> T:
        deadline = asyncio.get_running_loop().time() + self._calls.lasts_s(question)
        token = self._token.fresh() or await self._token_by(deadline)
        try:
            return await ask(token)
        except WeChatRefusedError as no:
            if policy_of(no.code) is not Policy.TOKEN:
                raise
        self._token.refuse(token)
        return await ask(await self._token_by(deadline))

    async def _token_by(self, deadline: float) -> str:
        late = WeChatGoneError(TOKEN_CALL, "no token in time", reached=False)
        now = asyncio.get_running_loop().time()
        if now >= deadline:
            raise late
        try:
            async with asyncio.timeout_at(min(deadline, now + self._calls.timeout_s)):
                return await self._token.value()
        except TimeoutError:
            raise late from None
