"""Start the server, say where it is, and serve until stdin closes or it is told to end.

    python -m tests.discord_server --guilds 3 --channels 4 --users 50

prints one line: ``{"api": …, "gateway": …, "control": …}``; the first two are for discord.py.
"""

import argparse
import asyncio
import json
import sys
import time

from aiohttp import web

from tests.discord_server.api import Api, answer_refused
from tests.discord_server.control import PREFIX, Control
from tests.discord_server.faults import API, Faults, Handler
from tests.discord_server.gateway import Gateway
from tests.discord_server.world import World

# More than any upload limit, so that it is Discord's own error that answers.
_LARGEST_BODY = 64 * 1024 * 1024


def make_app(world: World, gateway: Gateway, faults: Faults) -> web.Application:
    """All routes; what the bot asks for goes through the faults and is recorded."""
    control = Control(world, gateway, faults)

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(API):
            return await handler(request)
        entry = {"method": request.method, "path": request.path.removeprefix(API)}
        entry |= {"status": 0, "at": time.time()}
        control.requests.append(entry)
        response = await faults.apply(request, handler)
        entry["status"] = response.status
        return response

    app = web.Application(middlewares=[record, answer_refused], client_max_size=_LARGEST_BODY)
    app.add_routes(Api(world, gateway).routes())
    app.add_routes(control.routes())
    app.router.add_get("/gateway/", gateway.talk)
    return app


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until stdin closes, so that a killed test leaves nothing behind."""
    world = World(guilds=arguments.guilds, channels=arguments.channels, users=arguments.users)
    gateway = Gateway(world)
    runner = web.AppRunner(
        make_app(world, gateway, Faults(arguments.seed)), access_log=None, shutdown_timeout=0.1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
    port = runner.addresses[0][1]
    world.base = f"http://127.0.0.1:{port}"
    gateway.url = f"ws://127.0.0.1:{port}/gateway/"
    where = {
        "api": f"{world.base}{API}",
        "gateway": gateway.url,
        "control": f"{world.base}{PREFIX}",
    }
    sys.stdout.write(f"{json.dumps(where)}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--guilds", type=int, default=1)
    parser.add_argument("--channels", type=int, default=1, help="of each guild")
    parser.add_argument("--users", type=int, default=1, help="who are in all guilds")
    parser.add_argument("--seed", type=int, default=0, help="of faults that have a share")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
