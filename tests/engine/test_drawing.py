"""One picture in this process."""

import numpy as np
import pytest
from PIL import Image

from engine.drawing import draw
from engine.errors import EngineError, PictureError
from engine.protocol import Done, Progress, Started
from tests.engine.conftest import TINY

pytestmark = pytest.mark.usefixtures("models_folder")


def test_a_picture_is_drawn_frame_by_frame(studio, ask):
    events = list(draw(ask(perceptors=[TINY], display_every=4), studio=studio()))
    assert [type(event) for event in events] == [Started, Progress, Progress, Done]


def test_the_init_image_that_the_settings_name_is_read(studio, ask, tmp_path):
    path = tmp_path / "start.png"
    Image.fromarray(np.full((12, 16, 3), (200, 30, 30), np.uint8)).save(path)
    settings = ask(perceptors=[TINY], init_image=str(path), learning_rate=0.001, iterations=1)
    *_, done = draw(settings, studio=studio())
    (tmp_path / "done.png").write_bytes(done.native_png)
    with Image.open(tmp_path / "done.png") as picture:
        assert np.abs(np.asarray(picture).astype(int) - (200, 30, 30)).max() < 6


def test_an_init_image_that_is_not_there_is_a_sentence(studio, ask):
    with pytest.raises(PictureError, match="No such file"):
        list(draw(ask(perceptors=[TINY], init_image="/nowhere.png"), studio=studio()))


def test_what_cannot_be_drawn_is_a_sentence(studio, ask):
    with pytest.raises(EngineError, match="pixel models pull"):
        list(draw(ask(perceptors=["ViT-B-32/unheard-of"]), studio=studio()))
