"""Writes the letter to a person in a case: what was found, on what evidence, who decides, how to contest it.

It says what GDPR Art. 13 to 15 and 22 require. It never names the other member: if the
faces are of two people, that would disclose one to the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.adjudication.casework import Casework, OpenCase, refuse_erased
from analysis.adjudication.reviewer import Reviewer
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import InvalidInput
from idverify.ids import CaseId, GalleryId, PersonId
from idverify.storage.cases import CaseState
from idverify.storage.database import Connection
from idverify.stored.audit_journal import Journal
from pages.formats import Formats

STYLE = Path(__file__).parent / "static" / "letter.css"
Text = Callable[..., str]
"""The texts of the letter's language: message id and placeholders to text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter is made of. `fmr` None: no comparison with this person's face is in the case."""

    case: CaseId
    person: PersonId
    origin: str
    galleries: tuple[GalleryId, ...]
    captured: tuple[str, ...]
    reasons: tuple[str, ...]
    fmr: float | None
    at_most: bool
    contested: bool
    finding: str | None
    decided_by: str | None
    decided_at: str | None
    written_at: str


@dataclass(frozen=True, slots=True)
class LetterSection:
    """One part of a letter under its heading."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in the language of its reader."""

    language: str
    title: str
    service: str
    person: str
    reference: str
    date: str
    sections: tuple[LetterSection, ...]


class Notices:
    """Writes letters; each is a leaf of its person."""

    def __init__(self, journal: Journal, casework: Casework) -> None:
        self._journal = journal
        self._casework = casework

    def facts(self, case: CaseId, place: int, reviewer: Reviewer, access: Access) -> Facts:
        """What to tell the person at `place`. Raises NotFound, NotPermitted, Conflict, InvalidInput."""

        def act(connection: Connection, opened: OpenCase) -> Facts:
            assert opened.evidence is not None  # noqa: S101  refused before
            person = next((one.person for one in opened.members if one.place == place), None)
            opened_person = next((one for one in opened.opened_persons if one.row.person == person), None)
            if person is None or opened_person is None:
                raise InvalidInput("person: expected one of those in the case")
            self._casework.record(connection, EventKind.CASE_NOTICE, opened, access, opened_person)
            row, evidence = opened.row, opened.evidence
            own = {at for at, member in enumerate(evidence.members) if member.person == person}
            links = [link for link in evidence.links if own & {link.left, link.right}]
            strongest = max(links, key=lambda link: link.similarity, default=None)
            return Facts(
                case=row.case,
                person=person,
                origin=row.origin,
                galleries=row.galleries,
                captured=tuple(sorted(filter(None, (evidence.members[at].captured_at for at in own)))),
                reasons=evidence.reasons,
                fmr=None if strongest is None else strongest.fmr,
                at_most=strongest is not None and strongest.at_most,
                contested=row.round > 1 and row.state is not CaseState.DECIDED,
                finding=row.finding,
                decided_by=row.decided_by,
                decided_at=row.decided_at,
                written_at=utc_text(self._journal.now()),
            )

        return self._casework.with_case(case, reviewer, access, act, refuse=refuse_erased)


def compose(facts: Facts, language: str, text: Text, formats: Formats, one_in: int | None) -> Letter:
    """The letter in one language; `one_in` is the rate of `facts` as people read it."""
    noticed = [text(f"letter.reason.{reason}") for reason in facts.reasons] or [text(f"letter.origin.{facts.origin}")]
    evidence = [text("letter.captured", times="; ".join(map(formats.moment, facts.captured)))] if facts.captured else []
    if one_in is not None:
        evidence.append(text("letter.rarer" if facts.at_most else "letter.one_in", number=formats.number(one_in)))
    evidence.append(text("letter.no_proof"))
    deciding = [text("letter.who_decides")]
    if facts.finding is not None and facts.decided_at is not None:
        finding = text(f"letter.finding.{facts.finding}")
        deciding.append(
            text(f"letter.decided_{facts.decided_by}", time=formats.moment(facts.decided_at), finding=finding)
        )
    else:
        deciding.append(text("letter.contested" if facts.contested else "letter.undecided"))
    galleries = ", ".join(facts.galleries)
    sections = {
        "noticed": noticed,
        "evidence": evidence,
        "deciding": deciding,
        "follows": [text("letter.follows", galleries=galleries)],
        "contest": [text("letter.contest", case=facts.case[:8]), text("letter.rights")],
    }
    return Letter(
        language=language,
        title=text("letter.title"),
        service=text("kit.service"),
        person=text("letter.person", person=facts.person),
        reference=text("letter.reference", case=facts.case[:8]),
        date=formats.moment(facts.written_at),
        sections=tuple(LetterSection(text(f"letter.{name}_heading"), tuple(lines)) for name, lines in sections.items()),
    )


def as_pdf(html: str) -> bytes:
    """The letter on A4; it is fetched from nowhere."""
    import weasyprint  # takes a second and Pango: only who wants a PDF needs it

    nothing = weasyprint.urls.URLFetcher(allowed_protocols=(), allow_redirects=False)
    style = weasyprint.CSS(string=STYLE.read_text(encoding="utf-8"))
    document: bytes = weasyprint.HTML(string=html, url_fetcher=nothing).write_pdf(stylesheets=[style])
    return document
