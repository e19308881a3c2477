"""Imports during which nobody looks for garbage."""

import gc

import pytest

from engine.importing import importing


def test_no_garbage_is_looked_for_meanwhile_and_afterwards_again():
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_import_that_fails_leaves_it_as_it_was():
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
