"""`python -m engine.training`: the stages that docs/small-models.md describes."""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image

from engine.drawers.starts import unpremultiplied
from engine.files import write_atomically
from engine.guess import FirstGuess
from engine.guess.first_guess import WEIGHTS as GUESS_WEIGHTS
from engine.guess.generator import SIDE, GuessShape
from engine.models.vqgans import Shape
from engine.perceptors.pixelclip import (
    WEIGHTS,
    ImageShape,
    ImageTower,
    PixelClip,
    TextShape,
    unpack,
)
from engine.training import (
    batches,
    captions,
    contact_sheet,
    data,
    drawing_prompts,
    drawings,
    effort,
    evaluate,
    everyday_words,
    export,
    guess,
    guess_batches,
    image_tower,
    judge,
    judge_tower,
    nearest,
    teacher,
    text_corpus,
    text_tower,
    vqgan,
    vqgan_evaluate,
    vqgan_pictures,
)
from engine.vqgan import VQGAN
from engine.vqgan import WEIGHTS as VQGAN_WEIGHTS


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

    first = guess.Recipe()
    stage = stages.add_parser("guess", help="train the first guess, or go on with it")
    stage.add_argument("--steps", type=int, default=first.steps)
    stage.add_argument("--size", type=int, default=first.size, help="pictures a batch")
    stage.add_argument("--name", default="guess", help="name of the run")
    stage.add_argument("--texts", metavar="RUN", default="text", help="whose text tower it hears")
    stage.set_defaults(run=_guess)

    clean = judge_tower.RECIPE
    stage = stages.add_parser("judge", help="train the judge, or go on with it")
    stage.add_argument("--steps", type=int, default=clean.steps)
    stage.add_argument("--size", type=int, default=clean.size, help="views a batch")
    stage.add_argument("--name", default="judge", help="name of the run")
    stage.set_defaults(run=_judge)

    stage = stages.add_parser("export-guess", help="write the first guess's file from a run")
    stage.add_argument("--name", default="guess", help="name of the run")
    stage.add_argument("--target", type=Path, default=GUESS_WEIGHTS)
    stage.set_defaults(run=_export_guess)

    stage = stages.add_parser("export", help="write the file that ships from two runs")
    stage.add_argument("--image", default="image", help="name of the image run")
    stage.add_argument("--text", default="text", help="name of the text run")
    stage.add_argument("--target", type=Path, default=WEIGHTS)
    stage.set_defaults(run=_export)

    stage = stages.add_parser(
        "evaluate", help="measure a file or a run, with its own texts and the teacher's"
    )
    stage.add_argument("--weights", type=Path, default=WEIGHTS)
    stage.add_argument(
        "--run", metavar="RUN", dest="image", help="measure this image run instead of a file"
    )
    stage.add_argument(
        "--texts", metavar="RUN", default="text", help="the text run that goes with --run"
    )
    stage.set_defaults(run=_evaluate)

    stage = stages.add_parser("draw", help="draw the prompts for tuning, or the sealed ones")
    stage.add_argument("folder", type=Path, help="where the PNG files and a contact sheet go")
    stage.add_argument("--sealed", action="store_true", help="the forty sealed prompts")
    stage.add_argument("--seed", type=int, default=1)
    stage.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    stage.set_defaults(run=_draw)

    stage = stages.add_parser("curve", help="plot the judge's verdict against drawing time")
    stage.add_argument("target", type=Path, help="the plot, PNG")
    stage.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    stage.set_defaults(run=_curve)

    stage = stages.add_parser("nearest", help="find the training pictures nearest to first guesses")
    stage.add_argument("--seed", type=int, default=1)
    stage.set_defaults(run=_nearest)

    stage = stages.add_parser(
        "drawings", help="let the judge say how well drawings fit the prompts they are named by"
    )
    stage.add_argument("folder", type=Path, help="PNG files such as a-red-car.png")
    stage.set_defaults(run=_drawings)

    codes = vqgan.Recipe()
    stage = stages.add_parser("vqgan", help="train the VQGAN, or go on with it, and write its file")
    stage.add_argument("--steps", type=int, default=codes.steps)
    stage.add_argument("--size", type=int, default=codes.size, help="pictures a batch")
    stage.add_argument(
        "--adversarial", type=float, default=codes.adversarial, help="weight; 0 for no adversary"
    )
    stage.add_argument("--name", default="vqgan", help="name of the run")
    stage.add_argument("--target", type=Path, default=VQGAN_WEIGHTS)
    stage.set_defaults(run=_vqgan)

    stage = stages.add_parser("vqgan-evaluate", help="measure a VQGAN's file on the unseen style")
    stage.add_argument("--weights", type=Path, default=VQGAN_WEIGHTS)
    stage.add_argument("--sheet", type=Path, help="where to write originals beside redrawings, PNG")
    stage.set_defaults(run=_vqgan_evaluate)
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
        tower = text_tower.load(_state(options, options.texts), TextShape())
        targets = text_tower.embed(tower, spoken.captions.texts, TextShape())
    objective = image_tower.Objective(targets, spoken.captions, recipe.alike)
    shape = ImageShape()
    training = image_tower.Training(recipe, objective, device, lambda: image_tower.fresh(shape))
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


