"""Published VQGANs: pulled, read without running what is in them, converted, and drawn with."""

import hashlib
import os
import pickle
import sys
import threading
import types
from collections import OrderedDict
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from safetensors import safe_open
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2
from torch import nn
from typer.testing import CliRunner

from engine.cli import app
from engine.errors import EngineError, SettingsError
from engine.models.download import download
from engine.models.lightning import read_checkpoint
from engine.models.pull_vqgan import pull_vqgan
from engine.models.vqgans import PUBLISHED, Shape, vqgan_path
from engine.protocol import Done, Draw, Failed, Started
from engine.settings import PIXELCLIP, make_settings
from engine.vqgan import Autoencoder, load_vqgan

CPU = torch.device("cpu")
NAME = "coco"
TINY = Shape(
    patch=1,
    channels=32,
    multipliers=(1, 2),
    encoder_blocks=1,
    decoder_blocks=1,
    width=8,
    codes=16,
    features=8,
    attention=(1,),
)


class Original(nn.Module):
    """A VQGAN as taming's training leaves it, of its own modules, with a loss that has weights."""

    def __init__(self, *, gumbel):
        super().__init__()
        sizes = {
            "ch": 32,
            "out_ch": 3,
            "ch_mult": (1, 2),
            "num_res_blocks": 1,
            "attn_resolutions": [32],
            "in_channels": 3,
            "resolution": 64,
            "z_channels": 8,
            "double_z": False,
        }
        self.encoder, self.decoder = Encoder(**sizes), Decoder(**sizes)
        self.quantize = GumbelQuantize(8, 8, 16) if gumbel else VectorQuantizer2(16, 8, beta=0.25)
        self.quant_conv, self.post_quant_conv = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.loss = nn.Sequential(nn.Conv2d(3, 4, 3))

    def encode(self, pictures):
        return self.quant_conv(self.encoder(2 * pictures - 1))

    def decode(self, latents):
        return (self.decoder(self.post_quant_conv(latents)) + 1) / 2


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """A models folder of its own for each test, and nothing in memory."""
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path / "models"))
    load_vqgan.cache_clear()
    yield
    load_vqgan.cache_clear()


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Saves a model as Lightning does, with classes that are not there when it is read."""

    def save(model, prefix="", **extra):
        state = OrderedDict((prefix + name, value) for name, value in model.state_dict().items())
        if prefix:
            state["transformer.head.weight"] = torch.zeros(4, 4)
            state["cond_stage_model.encoder.conv_in.weight"] = torch.zeros(4, 4)
        module = types.ModuleType("pytorch_lightning")
        module.ModelCheckpoint = type(
            "ModelCheckpoint", (), {"__module__": "pytorch_lightning", "best": 1.5}
        )
        callback = module.ModelCheckpoint()
        callback.period = 3
        optimizer = torch.optim.Adam(model.parameters())
        path = tmp_path / "last.ckpt"
        with monkeypatch.context() as there:
            there.setitem(sys.modules, "pytorch_lightning", module)
            checkpoint = {
                "epoch": 3,
                "callbacks": {module.ModelCheckpoint: callback, **extra},
                "optimizer_states": [optimizer.state_dict()],
                "state_dict": state,
            }
            torch.save(checkpoint, path)
        return path

    return save


@pytest.fixture
def published(monkeypatch):
    """Puts a file in the place of a published checkpoint; only the network is replaced."""

    def publish(path, *, gumbel=False, **changes):
        entry = replace(
            PUBLISHED[NAME],
            **{
                "url": path.as_uri(),
                "shape": replace(TINY, gumbel=gumbel),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                **changes,
            },
        )
        monkeypatch.setitem(PUBLISHED, NAME, entry)

    return publish


@pytest.fixture
def original():
    def make(*, gumbel=False):
        torch.manual_seed(0)
        model = Original(gumbel=gumbel).eval().requires_grad_(requires_grad=False)
        nn.init.normal_(model.quantize.embed.weight if gumbel else model.quantize.embedding.weight)
        return model

    return make


@pytest.mark.parametrize("prefix", ["", "first_stage_model."], ids=["alone", "first stage"])
@pytest.mark.parametrize("gumbel", [False, True], ids=["distance", "gumbel"])
def test_a_pulled_vqgan_does_what_the_original_does(original, saved, published, gumbel, prefix):
    model = original(gumbel=gumbel)
    published(saved(model, prefix), gumbel=gumbel)
    pull_vqgan(NAME)
    pulled = load_vqgan(NAME, CPU)
    picture = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(1))
    latents = model.encode(picture)
    if gumbel:
        codebook = model.quantize.embed.weight
        expected = codebook[model.quantize.proj(latents).argmax(1)].movedim(3, 1)
    else:
        codebook, expected = model.quantize.embedding.weight, latents
    torch.testing.assert_close(pulled.codebook, codebook)
    torch.testing.assert_close(pulled.encode(picture), expected, rtol=1e-4, atol=1e-5)
    mixed = expected + 0.01 * latents
    chosen = torch.cdist(mixed.flatten(2).movedim(1, 2), codebook).argmin(2)
    codes = codebook[chosen].movedim(1, 2).reshape(mixed.shape)
    torch.testing.assert_close(pulled.quantise(mixed), codes, rtol=1e-4, atol=1e-5)
    shown = model.decode(codes).clamp(0, 1)
    torch.testing.assert_close(pulled.decode(codes), shown, rtol=1e-4, atol=1e-5)


def test_only_what_draws_is_kept_and_the_file_says_where_it_came_from(original, saved, published):
    checkpoint = saved(original(), "first_stage_model.")
    published(checkpoint)
    path = pull_vqgan(NAME)
    with safe_open(path, "pt") as file:
        said, names = file.metadata(), set(file.keys())
    assert {name.partition(".")[0] for name in names} == {
        *("encoder", "decoder", "quantize", "quant_conv", "post_quant_conv")
    }
    assert said["source"] == checkpoint.as_uri()
    assert said["source_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    kept = sorted(file.name for file in path.parent.iterdir())
    assert kept == [f"vqgan-{NAME}.safetensors", f"vqgan-{NAME}.sha256"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.with_suffix(".sha256").read_text() == f"{digest}  {path.name}\n"


def test_what_is_there_already_is_not_downloaded_again(original, saved, published):
    checkpoint = saved(original())
    published(checkpoint)
    before = pull_vqgan(NAME).stat().st_mtime_ns
    checkpoint.unlink()
    assert pull_vqgan(NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sha256": "0" * 64}, "not what was expected: its SHA-256"),
        ({"shape": replace(TINY, codes=17)}, "networks have other sizes"),
        ({"shape": replace(TINY, attention=None)}, "networks have other sizes"),
        ({"url": "file:///nowhere/last.ckpt"}, "could not be downloaded"),
    ],
    ids=["another hash", "another codebook", "no attention", "not there"],
)
def test_what_is_not_as_published_is_refused_and_nothing_is_kept(
    original, saved, published, changes, sentence
):
    published(saved(original()), **changes)
    with pytest.raises(EngineError, match=sentence):
        pull_vqgan(NAME)
    assert list(vqgan_path(NAME).parent.iterdir()) == []
    with pytest.raises(SettingsError, match=f"pixel models pull {NAME}"):
        load_vqgan(NAME, CPU)


def test_without_a_known_hash_the_file_is_checked_against_the_one_recorded_when_it_came(
    original, saved, published
):
    published(saved(original()), sha256=None)
    path = pull_vqgan(NAME)
    load_vqgan(NAME, CPU)
    load_vqgan.cache_clear()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match="hash is not that of the file that was pulled"):
        load_vqgan(NAME, CPU)


def test_a_download_that_is_cut_off_is_noticed(tmp_path):
    class CutOff(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 400)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), CutOff) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(EngineError, match="cut off after 400 of 1000 bytes"):
            download(url, tmp_path / "file")
        thread.join()


class Attack:
    """What a pickle does that is read carelessly."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "before archives"])
