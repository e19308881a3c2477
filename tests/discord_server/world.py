"""What the server knows: people, servers and channels, messages, interactions."""

import asyncio
import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

TOKEN = "good-token"
APPLICATION = "100"
OWNER = "401"
EVERYTHING = str((1 << 53) - 1)
UPLOAD_LIMIT = 10 * 1024 * 1024
# Discord's ids tell when they were given, in milliseconds since 2015, above 22 bits.
_EPOCH, _TIME_SHIFT = 1_420_070_400, 22
# What pings when it is in a message's text and not forbidden.
_MENTION = re.compile(r"@everyone|@here|<@[!&]?\d+>")

Payload = dict[str, Any]


@dataclass
class Attachment:
    """A stored file."""

    number: str
    filename: str
    content: bytes
    content_type: str
    description: str | None = None


@dataclass
class Message:
    """A message as it is now, and how it came to be so.

    Attributes:
        edits: how often it was changed.
        deleted: whether anybody removed it; it is kept for whoever asks.
        pings: whether it has ever been such that it could ping somebody.

    """

    number: str
    channel: str
    author: str
    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    edits: int = 0
    deleted: bool = False
    pings: bool = False
    sent_at: float = field(default_factory=time.time)


@dataclass
class Interaction:
    """Something that a person did, and how the bot answered.

    Attributes:
        asked_at: when it was sent, on the monotonic clock.
        callback: the first answer, as it was sent.
        seconds: how long that took.
        source: the message whose button was pressed.
        answer: the message that only this person may see, empty while the answer is deferred.
        followups: the ones after it.
        called: set with the first answer.
        answered: set when there is something to read.

    """

    number: str
    channel: str
    user: str
    asked_at: float
    callback: Payload | None = None
    seconds: float | None = None
    source: Message | None = None
    answer: Message | None = None
    followups: list[Message] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def token(self) -> str:
        """The secret in the addresses of its answers."""
        return f"token-{self.number}"

    @property
    def shown(self) -> Message:
        """What “@original” is: the answer, or the message that it changes."""
        message = self.answer or self.source
        assert message is not None
        return message

    def called_back(self, callback: Payload) -> None:
        """Keep the first answer."""
        self.callback = callback
        self.seconds = time.monotonic() - self.asked_at
        self.called.set()


class World:
    """Everything, in memory.

    Args:
        guilds: how many servers there are.
        channels: how many text channels each has.
        users: how many people are in all of them; the first is alice.

    Attributes:
        base: the server's address.
        upload_limit: the largest file in bytes.

    """

    def __init__(self, *, guilds: int = 1, channels: int = 1, users: int = 1) -> None:
        self.base = ""
        self.upload_limit = UPLOAD_LIMIT
        self._numbers = itertools.count()
        self.users = {APPLICATION: "pixel", OWNER: "owner"}
        for n in range(users):
            self.users[str(1000 + n)] = "alice" if n == 0 else f"user-{n}"
        self.guilds = {
            str(200_000 + g): [str(300_000 + g * channels + c) for c in range(channels)]
            for g in range(guilds)
        }
        self.messages: dict[str, Message] = {}
        self.files: dict[str, Attachment] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[str, list[Payload]] = {}
        self.syncs = 0
        self._nonces: dict[tuple[str, str], Message] = {}

    def new_number(self) -> str:
        """An id that nothing else has, and that is greater than those before."""
        milliseconds = int((time.time() - _EPOCH) * 1000)
        return str((milliseconds << _TIME_SHIFT) + next(self._numbers))

    def people(self) -> Iterator[str]:
        """The ids of those who are neither the bot nor its owner."""
        return (number for number in self.users if number not in (APPLICATION, OWNER))

    def guild_of(self, channel: str) -> str:
        """The server that a channel is in."""
        return next(guild for guild, channels in self.guilds.items() if channel in channels)

    def by_token(self, token: str) -> Interaction | None:
        """The interaction that a token belongs to."""
        return self.interactions.get(token.removeprefix("token-"))

    def message_of(self, channel: str, nonce: str | None) -> Message | None:
        """The message that was sent with a nonce, if there is one."""
        return None if nonce is None else self._nonces.get((channel, nonce))

    def forget_nonces(self) -> None:
        """Forget which messages were sent a moment ago, as Discord does within minutes."""
        self._nonces.clear()

    def history(self, channel: str, *, after: int, limit: int) -> list[Message]:
        """The first messages of a channel after an id, the newest of them first."""
        later = [
            message
            for message in self.messages.values()
            if message.channel == channel and not message.deleted and int(message.number) > after
        ]
        return later[:limit][::-1]

    def add(self, message: Message) -> None:
        """Post a message in its channel."""
        self.messages[message.number] = message
        if message.nonce is not None:
            self._nonces[message.channel, message.nonce] = message

    def store(self, attachment: Attachment) -> None:
        """Keep a file where its link leads."""
        self.files[attachment.number] = attachment

    @staticmethod
    def pings(said: Payload, content: str) -> bool:
        """Whether what a bot sends could ping somebody: only text can, unless that is forbidden."""
        allowed = said.get("allowed_mentions", {"parse": ["everyone", "users", "roles"]})
        return bool(_MENTION.search(content)) and any(allowed.values())

    def user(self, number: str) -> Payload:
        """A person as Discord describes them."""
        return {
            "id": number,
            "username": self.users.get(number, f"user-{number}"),
            "discriminator": "0",
            "avatar": None,
            "bot": number == APPLICATION,
        }

    def member(self, number: str) -> Payload:
        """A person in a server."""
        return {
            "user": self.user(number),
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def channel(self, number: str) -> Payload:
        """A text channel."""
        return {
            "id": number,
            "type": 0,
            "name": f"art-{number}",
            "position": 0,
            "guild_id": self.guild_of(number),
            "permission_overwrites": [],
        }

    def guild(self, number: str) -> Payload:
        """A server, as the gateway tells of it."""
        everyone = {"id": number, "name": "@everyone", "permissions": EVERYTHING, "position": 0}
        more = {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
        return {
            "id": number,
            "name": f"Art lovers {number}",
            "owner_id": OWNER,
            "roles": [everyone | more],
            "emojis": [],
            "members": [self.member(APPLICATION)],
            "channels": [self.channel(channel) for channel in self.guilds[number]],
        }

    def attachment(self, attachment: Attachment) -> Payload:
        """A file, with its link."""
        url = f"{self.base}/attachments/{attachment.number}/{attachment.filename}"
        return {
            "id": attachment.number,
            "filename": attachment.filename,
            "size": len(attachment.content),
            "content_type": attachment.content_type,
            "description": attachment.description,
            "url": url,
            "proxy_url": url,
        }

    def message(self, message: Message) -> Payload:
        """A message as the bot gets it."""
        return {
            "id": message.number,
            "channel_id": message.channel,
            "author": self.user(message.author),
            "content": message.content,
            "timestamp": datetime.fromtimestamp(message.sent_at, UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [self.attachment(file) for file in message.attachments],
            "embeds": message.embeds,
            "pinned": False,
            "type": 0,
            "flags": message.flags,
            "components": message.components,
            "nonce": message.nonce,
        }

    def application(self) -> Payload:
        """The bot's application."""
        return {
            "id": APPLICATION,
            "name": "pixel",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0",
            "owner": self.user(OWNER),
            "flags": 0,
        }
