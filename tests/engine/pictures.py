"""Pictures for tests."""

import io

from PIL import Image


def png(colour=(200, 30, 30), size=(16, 12), mode="RGB"):
    """A picture of one colour, as a PNG."""
    output = io.BytesIO()
    Image.new(mode, size, colour).save(output, "PNG")
    return output.getvalue()


def half_and_half(size=(64, 48)):
    """A picture whose left half is white, the other black, as a PNG."""
    image = Image.new("RGB", size)
    image.paste("white", (0, 0, size[0] // 2, size[1]))
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()
