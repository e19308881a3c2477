"""Pairs between two pictures' parts, so that each has little to change on the way."""

import numpy as np
from numpy.typing import NDArray

# More rounds of exchanges than ever were needed.
_ROUNDS = 200
_WORTH = 1e-9


def matched(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each part of the first picture the one of the last that it becomes; each once.

    The cheapest pairs are taken first, wherever both find each other cheapest; then pairs exchange
    partners as long as that is cheaper for two of them together. It is nearly the optimal
    assignment, in a time that grows with the square of the parts instead of their cube.

    Args:
        costs: ``[n, n]``, of each part of the first (rows) becoming each of the last.

    Returns:
        ``[n]``: a permutation.

    """
    parts = np.arange(len(costs))
    chosen = np.full(len(costs), -1)
    left = costs.copy()
    while (chosen < 0).any():
        nearest = left.argmin(1)
        mutual = parts[(chosen < 0) & (left.argmin(0)[nearest] == parts)]
        chosen[mutual] = nearest[mutual]
        left[mutual] = np.inf
        left[:, nearest[mutual]] = np.inf
    for _ in range(_ROUNDS):
        taken = costs[:, chosen]
        now = np.diagonal(taken)
        gain = now[:, None] + now[None, :] - taken - taken.T
        best = gain.argmax(1)
        first = parts[(best[best] == parts) & (parts < best) & (gain[parts, best] > _WORTH)]
        if not len(first):
            break
        second = best[first]
        chosen[first], chosen[second] = chosen[second], chosen[first]
    return chosen
