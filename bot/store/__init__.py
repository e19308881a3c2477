"""The queue, the history and what people set: every SQL statement of the project."""

from bot.store.estimates import Asked, Estimates, Turn
from bot.store.finding import Excerpt, Finding, Offer, Wanted
from bot.store.forgetting import Forgetting, Forgotten, Holdings
from bot.store.gallery import Gallery
from bot.store.history import History
from bot.store.keeping import Keeping, Spare
from bot.store.keepsakes import Answer, Keepsakes
from bot.store.lineage import Lineage, Relative
from bot.store.messages import Messages, Subject
from bot.store.operating import DayStatistics, Operating
from bot.store.preferences import Preferences, Scope
from bot.store.prompts import FormerPrompt, Prompts
from bot.store.queue import LONE_DEATHS, Caps, Limits, Queue, QueueFull, TooSoon
from bot.store.starboard import Starboard, Stars

__all__ = [
    "LONE_DEATHS",
    "Answer",
    "Asked",
    "Caps",
    "DayStatistics",
    "Excerpt",
    "Forgotten",
    "FormerPrompt",
    "Gallery",
    "Holdings",
    "Limits",
    "Offer",
    "QueueFull",
    "Relative",
    "Scope",
    "Spare",
    "Stars",
    "Store",
    "Subject",
    "TooSoon",
    "Turn",
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
    Keeping,
    Preferences,
    Prompts,
    Starboard,
    Forgetting,
    Operating,
):
    """All of it, on one pair of connections. Open it with `Store.open`."""
