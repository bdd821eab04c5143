"""Templates become pages. One environment for all of them: everything is escaped, an unknown name
is an error, and a template may ask by name for its script, its styles or a vendored file."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

from app import __version__, paths
from app.web import bundle, vendor
from app.web.assets import REVALIDATE, Asset

THEME = re.compile(r"(?:^|;)\s*backstep-theme=(light|dark)\s*(?:;|$)")


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


def theme(headers: Headers) -> str:
    """Light or dark, if the visitor has chosen (static/js/theme.js): it stands in the page itself,
    so that no other is seen before.
    """
    found = THEME.search(headers.get("cookie", ""))
    return found[1] if found else ""


def page(
    template: str, /, headers: Headers | None = None, *, status_code: int = 200, **context: object
) -> HTMLResponse:
    chosen = theme(headers) if headers else ""
    html = environment().get_template(template).render(context, theme=chosen)
    return HTMLResponse(html, status_code, headers={"cache-control": "no-cache"})


def kept(headers: Headers, template: str, /, **context: object) -> Response:
    """A page that is the same for everybody: packed once, and not sent to who has it already."""
    html = environment().get_template(template).render(context, theme=theme(headers))
    return _packed(html).answer(headers, cache=REVALIDATE)


@lru_cache(maxsize=128)
def _packed(html: str) -> Asset:
    return Asset.of(html.encode(), ".html")
