"""The bodies that the API answers with. None has a field for a photograph or a template; scores are optional in all."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from enrolment.enroller import EnrolmentOutcome
from idverify.clients.agencies import Client
from idverify.encounters.register import ReviewReason
from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.matching.decision import Candidate, Outcome
from idverify.matching.operating_point import Population
from idverify.reasons import Reason
from idverify.vision.liveness import AttackFinding
from idverify.vision.quality import Advice

UtcTime = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:30:00.000Z"])]


class AdviceItem(BaseModel):
    """What would make the next photograph better."""

    code: str = Field(examples=["move_closer"])
    text: str = Field(examples=["Move closer to the camera."])


Receipt = Annotated[
    str,
    Field(
        description="The answer as a compact JWS (EdDSA); its keys are at /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJhdWQiOiJyZXZlbnVlLWF1dGhvcml0eSJ9.c2lnbmF0dXJl"],
    ),
]


class SignedAnswer(BaseModel):
    """What verifications and identifications have in common."""

    outcome: Outcome
    reason: Reason
    gallery: GalleryId
    purpose: str
    request_id: str
    nonce: str | None = Field(None, description="The request's, where it had one.")
    policy: str = Field(description="Operating point and rules that the answer was given under.")
    decided_at: UtcTime
    expires_at: UtcTime = Field(description="Do not rely on the answer after this time.")
    audit_position: int = Field(description="Sequence number of the audit leaf that records this answer.")
    demonstration: bool = Field(
        description="True: the gallery holds rendered people; the answer says nothing of real ones."
    )
    population: Population = Field(description="The population that the operating point was calibrated on.")
    presentation_attack: AttackFinding
    advice: list[AdviceItem]


class VerificationAnswer(SignedAnswer):
    """The answer to a verification. `similarity` is present only for clients whose policy says so."""

    person: PersonId
    similarity: float | None = Field(None, description="Only for clients that may see scores; absent for all others.")
    receipt: Receipt


class CandidateItem(BaseModel):
    """One person whom a search found."""

    person: PersonId
    encounter: EncounterId
    similarity: float | None = Field(None, description="Only for clients that may see scores; absent for all others.")


class IdentificationAnswer(SignedAnswer):
    """The answer to an identification. A candidate never declines anyone by itself: it goes to a person."""

    candidates: list[CandidateItem]
    enrolled: int = Field(description="How many people were searched.")
    fpir: float = Field(description="The false-positive identification rate that the threshold was worked out for.")
    receipt: Receipt


class EnrolmentAnswer(BaseModel):
    """What became of an encounter. Enrolled and needs_review are stored; refused is not, and says what would help."""

    outcome: EnrolmentOutcome
    reason: Reason | None = None
    review_reasons: list[ReviewReason] = Field(description="Why an officer should look at the encounter.")
    encounter: EncounterId | None = None
    quality: int | None = Field(None, ge=0, le=100, description="Quality of the photograph that was taken, 0 to 100.")
    advice: list[AdviceItem]
    duplicates: list[CandidateItem] | None = Field(
        None, description="People who look the same; only for clients with the scope duplicates.read."
    )
    request_id: str
    policy: str
    audit_position: int
    demonstration: bool


class EncounterItem(BaseModel):
    """One encounter of a person, without its biometric data."""

    encounter: EncounterId
    created_at: UtcTime
    source: str
    galleries: list[GalleryId]
    review: str
    quality: int | None = None


class PersonAnswer(BaseModel):
    """A person as the service knows them: no photograph and no template."""

    person: PersonId
    status: str
    created_at: UtcTime
    encounters: list[EncounterItem]


class AccessItem(BaseModel):
    """One use of a person's data: who, when, why, with what outcome."""

    audit_position: int
    time: UtcTime
    event: str
    client: str | None
    clerk: str | None
    station: str | None
    purpose: str | None
    outcome: str | None
    reason: str | None
    gallery: str | None


class AccessesAnswer(BaseModel):
    person: PersonId
    accesses: list[AccessItem]


class ErasureAnswer(BaseModel):
    """The person's key is gone; the audit leaf at `audit_position` is the tombstone."""

    person: PersonId
    request_id: str
    audit_position: int
    encounters: int = Field(description="How many encounters were erased.")
    templates: int = Field(description="How many templates were erased.")


class GalleryItem(BaseModel):
    """A gallery that this client may use."""

    gallery: GalleryId
    demonstration: bool
    population: Population
    people: int
    model: str = Field(description="sha256 of the embedder whose templates it holds.")
    verification_fmr: float = Field(description="False match rate of its verifications.", examples=[0.0001])
    identification_fpir: float = Field(
        description="False-positive identification rate of its searches when none is asked for.", examples=[0.001]
    )


class GalleriesAnswer(BaseModel):
    galleries: list[GalleryItem]


class Jwk(BaseModel):
    """An Ed25519 public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class JwkSet(BaseModel):
    keys: list[Jwk]


class ProblemField(BaseModel):
    field: str
    problem: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(examples=["urn:idverify:problem:request_invalid"])
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; decide on this one.", examples=["request_invalid"])
    request_id: str
    errors: list[ProblemField] | None = Field(None, description="Only with code request_invalid.")

    model_config = ConfigDict(extra="forbid")


def advice_items(advice: tuple[Advice, ...]) -> list[AdviceItem]:
    """Codes and plain sentences of the library's advice."""
    return [AdviceItem(code=str(item), text=item.text) for item in advice]


def candidate_items(candidates: Iterable[Candidate], client: Client) -> list[CandidateItem]:
    """Candidates as this client may see them: the score only where its policy says so."""
    return [
        CandidateItem(
            person=candidate.person,
            encounter=candidate.encounter,
            similarity=candidate.similarity if client.sees_scores else None,
        )
        for candidate in candidates
    ]
