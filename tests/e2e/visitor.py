"""The demo's process, and a visitor of its page who does without a browser."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parent.parent.parent
_DEMO = "import sys; sys.argv[0] = 'pixel'; from bot.cli import main; main()"


@dataclass
class Demo:
    """A running `pixel demo`.

    Attributes:
        output: the lines that it wrote.

    """

    process: asyncio.subprocess.Process
    output: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self._said("Open")

    @property
    def data(self) -> Path:
        return Path(self._said("Data"))

    def _said(self, heading: str) -> str:
        return next(line.split()[1] for line in self.output if line.startswith(heading))

    async def read_until(self, beginning: str) -> None:
        assert self.process.stdout is not None
        while not (self.output and self.output[-1].startswith(beginning)):
            line = await self.process.stdout.readline()
            assert line, f"the demo ended too early: {self.output}"
            self.output.append(line.decode().rstrip())

    async def interrupt(self) -> int:
        """Press Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        rest, _ = await self.process.communicate()
        self.output += rest.decode().splitlines()
        assert self.process.returncode is not None
        return self.process.returncode


@contextlib.asynccontextmanager
async def demo(*arguments: str) -> AsyncIterator[Demo]:
    """Start `pixel demo` on a free port; ended at the end if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _DEMO, "demo", "--port", "0", "--no-open", *arguments),
        cwd=ROOT,
        env=kept,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Demo(process)
    try:
        async with asyncio.timeout(60):
            await running.read_until("End")
        yield running
    finally:
        if process.returncode is None:
            try:
                async with asyncio.timeout(20):
                    await running.interrupt()
            except TimeoutError:
                process.kill()
                await process.communicate()
                raise


class Visitor:
    """One page of the demo, used as simcord's own page does: polled, and acted upon in sequence.

    Attributes:
        state: what the page shows.

    """

    _numbers = itertools.count(1)

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client
        self._headers: dict[str, str] = {}
        self._sequence = 0
        self.state: dict[str, Any] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, url: str) -> AsyncIterator["Visitor"]:
        """Open a page."""
        base, _, capability = url.partition("#")
        async with aiohttp.ClientSession(base, raise_for_status=True) as client:
            visitor = cls(client)
            visitor._headers = {"X-Simcord-Capability": capability}
            async with client.post("/api/pages", json={}, headers=visitor._headers) as answer:
                visitor.state = await answer.json()
            visitor._headers["X-Simcord-Context"] = visitor.state["context"]["id"]
            yield visitor

    async def look(self) -> None:
        """Poll."""
        async with self._client.get("/api/state", headers=self._headers) as answer:
            self.state = await answer.json()

    async def slash(
        self, name: str, *, image: bytes | None = None, **options: object
    ) -> dict[str, Any]:
        """Type a command; returns its answer, which only the visitor sees."""
        if image is not None:
            options["image"] = {"upload": 0}
        async with self._client.get("/api/commands", headers=self._headers) as answer:
            entries = (await answer.json())["entries"]
        (entry,) = (entry for entry in entries if entry["invocation"] == name)
        return await self._act(
            "run_command",
            command_id=entry["commandId"],
            path=entry["path"],
            schema_fingerprint=entry["schemaFingerprint"],
            options=options,
            image=image,
        )

    async def click(self, message: dict[str, Any], label: str) -> dict[str, Any]:
        """Press a button as the page shows it now; returns the answer."""
        (key,) = (button["control_key"] for button in buttons(message) if button["label"] == label)
        return await self._act("click", target_id=message["id"], control_key=key)

    async def _act(
        self, kind: str, *, image: bytes | None = None, **details: object
    ) -> dict[str, Any]:
        envelope = {
            "kind": kind,
            "protocol_version": 3,
            "request_id": str(next(self._numbers)),
            "sequence": self._sequence + 1,
            "generation": self.state["context"]["generation"],
            "bot_generation": self.state["botGeneration"],
            "published_revision": self.state["publishedRevision"],
        }
        # Exactly as the page's script writes it.
        body = json.dumps(envelope | details, separators=(",", ":"))
        headers = {**self._headers, "Content-Type": "application/json"}
        data: str | aiohttp.FormData = body
        if image is not None:
            headers = self._headers
            data = aiohttp.FormData({"payload": body})
            data.add_field("file:image", image, filename="image.png", content_type="image/png")
        async with self._client.post("/api/action", data=data, headers=headers) as answer:
            receipt = await answer.json()
        assert not receipt["rejected"], receipt
        assert receipt["settlement"] == "settled", receipt
        self._sequence = receipt["sequence"]
        await self.look()
        (outcome,) = receipt["outcomes"]
        message: dict[str, Any] = self.state["messages"][outcome["messageId"]]
        return message

    def pictures(self) -> list[dict[str, Any]]:
        """The messages that show jobs, oldest first, without answers that only the visitor sees."""
        messages = (self.state["messages"][number] for number in self.state["timeline"])
        return [item for item in messages if item["embeds"] and not item["ephemeral"]]

    async def read(self, message: dict[str, Any]) -> bytes:
        """The picture of a message, as the page gets it."""
        (attachment,) = message["attachments"]
        path = f"/api/assets/{attachment['asset_id']}"
        async with self._client.get(path, headers=self._headers) as answer:
            return await answer.read()


def buttons(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The buttons of a message."""
    for row in message["components"]:
        yield from row["components"]


def labels(message: dict[str, Any]) -> list[str]:
    """What is written on them."""
    return [button["label"] for button in buttons(message)]


def text(message: dict[str, Any]) -> str:
    """What its label says."""
    description: str = message["embeds"][0]["description"]
    return description