def _guess(options: argparse.Namespace) -> None:
    recipe = guess.Recipe(steps=options.steps, size=options.size)
    device = torch.device(options.device)
    pictures = data.Pictures.load(options.root)
    said = captions.write_captions(pictures)
    shape = TextShape()
    tower = text_tower.load(_state(options, options.texts), shape)
    texts = text_tower.embed(tower, said.texts, shape)
    maker = batches.BatchMaker(pictures, said, recipe.seed, device)
    styles = (*maker.sources, guess_batches.PAINTED)
    training = guess.Training(recipe, texts, device, GuessShape(styles=styles))
    guess.train(
        training,
        guess_batches.GuessBatchMaker(maker, styles, recipe.seed),
        _state(options, options.name),
    )


def _judge(options: argparse.Namespace) -> None:
    recipe = replace(judge_tower.RECIPE, steps=options.steps, size=options.size)
    device = torch.device(options.device)
    spoken = _Spoken.load(options.root)
    indices = spoken.pictures.judge_indices()
    said = captions.write_captions(spoken.pictures, indices)
    vectors = teacher.cached(said.texts, options.root / "judge.npy", "the judge's captions")
    targets = teacher.centre(vectors, spoken.mean)
    objective = image_tower.Objective(targets, said, recipe.alike)
    training = image_tower.Training(recipe, objective, device, judge_tower.JudgeTower)
    maker = batches.BatchMaker(spoken.pictures, said, recipe.seed, device, indices=indices)
    image_tower.train(training, maker, _state(options, options.name), task="judge")


def _export(options: argparse.Namespace) -> None:
    image, text = _state(options, options.image), _state(options, options.text)
    export.export(image, text, options.target)


def _export_guess(options: argparse.Namespace) -> None:
    export.export_guess(_state(options, options.name), options.target)


def _evaluate(options: argparse.Namespace) -> None:
    spoken = _Spoken.load(options.root)
    pictures = spoken.pictures
    corpus, vectors = _corpus(options.root, spoken)
    image, own = _towers(options)
    names = [pictures.concepts[concept].name for concept in spoken.captions.bank]
    asked = sorted({*evaluate.asked_of(pictures), *names, *everyday_words.NAMES_OF})
    known = dict(
        zip(asked, teacher.cached(asked, options.root / "asked.npy", "names"), strict=True)
    )

    def locked(texts: list[str]) -> torch.Tensor:
        return teacher.centre(torch.stack([known[text] for text in texts]), spoken.mean)

    for title, embed in (("own text tower", own), ("locked teacher", locked)):
        report = evaluate.evaluate(image, embed, pictures)
        sys.stdout.write(f"{title}\n{report}\n{evaluate.read_words(embed, names)}\n")
        report = evaluate.evaluate(image, embed, pictures, evaluate.TEMPLATES)
        sys.stdout.write(f"{title}, names said in five ways\n{report}\n")
    for title, texts in (("held-out captions", corpus.captions), ("unseen words", corpus.unseen)):
        targets = torch.stack([vectors[text] for text in texts])
        cosine = float((own(list(texts)) * targets).sum(dim=1).mean())
        sys.stdout.write(f"cosine to the teacher, {title}: {cosine:.3f}\n")


def _towers(options: argparse.Namespace) -> tuple[ImageTower, evaluate.Embed]:
    """The two towers to be measured: of a file, or of two runs."""
    if options.image is None:
        image, _ = unpack(options.weights.read_bytes())
        return image, PixelClip(options.weights).encode_text
    image = image_tower.load(_state(options, options.image), ImageShape())
    tower = text_tower.load(_state(options, options.texts), TextShape())
    return image, lambda texts: text_tower.embed(tower, texts, TextShape())


