"""Real perceptors for the engine's tests: the shipped one, and a tiny random model of open_clip."""

import json

import pytest
import torch

from engine.perceptors import load_perceptor
from engine.settings import make_settings
from engine.studio import Studio

CPU = torch.device("cpu")
TINY = "tiny/random"
TINY_CONFIGURATION = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 64,
        "heads": 2,
        "layers": 2,
    },
}


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory):
    """A models folder that holds a tiny CLIP with random weights, saved as a pull would."""
    import open_clip
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("models")
    configuration = folder / "tiny.json"
    configuration.write_text(json.dumps(TINY_CONFIGURATION))
    open_clip.add_model_config(configuration)
    torch.manual_seed(0)
    model = open_clip.create_model("tiny")
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "tiny--random.safetensors")
    return folder


@pytest.fixture
def models_folder(tiny_models, monkeypatch):
    """The models folder of the tiny CLIP, in use."""
    monkeypatch.setenv("PIXEL_MODELS", str(tiny_models))
    return tiny_models


@pytest.fixture(scope="session")
def loaded():
    """Perceptors by name, each loaded once for all tests."""
    return {}


@pytest.fixture
def studio(loaded, tmp_path):
    """Makes studios on the CPU that share loaded perceptors."""

    def load(name, device):
        if name not in loaded:
            loaded[name] = load_perceptor(name, device)
        return loaded[name]

    def make(**options):
        return Studio(**{"device": CPU, "perceptor": load, **options})

    return make


@pytest.fixture
def ask():
    """Makes the settings of a small, quick drawing."""

    def make(prompts="a red apple", **given):
        small = {
            "seed": 1,
            "iterations": 8,
            "num_cuts": 6,
            "pixel_size": (16, 12),
            "size": (64, 48),
        }
        return make_settings({"prompts": prompts, **small, **given})

    return make
