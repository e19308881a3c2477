"""`python -m engine.training`: the stages that docs/small-models.md describes."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.perceptors.pixelclip import (
    WEIGHTS,
    ImageShape,
    PixelClip,
    TextShape,
    unpack,
)
from engine.training import (
    batches,
    captions,
    data,
    evaluate,
    export,
    image_tower,
    teacher,
    text_corpus,
    text_tower,
)


@dataclass(frozen=True)
class _Spoken:
    """The pictures, what is said of them, the teacher's vectors of that, and their mean."""

    pictures: data.Pictures
    captions: captions.Captions
    vectors: torch.Tensor
    mean: torch.Tensor

    @classmethod
    def load(cls, root: Path) -> _Spoken:
        pictures = data.Pictures.load(root)
        said = captions.write_captions(pictures)
        vectors = teacher.cached(said.texts, root / "captions.npy", "captions")
        return cls(pictures, said, vectors, vectors.mean(dim=0))


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run one stage."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.training", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path("training-data"), help="where all is kept"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    stages = parser.add_subparsers(required=True, metavar="stage")

    stage = stages.add_parser("data", help="fetch, draw and name the pictures, embed the captions")
    stage.set_defaults(run=_data)

    image, text = image_tower.Recipe(), text_tower.Recipe()
    stage = stages.add_parser("pixelclip", help="train the image tower, or go on with it")
    stage.add_argument("--steps", type=int, default=image.steps)
    stage.add_argument("--size", type=int, default=image.size, help="views a batch")
    stage.add_argument("--reach", type=float, default=image.reach, help="L2 adversarial radius")
    stage.add_argument("--name", default="image", help="name of the run")
    stage.add_argument(
        "--texts", metavar="RUN", help="meet this run's text tower instead of the teacher itself"
    )
    stage.set_defaults(run=_pixelclip)

    stage = stages.add_parser("text", help="distil the text tower, or go on with it")
    stage.add_argument("--steps", type=int, default=text.steps)
    stage.add_argument("--size", type=int, default=text.size, help="texts a batch")
    stage.add_argument("--name", default="text", help="name of the run")
    stage.set_defaults(run=_text)

    stage = stages.add_parser("export", help="write the file that ships from two runs")
    stage.add_argument("--image", default="image", help="name of the image run")
    stage.add_argument("--text", default="text", help="name of the text run")
    stage.add_argument("--target", type=Path, default=WEIGHTS)
    stage.set_defaults(run=_export)

    stage = stages.add_parser(
        "evaluate", help="measure a file, with its own texts and the teacher's"
    )
    stage.add_argument("--weights", type=Path, default=WEIGHTS)
    stage.set_defaults(run=_evaluate)
    return parser


def _data(options: argparse.Namespace) -> None:
    sys.stdout.write(data.summary(data.build(options.root)) + "\n")
    _Spoken.load(options.root)


def _pixelclip(options: argparse.Namespace) -> None:
    recipe = image_tower.Recipe(steps=options.steps, size=options.size, reach=options.reach)
    device = torch.device(options.device)
    spoken = _Spoken.load(options.root)
    if options.texts is None:
        targets = teacher.centre(spoken.vectors, spoken.mean)
    else:
        shape = TextShape()
        tower = text_tower.load(_state(options, options.texts), shape)
        targets = text_tower.embed(tower, spoken.captions.texts, shape)
    objective = image_tower.Objective(targets, spoken.captions, recipe.alike)
    training = image_tower.Training(recipe, objective, device, ImageShape())
    maker = batches.BatchMaker(spoken.pictures, spoken.captions, recipe.seed, device)
    image_tower.train(training, maker, _state(options, options.name))


def _text(options: argparse.Namespace) -> None:
    recipe = text_tower.Recipe(steps=options.steps, size=options.size)
    spoken = _Spoken.load(options.root)
    corpus, vectors = _corpus(options.root, spoken)
    shape = TextShape()
    targets = torch.stack([vectors[text] for text in corpus.train])
    rows = text_tower.tokenise(corpus.train, shape)
    table = teacher.word_table()
    training = text_tower.Training(recipe, table, shape, torch.device(options.device))
    text_tower.train(training, rows, targets, corpus.favoured, _state(options, options.name))


def _export(options: argparse.Namespace) -> None:
    image, text = _state(options, options.image), _state(options, options.text)
    export.export(image, text, options.target)


def _evaluate(options: argparse.Namespace) -> None:
    spoken = _Spoken.load(options.root)
    corpus, vectors = _corpus(options.root, spoken)
    image, _ = unpack(options.weights.read_bytes())
    model = PixelClip(options.weights)
    asked = evaluate.asked_of(spoken.pictures)
    known = dict(
        zip(asked, teacher.cached(asked, options.root / "asked.npy", "names"), strict=True)
    )

    def locked(texts: list[str]) -> torch.Tensor:
        return teacher.centre(torch.stack([known[text] for text in texts]), spoken.mean)

    for title, embed in (("own text tower", model.encode_text), ("locked teacher", locked)):
        report = evaluate.evaluate(image, embed, spoken.pictures)
        sys.stdout.write(f"{title}\n{report}\n")
    for title, texts in (("held-out captions", corpus.captions), ("unseen words", corpus.unseen)):
        targets = torch.stack([vectors[text] for text in texts])
        cosine = float((model.encode_text(texts) * targets).sum(dim=1).mean())
        sys.stdout.write(f"cosine to the teacher, {title}: {cosine:.3f}\n")


def _corpus(root: Path, spoken: _Spoken) -> tuple[text_corpus.Corpus, dict[str, torch.Tensor]]:
    """The texts to distil on, and the teacher's centred vector of each."""
    corpus = text_corpus.build(spoken.captions.texts, root / "wordnet")
    vectors = dict(
        zip(spoken.captions.texts, teacher.centre(spoken.vectors, spoken.mean), strict=True)
    )
    further = [text for text in (*corpus.train, *corpus.unseen) if text not in vectors]
    embedded = teacher.centre(teacher.cached(further, root / "texts.npy", "texts"), spoken.mean)
    return corpus, vectors | dict(zip(further, embedded, strict=True))


def _state(options: argparse.Namespace, name: str) -> Path:
    path: Path = options.root / "runs" / f"{name}.pt"
    return path


if __name__ == "__main__":
    main()
