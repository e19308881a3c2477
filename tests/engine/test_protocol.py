"""The messages and their framing."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import protocol
from engine.protocol import (
    HEADER_BYTES,
    MAX_FRAME,
    PROTOCOL_VERSION,
    Cancel,
    Draw,
    Hello,
    Progress,
    ProtocolError,
    Ready,
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


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0\0",
        b"\0\0\0\x05abc",
        b"\xff\xff\xff\xff",
        b"\0\0\0\x03abc",
        b"GET / HTTP/1.1\r\n\r\n",
        encode_frame(Draw("1", make_settings({"prompts": "a cat"}))),
        encode_frame(Hello(PROTOCOL_VERSION + 1)),
        encode_frame(Hello(2**64 - 1)),
    ],
)
def test_an_engine_that_is_not_spoken_to_in_its_language_ends_before_it_loads_anything(
    said, tmp_path
):
    command = [sys.executable, "-m", "engine", "--snapshots", str(tmp_path)]
    done = subprocess.run(command, input=said, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    replies, at = [], 0
    while at < len(done.stdout):
        end = at + HEADER_BYTES + frame_length(done.stdout[at : at + HEADER_BYTES])
        replies.append(decode_reply(done.stdout[at + HEADER_BYTES : end]))
        at = end
    told = [reply for reply in replies if isinstance(reply, Ready)]
    # Another version is told which one is spoken here; nothing else is answered.
    versions = [PROTOCOL_VERSION] if b"Hello" in said else []
    assert [reply.version for reply in told] == versions
