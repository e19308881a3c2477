"""Which files are made of a drawing, and what is refused before it begins."""

from pathlib import Path

import pytest

from engine.errors import OutputError
from engine.outputs import Outputs, native_path


def test_the_native_picture_lies_beside_the_large_one(tmp_path):
    assert native_path(tmp_path / "a.b.png") == tmp_path / "a.b-native.png"


def test_several_pictures_have_numbers_that_sort():
    outputs = Outputs(
        Path("a/cat.png"), Path("frames"), (Path("cat.gif"),), (Path("cat.hex"),), Path("all.png")
    )
    assert outputs.numbered(0, 1) == outputs
    second = outputs.numbered(1, 12)
    assert second.out == Path("a/cat-02.png")
    assert second.frames == Path("frames/02")
    assert second.time_lapses == (Path("cat-02.gif"),)
    assert second.palettes == (Path("cat-02.hex"),)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"out": "cat.jpg"}, "--out cat.jpg is not possible; the name must end in .png."),
        ({"out": "nowhere/cat.png"}, "no such folder"),
        ({"frames": "file.txt"}, "not a folder"),
        ({"time_lapses": "cat.avi"}, "--timelapse cat.avi.* must end in .gif, .webp or .mp4."),
        ({"palettes": "cat.ase"}, "--palette-out cat.ase.* must end in .gpl or .hex."),
        ({"sheet": "sheet.json"}, "--sheet sheet.json.* must end in .png."),
        ({"sheet": "cat-1.png"}, "Two outputs would both be cat-1.png"),
        ({"sheet": "./cat-2-native.png"}, "Two outputs would both be"),
    ],
)
def test_what_cannot_be_written_is_refused_before_drawing(tmp_path, monkeypatch, given, sentence):
    monkeypatch.chdir(tmp_path)
    Path("file.txt").touch()
    paths = {
        name: (Path(value),) if name in {"time_lapses", "palettes"} else Path(value)
        for name, value in given.items()
    }
    with pytest.raises(OutputError, match=sentence):
        Outputs(**{"out": Path("cat.png"), **paths}).check(count=2)


def test_an_mp4_without_its_library_is_refused_before_drawing(tmp_path, monkeypatch):
    outputs = Outputs(tmp_path / "cat.png", time_lapses=(tmp_path / "cat.MP4",))
    outputs.check(count=1)
    monkeypatch.setattr("engine.outputs.find_spec", lambda name: None)
    with pytest.raises(OutputError, match="extra “video”"):
        outputs.check(count=1)
