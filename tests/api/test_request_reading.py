"""What bodies may be, whichever operation they are sent to."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from starlette import types

from api.limits import BodyLimit
from api.problems import BodyTooLarge
from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing", "person": "C-1"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client(service: Service) -> httpx.Client:
    return service.client(Scope.VERIFY, Scope.ENROL)


def _json_of_bytes(n_bytes: int) -> bytes:
    head = json.dumps({**FORM, "image": ""})[:-2].encode()
    return head + b"A" * (n_bytes - len(head) - 2) + b'"}'


@pytest.mark.parametrize("n_bytes", [8 * MIB, 40 * MIB])
def test_a_body_that_is_declared_too_large_is_refused(client: httpx.Client, problem: Problem, n_bytes: int) -> None:
    answer = client.post(
        "/v1/verifications", content=_json_of_bytes(n_bytes), headers={"Content-Type": "application/json"}
    )
    problem(answer, 413, "body_too_large")


def test_a_body_that_streams_too_much_is_refused(client: httpx.Client, problem: Problem) -> None:
    chunks = (b"A" * MIB for _ in range(60))
    answer = client.post("/v1/verifications", content=chunks, headers={"Content-Type": "application/json"})
    problem(answer, 413, "body_too_large")


def test_no_byte_beyond_the_cap_is_taken_whatever_the_declaration_says() -> None:
    taken = 0

    async def receive() -> types.Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"12345", "more_body": True}

    async def read_everything(_scope: types.Scope, receive: types.Receive, _send: types.Send) -> None:
        while True:
            await receive()

    async def send(_message: types.Message) -> None:
        raise AssertionError

    limited = BodyLimit(read_everything, lambda path: 12)
    for declared, chunks in ((b"10", 3), (b"12", 3), (b"x", 3), (b"13", 0)):
        taken = 0
        scope = {"type": "http", "path": "/", "headers": [(b"content-length", declared)]}
        # In a thread of its own, because a browser of another test may keep a loop running in this one.
        with pytest.raises(BodyTooLarge), ThreadPoolExecutor(1) as threads:
            threads.submit(asyncio.run, limited(scope, receive, send)).result()
        assert taken == chunks


def test_five_photographs_have_room_that_one_has_not(client: httpx.Client, problem: Problem) -> None:
    body = _json_of_bytes(8 * MIB)
    answer = client.post("/v1/persons/C-1/encounters", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "request_invalid")


def test_a_photograph_over_the_cap_is_rejected_even_when_the_body_fits(client: httpx.Client, problem: Problem) -> None:
    answer = client.post("/v1/verifications", data=FORM, files={"image": b"\xff\xd8\xff" + bytes(5 * MIB)})
    problem(answer, 422, "image_too_large")


GARBAGE = {
    "text": (b"not a photograph at all", "image_format_unsupported"),
    "gif": (b"GIF89a" + bytes(2000), "image_format_unsupported"),
    "jpeg head only": (b"\xff\xd8\xff\xe0", "image_corrupt"),
    "png head only": (b"\x89PNG\r\n\x1a\n", "image_corrupt"),
    "noise": (np.random.default_rng(1).bytes(50_000), "image_format_unsupported"),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_rejected_with_the_code_of_its_fault(client: httpx.Client, problem: Problem, kind: str) -> None:
    data, code = GARBAGE[kind]
    problem(client.post("/v1/verifications", data=FORM, files={"image": data}), 422, code)
    encoded = base64.b64encode(data).decode()
    problem(client.post("/v1/verifications", json={**FORM, "image": encoded}), 422, code)


def test_half_a_photograph_is_rejected(client: httpx.Client, photo: Photo, problem: Problem) -> None:
    half = photo(1, 1)[: len(photo(1, 1)) // 2]
    problem(client.post("/v1/verifications", data=FORM, files={"image": half}), 422, "image_corrupt")


@pytest.mark.parametrize("content_type", ["text/plain", "image/jpeg", "application/xml", "", "application/jsonp"])
def test_other_content_types_are_refused(client: httpx.Client, problem: Problem, content_type: str) -> None:
    answer = client.post("/v1/verifications", content=b"{}", headers={"Content-Type": content_type})
    problem(answer, 415, "content_type_unsupported")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"person":"C-1","person":"C-2"}']
)
def test_json_that_is_not_an_object_is_refused(client: httpx.Client, problem: Problem, body: bytes) -> None:
    answer = client.post("/v1/verifications", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "request_invalid")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"not the boundary"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="person"\r\n\r\ncut o'),
        ("multipart/form-data; boundary=" + "b" * 5000, b"x"),
    ],
)
def test_malformed_multipart_is_refused(client: httpx.Client, problem: Problem, content_type: str, body: bytes) -> None:
    answer = client.post("/v1/verifications", content=body, headers={"Content-Type": content_type})
    problem(answer, 422, "request_invalid")


def test_every_wrong_field_is_named_at_once_and_no_value_is_repeated(client: httpx.Client, problem: Problem) -> None:
    sent = {"gallery": "Not-A-Gallery", "person": "no/such number", "image": "not base64 either", "porpoise": "whale"}
    answer = client.post("/v1/verifications", json=sent)
    errors = problem(answer, 422, "request_invalid")["errors"]
    assert sorted(error["field"] for error in errors) == ["(unknown)", "gallery", "image", "person", "purpose"]
    assert not [text for text in (*sent.values(), "porpoise") if text in answer.text]
    unknown = next(error for error in errors if error["field"] == "(unknown)")
    assert unknown["problem"] == "unknown field; expected gallery, person, purpose, image, nonce"


def test_a_field_that_stands_twice_is_refused(client: httpx.Client, photo: Photo, problem: Problem) -> None:
    answer = client.post("/v1/verifications", data=FORM | {"person": ["C-1", "C-2"]}, files={"image": photo(1, 1)})
    assert problem(answer, 422, "request_invalid")["errors"][0]["field"] == "person"
    twice = client.post("/v1/verifications", data=FORM, files=[("image", photo(1, 1)), ("image", photo(2, 1))])
    assert problem(twice, 422, "request_invalid")["errors"][0]["field"] == "image"


def test_a_forgotten_at_sign_is_explained(client: httpx.Client, problem: Problem) -> None:
    answer = client.post(
        "/v1/verifications", files={name: (None, value) for name, value in {**FORM, "image": "photo.jpg"}.items()}
    )
    assert "image=@photo.jpg" in problem(answer, 422, "request_invalid")["errors"][0]["problem"]


def test_a_person_number_in_the_path_has_a_form_too(client: httpx.Client, problem: Problem) -> None:
    answer = client.get("/v1/persons/%20x", params={"purpose": "tax-filing"})
    problem(answer, 422, "request_invalid")


def test_no_photograph_is_written_to_a_temporary_file(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, problem: Problem
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    answer = client.post("/v1/verifications", data=FORM, files={"image": b"\xff\xd8\xff" + bytes(4 * MIB)})
    problem(answer, 422, "image_corrupt")


def test_a_client_that_hangs_up_in_the_middle_harms_nobody(
    service: Service, client: httpx.Client, photo: Photo
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"{"
        raise ConnectionAbortedError

    impatient = service.client(Scope.VERIFY)
    with pytest.raises(ConnectionAbortedError):
        impatient.post("/v1/verifications", content=broken(), headers={"Content-Type": "application/json"})
    assert isinstance(client.get("/healthz"), httpx.Response)
