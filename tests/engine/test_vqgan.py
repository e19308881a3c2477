"""The small VQGAN that ships with the project."""

import subprocess
import sys

import pytest
import torch

from engine.drawers.starts import fitted
from engine.errors import EngineError
from engine.guess import FirstGuess
from engine.models.vqgans import Shape
from engine.perceptors.pixelclip import PixelClip
from engine.vqgan import VQGAN, WEIGHTS, Autoencoder, clamp_with_gradient, pack, unpack

SMALL = Shape(patch=4, channels=32, multipliers=(1, 1), width=8, codes=16)


@pytest.fixture(scope="module")
def model() -> VQGAN:
    return VQGAN()


@pytest.fixture
def on_threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def disc(width: int = 64, height: int = 64, paper: float = 0.95) -> torch.Tensor:
    """An orange disc on light paper: [1, 3, height, width]."""
    x = torch.arange(width) - (width - 1) / 2
    y = torch.arange(height) - (height - 1) / 2
    inside = (x[None, :] ** 2 + y[:, None] ** 2) < (0.35 * min(width, height)) ** 2
    colour = torch.tensor((0.96, 0.6, 0.1))[:, None, None]
    return torch.where(inside, colour, torch.tensor(paper))[None]


def sky(width: int = 64, height: int = 64) -> torch.Tensor:
    """A blue that grows paler downwards: [1, 3, height, width]."""
    ramp = torch.linspace(0, 1, height)[:, None]
    rows = [0.3 + 0.45 * ramp, 0.6 + 0.28 * ramp, 0.92 + 0.06 * ramp]
    return torch.stack(rows).expand(3, height, width)[None].contiguous()


def plain(*colour: float) -> torch.Tensor:
    return torch.tensor(colour)[None, :, None, None].expand(1, 3, 64, 64).contiguous()


def redrawn(model: VQGAN, pictures: torch.Tensor) -> torch.Tensor:
    return model.decode(model.quantise(model.encode(pictures)))


def psnr(picture: torch.Tensor, other: torch.Tensor) -> float:
    return float(-10 * torch.log10((picture - other).square().mean()))


def test_a_first_guess_can_be_encoded(model):
    texts = PixelClip().encode_text(["a red heart"])
    guess = FirstGuess().draw(texts, torch.ones(1), seed=1, columns=64, rows=64)[0]
    picture = fitted(guess, layers=False, transparent=False).subject[None, :3]
    assert psnr(redrawn(model, picture), picture) > psnr(redrawn(model, sky()), picture) + 6
    assert psnr(redrawn(model, picture), picture) > 15


def test_latents_have_one_place_for_each_square_of_pixels(model):
    latents = model.encode(torch.rand(2, 3, 64, 96))
    assert latents.shape == (2, model.codebook.shape[1], 64 // model.factor, 96 // model.factor)
    assert model.decode(latents).shape == (2, 3, 64, 96)


@pytest.mark.parametrize(
    ("picture", "floor"),
    [
        (disc(), 22.0),
        (disc(192, 112), 22.0),
        (sky(), 28.0),
        (plain(0.95, 0.95, 0.95), 28.0),
        (plain(0.15, 0.25, 0.5), 24.0),
    ],
    ids=["a disc", "a large disc on a wide canvas", "a sky", "paper", "plain blue"],
)
def test_simple_pictures_come_back(model, picture, floor):
    assert psnr(redrawn(model, picture), picture) > floor


@pytest.mark.parametrize("squares", [(1, 1), (3, 2), (5, 9)])
def test_any_multiple_of_the_factor_will_do(model, squares):
    across, down = squares
    picture = disc(across * model.factor, down * model.factor)
    assert redrawn(model, picture).shape == picture.shape


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 64), (200, 112), (500, 281)])
def test_a_size_is_rounded_to_the_nearest_one_that_can_be_encoded(model, size):
    rounded = model.rounded(*size)
    for before, after in zip(size, rounded, strict=True):
        assert after % model.factor == 0
        assert after == model.factor or abs(after - before) <= model.factor / 2
    assert model.rounded(*rounded) == rounded
    model.encode(torch.zeros(1, 3, rounded[1], rounded[0]))


