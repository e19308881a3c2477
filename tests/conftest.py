"""What all tests share."""

from hypothesis import HealthCheck, settings

from engine.processors import wait_politely

wait_politely()

# How long something takes says what else the machine did, and never fails a test.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("usual")
# About five minutes for tests/test_fuzz.py: `--hypothesis-profile long`.
settings.register_profile("long", settings.get_profile("usual"), max_examples=10_000)
