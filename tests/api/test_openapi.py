"""The published OpenAPI document is the committed one, so that whoever changes the API's contract does so knowingly."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api.conftest import Service

COMMITTED = Path(__file__).with_name("openapi.json")


def test_the_openapi_document_is_the_committed_one(service: Service, tmp_path: Path) -> None:
    served = json.dumps(service.stranger().get("/openapi.json").json(), indent=2, ensure_ascii=False) + "\n"
    committed = COMMITTED.read_text(encoding="utf-8")
    changes = difflib.unified_diff(committed.splitlines(), served.splitlines(), "committed", "served", lineterm="", n=1)
    now = tmp_path / COMMITTED.name
    now.write_text(served, encoding="utf-8")
    told = f"the document changed; where that is meant, copy {now} over tests/api/{COMMITTED.name}\n"
    assert served == committed, told + "\n".join(changes)