@pytest.mark.parametrize("place", ["beside the weights", "among the weights", "instead of all"])
@pytest.mark.parametrize("function", [os.system, exec, eval])
def test_nothing_of_a_malicious_checkpoint_is_run(tmp_path, function, place, legacy):
    mark = tmp_path / "it ran"
    code = f"touch '{mark}'" if function is os.system else f"open({str(mark)!r}, 'w').close()"
    attack = Attack(function, code)
    weight = torch.ones(2, 2)
    checkpoint = {
        "beside the weights": {"callbacks": attack, "state_dict": {"encoder.weight": weight}},
        "among the weights": {"state_dict": {"encoder.weight": weight, "encoder.more": attack}},
        "instead of all": attack,
    }[place]
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint, path, _use_new_zipfile_serialization=not legacy)
    if legacy or place == "instead of all":
        with pytest.raises(EngineError, match="not a checkpoint that can be read"):
            read_checkpoint(path, lambda name: True)
    else:
        state = read_checkpoint(path, lambda name: True)
        assert list(state) == ["encoder.weight"]
        assert torch.equal(state["encoder.weight"], weight)
    assert not mark.exists()
    if not legacy:
        # The attack is a real one.
        torch.load(path, weights_only=False)
        assert mark.exists()


def test_tensors_of_all_kinds_are_read_as_they_were_saved(tmp_path):
    whole = torch.arange(24.0).reshape(4, 6)
    tensors = {
        "a view": whole[1:, ::2],
        "transposed": whole.T,
        "half": whole.half(),
        "bfloat16": whole.bfloat16(),
        "integers": torch.arange(5),
        "flags": torch.tensor([True, False]),
        "a scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 4),
        "a parameter": nn.Parameter(whole),
    }
    path = tmp_path / "last.ckpt"
    for legacy in (False, True):
        torch.save(tensors, path, _use_new_zipfile_serialization=not legacy)
        state = read_checkpoint(path, lambda name: name != "half")
        assert set(state) == set(tensors) - {"half"}
        for name, tensor in state.items():
            assert torch.equal(tensor, tensors[name]), name
            assert tensor.dtype == tensors[name].dtype


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", pickle.dumps([1, 2]), b"PK\x05\x06" + bytes(18)]
)
def test_what_is_no_checkpoint_is_refused_with_a_sentence(tmp_path, content):
    path = tmp_path / "last.ckpt"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"last\.ckpt is not a checkpoint that can be read"):
        read_checkpoint(path, lambda name: True)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_shape_is_one_that_taming_s_modules_can_have(name):
    shape = PUBLISHED[name].shape
    with torch.device("meta"):
        model = Autoencoder(shape)
    assert shape.factor == (8 if "f8" in name else 16)
    assert model.codebook.weight.shape == (shape.codes, 256)
    # One block a stage more in the decoder, with attention beside each on the coarsest.
    coarsest = len(shape.multipliers) - 1
    assert len(model.encoder.down[coarsest].attn) == 2
    assert len(model.decoder.up[coarsest].attn) == 3
    assert not any(len(down.attn) for down in model.encoder.down[:coarsest])


