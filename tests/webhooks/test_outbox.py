"""The outbox on the operators' port: read, stopped and continued by programs, and by nobody's browser."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient

from core.delivery.lanes import Lane
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.conftest import bureau, town
from tests.core.delivery.town import Phone
from webhooks.outbox import OutboxDoor
from webhooks.routes import Doors

Client = TestClient[web.BaseRequest, None]
MANY = 40
__all__ = ["bureau", "town"]


@pytest.fixture
async def client(bureau: Bureau) -> AsyncIterator[Client]:
    bureau.post.phones = {f"city:{number:032x}": Phone("city", f"o-{number}") for number in range(MANY)}
    server = RawTestServer(Doors(OutboxDoor(bureau.db).routes()).answer, host="127.0.0.1")
    answered: Client = TestClient(server)
    async with answered:
        yield answered


async def asks(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.json()


async def does(client: Client, path: str, status: int = 200, **headers: str) -> Any:
    given = {"Content-Type": "application/json", **headers}
    async with client.post(path, data=b"{}", headers=given) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def test_a_job_is_seen_stopped_and_continued(client: Client, bureau: Bureau) -> None:
    number = await bureau.job()
    await bureau.out.look_after()
    assert (await asks(client, "/outbox"))["waiting"][0]["count"] == MANY
    how = await asks(client, f"/outbox/job?id={number}")
    assert (how["total"], how["counts"], how["left"], how["state"]) == (
        MANY,
        {"queued": MANY},
        MANY,
        "running",
    )

    assert await does(client, f"/outbox/stop?id={number}") == {"id": number, "state": "stopped"}
    await bureau.out.send_due()
    assert (await asks(client, f"/outbox/job?id={number}"))["counts"] == {"queued": MANY}

    assert (await does(client, f"/outbox/continue?id={number}"))["state"] == "running"
    await bureau.out.send_due()
    assert (await asks(client, f"/outbox/job?id={number}"))["counts"] == {"accepted": MANY}
    (event,) = await bureau.db.fetch("SELECT who FROM job_events WHERE what = 'stopped'")
    assert event["who"] == "admin port"


async def test_a_job_that_is_cancelled_is_over(client: Client, bureau: Bureau) -> None:
    number = await bureau.job()
    await bureau.out.look_after()
    assert (await does(client, f"/outbox/cancel?id={number}"))["state"] == "cancelled"
    await bureau.out.send_due()
    assert (await asks(client, f"/outbox/job?id={number}"))["counts"] == {"cancelled": MANY}
    assert "cancelled already" in (await does(client, f"/outbox/continue?id={number}", 409))["error"]


async def test_jobs_come_page_by_page(client: Client, bureau: Bureau) -> None:
    numbers = [await bureau.job(key=f"news:n{place}:0") for place in range(3)]
    first = await asks(client, "/outbox/jobs?limit=2")
    assert [job["id"] for job in first["jobs"]] == numbers[:0:-1]
    second = await asks(client, f"/outbox/jobs?limit=2&before={first['next']}")
    assert ([job["id"] for job in second["jobs"]], second["next"]) == ([numbers[0]], None)


async def test_what_perhaps_did_not_arrive_is_listed_without_whom_and_what(
    client: Client, bureau: Bureau
) -> None:
    await bureau.queue(bureau.notice("note"))
    await bureau.queue(bureau.notice("note"))
    await bureau.db.execute(
        "UPDATE outbox SET state = 'unknown', sealed = NULL, settled_at = now(), reason = 'killed'"
    )
    first = await asks(client, "/outbox/unknown?limit=1")
    (doubt,) = first["unknown"]
    assert doubt.keys() == {"id", "lane", "kind", "account", "channel", "job", "reason", "attempted_at"}
    assert (doubt["lane"], doubt["account"], doubt["reason"]) == (
        Lane.PERSONAL.name.lower(),
        "city",
        "killed",
    )
    assert len((await asks(client, f"/outbox/unknown?before={first['next']}"))["unknown"]) == 1


@pytest.mark.parametrize("path", ["/outbox/job?id=7", "/outbox/job"])
async def test_a_job_that_is_not_there(client: Client, path: str) -> None:
    assert await asks(client, path, 404) == {"error": "there is no such job"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=-1",
        "before=x",
        "limit=²",
        "limit=",
        "before=99999999999999999999999",
        f"before={2**63}",
        f"before={'0' * 20}{2**63}",
        f"limit={'0' * 20}999999",
        f"before={'0' * 5000}",
    ],
)
async def test_numbers_are_bounded(client: Client, query: str) -> None:
    assert "a whole number" in (await asks(client, f"/outbox/jobs?{query}", 400))["error"]


async def test_a_page_of_another_site_cannot_stop_a_job(client: Client, bureau: Bureau) -> None:
    number = await bureau.job()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await does(client, f"/outbox/stop?id={number}", 415, **form)
    await does(client, f"/outbox/stop?id={number}", 403, Origin="http://elsewhere.example")
    await does(client, f"/outbox/stop?id={number}", 403, Host="elsewhere.example")
    assert await bureau.db.fetchval("SELECT state FROM jobs WHERE id = $1", number) == "running"
    assert (await does(client, f"/outbox/stop?id={number}"))["state"] == "stopped", "control"


async def test_nor_read_what_waits(client: Client) -> None:
    async with client.get("/outbox", headers={"Host": "elsewhere.example:8082"}) as answer:
        assert answer.status == 403
