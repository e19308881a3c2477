"""The messages and their framing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import protocol
from engine.protocol import (
    HEADER_BYTES,
    MAX_FRAME,
    Cancel,
    Draw,
    Hello,
    Progress,
    ProtocolError,
    decode_reply,
    decode_request,
    encode_frame,
    frame_length,
)
from engine.settings import make_settings


def test_a_request_comes_out_as_it_went_in():
    draw = Draw("7", make_settings({"prompts": "a cat:2", "seed": 3}), {"a.png": b"png"})
    frame = encode_frame(draw)
    assert frame_length(frame[:HEADER_BYTES]) == len(frame) - HEADER_BYTES
    assert decode_request(frame[HEADER_BYTES:]) == draw


def test_a_reply_is_not_a_request():
    body = encode_frame(Progress("7", 1, 2, 0.5, 0.3, b""))[HEADER_BYTES:]
    with pytest.raises(ProtocolError, match="not a request"):
        decode_request(body)


def test_a_frame_that_is_announced_too_long_is_refused_before_it_is_read():
    with pytest.raises(ProtocolError, match="at most"):
        frame_length((MAX_FRAME + 1).to_bytes(4))


def test_a_message_that_is_too_long_is_not_sent(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_FRAME", 100)
    with pytest.raises(ProtocolError, match="too long"):
        encode_frame(Cancel("7" * 200))


def test_a_message_cut_short_is_refused():
    body = encode_frame(Hello(1))[HEADER_BYTES:]
    with pytest.raises(ProtocolError):
        decode_request(body[:-1])


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else_is_raised(body):
    for decode in (decode_request, decode_reply):
        with pytest.raises(ProtocolError):
            decode(body)
