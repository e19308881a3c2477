"""The making of the small models, on a handful of pictures drawn here."""

import random

import numpy as np
import pytest
import torch

from engine.files import write_atomically
from engine.perceptors.pixelclip import (
    ImageShape,
    ImageTower,
    PixelClip,
    TextShape,
    TextTower,
    pack,
)
from engine.training import (
    augment,
    evaluate,
    export,
    image_tower,
    names,
    text_corpus,
    text_tower,
)
from engine.training.__main__ import main
from engine.training.batches import BatchMaker
from engine.training.captions import Kind, by_kind, write_captions
from engine.training.data import Concept, Pictures, Record
from engine.training.recolour import COLOURS, prototypes, recolour
from engine.training.scenes import SCENES, paint_all

CPU = torch.device("cpu")
SMALL_IMAGE = ImageShape(channels=(8, 8, 8), blocks=(1, 1, 1), queries=2)
SMALL_TEXT = TextShape(vocabulary=50, table=8, width=16, layers=1, heads=2, tokens=8)


def drawn(side: int, colour: tuple[int, int, int]) -> np.ndarray:
    pixels = np.zeros((72, 72, 4), np.uint8)
    pixels[36 - side : 36 + side, 36 - side : 36 + side] = (*colour, 255)
    return pixels


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Four things in two styles each, one of them held out, and the unseen style of each."""
    concepts = tuple(
        Concept(name, keywords, held_out=name == "owl")
        for name, keywords in (("apple", ("fruit",)), ("owl", ()), ("pear", ()), ("red door", ()))
    )
    pixels, records = [], []
    for number, concept in enumerate(concepts):
        for source in ("noto", "game-icons", "openmoji"):
            pixels.append(drawn(12 + 4 * number, (200, 40 * number, 30)))
            records.append(Record(source, concept.name, number, source == "game-icons"))
    return Pictures(np.stack(pixels), tuple(records), concepts)


@pytest.fixture(scope="module")
def captions(pictures):
    return write_captions(pictures)


@pytest.fixture(scope="module")
def vectors(captions):
    generator = torch.Generator().manual_seed(0)
    return torch.nn.functional.normalize(torch.randn(len(captions.texts), 384, generator=generator))


def new_maker(pictures: Pictures, captions, seed: int = 0) -> BatchMaker:
    return BatchMaker(pictures, captions, seed, CPU, scenes_each=2)


def new_training(captions, vectors, steps: int = 3) -> image_tower.Training:
    recipe = image_tower.Recipe(steps=steps, size=12)
    objective = image_tower.Objective(vectors, captions, recipe.alike)
    return image_tower.Training(recipe, objective, CPU, lambda: image_tower.fresh(SMALL_IMAGE))


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("red-apple", "red apple"),
        ("bear-face-2", "bear face"),
        ("flag-france", None),
        ("waving-hand-dark-skin-tone", None),
        ("keycap-7", None),
    ],
)
def test_a_slug_gives_a_name_or_is_left_out(slug, name):
    assert names.name_of(slug) == name


def test_joined_slugs_are_split_by_the_known_names():
    joined = names.joined_names(["love letter"])
    assert names.split_joined("loveletter", joined) == "love letter"
    assert names.split_joined("lightningmood", joined) is None


def test_clip_art_is_named_by_the_known_noun_of_its_title():
    svg = "<dc:title>2 dead frogs</dc:title><rdf:li>swamp</rdf:li>"
    assert names.clip_art_name(svg, {"frog", "swamp"}) == "frog"
    assert names.clip_art_name("<dc:title>untitled</dc:title>", {"frog"}) is None
    assert names.clip_art_name("<svg/>", {"frog"}) is None


def test_a_word_that_is_not_last_in_a_title_must_be_a_subject_too():
    title = "<dc:title>road to heaven</dc:title>"
    assert names.clip_art_name(title, {"road"}) is None
    assert names.clip_art_name(f"{title}<rdf:li>roads</rdf:li>", {"road"}) == "road"


@pytest.mark.parametrize(
    ("name", "said"), [("owl", "an owl"), ("cat", "a cat"), ("eyes", "eyes"), ("glass", "a glass")]
)
def test_articles(name, said):
    assert names.with_article(name) == said


def test_the_unseen_style_and_held_out_concepts_are_never_trained_on(pictures):
    shown = [pictures.records[index] for index in pictures.training_indices()]
    assert {record.source for record in shown} == {"noto", "game-icons"}
    assert "owl" not in {record.slug for record in shown}


def test_captions_say_what_the_pictures_show(pictures, captions):
    said = by_kind(captions.of_concept[0])
    texts = {kind: [captions.texts[c.text] for c in group] for kind, group in said.items()}
    assert texts[Kind.PLAIN][:2] == ["apple", "an apple"]
    assert texts[Kind.KEYWORD] == ["fruit"]
    assert len(texts[Kind.COLOURED]) == len(COLOURS)
    assert all("apple" in text for kind in Kind if kind != Kind.KEYWORD for text in texts[kind])
    for caption, text in zip(said[Kind.COLOURED], texts[Kind.COLOURED], strict=True):
        assert list(COLOURS)[caption.detail] in text
    for caption, text in zip(said[Kind.PLACED], texts[Kind.PLACED], strict=True):
        assert text.endswith(SCENES[caption.detail].places)


def test_nothing_is_said_of_held_out_concepts(captions):
    assert 1 not in captions.of_concept
    assert not any(names.contains_words(text, "owl") for text in captions.texts)


def test_a_name_that_holds_a_colour_is_not_given_another(captions):
    assert Kind.COLOURED not in by_kind(captions.of_concept[3])


def test_captions_are_the_same_every_time(pictures, captions):
    assert write_captions(pictures) == captions


def test_recoloured_pictures_have_the_colour_and_keep_their_outline():
    rgba = torch.zeros(len(COLOURS), 4, 72, 72)
    rgba[:, 0, 20:50, 20:50] = 0.8
    rgba[:, 3, 20:50, 20:50] = 1
    painted = recolour(rgba, prototypes())
    torch.testing.assert_close(painted[:, :3, 35, 35], prototypes(), atol=0.02, rtol=0)
    assert torch.equal(painted[:, 3], rgba[:, 3])


def test_recolouring_leaves_a_small_part_of_another_hue():
    rgba = torch.zeros(1, 4, 72, 72)
    rgba[:, 3] = 1
    rgba[:, 0] = 0.8
    rgba[:, :3, :10, :10] = torch.tensor([0.1, 0.7, 0.1])[:, None, None]
    painted = recolour(rgba, prototypes()[list(COLOURS).index("blue")][None])
    assert painted[0, 2, 40, 40] > painted[0, 0, 40, 40]
    assert painted[0, 1, 5, 5] > painted[0, 2, 5, 5]


def test_scenes_are_pictures_and_the_same_for_the_same_seed():
    painted = paint_all(2, seed=3)
    assert painted.shape == (len(SCENES), 2, 64, 64, 3)
    assert (painted == paint_all(2, seed=3)).all()
    assert (painted[:, 0] != painted[:, 1]).any(axis=(1, 2, 3)).all()


def test_augmented_views_stay_in_range_and_shape():
    generator = torch.Generator().manual_seed(0)
    rgba = torch.rand(24, 4, 72, 72, generator=generator)
    rgba[:, :3] *= rgba[:, 3:]
    scale = torch.linspace(0.4, 1.3, 24)
    placed = augment.place(rgba, scale, torch.zeros(24, 2), generator)
    behind = augment.contrasting(augment.backgrounds(24, generator), placed)
    views = augment.degrade(augment.over(placed, behind), generator)
    assert views.shape == (24, 3, 64, 64)
    assert views.min() >= 0
    assert views.max() <= 1


def test_cut_outs_in_cells_have_hard_edges():
    rgba = torch.rand(2, 4, 72, 72)
    rgba[:, :3] *= rgba[:, 3:]
    cells = augment.pixelate_cut_out(rgba, 3)
    assert set(cells[:, 3].unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(cells[..., 0::3, 0::3], cells[..., 2::3, 2::3])


def test_a_batch_depends_on_its_seed_and_step_alone(pictures, captions):
    first, second = (new_maker(pictures, captions, seed=5) for _ in range(2))
    first.batch(0, 12)
    one, other = first.batch(7, 24), second.batch(7, 24)
    assert torch.equal(one.views, other.views)
    assert torch.equal(one.texts, other.texts)
    assert one.views.shape == (24, 3, 64, 64)
    assert one.views.min() >= 0
    assert one.views.max() <= 1
    assert not torch.equal(one.views, first.batch(8, 24).views)


def test_an_interrupted_training_ends_with_the_same_weights(pictures, captions, vectors, tmp_path):
    maker = new_maker(pictures, captions)
    whole = new_training(captions, vectors)
    image_tower.train(whole, maker, tmp_path / "whole.pt")

    interrupted = new_training(captions, vectors)
    for step in range(2):
        interrupted.learn(maker.batch(step, 12))
    interrupted.save(tmp_path / "image.pt")
    resumed = new_training(captions, vectors)
    image_tower.train(resumed, maker, tmp_path / "image.pt")

    assert resumed.step == whole.step == 3
    for name, value in whole.tower.state_dict().items():
        assert torch.equal(value, resumed.tower.state_dict()[name]), name
        assert torch.equal(whole.average.state[name], resumed.average.state[name]), name


def test_training_lowers_the_loss(pictures, captions, vectors):
    maker = new_maker(pictures, captions)
    training = new_training(captions, vectors, steps=40)
    batch = maker.batch(0, 24)
    losses = [training.learn(batch) for _ in range(12)]
    assert losses[-1] < losses[0]


def test_a_folded_tower_does_what_the_normalised_one_does(pictures, captions, vectors):
    training = new_training(captions, vectors)
    training.learn(new_maker(pictures, captions).batch(0, 12))
    tower = training.tower.eval()
    folded = image_tower.fold(tower.state_dict(), SMALL_IMAGE)
    views = torch.rand(3, 3, 64, 64)
    torch.testing.assert_close(folded(views), tower(views), atol=1e-4, rtol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())


def test_an_interrupted_distillation_ends_with_the_same_weights(tmp_path):
    rows = [[1, *random.Random(n).choices(range(5, 50), k=n % 6), 2] for n in range(40)]
    targets = torch.nn.functional.normalize(torch.randn(40, 384))
    recipe = text_tower.Recipe(steps=5, size=8)
    table = torch.randn(50, 24)

    def distilled(steps: int, file: str) -> text_tower.Training:
        training = text_tower.Training(recipe, table, SMALL_TEXT, CPU)
        if steps:
            for chosen in text_tower.batches_of(rows, 10, recipe, 0)[:steps]:
                training.learn(text_tower.pad([rows[i] for i in chosen]), targets[chosen])
            training.save(tmp_path / file)
        return training

    whole, resumed = distilled(0, ""), distilled(0, "")
    distilled(2, "part.pt")
    text_tower.train(whole, rows, targets, 10, tmp_path / "whole.pt")
    text_tower.train(resumed, rows, targets, 10, tmp_path / "part.pt")
    assert resumed.step == whole.step == 5
    for name, value in whole.tower.state_dict().items():
        assert torch.equal(value, resumed.tower.state_dict()[name]), name


def test_padding_does_not_change_a_text():
    tower = TextTower(SMALL_TEXT).eval()
    alone = tower(torch.tensor([[1, 7, 2]]))
    padded = tower(torch.tensor([[1, 7, 2, 0, 0], [1, 7, 8, 9, 2]]))
    torch.testing.assert_close(alone[0], padded[0])


def test_vectors_of_many_texts_keep_the_order_of_the_texts():
    torch.manual_seed(0)
    tower, shape = TextTower().eval(), TextShape()
    texts = ["a very long text about a castle", "owl", "", "a red apple"]
    together = text_tower.embed(tower, texts, shape)
    for text, vector in zip(texts, together, strict=True):
        torch.testing.assert_close(text_tower.embed(tower, [text], shape)[0], vector)


def test_unseen_words_stand_in_no_text_of_the_corpus(tmp_path):
    folder = tmp_path / "usr/share/wordnet"
    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [f"thing{a}{b}" for a in letters for b in letters]
    lines = [
        f"{n:08} 06 n 01 {word} 0 000 | a kind of {word}s; an example"
        for n, word in enumerate(words)
    ]
    (folder / "data.noun").write_text("  1 a licence\n" + "\n".join(lines))
    for part in ("verb", "adj", "adv"):
        (folder / f"data.{part}").write_text("00000001 00 s 01 shiny 0 000 | bright\n")
    corpus = text_corpus.build([f"caption {n}" for n in range(4000)], tmp_path)
    assert len(corpus.unseen) == text_corpus.UNSEEN_WORDS
    unseen = frozenset(corpus.unseen)
    assert not any(text_corpus.mentions(text, unseen) for text in corpus.train)
    assert not set(corpus.captions) & set(corpus.train)


def test_recall_counts_the_texts_whose_picture_comes_first():
    texts = torch.eye(4)
    views = torch.eye(4)[[0, 1, 3, 2]]
    measured = evaluate.recall(texts, views, torch.tensor([0, 1, 2, 3]))
    assert measured.at == (50.0, 100.0, 100.0)


def test_a_name_said_in_several_ways_has_their_mean():
    vectors = {
        "owl": (1.0, 0.0),
        "an owl": (0.0, 1.0),
        "eyes": (1.0, 0.0),
        "an icon of eyes": (1.0, 0.0),
    }

    def embed(texts):
        return torch.tensor([vectors[text] for text in texts])

    said = evaluate.embed_names(embed, ["owl"], ("{name}", "{thing}"))
    assert torch.allclose(said, torch.full((1, 2), 0.5**0.5))
    said = evaluate.embed_names(embed, ["eyes"], ("{name}", "an icon of {thing}"))
    assert torch.equal(said, torch.tensor([[1.0, 0.0]]))


def test_an_exported_model_can_be_loaded_and_measured(pictures, captions, vectors, tmp_path):
    recipe = image_tower.Recipe(steps=1, size=12)
    objective = image_tower.Objective(vectors, captions, recipe.alike)
    image = image_tower.Training(recipe, objective, CPU, lambda: image_tower.fresh(ImageShape()))
    image.save(tmp_path / "runs/image.pt")
    shape = TextShape()
    text = text_tower.Training(text_tower.Recipe(), torch.randn(30522, 128), shape, CPU)
    text.save(tmp_path / "runs/text.pt")
    target = tmp_path / "model.safetensors"
    main(["--root", str(tmp_path), "export", "--target", str(target)])
    model = PixelClip(target)
    report = evaluate.evaluate(image.tower.eval(), model.encode_text, pictures)
    assert report.all_names.texts == 4
    assert report.learnt.texts == 3
    assert report.held_out.texts == 1
    assert 0 <= report.colours <= 100
    assert "recall" in str(report)


def test_export_says_which_run_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"image\.pt"):
        export.export(tmp_path / "image.pt", tmp_path / "text.pt", tmp_path / "model.safetensors")
    with pytest.raises(FileNotFoundError, match=r"text\.pt"):
        text_tower.load(tmp_path / "text.pt", TextShape())


def test_packing_loses_no_more_than_its_precision(tmp_path):
    torch.manual_seed(0)
    image, text = ImageTower(SMALL_IMAGE), TextTower()
    file = tmp_path / "model.safetensors"
    write_atomically(file, pack(image, text, (SMALL_IMAGE, TextShape())))
    views = torch.rand(2, 3, 64, 64)
    expected = torch.nn.functional.normalize(image(views), dim=-1)
    torch.testing.assert_close(PixelClip(file).encode_views(views), expected, atol=5e-3, rtol=0)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
