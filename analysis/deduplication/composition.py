"""Makes duplicate searches, payroll checks and their reports from an opened deployment; it decides nothing."""

from dataclasses import dataclass
from typing import Self

from analysis.deduplication.archive import Reports
from analysis.deduplication.found_pairs import FoundPairs
from analysis.deduplication.payroll_check import PayrollCheck
from analysis.deduplication.search import DuplicateSearches
from idverify.administration.deployment import Deployment
from idverify.engine import Engine


@dataclass(frozen=True, slots=True)
class DeduplicationParts:
    """What needs no model in memory: searches compare stored templates."""

    searches: DuplicateSearches
    reports: Reports

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """The parts on an opened deployment, which the caller keeps open."""
        database, journal = deployment.database, deployment.journal
        stored_persons, joint_sealing = deployment.stored_persons, deployment.joint_sealing
        reports = Reports(database, journal, stored_persons, joint_sealing, deployment.keys.receipts)
        found_pairs = FoundPairs(stored_persons, joint_sealing)
        return cls(
            searches=DuplicateSearches(database, journal, deployment.galleries, stored_persons, found_pairs, reports),
            reports=reports,
        )


def payroll_check_of(engine: Engine) -> PayrollCheck:
    """A payroll check, which reads photographs and therefore needs an engine."""
    deployment = engine.deployment
    return PayrollCheck(
        database=deployment.database,
        galleries=deployment.galleries,
        stored_persons=deployment.stored_persons,
        joint_sealing=deployment.joint_sealing,
        reader=engine.reader,
        reports=DeduplicationParts.of(deployment).reports,
    )
