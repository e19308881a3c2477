"""`pixel draw`, `settings` and `models` as a person runs them, in processes of their own."""

import re
import signal
import subprocess
import sys

import pytest
from PIL import Image, ImageOps

from engine.palettes import parse_palette
from engine.presets import PRESETS
from engine.settings import OPTIONS

QUICK = ("--quality", "draft", "--iterations", "6", "--set", "num_cuts=4")


def pixel(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
        **options,
    )


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_the_same_command_with_the_same_seed_writes_the_same_bytes(tmp_path):
    command = ("draw", "a red apple", *QUICK, "--seed", "7")
    first = pixel(*command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "seed 7" in first.stdout
    pictures = [tmp_path / "output.png", tmp_path / "output-native.png"]
    before = [path.read_bytes() for path in pictures]
    assert [size_of(path) for path in pictures] == [(200, 112), (80, 45)]
    assert pixel(*command, cwd=tmp_path).returncode == 0
    assert [path.read_bytes() for path in pictures] == before


def test_strokes_are_written_as_an_svg_too(tmp_path):
    done = pixel("draw", "a red apple", *QUICK, "--drawer", "line_sketch", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "output-native.png",
        "output.png",
        "output.svg",
    ]
    svg = (tmp_path / "output.svg").read_text()
    assert (svg.count("<path"), 'width="200" height="112"' in svg) == (24, True)


def test_frames_and_an_init_image_are_as_asked(tmp_path):
    Image.new("RGB", (90, 60), "green").save(tmp_path / "start.png")
    done = pixel(
        *("draw", "a forest", *QUICK, "--display-every", "2", "--aspect", "retain"),
        *("--init-image", "start.png", "--out", "forest.png", "--frames", "frames"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["frame-0002.png", "frame-0004.png", "frame-0006.png"]
    width, height = size_of(tmp_path / "forest.png")
    assert width / height == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["draw", ""], "The prompt is empty"),
        (["draw", "x" * 6000], "6000 characters"),
        (["draw", "cat:heavy | dog:2x"], "“2x”"),
        (["draw", "cat", "--scale", "99"], "numbers from 0.5 to 8"),
        (["draw", "cat", "--preset", "statue"], "allowed are sprite, icon, scene"),
        (["draw", "cat", "--palette", "pico9"], "cannot have “pico9”"),
        (["draw", "cat", "--transparent", "--set", "layers=true"], "give only one of them"),
        (["draw", "cat", "--set", "colour=red"], "no setting “colour”"),
        (["draw", "cat", "--set", "colour"], "name=value"),
        (["draw", "cat", "--init-image", "missing.png"], "No such file"),
        (["draw", "cat", "--init-image", "."], "Is a directory"),
        (["draw", "cat", "--init-image", "text.png"], "not a picture"),
        (["draw", "cat", "--out", "nowhere/cat.png"], "no such folder"),
        (["draw", "cat", "--out", "cat.jpg"], "must end in .png"),
        (["draw", "cat", "--frames", "text.png"], "not a folder"),
        (["draw", "cat", "--set", "perceptors=../etc/passwd"], "no perceptor"),
        (["models", "pull", "nonsense"], "no perceptor"),
    ],
)
def test_bad_input_is_one_sentence_and_a_usage_error(tmp_path, arguments, sentence):
    (tmp_path / "text.png").write_text("no picture")
    done = pixel(*arguments, cwd=tmp_path)
    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "output.png").exists()


def test_ctrl_c_keeps_the_last_picture_and_says_so(tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-u", "-m", "engine.cli", "draw", "a cat", "--quality", "draft"),
            *("--iterations", "2000", "--display-every", "1", "--frames", "frames"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    frames = tmp_path / "frames"
    while process.poll() is None and not (frames / "frame-0003.png").exists():
        pass
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped after" in output
    assert "Traceback" not in errors
    assert size_of(tmp_path / "output.png") == (200, 112)
    assert size_of(tmp_path / "output-native.png") == (80, 45)


def test_every_setting_and_preset_is_listed(tmp_path):
    listed = pixel("settings", cwd=tmp_path).stdout
    assert all(option.name in listed for option in OPTIONS)
    _, presets = re.split(r"^preset +is", listed, flags=re.MULTILINE)
    for name, values in PRESETS.items():
        assert name in presets
        assert all(f"{key}=" in presets for key in values)
    assert "pixel_size=32x32" in presets


def test_a_preset_s_picture_has_its_size_and_few_exact_colours(tmp_path):
    command = ("draw", "a red apple", *QUICK, "--preset", "sprite", "--palette", "pico8")
    done = pixel(*command, "--colors", "4", "--symmetry", "x", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert size_of(tmp_path / "output.png") == (384, 384)
    with Image.open(tmp_path / "output-native.png") as native:
        assert (native.size, native.mode) == ((32, 32), "RGBA")
        assert native.tobytes() == ImageOps.mirror(native).tobytes()
        colours = {pixel[:3] for _, pixel in native.getcolors() if pixel[3]}
    assert len(colours) <= 4
    assert colours <= set(parse_palette("pico8"))


def test_the_shipped_model_is_listed(tmp_path):
    assert "pixelclip" in pixel("models", "list", cwd=tmp_path).stdout
