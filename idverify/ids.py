"""Distinct types for identifiers, and the checks that text from outside must pass to become one; it stores nothing."""

import re
from typing import NewType

from idverify.errors import InvalidInput

PersonId = NewType("PersonId", str)
EncounterId = NewType("EncounterId", str)
TemplateId = NewType("TemplateId", str)
GalleryId = NewType("GalleryId", str)
ClientId = NewType("ClientId", str)
RequestId = NewType("RequestId", str)
CaseId = NewType("CaseId", str)
VisitId = NewType("VisitId", str)
"""A station's draft of an enrolment."""
Pseudonym = NewType("Pseudonym", str)
"""Random name of a person in the audit log; erasure deletes the only row that links it to the person."""
StaffId = NewType("StaffId", str)
"""Account name of a clerk, supervisor or analyst; it stands as `clerk` in the audit log."""
StationId = NewType("StationId", str)
ModelDigest = NewType("ModelDigest", str)
"""sha256 of an embedder's file, 64 lower-case hex digits."""

_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_STAFF = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def person_id(text: str) -> PersonId:
    """A person's number as the register writes it: 1 to 64 of A-Z a-z 0-9 . _ - and no leading sign.

    Raises InvalidInput.
    """
    if not _PERSON.fullmatch(text):
        raise InvalidInput(
            "person identifier: expected 1 to 64 letters, digits or . _ - starting with a letter or digit, "
            f"got {len(text)} characters that do not fit"
        )
    return PersonId(text)


def gallery_id(text: str) -> GalleryId:
    """A gallery's name, such as "civil-register": 1 to 63 of a-z 0-9 -. Raises InvalidInput."""
    return GalleryId(_name("gallery", text))


def client_id(text: str) -> ClientId:
    """A client's name, such as "revenue-authority": 1 to 63 of a-z 0-9 -. Raises InvalidInput."""
    return ClientId(_name("client", text))


def staff_id(text: str) -> StaffId:
    """An account's name, such as "clerk.one": 1 to 63 of a-z 0-9 . -. Raises InvalidInput."""
    if not _STAFF.fullmatch(text):
        raise InvalidInput("account name: expected 1 to 63 of a-z 0-9 . - starting with a letter or digit")
    return StaffId(text)


def station_id(text: str) -> StationId:
    """A station's name, such as "maseru-2": 1 to 63 of a-z 0-9 -. Raises InvalidInput."""
    return StationId(_name("station", text))


def purpose(text: str) -> str:
    """A purpose code such as "tax-filing": 1 to 63 of a-z 0-9 -. Raises InvalidInput."""
    return _name("purpose", text)


def _name(kind: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise InvalidInput(f"{kind}: expected 1 to 63 of a-z 0-9 - starting with a letter or digit, got {text[:80]!r}")
    return text
