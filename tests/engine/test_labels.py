"""Labels: a classifier among the judges, from weights in the models folder only."""

import hashlib
import math
from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models
from torchvision.transforms._presets import ImageClassification

from engine.drawers import make_drawer
from engine.errors import PerceptorError, SettingsError
from engine.judges import Judges
from engine.losses import label_loss, label_score
from engine.models import classifiers_at_hand, is_at_hand, weights_path
from engine.models import pull_classifier as pulling
from engine.models.pull_classifier import pull_classifier
from engine.perceptors import classifier, load_perceptor
from engine.perceptors.classifier import Classifier
from engine.protocol import Draw, Failed
from engine.questions import questions
from engine.settings import resolve
from tests.engine.conftest import CPU

NAME = "torchvision/shufflenet_v2_x0_5"
OTHER = "torchvision/squeezenet1_1"


def small_network():
    """A classifier that sees a picture as 4 × 4 dots; its random weights are the seed's."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 1000))
    with torch.no_grad():
        network[2].weight *= 10
    return network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A models folder with a classifier as a pull would have left it.

    It is far smaller than those of torchvision, which takes it for one of its own.
    """
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(models, "get_model", lambda name, weights: small_network())

    class Published(models.WeightsEnum):
        DEFAULT = models.Weights("", partial(ImageClassification, crop_size=32), {})

    monkeypatch.setattr(classifier, "published", lambda architecture: Published.DEFAULT)
    weights_path(NAME).parent.mkdir()
    save_file(small_network().state_dict(), weights_path(NAME))
    return tmp_path / "models"


def finish(room):
    last = {}
    while not room.idle:
        last |= {event.job: event for event in room.tick()}
    return last


def test_probabilities_sum_to_one_and_views_pass_gradients_while_weights_are_frozen(folder):
    judge = Classifier(NAME)
    views = torch.rand(2, 3, judge.view_size, judge.view_size, requires_grad=True)
    said = judge(views)
    assert said.shape == (2, 1000)
    assert torch.allclose(said.exp().sum(1), torch.ones(2), atol=1e-5)
    said[:, 0].sum().backward()
    assert views.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in judge._model.parameters())


def test_a_label_counts_one_while_all_classes_are_as_likely_and_pushing_away_ends():
    even = torch.full((3, 1000), -math.log(1000))
    classes, one = torch.tensor([7]), torch.tensor([1.0])
    assert label_loss(even, classes, one).item() == pytest.approx(1)
    assert label_loss(even, classes, 2 * one).item() == pytest.approx(2)
    sure = torch.full((3, 1000), -20.0)
    sure[:, 7] = 0
    assert label_loss(sure, classes, one).item() == 0
    assert label_loss(even, classes, -one).item() < 1e-3
    assert label_loss(sure, classes, -one).item() > 1
    assert label_score(sure, classes, one).item() == pytest.approx(1)
    assert label_score(sure, classes, -one).item() == pytest.approx(-1)
    both = torch.tensor([7, 8])
    assert label_score(sure, both, torch.tensor([1.0, 3.0])).item() == pytest.approx(0.25)


def test_pushing_away_has_a_finite_gradient_where_the_classifier_is_certain():
    logits = torch.zeros(1, 1000)
    logits[0, 7] = 100
    logits.requires_grad_()
    said = torch.log_softmax(logits, 1)
    label_loss(said, torch.tensor([7]), torch.tensor([-1.0])).backward()
    assert torch.isfinite(logits.grad).all()


def test_a_network_of_torchvision_is_the_one_that_was_saved(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))
    torch.manual_seed(0)
    original = models.get_model("shufflenet_v2_x0_5", weights=None)
    save_file(original.state_dict(), weights_path(NAME))
    views = torch.rand(1, 3, 224, 224)
    seen = models.ShuffleNet_V2_X0_5_Weights.DEFAULT.transforms()
    with torch.no_grad():
        expected = original.eval()(seen(views)).log_softmax(1)
    assert torch.allclose(Classifier(NAME)(views), expected, atol=1e-5)


@pytest.mark.parametrize(("labels", "sign"), [("goldfish", 1), ("goldfish:-1", -1)])
def test_a_label_s_probability_rises_and_one_with_a_negative_weight_falls(
    studio, ask, folder, labels, sign
):
    def score(iterations):
        room = studio()
        steps = {"iterations": iterations, "learning_rate": 0.3}
        started = room.add(Draw("a", ask(None, labels=labels, num_cuts=2, **steps)))
        assert started.settings.start == "noise"
        return sign * finish(room)["a"].statistics.score

    before, after = score(1), score(16)
    assert 0 < before < 1
    assert after > 3 * before if sign > 0 else after < before / 3


