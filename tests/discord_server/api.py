"""The part of Discord's HTTP interface that the bot uses."""

from typing import Any

import msgspec
from aiohttp import web

from tests.discord_server.faults import API, json_response
from tests.discord_server.gateway import Gateway
from tests.discord_server.world import (
    APPLICATION,
    TOKEN,
    Attachment,
    Interaction,
    Message,
    Payload,
    World,
)

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_USER, UNKNOWN_WEBHOOK = 10003, 10008, 10013, 10015
UNKNOWN_INTERACTION, TOO_LARGE, ALREADY_ANSWERED = 10062, 40005, 40060

_MESSAGE, _DEFERRED_MESSAGE, _DEFERRED_UPDATE, _UPDATE = 4, 5, 6, 7


class Refused(Exception):
    """A request that Discord answers with an error."""

    def __init__(self, status: int, code: int, message: str) -> None:
        self.status, self.code, self.message = status, code, message


@web.middleware
async def answer_refused(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer as Discord does what is refused or unknown."""
    try:
        return await handler(request)
    except Refused as error:
        body = {"code": error.code, "message": error.message}
        return json_response(body, status=error.status)
    except ConnectionError:
        # The bot was killed, and nobody hears the answer.
        return web.Response()
    except web.HTTPNotFound:
        return json_response({"code": 0, "message": "404: Not Found"}, status=404)


class Api:
    """Answers the bot's requests from the world."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def routes(self) -> list[web.RouteDef]:
        """Where each request leads."""
        hook = f"{API}/webhooks/{{app}}/{{token}}"
        messages = f"{API}/channels/{{channel}}/messages"
        commands = f"{API}/applications/{{app}}"
        return [
            web.get(f"{API}/users/@me", self._me),
            web.get(f"{API}/users/{{user}}", self._user),
            web.get(f"{API}/oauth2/applications/@me", self._application),
            web.get(f"{API}/gateway/bot", self._gateway_address),
            web.put(f"{commands}/commands", self._sync),
            web.put(f"{commands}/guilds/{{guild}}/commands", self._sync),
            web.get(f"{API}/channels/{{channel}}", self._channel),
            web.get(messages, self._history),
            web.post(messages, self._send),
            web.get(f"{messages}/{{message}}", self._get),
            web.patch(f"{messages}/{{message}}", self._edit),
            web.delete(f"{messages}/{{message}}", self._delete),
            web.post(f"{API}/interactions/{{number}}/{{token}}/callback", self._callback),
            web.post(hook, self._follow_up),
            web.get(f"{hook}/messages/{{message}}", self._get_answer),
            web.patch(f"{hook}/messages/{{message}}", self._edit_answer),
            web.delete(f"{hook}/messages/{{message}}", self._delete_answer),
            web.get("/attachments/{number}/{name}", self._file),
        ]

    async def _me(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            raise Refused(401, 0, "401: Unauthorized")
        return json_response(self._world.user(APPLICATION))

    async def _user(self, request: web.Request) -> web.Response:
        number = request.match_info["user"]
        if number not in self._world.users:
            raise Refused(404, UNKNOWN_USER, "Unknown User")
        return json_response(self._world.user(number))

    async def _application(self, _request: web.Request) -> web.Response:
        return json_response(self._world.application())

    async def _gateway_address(self, _request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        answer = {"url": self._gateway.url, "shards": 1, "session_start_limit": limit}
        return json_response(answer)

    async def _sync(self, request: web.Request) -> web.Response:
        self._world.syncs += 1
        more = {"application_id": APPLICATION, "version": "1"}
        # A command of a message's menu has no description, which Discord says by an empty one.
        commands = [
            {"description": ""} | command | more | {"id": str(number)}
            for number, command in enumerate(await request.json(), 1)
        ]
        self._world.commands[request.match_info.get("guild", "")] = commands
        return json_response(commands)

    async def _channel(self, request: web.Request) -> web.Response:
        return json_response(self._world.channel(self._known_channel(request)))

    async def _history(self, request: web.Request) -> web.Response:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        found = self._world.history(self._known_channel(request), after=after, limit=limit)
        return json_response([self._world.message(message) for message in found])

    async def _send(self, request: web.Request) -> web.Response:
        channel = self._known_channel(request)
        said, files = await self._body(request)
        nonce = said.get("nonce")
        known = self._world.message_of(channel, nonce) if said.get("enforce_nonce") else None
        if known is not None:
            return json_response(self._world.message(known))
        message = Message(self._world.new_number(), channel, APPLICATION, nonce=nonce)
        self._show(message, said, files)
        self._world.add(message)
        return json_response(self._world.message(message))

    async def _get(self, request: web.Request) -> web.Response:
        return json_response(self._world.message(self._known_message(request)))

    async def _edit(self, request: web.Request) -> web.Response:
        said, files = await self._body(request)
        message = self._known_message(request)
        self._show(message, said, files)
        message.edits += 1
        return json_response(self._world.message(message))

    async def _delete(self, request: web.Request) -> web.Response:
        self._known_message(request).deleted = True
        return web.Response(status=204)

    async def _callback(self, request: web.Request) -> web.Response:
        interaction = self._world.interactions.get(request.match_info["number"])
        said, files = await self._body(request)
        if interaction is None or interaction.token != request.match_info["token"]:
            raise Refused(404, UNKNOWN_INTERACTION, "Unknown interaction")
        if interaction.callback is not None:
            raise Refused(400, ALREADY_ANSWERED, "Interaction has already been acknowledged.")
        interaction.called_back(said)
        resource: Payload = {"type": said["type"]}
        if said["type"] in (_MESSAGE, _DEFERRED_MESSAGE):
            interaction.answer = self._new_answer(interaction)
        if said["type"] in (_MESSAGE, _UPDATE):
            self._show(interaction.shown, said["data"], files)
            interaction.answered.set()
        if interaction.answer is not None:
            resource["message"] = self._world.message(interaction.answer)
        about = {"id": interaction.number, "type": 2}
        return json_response({"interaction": about, "resource": resource})

    async def _follow_up(self, request: web.Request) -> web.Response:
        interaction = self._known_interaction(request)
        said, files = await self._body(request)
        message = self._new_answer(interaction)
        self._show(message, said, files)
        interaction.followups.append(message)
        interaction.answered.set()
        return json_response(self._world.message(message))

    async def _get_answer(self, request: web.Request) -> web.Response:
        return json_response(self._world.message(self._known_answer(request)))

    async def _edit_answer(self, request: web.Request) -> web.Response:
        said, files = await self._body(request)
        message = self._known_answer(request)
        self._show(message, said, files)
        message.edits += 1
        self._known_interaction(request).answered.set()
        return json_response(self._world.message(message))

    async def _delete_answer(self, request: web.Request) -> web.Response:
        self._known_answer(request).deleted = True
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._world.files.get(request.match_info["number"])
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type=file.content_type)

    def _known_channel(self, request: web.Request) -> str:
        channel = request.match_info["channel"]
        if not any(channel in channels for channels in self._world.guilds.values()):
            raise Refused(404, UNKNOWN_CHANNEL, "Unknown Channel")
        return channel

    def _known_message(self, request: web.Request) -> Message:
        channel = self._known_channel(request)
        message = self._world.messages.get(request.match_info["message"])
        if message is None or message.deleted or message.channel != channel:
            raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")
        return message

    def _known_interaction(self, request: web.Request) -> Interaction:
        interaction = self._world.by_token(request.match_info["token"])
        if interaction is None or interaction.callback is None:
            raise Refused(404, UNKNOWN_WEBHOOK, "Unknown Webhook")
        return interaction

    def _known_answer(self, request: web.Request) -> Message:
        interaction = self._known_interaction(request)
        number = request.match_info["message"]
        if number == "@original":
            return interaction.shown
        for message in (*interaction.followups, interaction.answer):
            if message is not None and message.number == number:
                return message
        raise Refused(404, UNKNOWN_MESSAGE, "Unknown Message")

    def _new_answer(self, interaction: Interaction) -> Message:
        return Message(self._world.new_number(), interaction.channel, APPLICATION)

    async def _body(self, request: web.Request) -> tuple[Payload, dict[str, web.FileField]]:
        """What was sent, as JSON or as a form with files by their number."""
        if not request.content_type.startswith("multipart/"):
            return msgspec.json.decode(await request.read() or b"{}"), {}
        form = await request.post()
        files = {
            name.removeprefix("files[").removesuffix("]"): part
            for name, part in form.items()
            if isinstance(part, web.FileField)
        }
        for part in files.values():
            if part.file.seek(0, 2) > self._world.upload_limit:
                raise Refused(413, TOO_LARGE, "Request entity too large")
            part.file.seek(0)
        return msgspec.json.decode(str(form["payload_json"])), files

    def _show(self, message: Message, said: Payload, files: dict[str, web.FileField]) -> None:
        """Change a message as a request says; what it does not mention stays."""
        message.content = said.get("content", message.content) or ""
        message.pings = message.pings or self._world.pings(said, message.content)
        message.embeds = said.get("embeds", message.embeds)
        message.components = said.get("components", message.components)
        message.flags = said.get("flags", message.flags)
        if "attachments" in said:
            kept = {file.number: file for file in message.attachments}
            listed = [(str(entry["id"]), entry) for entry in said["attachments"]]
            message.attachments = [
                self._stored(files[number], entry.get("description"))
                if number in files
                else kept[number]
                for number, entry in listed
            ]
        elif files:
            message.attachments += [self._stored(part, None) for part in files.values()]

    def _stored(self, part: web.FileField, description: str | None) -> Attachment:
        number = self._world.new_number()
        file = Attachment(number, part.filename, part.file.read(), part.content_type, description)
        self._world.store(file)
        return file
