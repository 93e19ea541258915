"""A demo hospital's register for tests, asked by somebody who knows only what docs/institution.md says."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from simulator.app import INSTITUTIONS
from simulator.register import Figures
from simulator.register_door import Institution
from tests.simulator.town import Town

SECRET = "a-secret-of-at-least-32-characters"
TITLE = "云汀市人民医院"


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hospital:
    """The register, and the engineer who asks it."""

    town: Town
    name: str = "renmin"
    secret: str = SECRET
    asked: list[dict[str, str]] = field(default_factory=list)

    async def ask(self, path: str, question: Any, *, secret: str | None = None, **changed: str) -> Answer:
        """A signed question; `changed` are headers as somebody changed them (`nonce="…"`)."""
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        at = changed.pop("at", str(int(self.town.clock().timestamp())))
        nonce = changed.pop("nonce", secrets.token_urlsafe(18))
        lines = ["bianmin-request-1", "POST", path, at, nonce, hashlib.sha256(body).hexdigest()]
        key = (secret or self.secret).encode()
        headers = {
            "Bianmin-Name": "renmin",
            "Bianmin-Time": at,
            "Bianmin-Nonce": nonce,
            "Bianmin-Signature": hmac.new(key, "\n".join(lines).encode(), "sha256").hexdigest(),
            "Content-Type": "application/json",
        } | {f"Bianmin-{name.title()}": value for name, value in changed.items()}
        self.asked.append(headers)
        return await self.post(path, body, headers)

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        url = f"/institution/{self.name}{path}"
        async with self.town.client.post(url, data=body, headers=headers) as response:
            return Answer(response.status, await response.read(), dict(response.headers))

    async def sends(self, who: dict[str, Any], request: str | None = None) -> str:
        """Ask for a code; the request's name."""
        request = request or secrets.token_urlsafe(24)
        answer = await self.ask("/v1/codes", {"request": request} | plain(who))
        assert (answer.status, answer.body) == (200, b'{"accepted":true}')
        return request

    async def checks(self, request: str, code: str) -> Answer:
        answer = await self.ask("/v1/codes/check", {"request": request, "code": code})
        assert answer.status == 200, answer.body
        return answer

    async def code_of(self, who: dict[str, Any]) -> str:
        """The last code on somebody's phone."""
        received = await self.town.get("/sim/sms", number=who["phone"])
        words: str = received[-1]["content"]
        return next(word for word in words.replace("，", " ").split() if word.isdecimal() and len(word) == 6)

    async def texts(self) -> int:
        """How many short messages there are, to anybody."""
        return len(await self.town.get("/sim/sms"))

    async def person(self, name: str) -> dict[str, Any]:
        (register,) = await self.town.get("/sim/register")
        found: dict[str, Any] = next(one for one in register["people"] if one["name"] == name)
        return found


def plain(who: dict[str, Any]) -> dict[str, Any]:
    return {"name": who["name"], "id_number": who["id_number"]}


def opened(town: Town, figures: Figures | None = None) -> Hospital:
    """Open the demo hospital in a town."""
    app = town.client.app
    assert app is not None
    app[INSTITUTIONS].add(Institution("renmin", TITLE, SECRET, figures or Figures()))
    return Hospital(town)
