"""/docs as people see it: in a real browser, under the policy that it is served with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.requirements import missing

if TYPE_CHECKING:
    from tests.api.conftest import Service


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("no chromium on the PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_the_page_shows_every_endpoint_and_breaks_its_policy_nowhere(service: Service, page: Page) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{service.url}/docs")
    operations = service.stranger().get("/openapi.json").json()["paths"].values()
    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in operations))
    page.locator("#operations-verification-verify .opblock-summary-control").click()
    expect(page.locator("#operations-verification-verify")).to_contain_text("Idempotency-Key")
    page.locator(".auth-wrapper .authorize").first.click()
    expect(page.locator(".dialog-ux .modal-ux")).to_be_visible()
    assert said == []
    assert all(url.startswith((service.url, "data:")) for url in asked)
