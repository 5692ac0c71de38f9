"""The page of one case: its members' faces side by side, and forms for an opinion, a contest and an instruction."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from analysis.adjudication.case_reading import CaseView, ContestView, OpinionView
from analysis.adjudication.casework import NOTE_MAX_CHARACTERS
from analysis.adjudication.dependencies import TheAnalystRequest
from analysis.adjudication.findings import Finding
from analysis.adjudication.instructions import TYPE
from idverify.ids import CaseId
from idverify.stored.case_evidence import Link, Member, Pattern
from pages.browser import PREFIX
from staff.accounts.accounts import LANGUAGES

router = APIRouter(prefix="/desk/cases")
Text = Annotated[str, Form(max_length=4 * NOTE_MAX_CHARACTERS)]


@dataclass(frozen=True, slots=True)
class ShownMember:
    """One member of the case, by a letter in the comparison; `face`: where its photograph is, "" for none."""

    letter: str
    place: int
    member: Member
    face: str


@dataclass(frozen=True, slots=True)
class ComparedMembers:
    """Two members by their letters; about one of `one_in` pairs of different people is as alike (`at_most`: fewer)."""

    left: str
    right: str
    similarity: float
    one_in: int
    at_most: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    """`said` "" or what was just done, a message id."""

    case: CaseView
    address: str
    members: tuple[ShownMember, ...]
    links: tuple[ComparedMembers, ...]
    patterns: tuple[Pattern, ...]
    reasons: tuple[str, ...]
    opinions: tuple[OpinionView, ...]
    contests: tuple[ContestView, ...]
    findings: tuple[str, ...]
    note_max_characters: int
    notice_languages: tuple[str, ...]
    may_instruct: bool
    may_contest: bool
    said: str
    leads: bool


@router.get("/{case}", response_class=HTMLResponse)
def show_case(request: Request, analyst: TheAnalystRequest, case: CaseId, said: str = "") -> HTMLResponse:
    """The case as this analyst may see it. Each person in it gets a leaf."""
    view = analyst.parts.reading.case(case, analyst.reviewer, analyst.access)
    evidence = view.evidence
    address = f"{PREFIX}/desk/cases/{case}"
    decided = view.item.state == "decided"
    context = CasePage(
        case=view,
        address=address,
        members=()
        if evidence is None
        else tuple(
            ShownMember(letter_of(place), place, member, f"{address}/faces/{place}" if place in view.faces else "")
            for place, member in enumerate(evidence.members)
        ),
        links=()
        if evidence is None
        else tuple(map(_compared, sorted(evidence.links, key=lambda link: -link.similarity))),
        patterns=() if evidence is None else evidence.patterns,
        reasons=() if evidence is None else evidence.reasons,
        opinions=view.opinions,
        contests=view.contests,
        findings=tuple(Finding),
        note_max_characters=NOTE_MAX_CHARACTERS,
        notice_languages=LANGUAGES,
        may_instruct=evidence is not None and (decided or view.item.reopened),
        may_contest=evidence is not None and decided,
        said=said if said in _SAID else "",
        leads=analyst.reviewer.lead,
    )
    return analyst.pages.render(request, "desk/case.html", context)


@router.get("/{case}/faces/{place}", response_class=Response)
def show_face(analyst: TheAnalystRequest, case: CaseId, place: int) -> Response:
    """The photograph of one member, for this session only. Its person gets a leaf."""
    face = analyst.parts.reading.face(case, place, analyst.reviewer, analyst.access)
    return Response(face.content, media_type=face.media_type)


@router.post("/{case}/opinion")
def give_opinion(
    analyst: TheAnalystRequest, case: CaseId, finding: Annotated[Finding, Form()], note: Text = ""
) -> RedirectResponse:
    """What this analyst finds."""
    analyst.parts.casework.give_opinion(case, analyst.reviewer, finding, note, analyst.access)
    return RedirectResponse(f"{PREFIX}/desk/cases/{case}?said=given", 303)


@router.post("/{case}/contest")
def contest(
    analyst: TheAnalystRequest, case: CaseId, place: Annotated[int, Form()], statement: Text
) -> RedirectResponse:
    """A person contests the decision: the case goes to other analysts."""
    analyst.parts.casework.contest(case, analyst.reviewer, place, statement, analyst.access)
    return RedirectResponse(f"{PREFIX}/desk/cases/{case}?said=contested", 303)


@router.post("/{case}/instruction", response_class=Response)
def export_instruction(analyst: TheAnalystRequest, case: CaseId) -> Response:
    """The signed instruction as a file."""
    signed = analyst.parts.instructions.of_case(case, analyst.reviewer, analyst.access)
    headers = {"Content-Disposition": f'attachment; filename="instruction-{case}.jws"'}
    return Response(signed, media_type=f"application/{TYPE}", headers=headers)


_SAID = ("given", "contested")


def letter_of(place: int) -> str:
    """A, B, … for the members of a case; more than 26 go on with AA."""
    head, last = divmod(place, 26)
    return (letter_of(head - 1) if head else "") + chr(ord("A") + last)


def _compared(link: Link) -> ComparedMembers:
    return ComparedMembers(letter_of(link.left), letter_of(link.right), link.similarity, one_in(link.fmr), link.at_most)


def one_in(fmr: float) -> int:
    """A rate as "one in so many", to two digits: more would pretend to know."""
    exact = 1 / fmr
    size: int = 10 ** max(len(str(int(exact))) - 2, 0)
    return int(round(exact / size) * size)
