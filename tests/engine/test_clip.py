"""CLIP models through open_clip, by name, from this machine only."""

import json

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import PerceptorError
from engine.models import is_at_hand, weights_path
from engine.models import pull as pulling
from engine.models.pull import pull
from engine.perceptors import auto_perceptors, load_perceptor
from engine.perceptors import clip as module
from engine.perceptors.dtype import best_dtype
from tests.engine.conftest import CPU, TINY, TINY_CONFIGURATION

pytestmark = pytest.mark.usefixtures("models_folder")


def test_a_saved_model_is_the_model_that_was_saved(models_folder):
    perceptor = module.ClipPerceptor(TINY, CPU, torch.float32)
    torch.manual_seed(0)
    original = open_clip.create_model("tiny").eval()
    views = torch.rand(3, 3, 32, 32)
    mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN)[:, None, None]
    deviation = torch.tensor(open_clip.OPENAI_DATASET_STD)[:, None, None]
    with torch.no_grad():
        expected = original.encode_image((views - mean) / deviation)
        expected = torch.nn.functional.normalize(expected, dim=1)
        assert torch.allclose(perceptor.encode_views(views), expected, atol=1e-6)


def test_vectors_have_unit_length_and_views_pass_gradients_while_weights_are_frozen():
    perceptor = load_perceptor(TINY, CPU)
    views = torch.rand(2, 3, 32, 32, requires_grad=True)
    encoded = perceptor.encode_views(views)
    assert torch.allclose(encoded.norm(dim=1), torch.ones(2))
    encoded[:, 0].sum().backward()
    assert views.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in perceptor._model.parameters())


def test_the_numbers_it_is_computed_in_are_told_and_chosen_by_the_processor():
    assert module.ClipPerceptor(TINY, CPU, torch.float32).dtype == "float32"
    assert load_perceptor(TINY, CPU).dtype == str(best_dtype(CPU)).removeprefix("torch.")


# Image towers of open_clip by kind: how they are configured, and channels and sides of the layers.
TOWERS = {
    "vit": ({"image_size": 32, "layers": 3, "width": 64, "patch_size": 8}, [(64, 4)] * 3),
    "resnet": (
        {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8},
        [(32, 16), (64, 8), (128, 4), (256, 2)],
    ),
    "timm": (
        {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "avg"},
        [(64, 10)] * 6,
    ),
}


@pytest.fixture(params=TOWERS)
def tower(request, models_folder):
    """The name of a tiny model with random weights and a kind of image tower, and its layers."""
    vision, layers = TOWERS[request.param]
    architecture = f"tiny-{request.param}"
    configuration = models_folder / f"{architecture}.json"
    configuration.write_text(json.dumps(TINY_CONFIGURATION | {"vision_cfg": vision}))
    open_clip.add_model_config(configuration)
    state = open_clip.create_model(architecture).state_dict()
    path = weights_path(f"{architecture}/random")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    yield f"{architecture}/random", layers
    path.unlink()


def test_layers_of_every_kind_of_tower_lie_where_the_view_is(tower):
    name, expected = tower
    perceptor = load_perceptor(name, CPU)
    side = perceptor.view_size
    views = torch.rand(2, 3, side, side, requires_grad=True)
    layers = perceptor.layers(views)
    assert [layer.shape for layer in layers] == [(2, c, size, size) for c, size in expected]
    torch.autograd.backward(sum(layer.square().mean() for layer in layers))
    assert views.grad.abs().sum() > 0
    assert not any(layer._forward_hooks for layer in perceptor._model.modules())


def test_a_change_of_the_view_is_seen_in_its_place():
    perceptor = load_perceptor(TINY, CPU)
    views = torch.full((2, 3, 32, 32), 0.5)
    views[1, :, :8, 24:] = 1
    with torch.no_grad():
        before, after = perceptor.layers(views)[0]
    changed = (after - before).square().sum(0)
    assert changed.argmax().item() == 3, "the patch of the first row and last column"


