"""The demo hospital's register: codes for who is known, and no word about who is not."""

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from services.citizens.identity import age, id_number
from services.citizens.names import person_name
from services.citizens.numbers import phone
from simulator.register import Figures, Register, TooOftenError
from simulator.residents import residents
from tests.simulator.conftest import MakeTown
from tests.simulator.hospital import SECRET, TITLE, Answer, Hospital, opened, plain
from tests.simulator.town import MovableClock, Town

NOBODY = {"name": "王秀英", "id_number": "109901194803120205", "phone": ""}
REQUEST = "r" * 24
Shape = tuple[int, bytes, set[str], int]


@pytest.fixture
async def hospital(town: Town) -> Hospital:
    return opened(town)


@pytest.fixture
async def granny(hospital: Hospital) -> dict[str, Any]:
    return await hospital.person("王秀英")


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 12, 31), date(2039, 2, 28)])
def test_everybody_has_a_name_and_a_number_that_we_take(today: date) -> None:
    everybody = residents(today)
    for one in everybody:
        assert id_number(one.id_number, today) == one.id_number
        assert person_name(one.name) == one.name
        assert not one.phone or phone(one.phone) == one.phone
        assert {guardian.name for guardian in everybody} >= set(one.guardians)
    assert len({one.id_number for one in everybody}) == len(everybody)
    assert [one.name for one in everybody if age(one.id_number, today) < 14] == ["赵小雨", "赵一诺"]
    assert all(one.guardians for one in everybody if age(one.id_number, today) < 14)


async def test_a_code_arrives_and_confirms_who_it_is(hospital: Hospital, granny: dict[str, Any]) -> None:
    request = await hospital.sends(granny)
    (received,) = await hospital.town.get("/sim/sms", number=granny["phone"])
    assert received["sender"] == TITLE
    assert f"【{TITLE}】验证码" in received["content"]
    assert granny["id_number"] not in received["content"]
    answer = await hospital.checks(request, await hospital.code_of(granny))
    assert answer.said["confirmed"] is True
    patient = answer.said["patient"]
    assert patient
    for one in ("王秀英", granny["id_number"], granny["phone"]):
        assert one not in patient
    again = await hospital.sends(granny)
    assert (await hospital.checks(again, await hospital.code_of(granny))).said["patient"] == patient


async def test_two_requests_have_codes_of_their_own(hospital: Hospital, granny: dict[str, Any]) -> None:
    first = await hospital.sends(granny)
    code = await hospital.code_of(granny)
    second = await hospital.sends(granny)
    assert (await hospital.checks(second, code)).said["confirmed"] is False or code == await hospital.code_of(
        granny
    )
    assert (await hospital.checks(first, code)).said["confirmed"] is True


async def test_the_same_request_again_sends_no_second_code(
    hospital: Hospital, granny: dict[str, Any]
) -> None:
    request = await hospital.sends(granny)
    assert await hospital.sends(granny, request) == request
    assert await hospital.texts() == 1


async def test_a_name_that_does_not_fit_the_number_gets_nothing(
    hospital: Hospital, granny: dict[str, Any]
) -> None:
    await hospital.sends(granny | {"name": "李建国"})
    await hospital.sends(NOBODY)
    await hospital.sends(await hospital.person("赵小雨"))  # known, and without a phone
    assert await hospital.texts() == 0
    await hospital.sends(granny | {"name": "王　秀英"})
    assert await hospital.texts() == 1


async def test_nothing_shows_whether_somebody_is_known(hospital: Hospital, granny: dict[str, Any]) -> None:
    """Status, headers and bytes are the same for who is known, unknown, wrongly named, or without a phone."""
    child = await hospital.person("赵小雨")
    answers: list[tuple[dict[str, Any], list[Shape]]] = []
    for who in (granny, NOBODY, granny | {"name": "李建国"}, child):
        for _ in range(Figures().sends + 1):
            request = f"request-{len(answers):016}"
            sent = await hospital.ask("/v1/codes", {"request": request} | plain(who))
            checked = await hospital.ask("/v1/codes/check", {"request": request, "code": "000000"})
            answers.append((who, [shape(sent), shape(checked)]))
    usual, *_, refused = [shapes for who, shapes in answers if who is granny]
    assert usual[0][:2] == (200, b'{"accepted":true}')
    assert refused[0][:2] == (429, b'{"error":"too_many_codes"}')
    known = [shapes for who, shapes in answers if who is granny]
    for one in (NOBODY, child):
        assert [shapes for who, shapes in answers if who is one] == known


def shape(answer: Answer) -> Shape:
    return answer.status, answer.body, set(answer.headers), len(answer.headers["Bianmin-Signature"])


