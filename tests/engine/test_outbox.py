"""What becomes of jobs is told in order, and forgotten when it is told."""

import threading

import pytest
import torch

from engine.gpu import Here
from engine.outbox import Outbox
from engine.protocol import Snapshot


def parcel(box: Outbox, job: str, number: int, gate: threading.Event | None = None) -> None:
    def told(found):
        if gate is not None:
            gate.wait(60)
        return Snapshot(job, int(found[0]))

    box.put(job, Here([torch.tensor(number)]), told)


def test_what_comes_first_is_told_first_however_long_it_takes():
    box, gate = Outbox(), threading.Event()
    parcel(box, "a", 1, gate)
    parcel(box, "a", 2)
    assert list(box.ready("a")) == []
    gate.set()
    assert [box.next("a").iteration, box.next("a").iteration] == [1, 2]


def test_a_job_with_too_much_on_its_way_has_to_wait():
    box = Outbox()
    for number in range(4):
        assert not box.full("a")
        parcel(box, "a", number)
    assert box.full("a")
    assert not box.full("b")


def test_nothing_is_kept_of_what_is_told_or_forgotten():
    box = Outbox()
    parcel(box, "a", 1)
    parcel(box, "b", 1)
    box.next("a")
    box.forget("b")
    for job in ("a", "b", "c"):
        assert not box.waits(job)
        assert list(box.ready(job)) == []
        box.forget(job)
    assert not box._waiting


def test_what_goes_wrong_is_told_to_whoever_waits():
    def told(_found):
        raise MemoryError("too much")

    box = Outbox()
    box.put("a", Here([]), told)
    with pytest.raises(MemoryError, match="too much"):
        box.next("a")