@pytest.mark.parametrize("shape", [(1, 3, 64, 60), (1, 3, 0, 64), (1, 4, 64, 64)])
def test_other_pictures_are_refused_with_a_sentence(model, shape):
    with pytest.raises(EngineError, match="multiples of"):
        model.encode(torch.zeros(shape))


def test_quantised_latents_are_the_nearest_codes(model):
    latents = model.encode(torch.cat((disc(), sky())))
    codes = model.quantise(latents).permute(0, 2, 3, 1).flatten(0, 2)
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    nearest = torch.cdist(rows.double(), model.codebook.double()).argmin(dim=1)
    torch.testing.assert_close(codes, model.codebook[nearest], atol=1e-4, rtol=1e-4)


def test_the_gradient_passes_straight_through_the_quantiser(model):
    latents = model.encode(disc()).requires_grad_()
    weight = torch.rand(latents.shape)
    (model.quantise(latents) * weight).sum().backward()
    torch.testing.assert_close(latents.grad, weight)


def test_latents_descend_to_a_wanted_picture_and_the_parameters_stay(model):
    before = model.codebook.clone()
    latents = model.encode(sky()).requires_grad_()
    optimiser = torch.optim.Adam([latents], lr=0.05)
    losses = []
    for _ in range(30):
        loss = (model.decode(model.quantise(latents)) - disc()).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert min(losses) < 0.5 * losses[0]
    assert torch.equal(model.codebook, before)
    assert not model.codebook.requires_grad


def test_pictures_stay_in_range(model):
    picture = model.decode(model.encode(disc()) * 5)
    assert picture.min() == 0
    assert picture.max() == 1


@pytest.mark.parametrize(
    ("downhill", "passed"), [(1.0, (0.0, 1.0, 1.0)), (-1.0, (-1.0, -1.0, 0.0))]
)
def test_a_clamped_pixel_can_come_back_and_is_not_pushed_further_out(downhill, passed):
    pixels = torch.tensor([-0.5, 0.5, 1.5], requires_grad=True)
    clamped = clamp_with_gradient(pixels)
    assert clamped.tolist() == [0.0, 0.5, 1.0]
    (clamped * downhill).sum().backward()
    assert pixels.grad.tolist() == list(passed)


def test_the_same_latents_give_the_same_bytes_on_one_and_two_threads(model, on_threads):
    results = []
    for threads in (1, 2, 2):
        on_threads(threads)
        latents = model.encode(disc(192, 112)).requires_grad_()
        picture = model.decode(model.quantise(latents))
        picture.square().sum().backward()
        results.append((latents.detach(), picture.detach(), latents.grad))
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


def test_two_instances_agree_to_the_byte(model):
    other = VQGAN()
    assert other.weights_hash == model.weights_hash
    assert torch.equal(redrawn(other, disc()), redrawn(model, disc()))


def test_a_packed_model_does_what_it_did():
    torch.manual_seed(0)
    made = Autoencoder(SMALL).eval()
    read = unpack(pack(made))
    assert read.shape == SMALL
    latents = torch.rand(1, SMALL.width, 4, 4)
    torch.testing.assert_close(read.decode(latents), made.decode(latents), atol=0.01, rtol=0.01)


def test_missing_weights_are_reported_in_a_sentence(tmp_path):
    with pytest.raises(EngineError, match="missing"):
        VQGAN(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"not a model", b"\xff" * 4096])
def test_damaged_weights_are_reported_in_a_sentence(tmp_path, content):
    file = tmp_path / "damaged.safetensors"
    file.write_bytes(content)
    with pytest.raises(EngineError, match="damaged"):
        VQGAN(file)


def test_a_truncated_file_is_reported_in_a_sentence():
    content = WEIGHTS.read_bytes()
    with pytest.raises(EngineError, match="damaged"):
        unpack(content[: len(content) // 2])


def test_the_file_is_small_enough_to_ship():
    assert WEIGHTS.stat().st_size <= 10_000_000


def test_loading_prints_nothing_and_needs_nothing_of_the_training():
    program = (
        "import sys; from engine.vqgan import VQGAN; VQGAN();"
        "unwanted = {'pytorch_lightning', 'torchvision', 'omegaconf', 'open_clip'};"
        "sys.exit(str(unwanted & set(sys.modules)) if unwanted & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