def _given(options: argparse.Namespace) -> dict[str, object]:
    return dict(setting.partition("=")[::2] for setting in options.set)


def _draw(options: argparse.Namespace) -> None:
    prompts = drawing_prompts.SEALED if options.sealed else drawing_prompts.TUNING
    options.folder.mkdir(parents=True, exist_ok=True)
    drawn = drawings.draw_prompts(prompts, _given(options), options.seed)
    for prompt, drawing in drawn.items():
        drawing.picture.save(options.folder / f"{prompt.replace(' ', '-')}.png")
    sheet = contact_sheet.contact_sheet([(p, d.picture) for p, d in drawn.items()])
    sheet.save(options.folder / "sheet.png")


def _nearest(options: argparse.Namespace) -> None:
    """What the first guesses of the hundred prompts are nearest to, among the training pictures."""
    ear, first = PixelClip(), FirstGuess()
    prompts = drawing_prompts.PROMPTS
    drawn = []
    for prompt in prompts:
        said = ear.encode_text([prompt])
        start, *_ = first.draw(said, torch.ones(1), options.seed, SIDE, SIDE)
        picture, alpha = unpremultiplied(start.subject)
        rgba = torch.cat((picture, alpha)).permute(1, 2, 0)
        drawn.append((rgba * 255).round().byte().numpy())
    found = nearest.nearest_training(drawn, data.Pictures.load(options.root))
    for prompt, neighbour in sorted(zip(prompts, found, strict=True), key=lambda p: p[1].distance):
        sys.stdout.write(
            f"{neighbour.distance:.3f}  {prompt}: {neighbour.name} of {neighbour.source}\n"
        )
    median = statistics.median(neighbour.distance for neighbour in found)
    sys.stdout.write(f"median {median:.3f}\n")


def _curve(options: argparse.Namespace) -> None:
    trained, given = judge.load(options.root), _given(options)
    curves: dict[str, list[effort.Effort]] = {}
    for start in ("guess", "noise"):
        curves[start] = []
        for choice in effort.EFFORTS:
            if start == "noise" and not choice[0]:
                continue
            settings = {**given, "start": start}
            # Half of the prompts: all of them would take an hour.
            measured = effort.measure(drawing_prompts.TUNING[::2], settings, choice, trained)
            sys.stdout.write(f"{start:6} {measured}\n")
            curves[start].append(measured)
    effort.plot(curves, options.target)


def _drawings(options: argparse.Namespace) -> None:
    named = {prompt.replace(" ", "-"): prompt for prompt in drawing_prompts.PROMPTS}
    drawn = {
        named[file.stem]: Image.open(file)
        for file in sorted(options.folder.glob("*.png"))
        if file.stem in named
    }
    if not drawn:
        message = f"No PNG file in {options.folder} is named by one of the hundred prompts."
        raise FileNotFoundError(message)
    trained = judge.load(options.root)
    verdict = trained.ranks(drawn)
    for prompt, rank in verdict.ranks.items():
        sys.stdout.write(f"{rank:4}  {prompt}\n")
    real = trained.calibration(data.Pictures.load(options.root))
    sys.stdout.write(f"drawings:   {verdict}\nreal icons: {real}\n")


def _vqgan(options: argparse.Namespace) -> None:
    recipe = vqgan.Recipe(steps=options.steps, size=options.size, adversarial=options.adversarial)
    device = torch.device(options.device)
    pictures = data.Pictures.load(options.root)
    maker = vqgan_pictures.PictureMaker(pictures, recipe.seed, device)
    state = _state(options, options.name)
    vqgan.train(vqgan.Training(recipe, device, Shape()), maker, state)
    vqgan.export(state, options.target)


def _vqgan_evaluate(options: argparse.Namespace) -> None:
    pictures = data.Pictures.load(options.root)
    model = VQGAN(options.weights)
    sys.stdout.write(vqgan_evaluate.evaluate(model, pictures) + "\n")
    if _state(options, "judge").exists():
        trained = judge.load(options.root)
        redrawn = trained.calibration(pictures, lambda v: vqgan_evaluate.redraw(model, v)[0])
        sys.stdout.write(
            f"judge, icons: {trained.calibration(pictures)}\njudge, redrawn: {redrawn}\n"
        )
    if options.sheet is not None:
        write_atomically(options.sheet, vqgan_evaluate.contact_sheet(model, pictures))


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
