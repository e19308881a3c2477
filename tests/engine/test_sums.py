"""Sums of floats that are the same in any order."""

import pytest
import torch

from engine.streams import stream
from engine.sums import OrderlessSum

COLUMNS, TERMS = 7, 40_000


def summed(columns, values):
    sums = OrderlessSum(len(values), COLUMNS, values.abs().amax(), values.shape[1])
    sums.add(columns, values)
    return sums.total()


@pytest.fixture
def terms():
    columns = torch.randint(COLUMNS, (TERMS,), generator=stream(1, "test"))
    # From large to tiny, of both signs.
    sizes = torch.exp(8 * torch.randn(3, TERMS, generator=stream(2, "test")))
    return columns, sizes * torch.randn(3, TERMS, generator=stream(3, "test"))


@pytest.mark.parametrize("size", [1, 2.0**-60, 2.0**60])
def test_a_sum_is_that_of_double_precision_within_a_float_s_rounding(terms, size):
    columns, values = terms
    exact = torch.zeros(3, COLUMNS, dtype=torch.float64)
    exact.index_add_(1, columns, size * values.double())
    assert torch.allclose(summed(columns, size * values).double(), exact, rtol=2e-7, atol=0)


def test_no_order_changes_a_bit_and_a_sum_of_floats_does_change(terms):
    columns, values = terms
    order = torch.randperm(TERMS, generator=stream(4, "test"))
    assert torch.equal(summed(columns, values), summed(columns[order], values[:, order]))

    def of_floats(columns, values):
        return torch.zeros(3, COLUMNS).index_add_(1, columns, values)

    assert not torch.equal(of_floats(columns, values), of_floats(columns[order], values[:, order]))


def test_as_many_of_the_largest_as_there_may_be_still_fit():
    largest = torch.full((1, 1 << 16), torch.finfo(torch.float32).max / 2**17)
    columns = torch.zeros(1 << 16, dtype=torch.int64)
    assert summed(columns, largest)[0, 0] == largest[0, 0] * 2**16


def test_nothing_sums_to_nothing_and_what_is_broken_is_seen():
    columns = torch.zeros(2, dtype=torch.int64)
    assert summed(columns, torch.zeros(1, 2)).tolist() == [[0] * COLUMNS]
    for broken in (torch.inf, -torch.inf, torch.nan):
        assert summed(columns, torch.tensor([[1, broken]])).isnan().all()
