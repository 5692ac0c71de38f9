"""The digest and the log name of every kind of row are those that existing audit logs hold, byte for byte.

The literals were computed by the release before the rows were declared; a new one here means that no deployment's
records agree with its log any more.
"""

from dataclasses import replace
from typing import Any

import pytest

from idverify.ids import (
    CaseId,
    ClientId,
    EncounterId,
    GalleryId,
    ModelDigest,
    PersonId,
    Pseudonym,
    StaffId,
    StationId,
    TemplateId,
)
from idverify.protection.envelope import WrappedKey
from idverify.protection.template import ProtectedTemplate
from idverify.storage.approvals import ProposalRow, ProposalState
from idverify.storage.case_opinions import ContestRow, OpinionRow
from idverify.storage.cases import CaseMemberRow, CaseRow, CaseState
from idverify.storage.clients import ClientRow, CredentialRow
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.galleries import GalleryRow
from idverify.storage.images import ImageRow
from idverify.storage.persons import PersonRow, PersonStatus
from idverify.storage.staff import StaffCredentialRow, StaffRow
from idverify.storage.stations import StationRow

_MADE, _LATER = "2026-11-21T09:30:00.000000Z", "2026-11-22T10:45:00.000000Z"
_REGISTER, _PAYROLL = GalleryId("civil-register"), GalleryId("payroll")
_MODEL, _NEXT_MODEL = ModelDigest("ab" * 32), ModelDigest("cd" * 32)

PERSON = PersonRow(PersonId("P-1"), Pseudonym("p-7f"), WrappedKey(3, b"wrapped key"), _MADE)
ENCOUNTER = EncounterRow(
    encounter=EncounterId("e-1"),
    person=PersonId("P-1"),
    created_at=_MADE,
    source="station",
    galleries=(_PAYROLL, _REGISTER),
    client=ClientId("revenue-authority"),
    clerk="clerk.one",
    station="maseru-2",
    review=Review.PENDING,
    detail=b"sealed detail",
)
TEMPLATE = ProtectedTemplate(
    template=TemplateId("t-1"),
    encounter=EncounterId("e-1"),
    person=PersonId("P-1"),
    generation=2,
    model=_MODEL,
    dimension=128,
    dtype="<f4",
    sealed=b"sealed vector",
)
IMAGE = ImageRow("i-1", EncounterId("e-1"), PersonId("P-1"), 2, "image/jpeg", b"sealed image")
GALLERY = GalleryRow(
    gallery=_REGISTER,
    demonstration=False,
    model=_MODEL,
    created_at=_MADE,
    policy={"threshold": 0.4125, "keep_images": True, "purposes": ["tax-filing", "payroll"]},
)
CLIENT = ClientRow(
    client=ClientId("revenue-authority"),
    scopes=("verify", "identify"),
    galleries=(_REGISTER, _PAYROLL),
    purposes=("tax-filing",),
    sees_scores=True,
    created_at=_MADE,
    status="suspended",
)
CREDENTIAL = CredentialRow(ClientId("revenue-authority"), "c-1", "secret", b"hmac", _MADE, _LATER)
STAFF = StaffRow(
    staff=StaffId("clerk.one"),
    display_name="Clerk One",
    roles=("clerk", "supervisor"),
    galleries=(_REGISTER, _PAYROLL),
    created_at=_MADE,
    language="st",
)
STAFF_CREDENTIAL = StaffCredentialRow("k-1", StaffId("clerk.one"), "passkey", "blue key", b"cose key", _MADE, None, 7)
STATION = StationRow(
    station=StationId("maseru-2"),
    gallery=_REGISTER,
    created_at=_MADE,
    public_key=b"public key",
    code=b"digest of a code",
    code_expires_at=_LATER,
)
PROPOSAL = ProposalRow(
    act="person.erase",
    parameters='{"person":"P-1"}',
    proposer="root@host",
    request="r-1",
    proposed_at=_MADE,
    expires_at=_LATER,
)
CASE = CaseRow(
    case=CaseId("case-1"),
    origin="enrolment",
    source="e-1",
    strength="strong",
    members=2,
    galleries=(_PAYROLL, _REGISTER),
    opened_at=_MADE,
    evidence=b"sealed evidence",
    round=2,
    state=CaseState.DECIDED,
    finding="same person",
    decided_by="analyst.two",
    decided_at=_LATER,
)
MEMBER = CaseMemberRow(CaseId("case-1"), 1, PersonId("P-1"), EncounterId("e-1"))
OPINION = OpinionRow(CaseId("case-1"), "analyst.one", 1, False, "same person", _MADE, b"sealed note")
CONTEST = ContestRow(CaseId("case-1"), 1, "clerk.one", _LATER, b"sealed statement")

