"""Opens a case for each encounter that was marked for review at enrolment; no encounter becomes two cases.

It shows nothing and decides nothing: analysts do that with the cases.
"""

from typing import Any

from idverify.access import Access
from idverify.encounters.register import Encounters, ReviewReason
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.ids import EncounterId, Pseudonym
from idverify.matching.comparison import best_similarity
from idverify.storage import audit_log, cases, encounters, persons, templates
from idverify.storage.database import Connection, Database
from idverify.storage.encounters import EncounterRow, Review
from idverify.stored.case_evidence import CaseOrigin, CaseProposal, Evidence, Link, Member, member_of_encounter
from idverify.stored.cases import StoredCases, galleries_of
from idverify.stored.persons import OpenedPerson, StoredPersons

AT_ONCE = 100
NOTHING_LEFT = "nothing_left_to_compare"
"""The reason of a mark that is taken off because whoever looked alike was erased."""


class CaseOpening:
    """Opens the cases of marked encounters."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        stored_persons: StoredPersons,
        encounters: Encounters,
        stored_cases: StoredCases,
    ) -> None:
        self._database = database
        self._galleries = galleries
        self._stored_persons = stored_persons
        self._encounters = encounters
        self._stored_cases = stored_cases

    def open_marked(self, access: Access) -> int:
        """Open cases of up to AT_ONCE of the oldest marked encounters; how many of them were dealt with.

        An encounter that has nothing left to compare with loses its mark instead. Raises SealBroken.
        """
        with self._database.read() as connection:
            if not (cases.marked_without_case(connection, limit=1) or cases.over_by_erasure(connection, limit=1)):
                return 0
        with self._database.write() as connection:
            audit_log.take_turn(connection)  # of two at once, the second must see what the first one opened
            for encounter in cases.over_by_erasure(connection, limit=AT_ONCE):
                self._encounters.mark(connection, encounter, Review.CLEARED, access, NOTHING_LEFT)
            found = cases.marked_without_case(connection, limit=AT_ONCE)
            for encounter in found:
                self._open_case(connection, encounter, access)
        return len(found)

    def _open_case(self, connection: Connection, encounter: EncounterId, access: Access) -> None:
        row = encounters.get(connection, encounter)
        opened_person = self._stored_persons.open(persons.get(connection, row.person))
        detail = self._stored_persons.detail(opened_person, row)
        gallery = self._galleries.find(connection, row.galleries[0])
        members = [member_of_encounter(row, detail)]
        links: list[Link] = []
        for candidate in detail.get("candidates", ()):
            other = self._candidate(connection, candidate)
            if other is not None:
                links.append(_link(gallery, len(members), candidate["similarity"]))
                members.append(other)
        if ReviewReason.DIFFERS_FROM_EARLIER_ENCOUNTER in detail["review_reasons"]:
            earlier = self._earlier(connection, row, opened_person, gallery)
            if earlier is not None:
                member, similarity = earlier
                links.append(_link(gallery, len(members), similarity))
                members.append(member)
        if len(members) == 1:
            self._encounters.mark(connection, encounter, Review.CLEARED, access, NOTHING_LEFT)
            return
        evidence = Evidence(tuple(members), tuple(links), reasons=tuple(detail["review_reasons"]))
        proposal = CaseProposal(CaseOrigin.ENROLMENT, encounter, galleries_of(connection, members), evidence)
        self._stored_cases.add(connection, proposal, access)

    def _candidate(self, connection: Connection, candidate: dict[str, Any]) -> Member | None:
        """The encounter that looked alike; None when its person was erased."""
        person = persons.find_by_pseudonym(connection, Pseudonym(candidate["person"]))
        if person is None:
            return None
        row = encounters.get(connection, EncounterId(candidate["encounter"]))
        return member_of_encounter(row, self._stored_persons.detail(self._stored_persons.open(person), row))

    def _earlier(
        self, connection: Connection, row: EncounterRow, opened_person: OpenedPerson, gallery: GalleryDefinition
    ) -> tuple[Member, float] | None:
        """The person's newest earlier encounter in this gallery, and how alike the two are."""
        before = [
            other
            for other in encounters.encounters_of(connection, row.person)
            if gallery.gallery in other.galleries
            and other.encounter != row.encounter
            and other.created_at <= row.created_at
        ]
        if not before:
            return None
        held = {
            template.encounter: self._stored_persons.reveal(opened_person, template)
            for template in templates.templates_of(connection, row.person, gallery.gallery, gallery.model)
        }
        similarity = best_similarity(held[row.encounter], [held[before[-1].encounter]])
        assert similarity is not None  # noqa: S101  there is one to compare with
        return member_of_encounter(before[-1], self._stored_persons.detail(opened_person, before[-1])), similarity


def _link(gallery: GalleryDefinition, other: int, similarity: float) -> Link:
    """From the marked encounter, which is the first member, to the one at position `other`."""
    rate = gallery.calibration.rate_of(similarity)
    return Link(0, other, similarity, rate.fmr, rate.at_most, found=True)
