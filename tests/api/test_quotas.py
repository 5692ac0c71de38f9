"""Requests a minute by client: 429 with Retry-After, before anything of the request is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.quotas import Quotas
from idverify.clients.agencies import Client, Scope
from idverify.errors import QuotaExceeded
from idverify.ids import ClientId
from tests.api.conftest import ADMINISTRATION, open_engine, served

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import Photo, Problem, Service

REVENUE, TRANSPORT, HASTY = (
    Client(ClientId(name), frozenset(), frozenset(), frozenset(), False, False, "", None, quota)
    for name, quota in (("revenue-authority", None), ("transport-authority", None), ("hasty-authority", 5))
)


@pytest.fixture
def thrifty_service(tmp_path: Path, model_dir: Path) -> Iterator[Service]:
    """A service that allows three requests a minute and client, and one search a day."""
    with (
        open_engine(
            tmp_path, model_dir, requests_per_client_per_minute=3, identifications_per_client_per_day=1
        ) as engine,
        served(engine) as running,
    ):
        # In the middle of a minute, whatever the clock on the wall says.
        running.engine.journal._clock = lambda: datetime(2026, 11, 21, 9, 30, 20, tzinfo=UTC)
        yield running


def test_each_client_has_its_own_minute() -> None:
    now = datetime(2026, 11, 21, 9, 30, 59, tzinfo=UTC)
    quotas = Quotas(2, lambda: now)
    for client in (REVENUE, TRANSPORT):
        quotas.spend(client)
        quotas.spend(client)
        with pytest.raises(QuotaExceeded, match="2 a minute") as refused:
            quotas.spend(client)
        assert refused.value.retry_after_s == 1
    for _ in range(5):  # a quota of its own
        quotas.spend(HASTY)
    with pytest.raises(QuotaExceeded, match="5 a minute"):
        quotas.spend(HASTY)
    now += timedelta(seconds=1)
    quotas.spend(REVENUE)


def test_the_api_refuses_what_is_beyond_the_minute(thrifty_service: Service, problem: Problem) -> None:
    client = thrifty_service.client(Scope.AUDIT_READ)
    assert [client.get("/v1/galleries").status_code for _ in range(3)] == [200, 200, 200]
    for method, path in (
        ("GET", "/v1/galleries"),
        ("GET", "/v1/persons/C-1?purpose=tax-filing"),
        ("POST", "/v1/verifications"),
        ("POST", "/v1/identifications"),
        ("POST", "/v1/persons/C-1/encounters"),
    ):
        refused = client.request(method, path)
        problem(refused, 429, "quota_exceeded")
        assert refused.headers["retry-after"] == "40"
    assert thrifty_service.client(Scope.VERIFY).get("/v1/galleries").status_code == 200
    assert thrifty_service.stranger().get("/healthz").status_code == 200


def test_a_search_beyond_the_day_is_refused(thrifty_service: Service, photo: Photo, problem: Problem) -> None:
    thrifty_service.enrol(70)
    client = thrifty_service.client(Scope.IDENTIFY)
    form = {"gallery": "demo-register", "purpose": "tax-filing"}
    answers = [client.post("/v1/identifications", data=form, files={"image": photo(70, 2)}) for _ in range(2)]
    assert answers[0].status_code == 200
    problem(answers[1], 429, "quota_exceeded")
    assert int(answers[1].headers["retry-after"]) == (14 * 60 + 29) * 60 + 40


def _opens_in_s(answer: httpx.Response) -> int:
    return int(answer.headers["retry-after"])


def test_a_client_has_the_quotas_that_it_was_given_at_once(thrifty_service: Service, photo: Photo) -> None:
    thrifty_service.enrol(70)
    client = thrifty_service.client(Scope.IDENTIFY)
    form = {"gallery": "demo-register", "purpose": "tax-filing"}

    def limited(requests: int | None, searches: int | None) -> list[httpx.Response]:
        name = ClientId(client.headers["x-client"])
        thrifty_service.engine.clients.limit(
            name, ADMINISTRATION, requests_per_minute=requests, identifications_per_day=searches
        )
        return [client.post("/v1/identifications", data=form, files={"image": photo(70, 2)}) for _ in range(3)]

    answers = limited(9, 2)
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert _opens_in_s(answers[2]) > 60 * 60  # the day's
    answers = limited(4, 5)
    assert [one.status_code for one in answers] == [200, 429, 429]
    assert _opens_in_s(answers[1]) == 40  # the minute's
    assert [one.status_code for one in limited(None, None)] == [429, 429, 429]


def test_a_locked_channel_is_a_problem_of_its_own(
    tmp_path: Path, model_dir: Path, photo: Photo, problem: Problem
) -> None:
    with open_engine(tmp_path, model_dir, consecutive_failures_per_person=1) as engine, served(engine) as service:
        person, client = service.enrol(71), service.client(Scope.VERIFY)
        told = []
        for number in (person, "C-nobody"):
            form = {"gallery": "demo-register", "person": number, "purpose": "tax-filing"}
            assert client.post("/v1/verifications", data=form, files={"image": photo(72, 1)}).status_code == 200
            refused = client.post("/v1/verifications", data=form, files={"image": photo(71, 2)})
            told.append(problem(refused, 423, "channel_locked") | {"request_id": ""})
        assert told[0] == told[1]
