"""The server from a test's point of view: start it, start bots against it, do what people do."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.discord_server.world import TOKEN, Payload

ROOT = Path(__file__).parent.parent.parent

_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5
_SUBCOMMAND, _STRING, _INTEGER, _BOOLEAN, _USER, _NUMBER, _ATTACHMENT = 1, 3, 4, 5, 6, 10, 11
_PATIENCE = "60"


@dataclass
class BotProcess:
    """A bot's process.

    Attributes:
        log: what it has written to stderr so far.

    """

    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self, seconds: float = 30.0) -> int:
        """Wait for its end; returns the exit code."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()


class DiscordServer:
    """A running server. What people do is done by alice in the first channel if not said otherwise.

    Attributes:
        api: the address of its HTTP interface.
        users: the people's ids, alice's first.
        channels: all channels' ids.
        owner: who owns the bot.

    """

    def __init__(self, client: aiohttp.ClientSession, where: Payload, world: Payload) -> None:
        self._client = client
        self._control = where["control"]
        self.api = where["api"]
        self._gateway = where["gateway"]
        self.users: list[str] = world["users"]
        self.guilds: dict[str, list[str]] = world["guilds"]
        self.channels = [channel for channels in self.guilds.values() for channel in channels]
        self.owner: str = world["owner"]
        self._bots = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, **counts: int) -> AsyncIterator[Self]:
        """Start a server with so many `guilds`, `channels` each and `users`; ended at the end."""
        options = [f"--{name}={count}" for name, count in counts.items()]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.discord_server", *options),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            where = json.loads(await process.stdout.readline())
            async with aiohttp.ClientSession() as client:
                async with client.get(f"{where['control']}/world") as answer:
                    world = await answer.json()
                yield cls(client, where, world)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    @contextlib.asynccontextmanager
    async def bot(
        self,
        data: Path,
        *,
        token: str = TOKEN,
        program: str = "tests.discord_server.bot",
        **settings: object,
    ) -> AsyncIterator[BotProcess]:
        """Start a bot in a data directory; killed at the end if it still runs.

        Args:
            data: its data directory.
            token: what it shows Discord.
            program: the module that runs it against this server.
            settings: `PIXEL_…` in lower case, without the prefix.

        """
        self._bots += 1
        given = {"edit_interval": 0.05, "http": "127.0.0.1:0", "token": token, "data": data}
        variables = {f"PIXEL_{name}".upper(): str(v) for name, v in (given | settings).items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", program, self.api, self._gateway),
            cwd=ROOT,
            env=kept | variables,
            stderr=asyncio.subprocess.PIPE,
        )
        bot = BotProcess(process)
        reading = asyncio.create_task(_read(process, bot.log))
        try:
            yield bot
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading

    async def connected(self) -> None:
        """Wait until the newest bot listens."""
        await self._get("gateway", wait=_PATIENCE, identified=str(self._bots))

    async def slash(self, command: str, **options: object) -> str:
        """Type a command, such as ``pixel`` or ``admin ban``; returns the interaction's id."""
        return await self.slash_as(self.users[0], self.channels[0], command, **options)

    async def slash_as(self, user: str, channel: str, command: str, **options: object) -> str:
        """Type a command as somebody, somewhere; bytes are sent as a picture."""
        attachments = {}
        given: list[Payload] = []
        for name, value in options.items():
            kind, value = _option(value)
            if kind == _ATTACHMENT:
                attachment = await self._attach(f"{name}.png", value)
                attachments[attachment["id"]] = attachment
                value = attachment["id"]
            given.append({"name": name, "type": kind, "value": value})
        group, _, subcommand = command.partition(" ")
        if subcommand:
            given = [{"name": subcommand, "type": _SUBCOMMAND, "options": given}]
        data = {"id": "1", "name": group, "type": 1, "options": given}
        if attachments:
            data["resolved"] = {"attachments": attachments}
        return await self.interact(_COMMAND, data, user, channel)

    async def complete(self, command: str, option: str, typed: str) -> list[Payload]:
        """Begin to type an option; returns what is offered."""
        focused = {"name": option, "type": _STRING, "value": typed, "focused": True}
        data = {"id": "1", "name": command, "type": 1, "options": [focused]}
        number = await self.interact(_AUTOCOMPLETE, data, self.users[0], self.channels[0])
        interaction = await self.interaction(number)
        choices: list[Payload] = interaction["callback"]["data"]["choices"]
        return choices

    async def click(self, message: Payload, action: str, user: str | None = None) -> str:
        """Press the button of a message whose id holds an action; returns the interaction's id."""
        (custom_id,) = (number for number in custom_ids(message) if f":{action}:" in number)
        data = {"custom_id": custom_id, "component_type": 2}
        user, channel = user or self.users[0], message["channel_id"]
        return await self.interact(_COMPONENT, data, user, channel, message=message["id"])

    async def submit(self, custom_id: str, fields: dict[str, str], user: str | None = None) -> str:
        """Send off a modal with a text in each field; returns the interaction's id."""
        rows = [
            {"type": 1, "components": [{"type": 4, "custom_id": name, "value": value}]}
            for name, value in fields.items()
        ]
        data = {"custom_id": custom_id, "components": rows}
        return await self.interact(_MODAL, data, user or self.users[0], self.channels[0])

    async def interact(
        self, kind: int, data: Payload, user: str, channel: str, **more: object
    ) -> str:
        """Do anything; returns the interaction's id."""
        event = {"type": kind, "data": data, "user": user, "channel": channel} | more
        made = await self._post("interactions", event)
        number: str = made["id"]
        return number

    async def interaction(self, number: str) -> Payload:
        """An interaction, as soon as it has its first answer."""
        return await self._get(f"interactions/{number}", wait=_PATIENCE)

    async def message(self, number: str) -> Payload:
        """One message as it is now."""
        message: Payload = await self._get(f"messages/{number}")
        return message

    async def answer(self, number: str) -> str:
        """What the bot said to an interaction, as soon as it has said something."""
        query = {"wait": _PATIENCE, "for": "answer"}
        interaction = await self._get(f"interactions/{number}", **query)
        content: str = (interaction["answer"] or interaction["followups"][0])["content"]
        return content

    async def messages(self) -> list[Payload]:
        """The messages in all channels, oldest first."""
        messages: list[Payload] = await self._get("messages")
        return messages

    async def finished(self, count: int = 1) -> list[Payload]:
        """The messages that show a finished picture, as soon as there are so many."""

        async def there() -> bool:
            return len(await self.shown()) >= count

        await until(there)
        return await self.shown()

    async def shown(self) -> list[Payload]:
        """The messages that show a finished picture by now."""
        return [m for m in await self.messages() if any(":reroll:" in i for i in custom_ids(m))]

    async def requests(self, since: int = 0) -> list[Payload]:
        """Everything that the bots have asked for, without so many of the first."""
        requests: list[Payload] = await self._get("requests", since=str(since))
        return requests

    async def state(self, of: str) -> Any:
        """The state of the ``gateway``, the ``commands`` or the ``faults``."""
        return await self._get(of)

    async def fault(self, kind: str, **details: object) -> None:
        """Have something go wrong; see `tests.discord_server.faults.Fault`."""
        await self._post("faults", {"kind": kind} | details)

    async def no_faults(self) -> None:
        """Have all go well again."""
        async with self._client.delete(f"{self._control}/faults") as answer:
            answer.raise_for_status()

    async def gateway(self, do: str, **details: object) -> None:
        """Disturb the gateway: reconnect, close, abort, invalidate."""
        await self._post("gateway", {"do": do} | details)

    async def delete(self, message: Payload) -> None:
        """Remove a message, as a moderator does."""
        async with self._client.delete(f"{self._control}/messages/{message['id']}") as answer:
            answer.raise_for_status()

    async def limit_uploads(self, size: int) -> None:
        """Take no larger files than of so many bytes."""
        async with self._client.put(
            f"{self._control}/upload-limit", json={"bytes": size}
        ) as answer:
            answer.raise_for_status()

    async def forget_nonces(self) -> None:
        """Have Discord forget what was sent a moment ago, as it does within minutes."""
        async with self._client.delete(f"{self._control}/nonces") as answer:
            answer.raise_for_status()

    async def picture(self, message: Payload) -> bytes:
        """The one file of a message."""
        (attachment,) = message["attachments"]
        async with self._client.get(attachment["url"]) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _attach(self, name: str, content: object) -> Payload:
        url = f"{self._control}/attachments"
        async with self._client.post(url, data=content, params={"name": name}) as answer:
            attachment: Payload = await answer.json()
            return attachment

    async def _get(self, path: str, **query: str) -> Any:
        async with self._client.get(f"{self._control}/{path}", params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def _post(self, path: str, data: Payload) -> Any:
        async with self._client.post(f"{self._control}/{path}", json=data) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.status == 200 else None


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 120.0) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            # Asking costs the server time that others want.
            await asyncio.sleep(0.05)


def custom_ids(message: Payload) -> Iterator[str]:
    """The ids of a message's buttons."""
    for row in message["components"]:
        for component in row["components"]:
            yield component["custom_id"]


def text(message: Payload) -> str:
    """What a message's label says."""
    description: str = message["embeds"][0]["description"]
    return description


def _option(value: object) -> tuple[int, Any]:
    """Discord's type of an option, and its value."""
    match value:
        case bool():
            return _BOOLEAN, value
        case int():
            return _INTEGER, value
        case float():
            return _NUMBER, value
        case bytes():
            return _ATTACHMENT, value
    return _STRING, value


async def _read(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode().rstrip())
