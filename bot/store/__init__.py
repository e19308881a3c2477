"""The queue, the history and what people set: every SQL statement of the project."""

from bot.store.estimates import Estimates
from bot.store.gallery import Gallery
from bot.store.history import History, Neighbours
from bot.store.keepsakes import Answer, Keepsakes
from bot.store.messages import Messages, Subject
from bot.store.preferences import Preferences, Scope
from bot.store.prompts import FormerPrompt, Prompts
from bot.store.queue import LONE_DEATHS, Caps, Queue, QueueFull

__all__ = [
    "LONE_DEATHS",
    "Answer",
    "Caps",
    "FormerPrompt",
    "Gallery",
    "Neighbours",
    "QueueFull",
    "Scope",
    "Store",
    "Subject",
]


class Store(Queue, Messages, History, Estimates, Gallery, Keepsakes, Preferences, Prompts):
    """All of it, on one pair of connections. Open it with `Store.open`."""
