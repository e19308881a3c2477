"""The pages as HTML: what a job says on the wall, and the templates that say it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from bot.gallery import sizes
from bot.gallery.command import command
from bot.jobs import Job
from bot.options import chosen
from bot.texts import duration, one_line
from engine.settings import picture_names, with_names

FOLDER = Path(__file__).parent

_NO_WORDS = "A picture without words"
_TITLE_LIMIT = 70
_RELATIONS = {
    "reroll": "Rerolled from",
    "again": "The same as",
    "variation": "A variation of",
    "remix": "A remix of",
    "start": "Started from",
}

# Makes the address of a route from its name and its parts.
Url = Callable[..., str]

# Every value is escaped, whatever the template's name is, and a name that is missing is a mistake.
_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(frozen=True)
class Asset:
    """A file of the page itself; its version is in its address, so that it never grows stale."""

    content: bytes
    content_type: str
    version: str


@dataclass(frozen=True)
class Exhibit:
    """A picture as it hangs on the wall.

    Attributes:
        prompt: on one line, for people; also what a reader of screens says.
        day: as people write it; in UTC, since the page does not know where they are.
        size: in CSS pixels.
        moves: whether there may be a time-lapse.
        there: whether its file is kept.

    """

    id: int
    prompt: str
    moment: str
    day: str
    size: sizes.Size
    pixel_art: bool
    spoiler: bool
    moves: bool
    there: bool

    @property
    def title(self) -> str:
        """The prompt, short enough for a tab."""
        return _shortened(self.prompt, _TITLE_LIMIT)


def exhibit(job: Job, room: tuple[int, int] = sizes.WALL) -> Exhibit:
    """A job as an exhibit, in the room that there is for it."""
    drawn = datetime.fromtimestamp(job.finished_at or job.asked_at, UTC)
    settings = job.settings
    return Exhibit(
        id=job.id,
        prompt=one_line(job.prompt) or _NO_WORDS,
        moment=drawn.isoformat(timespec="seconds"),
        day=f"{drawn.day} {drawn:%B %Y}",
        size=sizes.shown(job, room),
        pixel_art=sizes.is_pixel_art(job),
        spoiler=job.spoiler,
        moves=job.kept == "all" and (settings.iterations or 0) > (settings.display_every or 0),
        there=job.kept != "nothing",
    )


def wall(url: Url, jobs: Sequence[Job], *, words: str, older: int | None, newest: bool) -> str:
    """The page with many pictures.

    Args:
        url: makes addresses.
        jobs: newest first.
        words: what was searched, or nothing.
        older: the number before which the next page begins, if there is one.
        newest: whether this is the first page.

    """
    return _render(
        "wall.html",
        url,
        words=one_line(words),
        exhibits=[exhibit(job) for job in jobs],
        older=older,
        newest=newest,
    )


def picture(url: Url, job: Job, *, parent: Job | None, children: Sequence[Job], moves: bool) -> str:
    """A picture's own page.

    Args:
        url: makes addresses.
        job: the picture.
        parent: what it was made from, if that is to be seen.
        children: what was made from it.
        moves: whether frames for a time-lapse are there.

    """
    return _render(
        "picture.html",
        url,
        words="",
        exhibit=exhibit(job, sizes.PAGE),
        moves=moves,
        facts=_facts(job),
        command=command(job),
        has_pictures=bool(picture_names(job.asked)),
        relation=_RELATIONS[job.relation] if job.relation is not None else "",
        parent=exhibit(parent) if parent is not None else None,
        children=[exhibit(child) for child in children],
    )


def problem(url: Url, title: str, sentence: str) -> str:
    """What is shown instead of a page that is not there."""
    return _render("problem.html", url, words="", title=title, sentence=sentence)


def assets() -> dict[str, Asset]:
    """The style, the script and the icon, by name."""
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    found = {}
    for path in sorted((FOLDER / "static").iterdir()):
        content = path.read_bytes()
        version = hashlib.sha256(content).hexdigest()[:12]
        found[path.name] = Asset(content, kinds[path.suffix], version)
    return found


def _render(name: str, url: Url, **values: object) -> str:
    return _ENVIRONMENT.get_template(name).render(url=url, **values)


def _facts(job: Job) -> list[tuple[str, str]]:
    """What the picture was drawn with, as names and values for people."""
    settings = job.settings
    facts = [("Seed", str(job.seed)), ("Quality", settings.quality)]
    if settings.size is not None:
        facts.append(("Size", "{} × {} pixels".format(*settings.size)))
    if settings.pixel_size is not None:
        facts.append(("Grid", "{} × {} cells".format(*settings.pixel_size)))
    facts.append(("Steps", str(settings.iterations)))
    if settings.perceptors:
        facts.append(("Judged by", ", ".join(settings.perceptors)))
    if job.drawing_seconds is not None:
        facts.append(("Drawn in", duration(job.drawing_seconds)))
    # The names of pictures are nobody's business.
    asked = with_names(job.asked, lambda _: "a picture")
    facts += [(_heading(name), one_line(value)) for name, value in chosen(asked)]
    return facts


def _heading(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
