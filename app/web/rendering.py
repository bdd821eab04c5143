"""Templates become pages. One environment for all of them: everything is escaped, an unknown name
is an error, and a template may ask by name for its script, its styles or a vendored file."""

from __future__ import annotations

from functools import cache, lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from app import __version__, paths
from app.web import bundle, vendor
from app.web.assets import REVALIDATE, Asset


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(paths.templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(version=__version__, bundle=bundle.url, vendor=vendor.url)
    return made


def page(template: str, /, *, status_code: int = 200, **context: object) -> HTMLResponse:
    html = environment().get_template(template).render(context)
    return HTMLResponse(html, status_code, headers={"cache-control": "no-cache"})


def kept(headers: Headers, template: str, /, **context: object) -> Response:
    """A page that is the same for everybody: packed once, and not sent to who has it already."""
    html = environment().get_template(template).render(context)
    return _packed(html).answer(headers, cache=REVALIDATE)


@lru_cache(maxsize=64)
def _packed(html: str) -> Asset:
    return Asset.of(html.encode(), ".html")
