"""A gate that lets riders through: once for each code, on disk first, and whatever the network does."""

import os
from pathlib import Path

import msgspec
import pytest

from gate.code import Reason, Refused, Type
from gate.faults import GateError, OutOfOrder
from gate.gate import Gate
from tests.gate.conftest import Hands, Open
from tests.support.ride_codes import ACCT_REF, NOW, granted, malleated, sent, shown, trust_list


def refused(gate: Gate, code: bytes) -> Reason:
    with pytest.raises(Refused) as told:
        gate.show(code)
    return told.value.reason


def out_of_order(gate: Gate, code: bytes) -> str:
    with pytest.raises(OutOfOrder) as told:
        gate.show(code)
    return told.value.why


def test_a_rider_shows_a_code_and_the_tap_is_kept(gate: Gate) -> None:
    passed = gate.show(shown())
    (tap,) = gate.pending()
    assert (tap.seq, tap.at, tap.way, tap.station, tap.line) == (
        passed.seq,
        NOW * 1000,
        "in",
        "zhongnan",
        "2",
    )


def test_a_second_look_at_the_same_code_finds_it_used(gate: Gate) -> None:
    gate.show(shown())
    assert refused(gate, shown()) == Reason.USED
    assert refused(gate, malleated(shown())) == Reason.USED
    assert len(gate.pending()) == 1


def test_a_screenshot_is_worth_nothing_after_its_code_was_used_or_is_over(gate: Gate, hands: Hands) -> None:
    screenshot = shown()
    gate.show(screenshot)
    assert refused(gate, screenshot) == Reason.USED
    hands.at += 41
    assert refused(gate, screenshot) == Reason.EXPIRED
    assert refused(gate, shown(nonce=b"not used")) == Reason.EXPIRED


def test_a_page_without_a_network_goes_on_for_the_life_of_its_grant(gate: Gate, hands: Hands) -> None:
    under = granted()
    for _ in range(0, 900, 60):
        hands.at += 60
        assert gate.show(shown(int(hands.at), under=under))
    hands.at += 11
    assert refused(gate, shown(int(hands.at), under=under)) == Reason.GRANT_EXPIRED


def test_a_companion_rides_on_a_grant_of_that_type_where_the_gate_takes_it(opened: Open) -> None:
    bus = opened(station=None, vehicle="E1234", line="bus-15", way="board", types=("self", "companion"))
    bus.take_trust(msgspec.json.encode(trust_list()))
    bus.show(shown())
    bus.show(shown(under=granted(type=Type.COMPANION, acct_ref=bytes(16))))
    assert [tap.vehicle for tap in bus.pending()] == ["E1234", "E1234"]
    companion = shown(nonce=b"another!", under=granted(type=Type.COMPANION, acct_ref=bytes(16)))
    assert refused(opened(), companion) == Reason.TYPE, "in the metro everybody shows a code of their own"


def test_after_a_power_cut_a_used_code_is_still_used(gate: Gate, opened: Open, hands: Hands) -> None:
    gate.show(shown())
    gate.show(sent(nonce=b"picture!"))
    again = opened()
    assert refused(again, shown()) == Reason.USED
    assert refused(again, sent(nonce=b"picture!")) == Reason.USED
    hands.at += 35
    assert refused(opened(), shown()) == Reason.USED
    again = opened()
    assert len(again.pending()) == 2


def test_what_the_server_has_is_still_used_after_a_power_cut(gate: Gate, opened: Open, hands: Hands) -> None:
    gate.done([gate.show(shown()).seq])
    again = opened()
    assert again.pending() == []
    assert refused(again, shown()) == Reason.USED
    hands.at += 51  # its thirty seconds and twice the skew
    assert refused(opened(), shown()) == Reason.EXPIRED, "and nothing keeps it any longer"
    assert b"code" not in Path(again.settings.folder, "taps").read_bytes()


def test_a_full_disk_opens_for_nobody_and_the_next_try_is_not_a_second_use(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "write", _no_space)
        assert out_of_order(gate, shown()) == "journal"
    assert gate.pending() == []
    assert gate.show(shown())


def test_half_a_record_on_a_full_disk_is_cut_away(
    gate: Gate, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.show(shown(nonce=b"1 before"))
    whole = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, content: whole(file, content[:40]))
        assert out_of_order(gate, shown()) == "journal"
    gate.show(shown(nonce=b"2 after."))
    assert len(opened().pending()) == 2
    assert not Path(gate.settings.folder, "taps.damaged").exists()


def _no_space(_file: int, _content: bytes) -> int:
    raise OSError(28, "No space left on device")


def test_without_any_trust_list_the_gate_says_that_it_is_out_of_order(opened: Open) -> None:
    assert out_of_order(opened(), shown()) == "no_trust"