async def test_a_wrong_code_looks_like_any_other_that_confirms_nothing(
    hospital: Hospital, granny: dict[str, Any]
) -> None:
    request = await hospital.sends(granny)
    code = await hospital.code_of(granny)
    wrong = await hospital.checks(request, other_than(code))
    unknown = await hospital.checks(await hospital.sends(NOBODY), code)
    never_sent = await hospital.checks("n" * 24, code)
    right = await hospital.checks(request, code)
    of_another = await hospital.checks(await hospital.sends(granny), code)
    old_request = await hospital.sends(granny)
    old_code = await hospital.code_of(granny)
    hospital.town.clock.passes(seconds=300)
    old = await hospital.checks(old_request, old_code)
    assert right.said["confirmed"] is True
    for answer in (wrong, unknown, never_sent, of_another, old):
        assert shape(answer) == shape(wrong)
        assert answer.body == b'{"confirmed":false,"patient":""}'


async def test_a_right_code_is_confirmed_again_for_its_own_request_while_it_is_good(
    hospital: Hospital, granny: dict[str, Any]
) -> None:
    """The gateway may have died between our yes and its own commit."""
    request = await hospital.sends(granny)
    code = await hospital.code_of(granny)
    first = await hospital.checks(request, code)
    for _ in range(4):
        assert not (await hospital.checks(request, other_than(code))).said["confirmed"]
    again = await hospital.checks(request, code)
    assert (first.body, again.body) == (again.body, first.body)
    assert again.said["confirmed"] is True
    await hospital.checks(request, other_than(code))
    assert not (await hospital.checks(request, code)).said["confirmed"], (
        "five wrong tries end it all the same"
    )


async def test_a_code_is_good_until_the_last_of_its_five_minutes(
    hospital: Hospital, granny: dict[str, Any]
) -> None:
    request = await hospital.sends(granny)
    hospital.town.clock.passes(seconds=299)
    assert (await hospital.checks(request, await hospital.code_of(granny))).said["confirmed"] is True


@pytest.mark.parametrize(("wrong", "is_good"), [(4, True), (5, False)])
async def test_the_fifth_wrong_try_is_the_last(
    hospital: Hospital, granny: dict[str, Any], wrong: int, is_good: bool
) -> None:
    request = await hospital.sends(granny)
    code = await hospital.code_of(granny)
    for _ in range(wrong):
        assert (await hospital.checks(request, other_than(code))).said["confirmed"] is False
    assert (await hospital.checks(request, code)).said["confirmed"] is is_good


async def test_codes_run_out_and_come_back_after_an_hour(hospital: Hospital, granny: dict[str, Any]) -> None:
    for _ in range(5):
        await hospital.sends(granny)
        hospital.town.clock.passes(minutes=10)
    refused = await hospital.ask("/v1/codes", {"request": REQUEST} | plain(granny))
    assert (refused.status, refused.said) == (429, {"error": "too_many_codes"})
    assert await hospital.texts() == 5
    await hospital.sends(await hospital.person("李建国"))  # somebody else's are their own
    hospital.town.clock.passes(minutes=11)
    await hospital.sends(granny)


async def test_children_are_confirmed_for_their_guardians_alone(hospital: Hospital) -> None:
    async def confirms(guardian: str, child: str, **changed: str) -> bool:
        question = {
            "request": REQUEST,
            "guardian": plain(await hospital.person(guardian)),
            "child": plain(await hospital.person(child)) | changed,
        }
        answer = await hospital.ask("/v1/guardians", question)
        assert answer.status == 200
        assert answer.said["confirmed"] is bool(answer.said["patient"])
        return bool(answer.said["patient"])

    assert await confirms("赵志强", "赵小雨")
    assert await confirms("陈玉梅", "赵一诺")
    assert not await confirms("王秀英", "赵小雨"), "somebody else's child"
    assert not await confirms("李建国", "孙浩然"), "16 years old"
    assert not await confirms("赵小雨", "赵志强"), "the wrong way round"
    assert not await confirms("赵志强", "赵小雨", name="赵一诺"), "another name"
    assert not await confirms("赵志强", "赵小雨", id_number=NOBODY["id_number"]), "another number"


def test_who_is_unknown_takes_as_long_as_who_is_known() -> None:
    """Medians of many alternating calls, so that a busy machine disturbs both alike."""
    clock = MovableClock()
    register = Register("renmin", clock, lambda _number, _words: None, Figures(sends=10**6))
    granny = register.people[0]
    who = {"known": (granny.name, granny.id_number), "unknown": ("王秀英", NOBODY["id_number"])}
    took: dict[str, list[float]] = {key: [] for key in who}

    def timed(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    for number in range(400):
        for key, (name, id_number_) in who.items():
            request = f"{key}-{number:020}"
            clock.passes(seconds=3600)
            took[key].append(
                timed(lambda r=request, n=name, i=id_number_: register.send(r, n, i))  # type: ignore[misc]
                + timed(lambda r=request: register.check(r, "x"))  # type: ignore[misc]
            )
    ratio = statistics.median(took["known"]) / statistics.median(took["unknown"])
    assert 0.5 < ratio < 2, ratio


def test_the_register_remembers_so_much_and_no_more() -> None:
    clock = MovableClock()
    register = Register("renmin", clock, lambda _number, _words: None, Figures(most=3, sends=1))
    for number in range(10):
        register.send(f"request-{number:016}", "谁", f"{number:018}")
    with pytest.raises(TooOftenError):
        register.send("another-request-000", "谁", f"{9:018}")
    register.send("another-request-000", "谁", f"{1:018}")
    assert len(register._pending) == len(register._sent) == 3


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"signature": "0" * 64}, "bad_signature"),
        ({"signature": ""}, "bad_signature"),
        ({"signature": "é"}, "bad_signature"),
        ({"nonce": "short"}, "bad_signature"),
        ({"nonce": "n" * 65}, "bad_signature"),
        ({"at": "soon"}, "bad_signature"),
        ({"time": "1"}, "bad_signature"),
        ({"at": "1"}, "stale"),
    ],
)
async def test_what_is_not_signed_is_not_answered(
    hospital: Hospital, granny: dict[str, Any], changed: dict[str, str], word: str
) -> None:
    answer = await hospital.ask("/v1/codes", {"request": REQUEST} | plain(granny), **changed)
    assert (answer.status, answer.said) == (401, {"error": word})
    assert await hospital.texts() == 0


