"""Pieces of work, each on a core of its own."""

import threading
from functools import partial

import pytest
import torch

from engine.lanes import in_lanes


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_answers_come_in_order(two_threads):
    assert in_lanes(partial(int, number) for number in "3141592") == [3, 1, 4, 1, 5, 9, 2]


def test_pieces_run_beside_each_other_with_one_core_each(two_threads):
    meeting = threading.Barrier(2, timeout=60)

    def piece():
        meeting.wait()
        return torch.get_num_threads()

    assert in_lanes([piece, piece]) == [1, 1]


def test_all_else_keeps_its_threads(two_threads):
    in_lanes([torch.get_num_threads] * 3)
    seen = [torch.get_num_threads()]
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [2, 2]


def test_a_piece_that_is_alone_stays_where_it_is(two_threads):
    assert in_lanes([threading.current_thread]) == [threading.current_thread()]


def test_what_goes_wrong_in_a_piece_is_told(two_threads):
    def fail():
        raise MemoryError("too much")

    with pytest.raises(MemoryError, match="too much"):
        in_lanes([fail, fail])
