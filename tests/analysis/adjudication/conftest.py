"""A register with cases: C-1's face came back as GHOST, in a gallery that keeps pictures, and analysts to see it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.adjudication.case_reading import PURPOSE, CaseView
from analysis.adjudication.composition import AdjudicationParts
from analysis.adjudication.findings import Finding
from analysis.adjudication.reviewer import Reviewer
from enrolment.enroller import EnrolmentOutcome
from idverify.access import Access
from idverify.audit.events import Event
from idverify.ids import CaseId, GalleryId, PersonId, StaffId
from idverify.storage import audit_log, cases, persons
from idverify.storage.cases import CaseFilter, CaseState
from idverify.vision.reader import Reader
from staff.accounts.accounts import Role
from tests.browser import ADMINISTRATION, Served, served
from tests.deployments import PAYROLL, REGISTER, Register, access, copied, photograph

GALLERIES = frozenset({PAYROLL, REGISTER})


@dataclass
class Office:
    """Analysts of a register, and what they do every day."""

    register: Register

    def __post_init__(self) -> None:
        self.parts = AdjudicationParts.of(self.register.engine)
        self.casework = self.parts.casework
        self.case_opening = self.parts.case_opening
        self.reading = self.parts.reading

    def analyst(self, name: str, **others: object) -> Reviewer:
        return Reviewer(name, **{"galleries": GALLERIES, **others})  # type: ignore[arg-type]

    def lead(self, name: str) -> Reviewer:
        return self.analyst(name, lead=True)

    def by(self, name: str) -> Access:
        return access(PURPOSE, client=None, clerk=name)

    def waiting(self, name: str = "amara", **asked: object) -> list[CaseId]:
        items, _ = self.reading.queue(self.analyst(name), CaseFilter(**asked), 0)  # type: ignore[arg-type]
        return [item.case for item in items]

    def take_in(self) -> CaseId:
        """The one case that comes of what is marked now."""
        before = set(self.waiting("nobody"))
        assert self.case_opening.open_marked(self.by("amara")) == 1
        (case,) = set(self.waiting("nobody")) - before
        return case

    def give(self, case: CaseId, who: Reviewer | str, finding: Finding, note: str = "") -> CaseState:
        reviewer = self.analyst(who) if isinstance(who, str) else who
        return self.casework.give_opinion(case, reviewer, finding, note, self.by(reviewer.name))

    def show(self, case: CaseId, who: Reviewer | str) -> CaseView:
        reviewer = self.analyst(who) if isinstance(who, str) else who
        return self.reading.case(case, reviewer, self.by(reviewer.name))

    def events(self, person: str | None = None) -> list[Event]:
        with self.register.engine.database.read() as connection:
            if person is None:
                return list(audit_log.leaves_after(connection, -1))
            pseudonym = persons.get(connection, PersonId(person)).pseudonym
            return list(audit_log.accesses(connection, pseudonym))

    def state(self, case: CaseId) -> CaseState:
        with self.register.engine.database.read() as connection:
            return cases.get(connection, case).state


@pytest.fixture(scope="session")
def haunted_files(tmp_path_factory: pytest.TempPathFactory, empty_register_files: Path, reader: Reader) -> Path:
    """The files of a deployment with two people on the payroll, one of them twice; copy before use."""
    folder = tmp_path_factory.mktemp("haunted")
    register = copied(empty_register_files, folder, reader)
    for date, person, seed, clerk in ((3, "C-1", 1, "thabo"), (12, "C-2", 2, "thabo"), (17, "GHOST", 1, "palesa")):
        register.clock.now = register.clock.now.replace(day=date)
        by = access("registration", client=None, clerk=clerk, station=f"maseru-{1 + (clerk == 'palesa')}")
        answer = register.enrol(person, photograph(seed, date), gallery=PAYROLL, by=by)
    assert answer.outcome is EnrolmentOutcome.NEEDS_REVIEW
    register.close()
    return folder


@pytest.fixture
def office(tmp_path: Path, haunted_files: Path, reader: Reader) -> Iterator[Office]:
    register = copied(haunted_files, tmp_path, reader)
    yield Office(register)
    register.close()


@pytest.fixture
def case(office: Office) -> CaseId:
    """The case of C-1 and GHOST."""
    return office.take_in()


@pytest.fixture
def site(office: Office) -> Iterator[Served]:
    """The whole service on the haunted register, with analysts who work in both of its galleries."""
    with served(office.register.engine) as running:
        for name in ("analyst.one", "analyst.two", "analyst.three"):
            _add(running, name, Role.ANALYST)
        _add(running, "lead.one", Role.LEAD_ANALYST)
        _add(running, "thabo.clerk", Role.CLERK)
        _add(running, "emeka.obi", Role.ANALYST, galleries=(REGISTER,))
        yield running


def _add(site: Served, name: str, role: Role, galleries: Iterable[GalleryId] = GALLERIES) -> None:
    """An account without a credential: its sessions are begun by the tests."""
    site.staff.accounts.add(
        StaffId(name),
        display_name=name.replace(".", " ").title(),
        roles=(role,),
        galleries=tuple(galleries),
        language="en",
        access=ADMINISTRATION,
    )
