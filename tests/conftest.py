"""What all tests share."""

from hypothesis import settings

from engine.processors import wait_politely

wait_politely()

# About five minutes for tests/test_fuzz.py: `--hypothesis-profile long`.
settings.register_profile("long", max_examples=10_000)
