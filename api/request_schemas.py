"""The request bodies that the API takes. Unknown fields are refused, and nothing here prints a photograph."""

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.limits import MAX_PHOTOGRAPHS
from idverify.identification import MOST_CANDIDATES
from idverify.ids import GalleryId, PersonId


def _photograph(value: object) -> object:
    """Base64 text (JSON) becomes bytes; bytes (a multipart file) stay. An empty one is refused here already."""
    if isinstance(value, str):
        try:
            value = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise PydanticCustomError(
                "photograph",
                "expected a photograph: standard base64 without line breaks or a data: prefix (JSON), "
                "or a file part (multipart, as in curl -F image=@photo.jpg)",
            ) from None
    if value == b"":
        raise PydanticCustomError("photograph", "expected a photograph, got no bytes")
    return value


Photograph = Annotated[
    bytes,
    BeforeValidator(_photograph),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "description": "JPEG or PNG, at most 5 MiB."}),
]
GalleryName = Annotated[
    GalleryId,
    Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Name of a gallery.", examples=["civil-register"]),
]
PersonNumber = Annotated[
    PersonId,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="The person's number as the register writes it.",
        examples=["P-1024-7"],
    ),
]
Purpose = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Why the person's data is used: a purpose agreed for this client. The person can read it.",
        examples=["tax-filing"],
    ),
]
Nonce = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._~+/=-]{8,128}$",
        description="Of your choice, new for each request: the answer and its receipt repeat it.",
        examples=["q83vASNFZ4mrze8BI0VniQ"],
    ),
]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class VerificationBody(Body):
    """Is this the person with this number?"""

    gallery: GalleryName
    person: PersonNumber
    purpose: Purpose
    image: Photograph = Field(repr=False)
    nonce: Nonce | None = None


class IdentificationBody(Body):
    """Who in this gallery is this?"""

    gallery: GalleryName
    purpose: Purpose
    image: Photograph = Field(repr=False)
    fpir: float | None = Field(
        None,
        ge=1e-6,
        le=0.1,
        description="False-positive identification rate asked for: the share of searches for people who are not "
        "enrolled that may give a candidate. The threshold is worked out from it and the gallery's size.",
        examples=[0.001],
    )
    nonce: Nonce | None = None
    most: int = Field(10, ge=1, le=MOST_CANDIDATES, description="How many candidates to give at most.")


class EncounterBody(Body):
    """Photographs of one capture; the best one becomes the template."""

    gallery: GalleryName
    purpose: Purpose
    images: list[Photograph] = Field(min_length=1, max_length=MAX_PHOTOGRAPHS, repr=False)
