"""A gate in a folder of its own, with a clock that a test moves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from gate.clock import Clock
from gate.gate import Gate
from gate.settings import Settings
from tests.support.ride_codes import NOW, trust_list


class Hands:
    """The machine's clock, moved by hand; seconds."""

    def __init__(self) -> None:
        self.at = float(NOW)

    def __call__(self) -> float:
        return self.at


Open = Callable[..., Gate]


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """What a command made of the log ends with its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        device="g-zn-1",
        way="in",
        station="zhongnan",
        line="2",
        folder=str(tmp_path / "data"),
        key=str(tmp_path / "gate.key"),
    )


@pytest.fixture
def opened(settings: Settings, hands: Hands) -> Iterator[Open]:
    """Open the gate, and the same one again as after a power cut: what it held in memory is gone."""
    gates: list[Gate] = []

    def start(**changes: Any) -> Gate:
        for each in gates:
            each.close()
        gates.append(Gate(msgspec.structs.replace(settings, **changes), Clock(hands)))
        return gates[-1]

    yield start
    for each in gates:
        each.close()


@pytest.fixture
def gate(opened: Open) -> Gate:
    """One that knows the issuer."""
    ready = opened()
    assert ready.take_trust(msgspec.json.encode(trust_list()))
    return ready