def test_a_text_s_vector_does_not_depend_on_its_neighbours():
    perceptor = load_perceptor(TINY, CPU)
    texts = ["a cat", "", "🍎", "x" * 1000]
    assert torch.equal(perceptor.encode_text(texts)[:1], perceptor.encode_text(["a cat"]))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nonsense", "no perceptor “nonsense”"),
        ("../../etc/passwd", "no perceptor"),
        ("ViT-B-32/../x", "no perceptor"),
        ("Unheard-Of/openai", "not on this machine"),
        ("ViT-B-32/openai", "pixel models pull ViT-B-32/openai"),
    ],
)
def test_what_is_not_there_is_refused_with_a_sentence(name, sentence):
    with pytest.raises(PerceptorError) as refusal:
        load_perceptor(name, CPU)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("damage", [b"", b"not safetensors" * 100])
def test_damaged_weights_are_refused_with_a_sentence(models_folder, damage):
    path = weights_path("tiny/damaged")
    path.write_bytes(damage)
    with pytest.raises(PerceptorError, match="damaged"):
        load_perceptor("tiny/damaged", CPU)
    path.unlink()


def test_an_architecture_that_open_clip_does_not_know_is_refused():
    path = weights_path("Unheard-Of/random")
    path.touch()
    with pytest.raises(PerceptorError, match="no architecture “Unheard-Of”"):
        load_perceptor("Unheard-Of/random", CPU)
    path.unlink()


def test_weights_of_another_architecture_are_refused(models_folder):
    path = weights_path("RN50/random")
    path.write_bytes(weights_path(TINY).read_bytes())
    with pytest.raises(PerceptorError, match="another architecture"):
        load_perceptor("RN50/random", CPU)
    path.unlink()


def test_openai_s_weights_get_the_activation_they_were_trained_with(monkeypatch):
    asked = {}
    monkeypatch.setattr(open_clip, "create_model", lambda name, **options: asked.update(options))
    module.create("ViT-B-32/openai", pretrained=False)
    assert asked["force_quick_gelu"] is True
    module.create("ViT-B-32/laion2b_s34b_b79k", pretrained=False)
    assert asked["force_quick_gelu"] is False


def test_auto_is_the_small_model_unless_a_gpu_has_the_weights_of_the_table(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))
    assert auto_perceptors("draft", "cpu") == ("pixelclip",)
    assert auto_perceptors("draft", "cuda") == ("pixelclip",)
    weights_path("ViT-B-32/openai").touch()
    assert auto_perceptors("draft", "cuda") == ("ViT-B-32/openai",)
    assert auto_perceptors("normal", "cuda") == ("pixelclip",)
    assert auto_perceptors("draft", "cpu") == ("pixelclip",)


def test_a_pulled_model_is_kept_with_its_hash_and_can_be_loaded(monkeypatch, tmp_path, tiny_models):
    """Only the download itself is replaced: open_clip's hub is the edge."""
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))
    monkeypatch.setattr(open_clip, "list_pretrained", lambda: [("tiny", "published")])
    monkeypatch.setattr(pulling, "create", lambda name, pretrained: open_clip.create_model("tiny"))
    path = pull("tiny/published")
    assert is_at_hand("tiny/published")
    assert (
        load_perceptor("tiny/published", CPU).weights_hash
        == path.with_suffix(".sha256").read_text()[:16]
    )
    assert pull("tiny/published") == path


def test_pulling_what_is_not_published_is_refused_with_the_tags_there_are():
    with pytest.raises(PerceptorError, match="openai"):
        pull("ViT-B-32/unheard-of")
    with pytest.raises(PerceptorError, match="no perceptor"):
        pull("../../x")


def test_a_download_that_fails_is_a_sentence_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))

    def unreachable(name, pretrained):
        raise OSError("the hub cannot be reached")

    monkeypatch.setattr(pulling, "create", unreachable)
    with pytest.raises(PerceptorError, match="the hub cannot be reached"):
        pull("ViT-B-32/openai")
    assert list(tmp_path.iterdir()) == []
