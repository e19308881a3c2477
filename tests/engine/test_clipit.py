"""Scripts and notebooks that were written for clipit, and the short way beside them."""

import io
import subprocess
import sys

import msgspec
import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

import engine
from engine import clipit
from engine.errors import SettingsError
from engine.protocol import Done, Progress
from engine.settings import make_settings

SCRIPT = """
import sys
sys.path.append("clipit")
sys.path.append("/taming-transformers")
import engine.clipit as clipit

clipit.reset_settings()
clipit.add_settings(prompts="Humans use Machine Learning to make art #pixelart")
clipit.add_settings(aspect="widescreen", quality="better", scale=2.5)
clipit.add_settings(use_pixeldraw=True)
clipit.add_settings(iterations={iterations}, display_every={every})
settings = clipit.apply_settings()
clipit.do_init(settings)
clipit.do_run(settings)
"""


@pytest.fixture(autouse=True)
def _forgotten():
    clipit.reset_settings()
    yield
    clipit.reset_settings()


def test_a_script_written_for_clipit_writes_its_picture(tmp_path):
    script = SCRIPT.format(iterations=6, every=2)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    with Image.open(tmp_path / "output.png") as picture:
        assert picture.size == (500, 280)
    starts = [line.split()[0] for line in done.stdout.splitlines()]
    assert starts == ["0/6", "2/6", "4/6", "output.png"]


def test_a_notebook_shows_each_frame_in_the_place_of_the_last(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(SCRIPT.format(iterations=4, every=2))]
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    (shown,) = [out for out in notebook.cells[0].outputs if out.output_type == "display_data"]
    assert shown.data["image/png"]
    assert "b'" not in shown.data["text/plain"]
    assert (tmp_path / "output.png").exists()


def test_what_was_added_becomes_settings():
    clipit.add_settings(prompts=["a cat", "people:-0.5"], use_pixeldraw=True, iterations=9)
    clipit.add_settings(iterations=7, use_clipdraw=False)
    settings = clipit.apply_settings()
    assert settings == make_settings(
        {"prompts": "a cat | people:-0.5", "drawer": "pixel", "iterations": 7}
    )
    clipit.reset_settings()
    with pytest.raises(SettingsError, match="prompt is missing"):
        clipit.apply_settings()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"use_pixeldraw": True, "use_vqgandraw": True}, "contradict each other"),
        ({"iterations": 0}, "iterations"),
        ({"nonsense": 1}, "no setting “nonsense”"),
        ({"output": "art.gif"}, "allowed are names that end in .png"),
        ({"output": 3}, "allowed are names that end in .png"),
    ],
)
def test_bad_input_is_refused_before_anything_is_loaded(given, sentence):
    clipit.add_settings(prompts="a cat", **given)
    with pytest.raises(SettingsError, match=sentence):
        clipit.apply_settings()


def test_the_short_way_draws_frames_that_show_themselves():
    settings = engine.Settings("a red apple", iterations=4, display_every=2, num_cuts=4)
    assert settings == make_settings(
        {"prompts": "a red apple", "iterations": 4, "display_every": 2, "num_cuts": 4}
    )
    frames = [frame for frame in engine.draw(settings) if isinstance(frame, Progress | Done)]
    assert [type(frame) for frame in frames] == [Progress, Progress, Done]
    for frame in frames:
        picture = Image.open(io.BytesIO(frame._repr_png_()))
        assert picture.size == (400, 224)
        assert len(repr(frame)) < 300
        sent = msgspec.msgpack.encode(frame)
        # Before the first step the loss is no number, which equals nothing.
        assert msgspec.msgpack.encode(msgspec.msgpack.decode(sent, type=type(frame))) == sent


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        _ = engine.nothing
