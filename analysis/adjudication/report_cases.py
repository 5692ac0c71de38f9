"""Proposes a case for each cluster of a report, for the library to open; no cluster becomes two cases."""

from analysis.deduplication.clusters import Cluster
from analysis.deduplication.inputs import ReportKind
from analysis.deduplication.report import Report
from idverify.access import Access
from idverify.encounters.case_opening import AT_ONCE, CaseOpening
from idverify.storage import audit_log, cases
from idverify.storage.database import Database
from idverify.stored.case_evidence import CaseOrigin, CaseProposal, Evidence
from idverify.stored.cases import StoredCases, galleries_of


class ReportCases:
    """Makes cases of reports."""

    def __init__(self, database: Database, case_opening: CaseOpening, stored_cases: StoredCases) -> None:
        self._database = database
        self._case_opening = case_opening
        self._stored_cases = stored_cases

    def open(self, report: Report, access: Access) -> int:
        """Open a case for each cluster that has none yet, and about whose persons there is none; how many were opened.

        What was marked at enrolment becomes cases first, so that one pair does not become two.
        """
        while self._case_opening.open_marked(access) == AT_ONCE:
            pass
        searched = tuple(one.gallery for one in report.head.inputs.galleries)
        payroll = report.head.inputs.kind is ReportKind.PAYROLL_CHECK
        origin = CaseOrigin.PAYROLL if payroll else CaseOrigin.SEARCH
        made = 0
        with self._database.write() as connection:
            audit_log.take_turn(connection)
            names = {f"{report.head.report}/{cluster.number}": cluster for cluster in report.clusters}
            known = cases.known_sources(connection, origin, names)
            for source, cluster in names.items():
                people = {member.person for member in cluster.members if member.person is not None}
                if source not in known and not cases.about(connection, people):
                    galleries = galleries_of(connection, cluster.members) or searched
                    proposal = CaseProposal(origin, source, galleries, _evidence(report, cluster))
                    self._stored_cases.add(connection, proposal, access)
                    made += 1
        return made


def _evidence(report: Report, cluster: Cluster) -> Evidence:
    """The cluster, and those patterns of the report that its members are part of."""
    facts = {
        str(fact)
        for member in cluster.members
        for fact in (member.clerk, member.station, (member.captured_at or "")[:10])
        if fact
    }
    patterns = tuple(one for one in report.head.patterns if one.value in facts)
    return Evidence(cluster.members, cluster.links, patterns, policy=report.head.inputs.policy)
