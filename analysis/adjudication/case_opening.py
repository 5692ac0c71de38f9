"""Makes cases of what was found: marked encounters and clusters of a report; nothing becomes two cases."""

from collections.abc import Sequence
from typing import Any

from analysis.adjudication.casework import Casework
from analysis.adjudication.evidence import CaseOrigin, CaseProposal, Evidence
from analysis.deduplication.findings import as_member
from analysis.deduplication.report import Cluster, Link, Member, Report, ReportKind
from idverify.access import Access
from idverify.encounters import ReviewReason
from idverify.engine import Engine
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import CaseId, EncounterId, GalleryId, Pseudonym
from idverify.matching.comparison import best_similarity
from idverify.storage import audit_log, cases, encounters, persons, templates
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow, Review
from idverify.stored.persons import OpenedPerson

AT_ONCE = 100
NOTHING_LEFT = "nothing_left_to_compare"
"""The reason of a mark that is taken off because whoever looked alike was erased."""


class CaseOpening:
    """Opens cases at a desk."""

    def __init__(self, engine: Engine, casework: Casework) -> None:
        self._engine = engine
        self._casework = casework

    def marked(self, access: Access) -> int:
        """Make cases of up to AT_ONCE of the oldest encounters marked at enrolment; how many were dealt with."""
        with self._engine.database.read() as connection:
            waiting = bool(_waiting(connection, limit=1))
        if not waiting:
            return 0
        with self._engine.database.write() as connection:
            audit_log.take_turn(connection)  # of two at once, the second must see what the first one opened
            for encounter in cases.over_by_erasure(connection, limit=AT_ONCE):
                self._engine.encounters.mark(connection, encounter, Review.CLEARED, access, NOTHING_LEFT)
            found = cases.marked_without_case(connection, limit=AT_ONCE)
            for encounter in found:
                self._take_in(connection, encounter, access)
        return len(found)

    def clusters(self, report: Report, access: Access) -> int:
        """Make a case of each cluster that is none yet, and about whose persons there is none; how many were made.

        What was marked at enrolment becomes cases first, so that one pair does not become two.
        """
        while self.marked(access) == AT_ONCE:
            pass
        galleries = tuple(one.gallery for one in report.head.inputs.galleries)
        payroll = report.head.inputs.kind is ReportKind.PAYROLL_CHECK
        origin = CaseOrigin.PAYROLL if payroll else CaseOrigin.SEARCH
        made = 0
        with self._engine.database.write() as connection:
            audit_log.take_turn(connection)
            names = {f"{report.head.report}/{cluster.number}": cluster for cluster in report.clusters}
            known = cases.known_sources(connection, origin, names)
            for source, cluster in names.items():
                people = {member.person for member in cluster.members if member.person is not None}
                if source not in known and not cases.about(connection, people):
                    held = _galleries(connection, cluster.members) or galleries
                    self._casework.open(
                        connection, CaseProposal(origin, source, held, _of_cluster(report, cluster)), access
                    )
                    made += 1
        return made

    def _take_in(self, connection: Connection, encounter: EncounterId, access: Access) -> CaseId | None:
        row = encounters.get(connection, encounter)
        opened_person = self._engine.stored_persons.open(persons.get(connection, row.person))
        detail = self._engine.stored_persons.detail(opened_person, row)
        gallery = self._engine.galleries.find(connection, row.galleries[0])
        members = [as_member(row, detail)]
        links: list[Link] = []
        for candidate in detail.get("candidates", ()):
            other = self._candidate(connection, candidate)
            if other is not None:
                links.append(_link(gallery, 0, len(members), candidate["similarity"]))
                members.append(other)
        if ReviewReason.DIFFERS_FROM_EARLIER_ENCOUNTER in detail["review_reasons"]:
            earlier = self._earlier(connection, row, opened_person, gallery)
            if earlier is not None:
                member, similarity = earlier
                links.append(_link(gallery, 0, len(members), similarity))
                members.append(member)
        if len(members) == 1:
            self._engine.encounters.mark(connection, encounter, Review.CLEARED, access, NOTHING_LEFT)
            return None
        evidence = Evidence(tuple(members), tuple(links), reasons=tuple(detail["review_reasons"]))
        galleries = _galleries(connection, members)
        return self._casework.open(
            connection, CaseProposal(CaseOrigin.ENROLMENT, encounter, galleries, evidence), access
        )

    def _candidate(self, connection: Connection, candidate: dict[str, Any]) -> Member | None:
        """The encounter that looked alike; None when its person was erased."""
        person = persons.find_by_pseudonym(connection, Pseudonym(candidate["person"]))
        if person is None:
            return None
        row = encounters.get(connection, EncounterId(candidate["encounter"]))
        return as_member(row, self._engine.stored_persons.detail(self._engine.stored_persons.open(person), row))

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
            template.encounter: self._engine.stored_persons.reveal(opened_person, template)
            for template in templates.templates_of(connection, row.person, gallery.gallery, gallery.model)
        }
        similarity = best_similarity(held[row.encounter], [held[before[-1].encounter]])
        assert similarity is not None  # noqa: S101  there is one to compare with
        return as_member(before[-1], self._engine.stored_persons.detail(opened_person, before[-1])), similarity


def _waiting(connection: Connection, *, limit: int) -> list[EncounterId]:
    found = cases.marked_without_case(connection, limit=limit)
    return found or cases.over_by_erasure(connection, limit=limit)


def _of_cluster(report: Report, cluster: Cluster) -> Evidence:
    """The cluster, and those patterns of the report that its members are part of."""
    facts = {
        str(fact)
        for member in cluster.members
        for fact in (member.clerk, member.station, (member.captured_at or "")[:10])
        if fact
    }
    patterns = tuple(one for one in report.head.patterns if one.value in facts)
    return Evidence(cluster.members, cluster.links, patterns, policy=report.head.inputs.policy)


def _galleries(connection: Connection, members: Sequence[Member]) -> tuple[GalleryId, ...]:
    """All galleries that any of these encounters is in: whoever decides must be allowed to see all of them."""
    found: set[GalleryId] = set()
    for member in members:
        if member.encounter is not None:
            found.update(encounters.get(connection, member.encounter).galleries)
    return tuple(sorted(found))


def _link(gallery: GalleryDefinition, left: int, right: int, similarity: float) -> Link:
    rate = gallery.calibration.rate_of(similarity)
    return Link(left, right, similarity, rate.fmr, rate.at_most, found=True)
