"""Hundreds of damaged and malicious pictures: each is read or refused, in bounded memory and time.

They go through the very function of the worker process, many in one process with the same limits,
since a process for each would take minutes; a few go the whole way.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from engine import images
from engine.errors import PictureError
from engine.images import NORMAL_SIDE, read_picture
from tests.engine.decoding import Outcome
from tests.engine.malformed import encoded, good_pictures, jpeg_of_scans, mutants, oddities, traps

ROOT = Path(__file__).parents[2]
EACH = 20
# A process takes as many as its processor time allows with ease.
BATCH = 150
# What the interpreter and Pillow take, and a small picture.
SMALL = 120 * 2**20
# Beside that three times the largest picture of 40 million pixels in four bytes each.
LARGE = 700 * 2**20


def outcomes(pictures: list[bytes]) -> list[Outcome]:
    """What becomes of pictures in one limited process, which must live to the end."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.decoding"],
        cwd=ROOT,
        input=msgspec.msgpack.encode(pictures),
        capture_output=True,
        check=False,
    )
    found = [msgspec.json.decode(line, type=Outcome) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"picture {len(found)} ended the process: {done.stderr[-500:]!r}"
    assert len(found) == len(pictures)
    return found


def check(name: str, outcome: Outcome) -> None:
    """A picture of some size, or one sentence."""
    assert not outcome.raised, f"{name}: {outcome.raised}"
    if outcome.refused:
        assert outcome.answer.endswith("."), name
        assert len(outcome.answer) < 200, name
    else:
        width, height = (int(side) for side in outcome.answer.split())
        assert 0 < max(width, height) <= images.MAX_SIDE, name


def test_six_hundred_mutants_of_thirty_pictures_are_read_or_refused():
    mutated = list(mutants(seed=6, each=EACH))
    assert len(mutated) == EACH * len(good_pictures()) >= 500
    refused = 0
    for start in range(0, len(mutated), BATCH):
        batch = mutated[start : start + BATCH]
        for (name, _), outcome in zip(batch, outcomes([data for _, data in batch]), strict=True):
            check(name, outcome)
            assert outcome.peak < SMALL, name
            refused += outcome.refused
    # Some of them are hardly damaged, most are.
    assert len(mutated) / 2 < refused < len(mutated)


def test_bombs_and_traps_are_read_or_refused_in_bounded_memory():
    named = traps()
    for name, outcome in zip(named, outcomes(list(named.values())), strict=True):
        check(name, outcome)
        assert outcome.peak < LARGE, name


def test_good_pictures_are_read_however_odd_they_are():
    named = good_pictures() | oddities()
    for name, outcome in zip(named, outcomes(list(named.values())), strict=True):
        check(name, outcome)
        assert not outcome.refused, f"{name}: {outcome.answer}"
        assert outcome.peak < LARGE, name


def test_what_takes_too_long_is_killed(monkeypatch):
    monkeypatch.setattr(images, "_WALL_SECONDS", 1.0)
    with pytest.raises(PictureError, match="took too long"):
        read_picture(jpeg_of_scans(1000))


def test_limits_are_set_before_anything_is_decoded():
    program = (
        "import resource\n"
        "from engine import images\n"
        "from engine.errors import PictureError\n"
        "def decode(data):\n"
        "    limits = [resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE]\n"
        "    raise PictureError(' '.join(str(resource.getrlimit(one)[1]) for one in limits))\n"
        "images.decode = decode\n"
        "images._main()"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, input=b"any", capture_output=True, check=True)
    memory, seconds, file = (int(limit) for limit in done.stdout.split())
    assert memory == 1024 * 2**20
    assert seconds == 10
    assert file == 0
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_a_decoder_whose_memory_is_used_up_is_a_refusal(monkeypatch):
    # The process begins with so little that it cannot even start.
    start = subprocess.run

    def short_of_memory(*arguments, **options):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (2**24, 2**24))

        return start(*arguments, **options, preexec_fn=limit)

    monkeypatch.setattr(images.subprocess, "run", short_of_memory)
    with pytest.raises(PictureError, match="within its limits"):
        read_picture(encoded(Image.new("RGB", (8, 8))))


def test_nothing_but_pixels_is_kept_of_a_stranger_s_picture():
    picture = Image.new("RGB", (8, 8), "red")
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    # It does not fit into a frame of the engine's protocol together with two others.
    profile = os.urandom(9_000_000)
    data = encoded(picture, "JPEG", icc_profile=profile, exif=exif, comment=b"my name")
    png = read_picture(data).png
    assert len(png) < 200
    for told in (b"where I live", b"my name", b"iCCP", b"eXIf", b"tEXt"):
        assert told not in png


def test_the_largest_answer_is_small_enough_for_the_protocol():
    noise = Image.frombytes("RGBA", (NORMAL_SIDE, NORMAL_SIDE), os.urandom(4 * NORMAL_SIDE**2))
    assert len(read_picture(encoded(noise)).png) < 1.1 * 4 * NORMAL_SIDE**2
