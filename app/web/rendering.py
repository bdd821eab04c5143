"""Templates become pages. One environment for all of them: everything is escaped, an unknown name
is an error, and a template may ask by name for its script, its styles or a vendored file."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app import __version__, paths
from app.web import bundle, vendor


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
