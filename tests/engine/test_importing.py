"""Imports that nobody looks for garbage in."""

import gc

import pytest

from engine.importing import importing


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    gc.enable()


def test_no_garbage_is_looked_for_meanwhile_and_afterwards_again():
    with importing():
        assert not gc.isenabled()
        kept = [object()]
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    # What is there by then is not looked through any more.
    assert not any(one is kept for one in gc.get_objects())


def test_an_import_that_fails_leaves_it_as_it_was():
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