@pytest.mark.parametrize("skew", [-301, 301])
async def test_time_may_differ_by_five_minutes(hospital: Hospital, skew: int) -> None:
    now = int(hospital.town.clock().timestamp())
    assert (await hospital.ask("/v1/hello", {}, at=str(now + skew))).said == {"error": "stale"}
    near = now + skew + (1 if skew < 0 else -1)
    assert (await hospital.ask("/v1/hello", {}, at=str(near))).said == {"accepted": True}


async def test_a_question_is_answered_once(hospital: Hospital, granny: dict[str, Any]) -> None:
    question = {"request": REQUEST} | plain(granny)
    assert (await hospital.ask("/v1/codes", question, nonce="n" * 24)).status == 200
    again = await hospital.ask("/v1/codes", question, nonce="n" * 24)
    assert (again.status, again.said) == (401, {"error": "repeated"})


async def test_another_secret_or_body_is_refused(hospital: Hospital, granny: dict[str, Any]) -> None:
    assert (await hospital.ask("/v1/hello", {}, secret="x" * 32)).status == 401
    await hospital.ask("/v1/hello", {})
    signed = hospital.asked[-1] | {"Bianmin-Nonce": hospital.asked[-1]["Bianmin-Nonce"]}
    other = await hospital.post("/v1/hello", b'{"altered": 1}', signed)
    assert (other.status, other.said) == (401, {"error": "bad_signature"})
    elsewhere = await hospital.post("/v1/codes", b"{}", signed)
    assert elsewhere.status == 401


@pytest.mark.parametrize(
    ("path", "question", "status", "word"),
    [
        ("/v1/codes", b"{", 400, "bad_request"),
        ("/v1/codes", b"\xff", 400, "bad_request"),
        ("/v1/codes", {"request": "short", "name": "王", "id_number": "1" * 18}, 400, "bad_request"),
        (
            "/v1/codes",
            {"request": REQUEST, "name": "王", "id_number": "11010519491231002x"},
            400,
            "bad_request",
        ),
        ("/v1/codes", {"request": REQUEST, "name": "", "id_number": "1" * 18}, 400, "bad_request"),
        ("/v1/codes", {"request": REQUEST, "name": 5, "id_number": "1" * 18}, 400, "bad_request"),
        ("/v1/codes/check", {"request": REQUEST, "code": "１２３４５６"}, 400, "bad_request"),
        ("/v1/codes/check", {"request": REQUEST, "code": "12345"}, 400, "bad_request"),
        ("/v1/guardians", {"request": REQUEST, "guardian": {}, "child": {}}, 400, "bad_request"),
        ("/v1/nothing", {}, 404, "no_such_question"),
        ("/v1/codes", b"x" * 5000, 413, "too_long"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_word(
    hospital: Hospital, path: str, question: Any, status: int, word: str
) -> None:
    answer = await hospital.ask(path, question)
    assert (answer.status, answer.said) == (status, {"error": word})


async def test_an_institution_nobody_opened_is_not_there(town: Town) -> None:
    stranger = Hospital(town, "nobody", SECRET)
    assert (await stranger.ask("/v1/hello", {})).status == 404
    assert await town.get("/sim/register") == []


async def test_two_institutions_call_one_person_differently(town: Town, hospital: Hospital) -> None:
    register = Register("zhongyi", town.clock, lambda _number, _words: None, Figures())
    first, second = register.people[0], register.people[1]
    assert len({first.reference("zhongyi"), first.reference("renmin"), second.reference("zhongyi")}) == 3


async def test_limits_are_the_hospitals_own(make_town: MakeTown) -> None:
    strict = opened(await make_town(), Figures(sends=1, tries=1))
    granny = await strict.person("王秀英")
    request = await strict.sends(granny)
    code = await strict.code_of(granny)
    assert (await strict.checks(request, other_than(code))).said["confirmed"] is False
    assert (await strict.checks(request, code)).said["confirmed"] is False
    assert (await strict.ask("/v1/codes", {"request": REQUEST} | plain(granny))).status == 429
