"""The gallery as a web application: its routes, and the headers that keep it safe and quick."""

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from bot.gallery import pages, sizes
from bot.gallery.copies import Busy, Copies
from bot.jobs import Job
from bot.pictures import THUMBNAIL, TIME_LAPSE, Pictures, copy_path
from bot.store import Gallery

log = logging.getLogger(__name__)

PAGE_SIZE = 36
_MOST_CHILDREN = 12
_LONGEST_WORDS = 200
# Digits of this world's keyboards only, no more than SQLite's integers hold.
_ID = "[1-9][0-9]{0,17}"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; "
    "script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # What is deleted here must not live on in a search engine.
    "X-Robots-Tag": "noindex, noarchive",
}
# A page is asked for again each time, and sent again when it has changed.
_FRESH = "private, no-cache"
# A number's picture never changes; but no cache between here and the visitor may keep it, since it
# may be deleted.
_PICTURE = "private, max-age=31536000, immutable"
_ASSET = "public, max-age=31536000, immutable"

_GALLERY: web.AppKey[Gallery] = web.AppKey("gallery")
_PICTURES: web.AppKey[Pictures] = web.AppKey("pictures")
_COPIES: web.AppKey[Copies] = web.AppKey("copies")
_ASSETS: web.AppKey[dict[str, pages.Asset]] = web.AppKey("assets")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NOT_FOUND = (
    "There is no such picture here.",
    "It may have been deleted, or it is not for everyone.",
)
_SENTENCES = {
    400: ("That address is not right.", "A part of it is not what this page can read."),
    404: _NOT_FOUND,
    405: ("That cannot be done here.", "The gallery can be looked at, and nothing else."),
    503: ("Too many visitors at once.", "Try again in a moment."),
}
_BROKEN = "Something went wrong.", "The cause is in the gallery's log."


def gallery_app(gallery: Gallery, pictures: Pictures) -> web.Application:
    """The gallery's routes, to be served alone or below any path of another application.

    Args:
        gallery: whoever is allowed to read; best a connection of its own, so that visitors never
            keep the bot waiting.
        pictures: those of the same data directory.

    """
    app = web.Application(middlewares=[_explain])
    app[_GALLERY], app[_PICTURES] = gallery, pictures
    app[_COPIES] = Copies(pictures)
    app[_ASSETS] = pages.assets()
    app.on_response_prepare.append(_protect)
    app.on_cleanup.append(_close)
    app.add_routes(
        [
            web.get("/", _wall, name="wall"),
            web.get(f"/p/{{id:{_ID}}}", _picture, name="picture"),
            web.get(f"/p/{{id:{_ID}}}/picture.png", _drawn, name="drawn"),
            web.get(f"/p/{{id:{_ID}}}/thumbnail.png", _thumbnail, name="thumbnail"),
            web.get(f"/p/{{id:{_ID}}}/time-lapse.webp", _time_lapse, name="time-lapse"),
            web.get("/static/{version}/{name}", _asset, name="static"),
        ]
    )
    return app


async def _wall(request: web.Request) -> web.Response:
    gallery = request.app[_GALLERY]
    words = request.query.get("q", "")[:_LONGEST_WORDS].strip()
    before = _before(request)
    # One more tells whether there is another page.
    limit = PAGE_SIZE + 1
    if words:
        jobs = await gallery.gallery_search(words, before=before, limit=limit)
    else:
        jobs = await gallery.gallery_page(before=before, limit=limit)
    shown = jobs[:PAGE_SIZE]
    older = shown[-1].id if len(jobs) > PAGE_SIZE else None
    return _page(
        request,
        pages.wall(_url(request), shown, words=words, older=older, newest=before is None),
    )


def _before(request: web.Request) -> int | None:
    """Before which number a page begins."""
    number = request.query.get("before")
    if number is None:
        return None
    if not re.fullmatch(_ID, number):
        raise web.HTTPBadRequest
    return int(number)


async def _picture(request: web.Request) -> web.Response:
    job = await _visible(request)
    gallery = request.app[_GALLERY]
    parent = None
    if job.parent_id is not None:
        parent = await gallery.gallery_picture(job.parent_id)
    children = await gallery.gallery_children(job.id, limit=_MOST_CHILDREN)
    moves = bool(await request.app[_PICTURES].frames(job.id))
    return _page(
        request, pages.picture(_url(request), job, parent=parent, children=children, moves=moves)
    )


