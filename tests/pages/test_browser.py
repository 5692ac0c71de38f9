"""What a browser says of itself is not believed."""

import pytest

from pages.browser import HOME, wants_json, within_pages


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "/healthz",
        "staff/",
        "/staff",
        "/staffroom/",
        "https://elsewhere.example/staff/",
        "//elsewhere.example/staff/",
        "/staff//elsewhere.example",
        "/staff/\\elsewhere.example",
        "/staff/\r\nSet-Cookie: x",
        "/staff/\u202eelsewhere",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_not_one_of_our_pages_leads_home(address: str) -> None:
    assert within_pages(address) == HOME


def test_an_address_of_ours_is_kept() -> None:
    assert within_pages("/staff/supervisor?day=2026-11-21&page=2") == "/staff/supervisor?day=2026-11-21&page=2"


def test_scripts_ask_for_json_and_browsers_do_not() -> None:
    assert wants_json({"accept": "application/json"})
    assert not wants_json({"accept": "text/html,application/xhtml+xml,application/json;q=0.9"})
    assert not wants_json({})
