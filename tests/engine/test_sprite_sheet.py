"""Pictures in one PNG, and the JSON by which a game engine cuts them out again."""

import json

import pytest
from PIL import Image

from engine.errors import OutputError
from engine.outputs import write_sheet
from engine.sprite_sheet import arrange


def sprites(*sizes, mode="RGB"):
    colours = ["red", "lime", "blue", "yellow", "white"]
    return [Image.new(mode, size, colour) for size, colour in zip(sizes, colours, strict=False)]


def test_the_json_s_rectangles_cut_the_same_pictures_out_of_the_png(tmp_path):
    pictures = sprites((8, 6), (5, 6), (8, 2), mode="RGBA")
    names = ["a.png", "b.png", "c.png"]
    write_sheet(tmp_path / "sheet.png", list(zip(names, pictures, strict=True)), columns=2, scale=3)
    written = json.loads((tmp_path / "sheet.json").read_text())
    assert written["meta"]["image"] == "sheet.png"
    assert list(written["frames"]) == names
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (48, 36)
        assert written["meta"]["size"] == {"w": 48, "h": 36}
        for name, picture in zip(names, pictures, strict=True):
            entry = written["frames"][name]
            x, y, w, h = (entry["frame"][key] for key in "xywh")
            assert entry["sourceSize"] == {"w": w, "h": h}
            cut = sheet.crop((x, y, x + w, y + h))
            large = picture.resize((3 * picture.width, 3 * picture.height))
            assert cut.tobytes() == large.tobytes()


@pytest.mark.parametrize(
    ("count", "size", "columns", "sheet"),
    [
        (4, (10, 10), None, (20, 20)),
        (5, (10, 10), None, (30, 20)),
        (4, (80, 45), None, (160, 90)),
        (3, (10, 10), 9, (30, 10)),
        (3, (10, 10), 1, (10, 30)),
    ],
)
def test_rows_make_the_sheet_about_square_or_as_asked(count, size, columns, sheet):
    arranged, places = arrange(sprites(*[size] * count), columns)
    assert arranged.size == sheet
    assert len(set(places)) == count


def test_a_sheet_is_clear_where_nothing_lies():
    assert arrange(sprites((4, 4), (4, 4)))[0].mode == "RGB"
    sheet, _ = arrange(sprites((4, 4), (4, 4), (4, 4)), columns=2)
    assert sheet.getpixel((6, 6)) == (0, 0, 0, 0)


def test_what_makes_no_sheet_is_one_sentence(tmp_path):
    two = [("same.png", image) for image in sprites((4, 4), (4, 4))]
    with pytest.raises(OutputError, match="names must differ"):
        write_sheet(tmp_path / "sheet.png", two)
    with pytest.raises(OutputError, match="16000 × 10 pixels; at most 8192"):
        arrange(sprites((8000, 10), (8000, 10)), columns=2)
    assert list(tmp_path.iterdir()) == []
