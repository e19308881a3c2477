"""How the server is told what to do: JSON over HTTP below ``/control``.

    GET    /world                 {users, guilds: {id: [channel ids]}, owner, application}
    GET    /commands              {syncs, commands: {"" or a guild's id: [commands]}}
    GET    /requests?since=N      the bot's requests from the Nth on: [{method, path, status, at}]
    GET    /messages[?channel=C]  messages as Discord gives them, and {edits, deleted, pings}
    GET    /messages/ID           one of them
    DELETE /messages/ID           somebody removes it
    POST   /attachments?name=N    keep the body as a file; returns what `resolved` wants
    POST   /interactions          somebody does something: {type, data, user, channel, message?}
                                  and whatever else the event is to hold; returns {id}
    GET    /interactions/ID       {callback, seconds, answer, followups}; with ?wait=S&for=callback
                                  or answer, after that is there, or 504 after S seconds
    GET    /faults                all of them, with their hits
    POST   /faults                one more (`faults.Fault`'s fields)
    DELETE /faults                none any more
    GET    /gateway               {connected, identified, resumed}; with ?wait=S&identified=N, once
                                  a bot listens and N sessions were begun
    POST   /gateway               {do: reconnect} (op 7), {do: close, code}, {do: abort} (without a
                                  word) or {do: invalidate, resumable} (op 9)
    PUT    /upload-limit          {bytes}
    DELETE /nonces                forget which messages were sent a moment ago

Interaction types are Discord's: 2 a command, 3 a button or a select, 4 autocomplete, 5 a modal.
An interaction that is made while the gateway is down is sent when the bot resumes, and refused
with 409 before any bot has come. A click on a button that is gone is refused with 410.
"""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web

from tests.discord_server.faults import Fault, Faults, json_response
from tests.discord_server.gateway import Gateway
from tests.discord_server.world import (
    APPLICATION,
    EVERYTHING,
    OWNER,
    Attachment,
    Interaction,
    Message,
    Payload,
    World,
)

PREFIX = "/control"


