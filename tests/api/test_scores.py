"""Scores are for those clients only whose policy says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jwt
import pytest

from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


@pytest.fixture(scope="module")
def answers(service: Service, photo: Photo) -> dict[bool, list[str]]:
    """Bodies of every endpoint that compares, for a client with and one without the right."""
    person = service.enrol(61)

    def ask(sees_scores: bool) -> list[str]:
        client = service.client(*Scope, sees_scores=sees_scores)
        again = f"C-61-{sees_scores}".lower()
        return [
            client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": photo(61, 2)}).text,
            client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": photo(62, 1)}).text,
            client.post("/v1/identifications", data=FORM, files={"image": photo(61, 2)}).text,
            client.post(f"/v1/persons/{again}/encounters", data=FORM, files=[("images", photo(61, 3))]).text,
            client.get(f"/v1/persons/{person}", params={"purpose": "tax-filing"}).text,
            client.get(f"/v1/persons/{person}/accesses", params={"purpose": "tax-filing"}).text,
            client.get("/v1/galleries").text,
        ]

    return {sees_scores: ask(sees_scores) for sees_scores in (False, True)}


def test_a_client_without_the_right_never_sees_one(answers: dict[bool, list[str]]) -> None:
    for text in answers[False]:
        assert 'similarity":' not in text.replace(" ", "")
        assert not _fractions(text)


def test_a_client_with_the_right_sees_them(answers: dict[bool, list[str]]) -> None:
    for text in answers[True][:4]:
        assert _fractions(text), text


def test_no_receipt_holds_one_whoever_asks(answers: dict[bool, list[str]]) -> None:
    receipts = [text for sees in (False, True) for text in re.findall(r'"receipt":"([^"]+)"', "".join(answers[sees]))]
    assert len(receipts) == 6
    for receipt in receipts:
        claims = jwt.decode(receipt, options={"verify_signature": False})
        assert not [value for value in claims.values() if isinstance(value, float)]


def _fractions(text: str) -> list[str]:
    """Numbers with many decimals, as a similarity has; error rates and times have few."""
    return re.findall(r"(?<!\d)[01]\.\d{5,}", text)
