"""Sums that do not depend on their order: of whole numbers.

A GPU adds in whatever order its threads come, and a sum of floats is another one in another order.
Sorting what is added first costs more than the sum. Whole numbers have one sum in any order: so
what is added is taken in units so small that the largest of it, as often as there is something to
add, still fits into 64 bits. For ten million terms a unit is 2^−38 of the largest, while a float's
own rounding is 2^−24.
"""

import torch

# Of float32: bits of the fraction, and what is added to the exponent.
_FRACTION, _BIAS = 23, 127
# Of what is left of 64 bits after the sign, one is spare.
_BITS = 62
# The exponent, with its bias, of what is no number.
_NO_NUMBER = 255


class OrderlessSum:
    """Adds columns of values to numbered columns; the same bits in whatever order.

    Nothing is asked back from the device, and nothing is copied to it.

    Args:
        rows: how many numbers a column has.
        columns: how many columns there are.
        largest: a scalar, float32, that no value is larger than in magnitude.
        terms: how many values are added to one number at the most.

    """

    def __init__(self, rows: int, columns: int, largest: torch.Tensor, terms: int) -> None:
        exponent = largest.abs().view(torch.int32) >> _FRACTION
        # An infinity or NaN shall be seen in the sum: it says that a drawing is broken.
        self._broken = exponent == _NO_NUMBER
        # The largest is below 2^(exponent − bias + 1), and so many terms below 2^bits.
        room = _BITS - terms.bit_length() - 1
        power = (room - (exponent.clamp(max=_NO_NUMBER - 1) - _BIAS)).clamp(max=_BIAS - 1)
        self._scale = _power_of_two(power)
        self._unit = _power_of_two(-power)
        self._sums = torch.zeros(rows, columns, dtype=torch.int64, device=largest.device)

    def add(self, columns: torch.Tensor, values: torch.Tensor) -> None:
        """Add values ``[rows, n]`` to the columns of these numbers ``[n]``."""
        self._sums.index_add_(1, columns, (values * self._scale).to(torch.int64))

    def total(self) -> torch.Tensor:
        """The sums ``[rows, columns]``, float32, each rounded once."""
        total = self._sums.to(torch.float32) * self._unit
        return total.masked_fill(self._broken, torch.nan)


def _power_of_two(exponent: torch.Tensor) -> torch.Tensor:
    """2 to a whole number of −126…127, exactly."""
    return ((exponent + _BIAS) << _FRACTION).view(torch.float32)
