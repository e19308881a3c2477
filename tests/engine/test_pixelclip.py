"""The small image–text model that ships with the project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.errors import PerceptorError
from engine.perceptors.dtype import best_dtype
from engine.perceptors.pixelclip import VOCABULARY, WEIGHTS, PixelClip, WordPieces, read_out, unpack


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16])
def model(request) -> PixelClip:
    if request.param == torch.bfloat16 != best_dtype(torch.device("cpu"), convolutions=True):
        pytest.skip("this processor does not multiply bfloat16 in tiles")
    return PixelClip(dtype=request.param)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def disc(colour: tuple[float, float, float], paper: float = 0.94) -> torch.Tensor:
    axis = torch.arange(64) - 31.5
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2) < 22**2
    return torch.where(inside, torch.tensor(colour)[:, None, None], torch.tensor(paper))


def square(colour: tuple[float, float, float], paper: float = 0.94) -> torch.Tensor:
    picture = torch.full((3, 64, 64), paper)
    picture[:, 14:50, 14:50] = torch.tensor(colour)[:, None, None]
    return picture


def random_views(n: int, seed: int) -> torch.Tensor:
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def plain_views() -> torch.Tensor:
    return torch.linspace(0.2, 0.9, 4)[:, None, None, None].expand(4, 3, 64, 64)


def embed_with_gradient(
    model: PixelClip, views: torch.Tensor, text: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    views = views.clone().requires_grad_()
    embeddings = model.encode_views(views)
    (embeddings @ text.T).sum().backward()
    return embeddings.detach(), views.grad


def test_embeddings_of_texts_and_views_have_unit_length_and_the_same_width(model):
    texts = model.encode_text(["a red apple", "a castle in space"])
    views = model.encode_views(random_views(3, seed=0))
    assert texts.shape[1] == views.shape[1]
    for embeddings in (texts, views):
        assert embeddings.dtype == torch.float32
        torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(len(embeddings)))


def test_a_red_apple_is_nearer_a_red_disc_than_a_blue_square(model):
    views = torch.stack([disc((0.85, 0.1, 0.12)), square((0.1, 0.25, 0.85))])
    agreement = model.encode_text(["a red apple"]) @ model.encode_views(views).T
    assert agreement[0, 0] > agreement[0, 1] + 0.1


@pytest.mark.parametrize(
    ("colour", "rgb"),
    [
        ("red", (0.86, 0.12, 0.14)),
        ("green", (0.18, 0.64, 0.26)),
        ("blue", (0.15, 0.36, 0.86)),
        ("yellow", (0.97, 0.85, 0.16)),
    ],
)
def test_colour_words_are_true(model, colour, rgb):
    names = ["red", "green", "blue", "yellow"]
    texts = model.encode_text([f"a {name} circle" for name in names])
    agreement = (texts @ model.encode_views(disc(rgb)[None]).T).flatten()
    assert names[int(agreement.argmax())] == colour


@pytest.mark.parametrize(
    "text", ["", " ", "🍎", "👩‍🚀", "a " * 500, "красное яблоко", "りんご", "\x00\ud800", "ﷺ" * 40]
)
def test_any_string_can_be_embedded(model, text):
    embedding = model.encode_text([text])
    assert embedding.isfinite().all()
    torch.testing.assert_close(embedding.norm(), torch.tensor(1.0))


def test_no_texts_give_no_rows(model):
    assert model.encode_text([]).shape == (0, 384)


def test_a_text_is_cut_after_a_fixed_number_of_tokens(model):
    pieces = WordPieces()
    assert len(pieces("apple " * 1000)) == 40
    first, second = model.encode_text(["apple " * 100 + "sea", "apple " * 1000])
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("🍎", "red apple"),
        ("a 🐸 at night", "a frog face at night"),
        ("❤️", "heart"),
        ("👍🏽", "thumbs up sign"),
        ("☀", "sun with rays"),
        ("plain", "plain"),
        ("日本", "日本"),
    ],
)
def test_emoji_are_read_out_by_their_names(text, words):
    assert read_out(text).split() == words.split()


def test_an_emoji_is_embedded_like_its_name(model):
    emoji, name = model.encode_text(["🍎", "red apple"])
    assert torch.equal(emoji, name)


def test_the_embedding_of_a_text_does_not_depend_on_the_other_texts(model):
    alone = model.encode_text(["a red apple"])
    among = model.encode_text(["a castle", "a red apple", "a very long text " * 9, ""])
    assert torch.equal(alone[0], among[1])


@pytest.mark.parametrize("n", [1, 2, 12, 16])
def test_views_and_their_gradients_are_the_same_bytes_among_others(model, threads, n):
    text = model.encode_text(["a lighthouse"])
    views = random_views(n, seed=1)
    embeddings, gradients = embed_with_gradient(model, views, text)
    for before, after in ((0, 1), (48, 0), (24, 24), (3, 45)):
        company = torch.cat((random_views(before, 2), views, random_views(after, 3)))
        among, gradients_among = embed_with_gradient(model, company, text)
        assert torch.equal(among[before : before + n], embeddings)
        assert torch.equal(gradients_among[before : before + n], gradients)


def test_layers_are_the_features_that_the_embedding_is_made_of(model):
    views = random_views(3, seed=5)
    layers = model.layers(views)
    assert [layer.shape for layer in layers] == [(3, 48, 16, 16), (3, 96, 8, 8), (3, 192, 4, 4)]
    tower = model._image
    made = tower.project(tower.pool(torch.nn.functional.silu(layers[-1])))
    assert torch.allclose(torch.nn.functional.normalize(made), model.encode_views(views), atol=1e-6)
    inner = layers[0].to(tower.stages[1].weight.dtype)
    assert torch.equal(tower.stages[3:5](inner).float(), layers[1])


@pytest.mark.parametrize("n", [1, 2, 12])
def test_layers_and_their_gradients_are_the_same_bytes_among_others(model, threads, n):
    def seen(views):
        views = views.clone().requires_grad_()
        layers = model.layers(views)
        torch.autograd.backward(sum(layer.square().sum() for layer in layers))
        return [*layers, views.grad]

    views = random_views(n, seed=1)
    among = seen(torch.cat((random_views(3, 2), views, random_views(29, 3))))
    for alone, part in zip(seen(views), among, strict=True):
        assert part.shape[1:] == alone.shape[1:]
        assert torch.equal(part[3 : 3 + n], alone)


def test_gradients_reach_the_views_but_not_the_parameters(model):
    _, gradients = embed_with_gradient(
        model, random_views(2, seed=4), model.encode_text(["a frog"])
    )
    assert gradients.abs().sum() > 0
    towers = (model._image, model._text)
    assert not any(p.requires_grad for tower in towers for p in tower.parameters())


def test_a_step_along_the_gradient_draws_nearer_to_the_text(model):
    text = model.encode_text(["a red apple"])
    views = plain_views()
    for _ in range(16):
        _, gradients = embed_with_gradient(model, views, text)
        direction = torch.nn.functional.normalize(gradients.flatten(1)).view_as(views)
        views = (views + direction).clamp(0, 1)
    before = model.encode_views(plain_views()) @ text.T
    assert (model.encode_views(views) @ text.T > before + 0.1).all()


def test_its_gradient_is_that_of_float32(model):
    exact = PixelClip(dtype=torch.float32)
    coarse = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(6))
    views = torch.nn.functional.interpolate(coarse, 64, mode="bilinear")
    text = exact.encode_text(["a red apple"])
    embeddings, gradients = embed_with_gradient(model, views, text)
    wanted, pulls = embed_with_gradient(exact, views, text)
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(embeddings, wanted).min() > 0.9999
    assert cosine(gradients.flatten(1), pulls.flatten(1)).min() > 0.999


def test_two_instances_agree_to_the_byte(model):
    other = PixelClip(dtype=getattr(torch, model.dtype))
    assert other.weights_hash == model.weights_hash
    assert torch.equal(other.encode_text(["a cat"]), model.encode_text(["a cat"]))


def test_views_of_another_size_are_refused_with_a_sentence(model):
    for look in (model.encode_views, model.layers):
        with pytest.raises(PerceptorError, match="64 × 64"):
            look(torch.rand(1, 3, 32, 32))


def test_missing_weights_are_reported_in_a_sentence(tmp_path):
    with pytest.raises(PerceptorError, match="missing"):
        PixelClip(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"not a model", b"\xff" * 4096])
def test_damaged_weights_are_reported_in_a_sentence(tmp_path, content):
    file = tmp_path / "damaged.safetensors"
    file.write_bytes(content)
    with pytest.raises(PerceptorError, match="damaged"):
        PixelClip(file)


def test_a_truncated_file_is_reported_in_a_sentence():
    content = WEIGHTS.read_bytes()
    with pytest.raises(PerceptorError, match="damaged"):
        unpack(content[: len(content) // 2])


def test_a_missing_vocabulary_is_reported_in_a_sentence(tmp_path):
    with pytest.raises(PerceptorError, match="vocabulary"):
        WordPieces(tmp_path / "wordpiece.txt")


def test_the_files_are_small_enough_to_ship():
    assert WEIGHTS.stat().st_size + VOCABULARY.stat().st_size < 12_500_000


def test_the_model_needs_nothing_of_the_training(tmp_path):
    """The runtime copies of the files alone must do, and no training package may be imported."""
    root = Path(__file__).parents[2]
    models = ("models/__init__.py", "models/shipped.py")
    perceptors = ("perceptors/dtype.py", "perceptors/pixelclip.py")
    for name in ("__init__.py", "errors.py", *models, *perceptors):
        target = tmp_path / "engine" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "engine" / name, target)
    for file in (WEIGHTS, VOCABULARY):
        shutil.copy(file, tmp_path / "engine/models" / file.name)
    program = (
        "import sys; from engine.perceptors.pixelclip import PixelClip; PixelClip();"
        "unwanted = {'transformers', 'sentence_transformers', 'open_clip', 'resvg_py'};"
        "sys.exit(bool(unwanted & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
