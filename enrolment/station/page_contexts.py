"""Defines what each page of the station is given: plain values, ready to show, and never a row, a draft or a key."""

from dataclasses import dataclass

from idverify.ids import VisitId


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page belongs. `root`: the address of the start page, of work or of practice, ending in "/"."""

    root: str
    practice: bool
    step: int | None = None
    """From 0: person, legal basis, photograph, review, result; None where a page is not of a visit."""


@dataclass(frozen=True, slots=True)
class UnfinishedVisit:
    """A visit that has not ended. `step` names the text steps.<step>."""

    visit: VisitId
    person: str
    step: str
    at: str


@dataclass(frozen=True, slots=True)
class StartPage:
    """`problem`: a message id, "" for none; `waiting`: how many exceptions await approval."""

    place: Place
    number: str
    problem: str
    begun: tuple[UnfinishedVisit, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BasisPage:
    place: Place
    visit: VisitId
    person: str
    known: bool
    bases: tuple[Choice, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class SealTo:
    """What a capture is sealed to and bound to; `point` is base64url of 65 bytes."""

    deployment: str
    station: str
    key_id: str
    point: str
    nonce: str


@dataclass(frozen=True, slots=True)
class CapturePage:
    """`refused`: why the last try was refused (a code of `Reason`), "" for none; `advice`: codes of `Advice`."""

    place: Place
    visit: VisitId
    person: str
    seal_to: SealTo
    refused: str
    advice: tuple[str, ...]
    tries: int
    may_fail: bool
    failures: tuple[str, ...]
    allow_files: bool


@dataclass(frozen=True, slots=True)
class ReviewPage:
    place: Place
    visit: VisitId
    person: str
    known: bool
    basis: str
    from_file: bool
    frames: int
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionPage:
    """`own`: it is shown to the clerk whose visit it is, who can not approve it."""

    place: Place
    visit: VisitId
    person: str
    failure: str
    clerk: str
    station: str
    own: bool
    has_photograph: bool
    may_enrol: bool
    problem: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class AwaitedApproval:
    visit: VisitId
    person: str
    failure: str
    clerk: str
    station: str
    at: str
    own: bool


@dataclass(frozen=True, slots=True)
class ExceptionsPage:
    place: Place
    waiting: tuple[AwaitedApproval, ...]


@dataclass(frozen=True, slots=True)
class DonePage:
    """The result and its receipt. `ending` is a code of `Ending`."""

    place: Place
    person: str
    ending: str
    encounter: str
    at: str
    station: str
    clerk: str
    gallery: str
    basis: str
    receipt: str
    demonstration: bool


@dataclass(frozen=True, slots=True)
class OfflinePage:
    """The page for capturing offline: the browser keeps it, so it must hold nothing of any person."""

    place: Place
    gallery: str
    bases: tuple[Choice, ...]
    pattern: str


@dataclass(frozen=True, slots=True)
class NoStationPage:
    """The page for a clerk whose browser is not an enrolment station."""

    place: Place