async def _drawn(request: web.Request) -> web.StreamResponse:
    job = await _visible(request)
    assert job.picture is not None
    return await _file(request, job.picture, "image/png")


async def _thumbnail(request: web.Request) -> web.StreamResponse:
    job = await _visible(request)
    if sizes.is_pixel_art(job):
        # The browser enlarges it, without losing an edge.
        assert job.native is not None
        return await _file(request, job.native, "image/png")
    return await _copy(request, job, THUMBNAIL, "image/png")


async def _time_lapse(request: web.Request) -> web.StreamResponse:
    return await _copy(request, await _visible(request), TIME_LAPSE, "image/webp")


async def _asset(request: web.Request) -> web.Response:
    asset = request.app[_ASSETS].get(request.match_info["name"])
    if asset is None or asset.version != request.match_info["version"]:
        raise web.HTTPNotFound
    response = web.Response(body=asset.content, headers={hdrs.CACHE_CONTROL: _ASSET})
    response.content_type, response.charset = asset.content_type, "utf-8"
    response.enable_compression()
    return response


async def _visible(request: web.Request) -> Job:
    """The picture that an address names; the same answer for all that are not to be seen."""
    job = await request.app[_GALLERY].gallery_picture(int(request.match_info["id"]))
    if job is None:
        raise web.HTTPNotFound
    return job


async def _file(request: web.Request, path: str, content_type: str) -> web.FileResponse:
    """A file, by sendfile; the path comes from the database and not from the visitor."""
    found = await request.app[_PICTURES].find(path)
    if found is None:
        raise web.HTTPNotFound
    headers = {hdrs.CACHE_CONTROL: _PICTURE, hdrs.CONTENT_TYPE: content_type}
    return web.FileResponse(found, headers=headers)


async def _copy(request: web.Request, job: Job, name: str, content_type: str) -> web.StreamResponse:
    """A smaller copy, kept since somebody looked first; that one gets it from memory."""
    pictures = request.app[_PICTURES]
    path = copy_path(job.id, name)
    if await pictures.find(path) is not None:
        return await _file(request, path, content_type)
    try:
        data = await request.app[_COPIES].make(job, name)
    except Busy:
        raise web.HTTPServiceUnavailable from None
    # It may have been deleted in between, and then nothing of it may be kept.
    await _visible(request)
    if data is None:
        raise web.HTTPNotFound
    try:
        await pictures.save_copy(job.id, name, data)
    except OSError as error:
        log.warning("job %d: the gallery's copy is not kept: %s", job.id, error)
    headers = {hdrs.CACHE_CONTROL: _PICTURE}
    return web.Response(body=data, content_type=content_type, headers=headers)


def _page(request: web.Request, html: str, status: int = 200) -> web.Response:
    tag = hashlib.sha256(html.encode()).hexdigest()[:32]
    known = {etag.value for etag in request.if_none_match or ()}
    unchanged = status == web.HTTPOk.status_code and tag in known
    response = (
        web.Response(status=web.HTTPNotModified.status_code)
        if unchanged
        else web.Response(text=html, content_type="text/html", status=status)
    )
    response.headers[hdrs.CACHE_CONTROL] = _FRESH
    response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    # Weak: packed or not, it is the same page.
    response.headers[hdrs.ETAG] = f'W/"{tag}"'
    if not unchanged:
        response.enable_compression()
    return response


def _url(request: web.Request) -> pages.Url:
    """Addresses of this application, below whatever path it is served."""
    router, assets = request.app.router, request.app[_ASSETS]

    def url(route: str, query: dict[str, str] | None = None, **parts: object) -> str:
        if route == "static":
            parts["version"] = assets[str(parts["name"])].version
        address = router[route].url_for(**{key: str(part) for key, part in parts.items()})
        return str(address.with_query(query) if query else address)

    return url


@web.middleware
async def _explain(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Give every refusal a page of its own, which says nothing of what was asked for."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < web.HTTPBadRequest.status_code:
            raise
        status = answer.status
    except Exception:
        log.exception("the gallery could not answer")
        status = web.HTTPInternalServerError.status_code
    response = _page(
        request, pages.problem(_url(request), *_SENTENCES.get(status, _BROKEN)), status
    )
    if status == web.HTTPServiceUnavailable.status_code:
        response.headers[hdrs.RETRY_AFTER] = "5"
    return response


async def _protect(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    # Nobody needs to know what answers.
    response.headers[hdrs.SERVER] = "pixel"


async def _close(app: web.Application) -> None:
    await app[_COPIES].close()
