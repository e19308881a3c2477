"""`pixel draw`, `settings` and `models` as a person runs them, in processes of their own."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from PIL import Image, ImageOps

from engine.errors import PictureError
from engine.models import SHIPPED
from engine.palettes import parse_palette
from engine.png import encode_png
from engine.presets import PRESETS
from engine.recipe import read_recipe_file
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
    assert [size_of(path) for path in pictures] == [(200, 112), (80, 45)]
    pictures.append(tmp_path / "output.svg")
    before = [path.read_bytes() for path in pictures]
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
    assert names == [f"frame-000{number}.png" for number in (0, 2, 4, 6)]
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
        (["draw", "cat", "--outline"], "keeps the lines of an init image, and there is none"),
        (["draw", "cat", "--mask", "text.png", "--spot-prompts", "a"], "not a picture"),
        (["draw", "cat", "--init-image", "."], "Is a directory"),
        (["draw", "cat", "--init-image", "text.png"], "not a picture"),
        (["draw", "cat", "--out", "nowhere/cat.png"], "no such folder"),
        (["draw", "cat", "--out", "cat.jpg"], "must end in .png"),
        (["draw", "cat", "--frames", "text.png"], "not a folder"),
        (["draw"], "prompt is missing"),
        (["draw", "--from", "missing.png"], "No such file"),
        (["draw", "--from", "text.png"], "not a PNG"),
        (["draw", "--from", "plain.png", "--seed", "5"], "does not say how it was drawn"),
        (["draw", "cat", "--timelapse", "cat.avi"], "must end in .gif, .webp or .mp4"),
        (["draw", "cat", "--palette-out", "cat.txt"], "must end in .gpl or .hex"),
        (["draw", "cat", "--sheet", "output.png"], "Two outputs would both be"),
        (["sheet", "text.png"], "not a picture"),
        (["sheet", "plain.png", "-o", "sheet.gif"], "must end in .png"),
        (["settings", "colour"], "no setting “colour”"),
        (["draw", "cat", "--set", "perceptors=../etc/passwd"], "no perceptor"),
        (["models", "pull", "nonsense"], "no model “nonsense” to pull"),
    ],
)
def test_bad_input_is_one_sentence_and_a_usage_error(tmp_path, arguments, sentence):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "plain.png").write_bytes(encode_png(Image.new("RGB", (4, 4))))
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
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped after" in output
    assert "Traceback" not in errors
    assert size_of(tmp_path / "output.png") == (200, 112)
    assert size_of(tmp_path / "output-native.png") == (80, 45)
    with pytest.raises(PictureError, match="does not say"):
        read_recipe_file(tmp_path / "output.png")


def test_several_pictures_with_all_outputs_and_one_of_them_drawn_again_from_itself(tmp_path):
    command = ("draw", "a red apple", *QUICK, "--preset", "icon", "--display-every", "2")
    outputs = ("--timelapse", "cat.gif", "--timelapse", "cat.mp4", "--palette-out", "cat.gpl")
    done = pixel(
        *(*command, "--seed", "7", "--count", "2", "--sheet", "sheet.png", *outputs), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    pictures = [tmp_path / f"output-{number}.png" for number in (1, 2)]
    assert [read_recipe_file(path).settings.seed for path in pictures] == [7, 8]
    natives = [path.with_name(f"{path.stem}-native.png") for path in pictures]
    sheet = Image.open(tmp_path / "sheet.png")
    frames = json.loads((tmp_path / "sheet.json").read_text())["frames"]
    for path, native in zip(pictures, natives, strict=True):
        x, y, w, h = (frames[path.name]["frame"][key] for key in "xywh")
        with Image.open(native) as image:
            assert sheet.crop((x, y, x + w, y + h)).tobytes() == image.tobytes()
            used = {colour for _, colour in image.getcolors()}
        lines = (tmp_path / f"cat-{path.stem[-1]}.gpl").read_text().splitlines()[3:]
        assert {tuple(map(int, line.split()[:3])) for line in lines} == used
    with Image.open(tmp_path / "cat-1.gif") as lapse, Image.open(pictures[0]) as picture:
        # Frames that look the same are one.
        assert 1 <= lapse.n_frames <= 4
        lapse.seek(lapse.n_frames - 1)
        assert lapse.convert("RGB").tobytes() == picture.tobytes()
    with av.open(tmp_path / "cat-2.mp4") as container:
        assert container.streams.video[0].frames == 3 + 20

    again = pixel("draw", "--from", "output-2.png", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "not the same" not in again.stdout
    assert (tmp_path / "output.png").read_bytes() == pictures[1].read_bytes()
    assert (tmp_path / "output-native.png").read_bytes() == natives[1].read_bytes()


def test_pictures_are_put_into_a_sheet(tmp_path):
    for name, colour in (("a.png", "red"), ("b.gif", "blue")):
        Image.new("RGB", (4, 4), colour).save(tmp_path / name)
    done = pixel(*("sheet", "a.png", "b.gif", "--columns", "1", "--scale", "2"), cwd=tmp_path)
    assert done.stdout.strip() == "sheet.png, sheet.json"
    assert size_of(tmp_path / "sheet.png") == (8, 16)
    frames = json.loads((tmp_path / "sheet.json").read_text())["frames"]
    assert frames["b.gif"]["frame"] == {"x": 0, "y": 8, "w": 8, "h": 8}


def test_settings_are_told_one_by_one_and_as_the_page_of_the_documentation(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert pixel("settings", "--markdown", cwd=tmp_path).stdout == page.read_text()
    assert "numbers from 0.5 to 8" in pixel("settings", "scale", cwd=tmp_path).stdout


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


def test_the_shipped_models_are_listed(tmp_path):
    listed = pixel("models", "list", cwd=tmp_path).stdout
    shipped = [path.stem for path in SHIPPED.glob("*.safetensors")]
    assert len(shipped) == 3
    assert all(any(line.startswith(name) for line in listed.splitlines()) for name in shipped)
