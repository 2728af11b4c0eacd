"""The API's document and the pages that show it."""

import json
from functools import cache
from typing import Any

from litestar import MediaType, Request, Response, route

from houbao.web.api.operations import OPERATIONS
from houbao.web.guard import on
from houbao.web.openapi import document
from houbao.web.operation import READ
from houbao.web.permissions import PUBLIC

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Houbao: the API</title>
<script type="module" src="/static/vendor/rapidoc-9.3.8/rapidoc-min.js"></script>
<rapi-doc spec-url="/openapi.json" render-style="read" load-fonts="false" show-header="false" theme="light"
  allow-server-selection="false" show-method-in-nav-bar="as-colored-text" schema-style="table"></rapi-doc>
<noscript>This page needs JavaScript; the document itself is <a href="/openapi.json">openapi.json</a>.</noscript>
</html>
"""

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
"""This page alone may style itself: the vendored reader writes its styles into its own shadow tree. No script may."""


@cache
def openapi() -> bytes:
    """The document, made once."""
    return json.dumps(document(OPERATIONS), ensure_ascii=False).encode()


@route("/openapi.json", http_method=READ, opt=on(PUBLIC), sync_to_thread=True)
def read_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The API's document, OpenAPI 3.1."""
    return Response(openapi(), media_type="application/json", headers={"cache-control": "public, max-age=60"})


@route("/docs", http_method=READ, opt=on(PUBLIC), sync_to_thread=False)
def read_docs(request: Request[Any, Any, Any]) -> Response[str]:
    """The document as a page."""
    return Response(PAGE, media_type=MediaType.HTML, headers={"content-security-policy": POLICY})
