"""The statistics under every bench."""

import pytest

from bench.figures import Spread, paired, spread


def test_the_median_and_its_quartiles() -> None:
    assert spread([5, 1, 4, 2, 3]) == Spread(3, 2, 4)


def test_quartiles_between_two_measurements_are_interpolated() -> None:
    assert spread([1, 2, 3, 4]) == Spread(2.5, 1.75, 3.25)


def test_one_measurement_is_its_own_quartiles() -> None:
    assert spread([7]) == Spread(7, 7, 7)


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_a_slow_round_slows_both_and_leaves_the_ratio_alone() -> None:
    ours, theirs = [300, 30, 300], [100, 10, 100]  # in the second round the machine was busy elsewhere

    assert paired(ours, theirs) == Spread(3, 3, 3)
    assert spread(ours).low / spread(theirs).high != 3  # control: unpaired figures see the busy round


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired([1, 2], [1])
