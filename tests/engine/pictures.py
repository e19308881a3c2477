"""Pictures for tests."""

import io

from PIL import Image


def png(colour=(200, 30, 30), size=(16, 12), mode="RGB"):
    """A picture of one colour, as a PNG."""
    output = io.BytesIO()
    Image.new(mode, size, colour).save(output, "PNG")
    return output.getvalue()
