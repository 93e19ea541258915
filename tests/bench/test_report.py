"""What the bench prints: a missed bar stays a missed bar."""

from datetime import UTC, datetime

import msgspec

from bench.machine import Machine
from bench.webhook.load import Load
from bench.webhook.report import as_json, as_page, figures
from bench.webhook.trial import NAMES, QUICK, Memory, Run

MACHINE = Machine(2, "a processor", 8.0, "a system", "3.11", load=0.1)
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def rounds(usual: int, gateway: int) -> list[dict[str, Run]]:
    """Two rounds of one second; the machine was half as fast in the second."""
    rates = dict(zip(NAMES, (10_000, usual, 500, gateway), strict=True))
    return [
        {name: Run(Load(n // share, n // share, 0, 0, 1.0, 4.0, 20.0), 100.0) for name, n in rates.items()}
        for share in (1, 2)
    ]


def test_json_is_one_flat_object_of_named_figures() -> None:
    found = figures(rounds(usual=1_000, gateway=3_200), Memory(5_000, 80.0, 80.5))

    flat = msgspec.json.decode(as_json(found, QUICK))

    assert flat["gateway_to_usual"] == 3.2
    assert flat["gateway_to_constant"] == 0.32
    assert flat["gateway_p99_ms"] == 20.0
    assert flat["gateway_growth_mb"] == 0.5
    assert (flat["gateway_rate"], flat["gateway_rate_q1"]) == (2400.0, 2000.0)
    assert flat["missed"] == ""
    assert not any(isinstance(value, dict | list) for value in flat.values())


def test_a_missed_bar_is_said_in_both_forms() -> None:
    found = figures(rounds(usual=1_000, gateway=2_000), Memory(5_000, 80.0, 83.0))

    assert msgspec.json.decode(as_json(found, QUICK))["missed"] == (
        "gateway_to_usual, gateway_to_constant, gateway_growth_mb"
    )
    page = as_page(found, QUICK, MACHINE, NOW)
    assert page.count("**missed**") == 3


def test_bar_met_and_aim_missed_are_two_things() -> None:
    found = figures(rounds(usual=1_000, gateway=2_600), Memory(5_000, 80.0, 80.5))

    page = as_page(found, QUICK, MACHINE, NOW)

    assert "| (c) ÷ (b) | 2.60 × |  | ≥ 2.2 × | ≥ 3 × | met, aim missed |" in page
    assert "2026-11-22 15:00 · `python -m bench.webhook --quick`" in page


def test_a_busy_machine_is_named_beside_the_figures() -> None:
    found = figures(rounds(usual=1_000, gateway=3_200), Memory(5_000, 80.0, 80.5))
    busy = msgspec.structs.replace(MACHINE, load=3.0)

    assert "busy: load 3.0" in as_page(found, QUICK, busy, NOW)
    assert "busy" not in as_page(found, QUICK, MACHINE, NOW)
