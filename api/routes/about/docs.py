"""GET /docs: the description as a page to read and try, with nothing loaded from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only_parameters
from api.http.responses import response_with_etag

router = APIRouter(prefix="/docs", tags=["service"], dependencies=[Depends(only_parameters())])

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
"""Swagger UI, as its package holds it."""
START = b"""\
window.addEventListener("load", function () {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
});
"""
PAGE = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Daylight: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<main id="docs"></main>
<noscript>This page needs JavaScript; the description itself is <a href="/openapi.json">openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
GUARD = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
}
"""Only what this service serves is loaded; a token that is typed in stays in the page."""


@router.get("", summary="This description as a page")
async def page(request: Request) -> Response:
    """Every operation with its words, codes and refusals, to be tried with a token. Open to all."""
    return response_with_etag(request, PAGE, "text/html; charset=utf-8", GUARD)


@router.get("/{name}", summary="What the page is made of")
def asset(request: Request, name: str) -> Response:
    """Scripts, styles and the icon of the page."""
    if name == "start.js":
        return response_with_etag(request, START, ASSETS["swagger-ui-bundle.js"], GUARD)
    if name not in ASSETS:
        raise HTTPException(404)
    return response_with_etag(
        request, (files("fastapi_swagger.resources") / name).read_bytes(), ASSETS[name], GUARD
    )