def test_for_lack_of_a_network_nobody_is_stranded(gate: Gate, opened: Open, hands: Hands) -> None:
    hands.at += 30 * 86_400
    fresh = shown(int(hands.at), under=granted(expires_at=int(hands.at) + 900))
    assert gate.look(fresh)
    assert out_of_order(opened(oldest_trust_h=24), fresh) == "old_trust", "unless its owner wants that"


def test_a_denied_account_and_one_whose_time_is_over(gate: Gate, hands: Hands) -> None:
    gate.take_trust(msgspec.json.encode(trust_list(NOW * 1000 + 1, denied=(ACCT_REF,))))
    assert refused(gate, shown()) == Reason.DENIED
    hands.at += 901
    later = shown(int(hands.at), under=granted(expires_at=NOW + 1800))
    assert gate.look(later)


def test_a_key_that_the_list_says_is_revoked_opens_nothing_any_more(gate: Gate, opened: Open) -> None:
    assert gate.look(shown()), "control: until then"
    gate.take_trust(msgspec.json.encode(trust_list(NOW * 1000 + 1, revoked=True)))
    assert refused(gate, shown()) == Reason.REVOKED_ISSUER
    assert refused(opened(), shown()) == Reason.REVOKED_ISSUER, "also after a power cut"


def test_every_way_out_lets_out_who_was_let_in_and_nobody_gets_in_by_that(gate: Gate, opened: Open) -> None:
    under = granted(type=Type.WAY_OUT)
    assert refused(gate, shown(under=under)) == Reason.ONLY_OUT
    bus = opened(station=None, vehicle="E1234", line="bus-15", way="board", types=("self", "companion"))
    bus.take_trust(msgspec.json.encode(trust_list()))
    assert refused(bus, shown(under=under)) == Reason.ONLY_OUT
    out = opened(way="out", types=())
    assert out.show(shown(under=under)).code.type == Type.WAY_OUT


def test_a_gate_of_one_operator_takes_nobody_elses_codes(gate: Gate, opened: Open) -> None:
    gate.look(shown(under=granted(custom=b"ferry")))
    ours = opened(operator="metro")
    assert refused(ours, shown(under=granted(custom=b"ferry"))) == Reason.FOREIGN
    assert ours.show(shown(under=granted(custom=b"metro")))


def test_the_trust_list_survives_a_restart_and_an_older_one_does_not_replace_it(
    gate: Gate, opened: Open
) -> None:
    assert not gate.take_trust(msgspec.json.encode(trust_list(NOW * 1000 - 1, denied=(ACCT_REF,))))
    assert opened().show(shown())


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{}",
        b'{"now":1,"issuers":[{"kid":1,"key":"short"}]}',
        b'{"now":1,"issuers":[],"denied":[{"acct_ref":"AA","until":1}]}',
        b'{"now":1,"issuers":[{"kid":"x","key":""}]}',
    ],
)
def test_a_list_that_is_none_leaves_the_one_in_use(gate: Gate, wrong: bytes) -> None:
    with pytest.raises(GateError, match="no trust list"):
        gate.take_trust(wrong)
    assert gate.show(shown())


def test_a_damaged_trust_file_is_an_empty_one(gate: Gate, opened: Open) -> None:
    Path(gate.settings.folder, "trust.json").write_bytes(b'{"now":')
    assert out_of_order(opened(), shown()) == "no_trust"


def test_a_clock_that_stands_before_what_is_over_judges_nobody(
    gate: Gate, opened: Open, hands: Hands
) -> None:
    gate.show(shown())
    hands.at = 0.0  # a battery that is empty
    assert out_of_order(opened(), shown()) == "clock"


def test_a_clock_that_is_wrong_is_put_right_by_the_server(gate: Gate, hands: Hands) -> None:
    hands.at += 600
    assert refused(gate, shown()) == Reason.EXPIRED
    assert gate.clock.told(NOW * 1000, hands.at - 0.1, hands.at + 0.1)
    assert gate.show(shown())
    assert not gate.clock.told(NOW * 1000, hands.at, hands.at), "once"


def test_taps_of_a_clock_that_was_ahead_do_not_shut_the_gate_once_it_is_right(
    gate: Gate, opened: Open, hands: Hands
) -> None:
    hands.at += 3600
    gate.show(shown(int(hands.at), under=granted(expires_at=int(hands.at) + 900)))
    hands.at -= 3600
    again = opened()
    assert out_of_order(again, shown()) == "clock"
    again.clock.told(NOW * 1000, hands.at, hands.at)
    assert again.show(shown())


def test_two_programs_do_not_work_as_one_gate(gate: Gate) -> None:
    with pytest.raises(GateError, match="another gate works"):
        Gate(gate.settings)