def test_labels_stand_beside_a_prompt(studio, ask, folder):
    room = studio()
    for job, labels in (("plain", None), ("labelled", "goldfish")):
        room.add(Draw(job, ask(start="noise", iterations=2, num_cuts=3, labels=labels)))
    done = finish(room)
    assert done["plain"].png != done["labelled"].png
    assert done["labelled"].statistics.loss > done["plain"].statistics.loss


def test_a_labelled_picture_is_the_same_alone_and_among_others(studio, ask, folder):
    def draw(*others):
        room = studio()
        started = room.add(
            Draw("a", ask(labels="goldfish", start="noise", iterations=2, num_cuts=3))
        )
        assert started.provenance.weights[NAME] == Classifier(NAME).weights_hash
        for number, labels in enumerate(others):
            room.add(
                Draw(
                    str(number),
                    ask(labels=labels, start="noise", iterations=2, num_cuts=3, seed=number),
                )
            )
        return finish(room)["a"].png

    assert draw() == draw("tench", None)


def test_several_classifiers_judge_together(studio, ask, folder):
    settings = ask(None, labels="goldfish", iterations=2)
    alone = studio()
    alone.add(Draw("a", settings))
    first = finish(alone)["a"].png
    weights = small_network().state_dict()
    save_file({name: -tensor for name, tensor in weights.items()}, weights_path(OTHER))
    assert classifiers_at_hand() == (NAME, OTHER)
    judges = Judges(load_perceptor, CPU)
    drawer = make_drawer(resolve(settings), None, CPU)
    assert [one.share for one in questions(judges, settings, drawer, {})] == [0.5, 0.5]
    assert set(judges.weights(settings)) >= {NAME, OTHER}
    both = studio()
    both.add(Draw("a", settings))
    assert finish(both)["a"].png != first


def test_without_a_classifier_at_hand_labels_are_refused_with_the_way_to_one(
    studio, ask, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path / "empty"))
    failed = studio().add(Draw("a", ask(labels="goldfish")))
    assert isinstance(failed, Failed)
    assert failed.code == "perceptor"
    assert "pixel models pull torchvision/resnet50" in failed.sentence


@pytest.mark.parametrize("damage", [b"", b"not safetensors" * 100])
def test_damaged_weights_are_refused_with_a_sentence(folder, damage):
    weights_path(NAME).write_bytes(damage)
    with pytest.raises(PerceptorError, match="damaged"):
        Classifier(NAME)


def test_weights_of_an_architecture_that_torchvision_does_not_have_are_refused():
    with pytest.raises(PerceptorError, match="no classifier “unheard_of”"):
        Classifier("torchvision/unheard_of")


def test_a_label_that_no_class_has_is_refused_with_those_near_it(ask):
    with pytest.raises(SettingsError, match="great white shark"):
        ask(labels="white shark")


def publish(monkeypatch, path, suffix):
    """Only the server is replaced: the download, its hash and its reading are torch's own."""
    address = path.rename(path.with_name(f"shufflenet-{suffix}.pth")).as_uri()

    class Published(models.WeightsEnum):
        DEFAULT = models.Weights(address, ImageClassification, {})

    monkeypatch.setattr(pulling, "published", lambda architecture: Published.DEFAULT)


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path / "models"))
    path = tmp_path / "published.pth"
    torch.save(models.get_model("shufflenet_v2_x0_5", weights=None).state_dict(), path)
    return path


def test_a_pulled_classifier_is_kept_with_its_hash_and_can_be_loaded(served, monkeypatch):
    publish(monkeypatch, served, hashlib.sha256(served.read_bytes()).hexdigest()[:8])
    path = pull_classifier(NAME)
    assert is_at_hand(NAME)
    assert classifiers_at_hand() == (NAME,)
    assert Classifier(NAME).weights_hash == path.with_suffix(".sha256").read_text()[:16]
    assert pull_classifier(NAME) == path


def test_a_download_of_another_hash_is_a_sentence_and_leaves_nothing(served, monkeypatch):
    publish(monkeypatch, served, "00000000")
    with pytest.raises(PerceptorError, match="could not be downloaded: invalid hash value"):
        pull_classifier(NAME)
    assert not is_at_hand(NAME)


@pytest.mark.parametrize("architecture", ["unheard_of", "googlenet", "fasterrcnn_resnet50_fpn"])
def test_pulling_what_is_not_a_classifier_is_refused(architecture, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))
    with pytest.raises(PerceptorError, match=f"no classifier “{architecture}”"):
        pull_classifier(f"torchvision/{architecture}")