def test_the_file_of_coco_has_room_for_its_shape_and_no_other():
    # 296,030,214 bytes, as those report who keep it: the weights and about a per mille of names.
    with torch.device("meta"):
        model = Autoencoder(PUBLISHED["coco"].shape)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert 0 < 296_030_214 - 4 * numbers < 300_000


def test_a_picture_is_drawn_with_a_pulled_model_and_says_which(original, saved, published, studio):
    published(saved(original()))
    asked = make_settings(
        {
            "prompts": "a red apple",
            "drawer": "vqgan",
            "vqgan_model": NAME,
            "size": (63, 49),
            "iterations": 2,
            "num_cuts": 3,
            "seed": 1,
            "perceptors": [PIXELCLIP],
        }
    )
    one = studio()
    missing = one.add(Draw("a", asked))
    assert isinstance(missing, Failed)
    assert missing.code == "settings"
    assert f"pixel models pull {NAME}" in missing.sentence
    pull_vqgan(NAME)
    started = one.add(Draw("a", asked))
    assert isinstance(started, Started)
    assert started.size == (64, 48)
    weights = started.provenance.weights
    assert weights[f"vqgan-{NAME}"] == load_vqgan(NAME, CPU).weights_hash
    events = []
    while not one.idle:
        events += one.tick()
    assert isinstance(events[-1], Done)


def test_a_damaged_file_fails_the_job_with_its_sentence(original, saved, published, studio):
    published(saved(original()))
    pull_vqgan(NAME).write_bytes(b"damaged")
    asked = make_settings({"prompts": "a cat", "drawer": "vqgan", "vqgan_model": NAME})
    failed = studio().add(Draw("a", asked))
    assert isinstance(failed, Failed)
    assert "damaged" in failed.sentence


def test_an_unknown_name_is_refused_where_it_is_set_and_where_it_is_pulled():
    with pytest.raises(SettingsError, match="vqgan_model cannot be “dalle”; allowed are mini, im"):
        make_settings({"prompts": "a cat", "drawer": "vqgan", "vqgan_model": "dalle"})
    with pytest.raises(SettingsError, match="only for drawer=vqgan"):
        make_settings({"prompts": "a cat", "vqgan_model": "mini"})
    with pytest.raises(SettingsError, match="allowed are mini, im"):
        load_vqgan("dalle", CPU)
    refused = CliRunner().invoke(app, ["models", "pull", "dalle"])
    assert refused.exit_code == 2
    assert "There is no model “dalle” to pull; allowed are imagenet_f16_16384" in refused.stderr


def test_the_command_line_pulls_and_lists(original, saved, published):
    published(saved(original()))
    run = CliRunner().invoke
    assert NAME not in run(app, ["models", "list"]).stdout
    pulled = run(app, ["models", "pull", NAME])
    assert pulled.exit_code == 0
    assert str(vqgan_path(NAME)) in pulled.stdout
    assert f"{NAME} " in run(app, ["models", "list"]).stdout
    listed = run(app, ["models", "list", "--published"]).stdout
    assert all(name in listed for name in PUBLISHED)
    assert "hash unknown" in listed
