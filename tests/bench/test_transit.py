"""The transit bench measures codes that a gate lets through, and says so when it does not."""

from dataclasses import replace

import pytest

from bench.transit import verifying
from bench.transit.verifying import Riders, measured
from gate.code import Refused


def test_a_few_codes_are_verified_in_every_way() -> None:
    found = {figure.name: figure.spread.median for figure in measured(Riders.of(5), 3)}
    assert found["bare_rate"] > found["verify_rate"] * 0.5 > 0
    assert 0 < found["verify_to_bare"] < 2


def test_a_code_that_is_refused_ends_the_measurement() -> None:
    riders = Riders.of(2)
    with pytest.raises(Refused, match="forged_issuer"):
        verifying._whole(replace(riders, issuer=Riders.of(1).issuer))()


def test_a_code_that_comes_twice_ends_it() -> None:
    riders = Riders.of(1)
    with pytest.raises(Refused, match="used"):
        measured(replace(riders, codes=riders.codes * 2), 1)
