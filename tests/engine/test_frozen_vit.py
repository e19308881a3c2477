"""Vision transformers with their weights folded judge as open_clip's modules do."""

import pytest
import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU, VisionTransformer
from torch import nn

from engine.perceptors.dtype import best_dtype
from engine.perceptors.frozen_vit import FrozenViT, can_freeze

MEAN, DEVIATION = (0.5, 0.45, 0.4), (0.25, 0.3, 0.2)
KINDS = pytest.mark.parametrize(
    "given",
    [
        {},
        {"act_layer": QuickGELU},
        {"ls_init_value": 0.5, "final_ln_after_pool": True},
    ],
    ids=str,
)


def tower(**given):
    """A small tower in which no weight is what training begins with."""
    sizes = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 3, "heads": 4}
    torch.manual_seed(1)
    visual = VisionTransformer(**sizes, mlp_ratio=4.0, output_dim=24, **given).eval()
    for name, parameter in visual.named_parameters():
        parameter.requires_grad_(requires_grad=False)
        if parameter.ndim == 1:
            parameter.add_(0.3 * torch.randn_like(parameter))
        elif "in_proj" in name:
            parameter.mul_(3)
    return visual


def judged(judge, views):
    """What a tower says of views, and the gradient of a sum of that."""
    views = views.clone().requires_grad_()
    said = judge(views)
    (F.normalize(said, dim=1) * torch.linspace(-1, 1, said.shape[1])).sum().backward()
    return said.detach(), views.grad


def original(visual):
    mean, deviation = (torch.tensor(each)[:, None, None] for each in (MEAN, DEVIATION))
    return lambda views: visual((views - mean) / deviation)


@KINDS
def test_in_float32_it_says_what_open_clip_s_module_says(given):
    visual, views = tower(**given), torch.rand(5, 3, 32, 32)
    frozen = FrozenViT(visual, MEAN, DEVIATION, torch.float32)
    said, gradient = judged(frozen, views)
    expected, expected_gradient = judged(original(visual), views)
    assert torch.allclose(said, expected, atol=1e-5, rtol=1e-5)
    assert torch.allclose(gradient, expected_gradient, atol=1e-5, rtol=1e-4)


@KINDS
def test_in_bfloat16_its_gradient_points_where_that_of_float32_does(given):
    visual, views = tower(**given), torch.rand(5, 3, 32, 32)
    said, gradient = judged(FrozenViT(visual, MEAN, DEVIATION, torch.bfloat16), views)
    expected, expected_gradient = judged(original(visual), views)
    assert F.cosine_similarity(said, expected).min() > 0.999
    assert F.cosine_similarity(gradient.flatten(1), expected_gradient.flatten(1)).min() > 0.99


def test_layers_are_what_the_blocks_answer():
    visual, views = tower(act_layer=QuickGELU), torch.rand(2, 3, 32, 32)
    answers = []
    for block in visual.transformer.resblocks:
        block.register_forward_hook(lambda *call: answers.append(call[2]))
    original(visual)(views)
    layers = FrozenViT(visual, MEAN, DEVIATION, torch.float32).layers(views)
    assert len(layers) == 3
    for layer, expected in zip(layers, answers, strict=True):
        assert torch.allclose(layer, expected, atol=1e-4, rtol=1e-4)


def test_only_what_it_knows_is_frozen():
    assert can_freeze(tower())
    assert not can_freeze(tower(pool_type="avg"))
    assert not can_freeze(tower(no_ln_pre=True))
    assert not can_freeze(tower(act_layer=nn.ReLU))
    assert not can_freeze(tower(attentional_pool=True))
    assert not can_freeze(tower(qk_norm=True, block_type="custom"))
    assert not can_freeze(nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("known", "dtype", "of_convolutions"),
    [
        ({"avx512_bf16": True}, torch.bfloat16, torch.float32),
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16, torch.bfloat16),
        ({"architecture": "aarch64", "bf16": True}, torch.bfloat16, torch.float32),
        ({"avx512_f": True}, torch.float32, torch.float32),
    ],
)
def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch, known, dtype, of_convolutions):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert best_dtype(torch.device("cpu")) == dtype
    assert best_dtype(torch.device("cpu"), convolutions=True) == of_convolutions


@pytest.mark.parametrize(
    ("capability", "dtype"), [((7, 5), torch.float32), ((9, 0), torch.bfloat16)]
)
def test_bfloat16_is_for_gpus_that_multiply_it(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert best_dtype(torch.device("cuda")) == dtype
