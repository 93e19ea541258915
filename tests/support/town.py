"""Gateway, platform and stores, each a process of its own that a test may take away and bring back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from commands.places import DEMO
from core.stores.redis import Redis
from tests.support import slow_city
from tests.support.breakable import BreakablePostgres, BreakableRedis, breakable_stores
from tests.support.program import Place, Program, answers, run_to_end
from tests.support.stores import scratch_folder
from tests.support.waiting import wait_until

ACCOUNT = """
[accounts.city]
bot = "bots.slow"
original_id = "gh_1"
appid = "wx1"
secret = "s"
token = "t"
aes_key = "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK"
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a phone showed after a message, in which of WeChat's attempts, and after how many seconds."""

    words: str
    attempts: int
    seconds: float


class Town:
    """One gateway that is never restarted, whatever becomes of what it stands on."""

    def __init__(
        self, place: Place, redis: BreakableRedis, database: BreakablePostgres, program: Path
    ) -> None:
        self.place = place
        self.redis = redis
        self.database = database
        self.gateway = Program(place, "serve", program=program).ready()
        self.open_platform()

    def open_platform(self) -> None:
        """Start the simulator; it remembers its phones."""
        self._platform = Program(self.place, "simulate")
        inbox = f"{self.place.phone_url}/sim/citizens?account=city"
        wait_until(lambda: answers(inbox) is not None, "the platform answers")

    def close_platform(self) -> None:
        """Let nobody reach WeChat, nor WeChat us."""
        self._platform.stop()

    def let_go_on(self) -> None:
        """Let who said 慢 have their answer."""
        (self.place.folder / slow_city.GO_ON).touch()

    def hold_up(self) -> None:
        """Let the next who say 慢 wait."""
        (self.place.folder / slow_city.GO_ON).unlink(missing_ok=True)

    @property
    def log(self) -> str:
        return self.gateway.said

    async def says(self, openid: str, text: str) -> Heard:
        """A citizen writes, and waits until the platform makes no further attempt."""
        body = {"account": "city", "openid": openid, "type": "text", "content": text}
        began = time.monotonic()
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.place.phone_url}/sim/messages", json=body) as answer,
        ):
            told = await answer.json()
        assert answer.status == 200, told
        shown = told["reply"]["content"] if told["reply"] else told["notice"]
        return Heard(shown or "", told["attempts"], time.monotonic() - began)

    def inbox(self, openid: str) -> list[str]:
        """Everything that arrived on a phone, oldest first; nothing while the platform is closed."""
        entries = answers(f"{self.place.phone_url}/sim/inbox?account=city&openid={openid}")
        return [str(entry["content"]) for entry in entries or ()]

    async def wipe_redis(self) -> None:
        """Let Redis forget everything it knows, our scripts too."""
        redis = await Redis.open(self.redis.url)
        await redis.client.flushall()
        await redis.client.script_flush()
        await redis.close()


@contextmanager
def town(folder: Path, program: Path, retry_s: float) -> Iterator[Town]:
    """Stores, a demo city in them, gateway and platform; on the main thread only."""
    with scratch_folder(folder / "stores") as data, breakable_stores(data) as (redis, database):
        place = Place(folder / "town", retry_s=retry_s)
        with (place.folder / "bianmin.toml").open("a") as settings:
            settings.write(
                f'[stores]\nredis_url = "{redis.url}"\ndatabase_url = "{database.url}"\n'
                f'[wechat]\napi_base = "{place.phone_url}"\n{ACCOUNT}'
            )
        for command in (("keys", "create"), ("catalogue", "load", str(DEMO))):
            done = run_to_end(place.folder, *command)
            assert done.returncode == 0, done.stderr
        opened = Town(place, redis, database, program)
        try:
            yield opened
            assert opened.gateway.process.poll() is None
            assert "Traceback" not in opened.log
        finally:
            opened.close_platform()
            opened.gateway.stop()
