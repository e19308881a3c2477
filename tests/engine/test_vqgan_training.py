"""The making of the small VQGAN, on a handful of pictures drawn here."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from engine.training import vqgan, vqgan_evaluate
from engine.training.data import Concept, Pictures, Record
from engine.training.vqgan_codebook import CodebookAverages, perplexity
from engine.training.vqgan_losses import PerceptualLoss, adaptive_weight
from engine.training.vqgan_pictures import PictureMaker
from engine.vqgan import VQGAN, Shape

CPU = torch.device("cpu")
SMALL = Shape(patch=4, channels=32, multipliers=(1, 1), width=8, codes=32)


def drawn(side: int, colour: tuple[int, int, int]) -> np.ndarray:
    pixels = np.zeros((72, 72, 4), np.uint8)
    pixels[36 - side : 36 + side, 36 - side : 36 + side] = (*colour, 255)
    return pixels


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Three squares in two styles each, of which the green style is for measuring only."""
    styles = {"noto": (220, 60, 30), "game-icons": (255, 255, 255), "openmoji": (0, 255, 0)}
    pixels, records = [], []
    for concept, side in enumerate((16, 20, 24)):
        for source, colour in styles.items():
            pixels.append(drawn(side, colour))
            records.append(Record(source, str(side), concept, source == "game-icons"))
    concepts = tuple(Concept(name, (), held_out=False) for name in ("small", "middle", "large"))
    return Pictures(np.stack(pixels), tuple(records), concepts)


@pytest.fixture(scope="module")
def maker(pictures) -> PictureMaker:
    return PictureMaker(pictures, seed=0, device=CPU, scenes_each=1)


def new_training(**recipe) -> vqgan.Training:
    return vqgan.Training(vqgan.Recipe(**{"steps": 4, "size": 6, **recipe}), CPU, SMALL)


def test_a_batch_is_known_by_its_seed_and_step(maker):
    batch = maker.batch(3, 16)
    assert batch.shape == (16, 3, 64, 64)
    assert batch.min() >= 0
    assert batch.max() <= 1
    assert torch.equal(batch, maker.batch(3, 16))
    assert not torch.equal(batch, maker.batch(4, 16))


@pytest.mark.parametrize("adversarial", [0.0, 0.4])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, maker, adversarial):
    whole, part = new_training(adversarial=adversarial), new_training(adversarial=adversarial)
    vqgan.train(whole, maker, tmp_path / "whole.pt")
    for step in range(3):
        part.learn(maker.batch(step, part.recipe.size))
    part.save(tmp_path / "part.pt")
    resumed = new_training(adversarial=adversarial)
    vqgan.train(resumed, maker, tmp_path / "part.pt")
    assert resumed.step == whole.step == 4
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
        assert torch.equal(whole.average.state[name], resumed.average.state[name]), name


def test_training_brings_the_pictures_nearer(maker):
    training = new_training(steps=60, rate=0.02)
    batch = maker.batch(0, 12)
    differences = [training.learn(batch) for _ in range(20)]
    assert differences[-1] < 0.8 * differences[0]


def test_the_exported_file_is_read_by_the_runtime_and_measured(tmp_path, maker, pictures):
    vqgan.train(new_training(), maker, tmp_path / "run.pt")
    vqgan.export(tmp_path / "run.pt", tmp_path / "small.safetensors")
    model = VQGAN(tmp_path / "small.safetensors")
    assert model.codebook.shape == (SMALL.codes, SMALL.width)
    assert vqgan_evaluate.evaluate(model, pictures).count("PSNR") == 3
    sheet = Image.open(io.BytesIO(vqgan_evaluate.contact_sheet(model, pictures, each=3)))
    assert sheet.width > 6 * 64


def test_a_run_that_saved_nothing_cannot_be_exported(tmp_path):
    with pytest.raises(FileNotFoundError):
        vqgan.export(tmp_path / "run.pt", tmp_path / "small.safetensors")


def test_only_the_unseen_style_is_measured(pictures):
    for shown in vqgan_evaluate.panels(pictures).values():
        middle = shown[:, :, 32, 32]
        torch.testing.assert_close(middle, torch.tensor((0.0, 1.0, 0.0)).expand(len(shown), 3))


def test_the_codes_move_to_the_latents_that_choose_them():
    codebook = torch.tensor([[0.0, 0.0], [10.0, 10.0]])
    averages = CodebookAverages(codebook)
    latents = torch.tensor([[1.0, 1.0], [3.0, 3.0], [9.0, 9.0], [9.0, 9.0]])
    for _ in range(300):
        averages.update(codebook, latents, torch.tensor([0, 0, 1, 1]), None)
    torch.testing.assert_close(codebook, torch.tensor([[2.0, 2.0], [9.0, 9.0]]), atol=0.1, rtol=0)


def test_a_code_that_nothing_chooses_is_put_onto_a_latent():
    codebook = torch.tensor([[0.0, 0.0], [500.0, 500.0]])
    averages = CodebookAverages(codebook)
    latents = torch.rand(8, 2)
    generator = torch.Generator().manual_seed(0)
    averages.update(codebook, latents, torch.zeros(8, dtype=torch.long), generator)
    assert any(torch.allclose(codebook[1], latent) for latent in latents)


def test_perplexity_counts_the_codes_in_use():
    assert perplexity(torch.tensor([5.0, 5.0, 5.0, 0.0])) == pytest.approx(3)
    assert perplexity(torch.tensor([7.0, 0.0])) == pytest.approx(1)


def test_what_differs_more_is_further_in_the_features(maker):
    loss, batch = PerceptualLoss(), maker.batch(0, 8)
    little, much = batch.roll(1, dims=3), batch.roll(1, dims=0)
    assert loss(batch, batch) == pytest.approx(0, abs=1e-6)
    assert 0 < loss(little, batch) < loss(much, batch)


def test_the_adaptive_weight_makes_both_gradients_equal():
    last = torch.tensor([1.0, 2.0], requires_grad=True)
    reconstruction, adversarial = (3 * last).sum(), (0.1 * last).sum()
    weight = adaptive_weight(reconstruction, adversarial, last)
    assert float(weight) == pytest.approx(30, rel=1e-2)
