"""Puts the application together: routes, middleware and error handling around one engine.

It must not open or close the engine: whoever serves the application does.
"""

import secrets
from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware import Middleware

from analysis.deduplication.background_searches import BackgroundSearches
from analysis.deduplication.composition import DeduplicationParts
from api import (
    duplicate_searches,
    encounters,
    galleries,
    health,
    identifications,
    metrics,
    openapi,
    persons,
    problems,
    receipts,
    swagger_ui,
    tokens,
    verifications,
)
from api.certificates import CertificateSource
from api.limits import BodyLimit, body_max_bytes
from api.observe import Observe
from api.quotas import Quotas
from idverify import __version__
from idverify.engine import Engine
from staff.app import mount_pages

_DESCRIPTION = """
Face identity verification for government systems.

- **Key**: send `Authorization: Bearer KEY`. A key belongs to one agency and has scopes, galleries and purposes.
  Instead of a key it may be a token of five minutes from `POST /oauth/token`.
- **Photographs**: JPEG or PNG, sides 200 to 6,000 px, at most 5 MiB; as file parts of
  `multipart/form-data`, or as base64 in JSON.
- **Answers**: `match`, `no_match` or `not_processed`, with a reason and a signed receipt that can be checked offline.
  There is no score to tune against. Every answer is recorded in an audit log that the person can read.
- **Errors**: RFC 9457 problem documents (`application/problem+json`). Decide on `code`, which is stable.
- **Retries**: send an `Idempotency-Key` with what writes; the same key and request act once and are answered alike.
- **Request ids**: send your own `X-Request-ID` (8 to 64 of `A-Z a-z 0-9 . _ -`) or get one; it stands in
  answers, receipts, problems and the audit log.

```
curl -H "Authorization: Bearer $KEY" -F gallery=civil-register -F person=P-1024-7 -F purpose=tax-filing \\
     -F image=@photo.jpg http://localhost:8080/v1/verifications
```
"""
_ROUTES = (
    verifications,
    identifications,
    encounters,
    persons,
    duplicate_searches,
    galleries,
    tokens,
    receipts,
    health,
    metrics,
    swagger_ui,
)


def _request_id() -> str:
    return secrets.token_hex(16)


def create_app(engine: Engine, *, new_request_id: Callable[[], str] = _request_id) -> FastAPI:
    """The ASGI application on an open engine, which the caller keeps open while it serves and closes afterwards."""
    measured = metrics.Metrics(engine)
    app = FastAPI(
        title="idverify",
        version=__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        # FastAPI's own spans and logs hold paths (with person numbers) and rejected input.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        middleware=[
            Middleware(Observe, metrics=measured, new_request_id=new_request_id),
            Middleware(BodyLimit, max_bytes=body_max_bytes),
        ],
    )
    app.state.engine = engine
    app.state.metrics = measured
    app.state.searching = BackgroundSearches(DeduplicationParts.of(engine.deployment).searches)
    app.state.certificates = CertificateSource.of(engine.settings)
    app.state.quotas = Quotas(engine.settings.requests_per_client_per_minute, engine.journal.now)
    for resource in _ROUTES:
        app.include_router(resource.router)
    swagger_ui.mount_assets(app)
    mount_pages(app, engine)
    problems.install(app)
    openapi.install(app)
    return app
