"""The queue, the history and what people set: every SQL statement of the project."""

from bot.store.estimates import Estimates
from bot.store.finding import Excerpt, Finding, Offer, Wanted
from bot.store.gallery import Gallery
from bot.store.history import History
from bot.store.keepsakes import Answer, Keepsakes
from bot.store.lineage import Lineage, Relative
from bot.store.messages import Messages, Subject
from bot.store.operating import DayStatistics, Operating
from bot.store.preferences import Preferences, Scope
from bot.store.prompts import FormerPrompt, Prompts
from bot.store.queue import LONE_DEATHS, Caps, Queue, QueueFull

__all__ = [
    "LONE_DEATHS",
    "Answer",
    "Caps",
    "DayStatistics",
    "Excerpt",
    "FormerPrompt",
    "Gallery",
    "Offer",
    "QueueFull",
    "Relative",
    "Scope",
    "Store",
    "Subject",
    "Wanted",
]


class Store(
    Queue,
    Messages,
    History,
    Finding,
    Lineage,
    Estimates,
    Gallery,
    Keepsakes,
    Preferences,
    Prompts,
    Operating,
):
    """All of it, on one pair of connections. Open it with `Store.open`."""
