"""Every drawer in every shape comes nearer to its prompt, by the perceptor's own measure."""

import io

import pytest
import torch
from PIL import Image

from engine.cutouts import choose_views, sample
from engine.drawers import grid_size
from engine.losses import make_targets, prompt_score
from engine.prompts import parse_prompts
from engine.protocol import Done, Draw, Started
from engine.settings import OPTION, PIXELCLIP, make_settings
from engine.streams import stream
from engine.tilings import TILINGS
from tests.engine.pictures import png
from tests.engine.test_studio import finish

ASPECTS = OPTION["aspect"].choices
DRAWN = [
    *((drawer, {}, aspect) for drawer in OPTION["drawer"].choices for aspect in ASPECTS),
    *(("pixel", {"pixel_type": kind}, "square") for kind in TILINGS if kind != "rect"),
]
# Steps that are large enough to be seen after a few.
RATES = {"pixel": 0.3, "vqgan": 0.3, "clipdraw": 1, "line_sketch": 1, "fft": 0.2}


@pytest.mark.parametrize(("drawer", "given", "aspect"), DRAWN, ids=str)
def test_a_drawing_comes_nearer_to_its_prompt(studio, drawer, given, aspect):
    asked = make_settings(
        {
            "prompts": "a red apple",
            "drawer": drawer,
            "aspect": aspect,
            "seed": 1,
            "start": "noise",
            "scale": 0.5,
            "iterations": 12,
            "display_every": 12,
            "num_cuts": 8,
            "learning_rate": RATES[drawer],
            "perceptors": [PIXELCLIP],
            **({"init_image": "a", "start": "auto"} if aspect == "retain" else {}),
            **given,
        }
    )
    one = studio()
    started = one.add(Draw("a", asked, {"a": png((120, 180, 120), (40, 60))}))
    assert isinstance(started, Started), started
    easel = one._easels["a"]
    judge = one.perceptor(PIXELCLIP)
    prompts = parse_prompts(asked.prompts)
    targets = make_targets(prompts, judge.encode_text([prompts[0].text]))
    views = choose_views(24, *grid_size(easel.settings), stream(9, "test"))

    def score():
        with torch.no_grad():
            seen = sample([easel.drawer.grid(easel.drawer.moment(1.0))], [views], judge.view_size)
            return prompt_score(judge.encode_views(seen), targets).item()

    before = score()
    done = finish(one)["a"][-1]
    assert isinstance(done, Done)
    assert score() > before + 0.01
    picture = Image.open(io.BytesIO(done.png))
    assert picture.size == started.size
    width, height = picture.size
    shape = {"widescreen": 200 / 112, "square": 1, "portrait": 128 / 160, "retain": 40 / 60}
    assert width / height == pytest.approx(shape[aspect], rel=0.1)
