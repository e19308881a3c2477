"""What all tests share."""

from engine.processors import wait_politely

wait_politely()
