"""The soak's verdict is right about what grows, what does not, and what cannot be told."""

import random

import pytest

from tests.soak import trend


@pytest.mark.parametrize(
    ("growth", "noise", "verdict"),
    [(0.0, 1.0, "flat"), (60.0, 1.0, "grows"), (-60.0, 1.0, "flat"), (0.0, 200.0, "not certain")],
)
def test_what_grows_is_told_from_what_does_not(growth, noise, verdict) -> None:
    chance = random.Random(4)
    times = [2.0 * number for number in range(600)]
    values = [100 + growth * at / 3600 + chance.gauss(0, noise) for at in times]
    found = trend(times, values)
    assert abs(found.slope - growth) <= found.error
    assert found.verdict(10.0).startswith(verdict)


def test_too_few_samples_are_a_sentence() -> None:
    with pytest.raises(ValueError, match="11 samples are too few"):
        trend([1.0] * 11, [1.0] * 11)
