"""A drawing in a terminal."""

from PIL import Image

from engine.terminal import half_blocks


def test_two_pixels_share_a_character():
    image = Image.new("RGB", (3, 4), "red")
    image.paste("blue", (0, 1, 3, 2))
    text = half_blocks(image)
    assert text.plain == "▀▀▀\n▀▀▀\n"
    assert str(text.spans[0].style) == "#ff0000 on #0000ff"


def test_an_odd_last_row_has_no_lower_half():
    text = half_blocks(Image.new("RGB", (2, 3), "red"))
    assert text.plain == "▀▀\n▀▀\n"
    assert str(text.spans[-1].style) == "#ff0000"


def test_where_a_picture_is_clear_the_terminal_shows():
    image = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 255, 255))
    text = half_blocks(image)
    assert text.plain == " ▄\n"