LOGGED = [
    (PERSON, "persons/p-7f", "18f0e7b95481cfa5afb9c88c787a24052c5e803ec75e68e78aa308c9961a5ef0"),
    (
        replace(PERSON, status=PersonStatus.DECEASED),
        "persons/p-7f",
        "5c5e071bacdc103e1a1751da0255e0c281bfaab1f19a1b125436f3a1eda51e32",
    ),
    (ENCOUNTER, "encounters/e-1", "9cfd07107582ef7427dbb2d226607e0515a890d38ae44c3ec24b902241013cae"),
    (
        replace(ENCOUNTER, client=None, clerk=None, station=None, review=Review.NONE, detail=None, galleries=()),
        "encounters/e-1",
        "27879f6b61c37ca6ce262582fb67b6aee4d64b43359f3a2205007ded620e8036",
    ),
    (TEMPLATE, "templates/t-1", "0ee1362cb782efd215eba148be8faa0847b467a8b32501228f7ad52f137ebf99"),
    (IMAGE, "images/i-1", "6de913b3b8e6306e24460e77d422f6adeac4a6a65fe9cde2d8819db23360b8aa"),
    (GALLERY, "galleries/civil-register", "abe6caeb4b62286a3d5e2cd9be5a02156325a31265790f3e8dadb58bdc948f89"),
    (
        replace(GALLERY, policy={}, demonstration=True),
        "galleries/civil-register",
        "3f5f44f4a82a0890e46834a6419db5f191e41489bb24552f12e9207c1fa50ef6",
    ),
    (
        replace(GALLERY, moving_to=_NEXT_MODEL),
        "galleries/civil-register",
        "9dab13e78cf007993c893cbdad25a9466885dc61696638389843996386dfb295",
    ),
    (CLIENT, "clients/revenue-authority", "2bf5f540dd9f96a0386cdb40bca368d5efb091048d3e90f2815e9c68426a91d4"),
    (
        replace(CLIENT, requests_per_minute=60),
        "clients/revenue-authority",
        "d0fa81a831f2447720f5ff7da3f5318f12984c2658fafcd7db25313e451e0412",
    ),
    (
        replace(CLIENT, identifications_per_day=0),
        "clients/revenue-authority",
        "2bb42543e5bc16bbc6504a10c6e503327bfbd63b43393534c4094c046b7207e9",
    ),
    (
        replace(CLIENT, scopes=(), galleries=(), purposes=(), sees_scores=False),
        "clients/revenue-authority",
        "c9f040b059885889251023b69c6439ae7ac86e5aa8703da003f00976ffbdc6f1",
    ),
    (
        CREDENTIAL,
        "client_credentials/revenue-authority/c-1",
        "a5f5f07b5547b141fad86e89be7507e27da49f9381058e9aad58de406c44b655",
    ),
    (
        replace(CREDENTIAL, expires_at=None),
        "client_credentials/revenue-authority/c-1",
        "c0662aa7edb33a48d23c2edc062185ec8674fcb0b0ef27c536a247a916928eb8",
    ),
    (STAFF, "staff/clerk.one", "04776d9e167cd4e78b068058b511ac0bb9d3a16a3ac480a2c76c6de3ef7f36dd"),
    (
        replace(STAFF, galleries=()),
        "staff/clerk.one",
        "6de09891732705945458a2715617813cc9d03493be9943812fe4ed3a87ddf525",
    ),
    (STAFF_CREDENTIAL, "staff_credentials/k-1", "99591ed9e4f9177e2ec6b8757ae80af8d59524fe1f71239222d38161fd194cfb"),
    (STATION, "stations/maseru-2", "6c329f16c46f85b17a7ce135de6cdba6f655ec52597f05463d3173cc1ca6d832"),
    (
        StationRow(StationId("maseru-2"), _REGISTER, _MADE),
        "stations/maseru-2",
        "5e392c26fa241ebca4fae9f42f1747b2353e24261ac3f9593032c868855f32ea",
    ),
    (PROPOSAL, "approvals/3bf944896af2a401", "3bf944896af2a4010d400410113a4e5d63f5efa3edac7d32f8b74b9c56360b31"),
    (CASE, "cases/case-1", "1dda099d3156bd8e58a158ba72044e82e004cdb28efd2403d342f7739cf27793"),
    (
        replace(CASE, round=1, state=CaseState.OPEN, finding=None, decided_by=None, decided_at=None),
        "cases/case-1",
        "fe2688f11ec9c062859ca73e47fddd9796a2947e151dfb62c8a6ae7826b97e05",
    ),
    (MEMBER, "case_members/case-1/1", "02ec1a430e466c799c4d1abad40bf62ca9af32e2936c073579c28f1c17a72cff"),
    (
        replace(MEMBER, person=None, encounter=None),
        "case_members/case-1/1",
        "7d6e5ca33da1ff435aa123f73d4a9a767289ea8610cf11a6c3333499138a6647",
    ),
    (OPINION, "case_opinions/case-1/analyst.one", "786a1c9f203815f44a730e0aa564d6b409455f5ae656db90de93a51df288144e"),
    (
        replace(OPINION, lead=True),
        "case_opinions/case-1/analyst.one",
        "1e138893e126f6568a2661184d17bef0d30d3881360005013912d44c0d3ba79e",
    ),
    (CONTEST, "case_contests/case-1/1", "d92476b496ee0572f3fdd8a20cc5bbe1ad8f2e1e467e3cb9c831750318b098e1"),
]

LEFT_OUT = [
    (STAFF, {"language": "en"}),
    (STAFF_CREDENTIAL, {"uses": 8}),
    (PROPOSAL, {"state": ProposalState.CONFIRMED}),
    (PROPOSAL, {"decider": "second@host"}),
    (PROPOSAL, {"decided_at": _LATER}),
]


@pytest.mark.parametrize(("row", "log_name", "digest"), LOGGED)
def test_a_row_has_the_log_name_and_the_digest_that_existing_logs_hold(row: Any, log_name: str, digest: str) -> None:
    assert (row.log_name, row.digest) == (log_name, digest)


@pytest.mark.parametrize(("row", "change"), LEFT_OUT)
def test_what_is_left_out_of_the_digest_does_not_change_it(row: Any, change: dict[str, Any]) -> None:
    assert replace(row, **change).digest == row.digest


def test_the_order_in_which_galleries_were_named_does_not_change_the_digest() -> None:
    for row in (ENCOUNTER, CASE):
        assert replace(row, galleries=(_REGISTER, _PAYROLL)).digest == row.digest