class Control:
    """The routes below ``/control``."""

    def __init__(self, world: World, gateway: Gateway, faults: Faults) -> None:
        self._world = world
        self._gateway = gateway
        self._faults = faults
        self.requests: list[Payload] = []

    def routes(self) -> list[web.RouteDef]:
        """Where each request leads."""
        return [
            web.get(f"{PREFIX}/world", self._show_world),
            web.get(f"{PREFIX}/commands", self._show_commands),
            web.get(f"{PREFIX}/requests", self._show_requests),
            web.get(f"{PREFIX}/messages", self._show_messages),
            web.get(f"{PREFIX}/messages/{{number}}", self._show_message),
            web.delete(f"{PREFIX}/messages/{{number}}", self._delete_message),
            web.post(f"{PREFIX}/attachments", self._attach),
            web.post(f"{PREFIX}/interactions", self._interact),
            web.get(f"{PREFIX}/interactions/{{number}}", self._show_interaction),
            web.get(f"{PREFIX}/faults", self._show_faults),
            web.post(f"{PREFIX}/faults", self._add_fault),
            web.delete(f"{PREFIX}/faults", self._clear_faults),
            web.get(f"{PREFIX}/gateway", self._show_gateway),
            web.post(f"{PREFIX}/gateway", self._disturb_gateway),
            web.put(f"{PREFIX}/upload-limit", self._limit_uploads),
            web.delete(f"{PREFIX}/nonces", self._forget_nonces),
        ]

    async def _show_world(self, _request: web.Request) -> web.Response:
        world = self._world
        users = list(world.people())
        about = {"users": users, "guilds": world.guilds, "owner": OWNER, "application": APPLICATION}
        return json_response(about)

    async def _show_commands(self, _request: web.Request) -> web.Response:
        return json_response({"syncs": self._world.syncs, "commands": self._world.commands})

    async def _show_requests(self, request: web.Request) -> web.Response:
        return json_response(self.requests[int(request.query.get("since", 0)) :])

    async def _show_messages(self, request: web.Request) -> web.Response:
        channel = request.query.get("channel")
        messages = self._world.messages.values()
        shown = [self._message(m) for m in messages if channel in (None, m.channel)]
        return json_response(shown)

    async def _show_message(self, request: web.Request) -> web.Response:
        return json_response(self._message(self._world.messages[request.match_info["number"]]))

    async def _delete_message(self, request: web.Request) -> web.Response:
        self._world.messages[request.match_info["number"]].deleted = True
        return web.Response(status=204)

    async def _attach(self, request: web.Request) -> web.Response:
        number, name = self._world.new_number(), request.query["name"]
        file = Attachment(number, name, await request.read(), "image/png")
        self._world.store(file)
        return json_response(self._world.attachment(file))

    async def _interact(self, request: web.Request) -> web.Response:
        said = await request.json()
        channel, user = said.pop("channel"), said.pop("user")
        interaction = Interaction(self._world.new_number(), channel, user, time.monotonic())
        if (source := said.pop("message", None)) is not None:
            interaction.source = self._world.messages.get(source)
            if interaction.source is None or not _shows(interaction.source, said["data"]):
                return json_response({"message": "there is no such button any more"}, status=410)
            said["message"] = self._world.message(interaction.source)
        self._world.interactions[interaction.number] = interaction
        everything = self._event(interaction, said.pop("permissions", "0")) | said
        if not await self._gateway.dispatch("INTERACTION_CREATE", everything):
            return json_response({"message": "no bot has come yet"}, status=409)
        return json_response({"id": interaction.number})

    async def _show_interaction(self, request: web.Request) -> web.Response:
        interaction = self._world.interactions[request.match_info["number"]]
        if (patience := request.query.get("wait")) is not None:
            answer = request.query.get("for") == "answer"
            event = interaction.answered if answer else interaction.called
            try:
                await asyncio.wait_for(event.wait(), float(patience))
            except TimeoutError:
                return json_response({"message": "there was no answer"}, status=504)
        answer = interaction.answer
        return json_response(
            {
                "callback": interaction.callback,
                "seconds": interaction.seconds,
                "answer": self._message(answer) if answer is not None else None,
                "followups": [self._message(message) for message in interaction.followups],
            }
        )

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return json_response(self._faults.all)

    async def _add_fault(self, request: web.Request) -> web.Response:
        self._faults.all.append(msgspec.json.decode(await request.read(), type=Fault))
        return web.Response(status=204)

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self._faults.all.clear()
        return web.Response(status=204)

    async def _show_gateway(self, request: web.Request) -> web.Response:
        gateway = self._gateway
        if (patience := request.query.get("wait")) is not None:
            identified = int(request.query.get("identified", 1))
            try:
                await asyncio.wait_for(gateway.wait_connected(identified), float(patience))
            except TimeoutError:
                return json_response({"message": "no bot has come"}, status=504)
        state = {
            "connected": gateway.connected,
            "identified": gateway.identified,
            "resumed": gateway.resumed,
        }
        return json_response(state)

    async def _disturb_gateway(self, request: web.Request) -> web.Response:
        match await request.json():
            case {"do": "reconnect"}:
                await self._gateway.reconnect()
            case {"do": "close", "code": code}:
                await self._gateway.close(code)
            case {"do": "abort"}:
                self._gateway.abort()
            case {"do": "invalidate", "resumable": resumable}:
                await self._gateway.invalidate(resumable=resumable)
            case other:
                return json_response({"message": f"unknown: {other}"}, status=400)
        return web.Response(status=204)

    async def _limit_uploads(self, request: web.Request) -> web.Response:
        self._world.upload_limit = (await request.json())["bytes"]
        return web.Response(status=204)

    async def _forget_nonces(self, _request: web.Request) -> web.Response:
        self._world.forget_nonces()
        return web.Response(status=204)

    def _message(self, message: Message) -> Payload:
        more = {"edits": message.edits, "deleted": message.deleted, "pings": message.pings}
        return self._world.message(message) | more

    def _event(self, interaction: Interaction, permissions: str) -> dict[str, Any]:
        channel = self._world.channel(interaction.channel) | {"permissions": EVERYTHING}
        member = self._world.member(interaction.user) | {"permissions": permissions}
        return {
            "id": interaction.number,
            "application_id": APPLICATION,
            "token": interaction.token,
            "version": 1,
            "guild_id": channel["guild_id"],
            "channel_id": interaction.channel,
            "channel": channel,
            "member": member,
            "app_permissions": EVERYTHING,
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": self._world.upload_limit,
        }


def _shows(message: Message, data: Payload) -> bool:
    """Whether a message has what is clicked, as Discord makes sure before the bot hears of it."""
    shown = [component for row in message.components for component in row["components"]]
    clicked = data["custom_id"]
    return not message.deleted and any(one.get("custom_id") == clicked for one in shown)
