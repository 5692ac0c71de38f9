"""Makes the parts of adjudication from an opened engine; it decides nothing."""

from dataclasses import dataclass
from typing import Self

from analysis.adjudication.case_reading import CaseReading
from analysis.adjudication.casework import Casework
from analysis.adjudication.instructions import Instructions
from analysis.adjudication.notices import Notices
from analysis.adjudication.report_cases import ReportCases
from analysis.adjudication.statistics import AdjudicationStatistics
from analysis.deduplication.archive import Reports
from analysis.deduplication.composition import DeduplicationParts
from idverify.encounters.case_opening import CaseOpening
from idverify.engine import Engine
from idverify.protection.keyring import SecretPurpose
from idverify.stored.audit_journal import Journal
from idverify.stored.cases import StoredCases
from idverify.vision.image import Decoder


@dataclass(frozen=True, slots=True)
class AdjudicationParts:
    """What the pages of analysts are made with. `decoder` is for photographs in reports; `time_zone` as in Settings."""

    journal: Journal
    decoder: Decoder
    time_zone: str
    case_opening: CaseOpening
    casework: Casework
    reading: CaseReading
    instructions: Instructions
    notices: Notices
    statistics: AdjudicationStatistics
    reports: Reports
    report_cases: ReportCases

    @classmethod
    def of(cls, engine: Engine) -> Self:
        """The parts on an open engine, which the caller keeps open."""
        deployment = engine.deployment
        database, journal, stored_persons = deployment.database, deployment.journal, deployment.stored_persons
        stored_cases = StoredCases(stored_persons, deployment.joint_sealing, journal)
        case_opening = CaseOpening(database, deployment.galleries, stored_persons, engine.encounters, stored_cases)
        casework = Casework(database, journal, stored_cases, engine.encounters)
        withholding_key = deployment.keys.keyring.derived(SecretPurpose.OPEN_DATA_LOTS)
        return cls(
            journal=journal,
            decoder=engine.decoder,
            time_zone=engine.settings.time_zone,
            case_opening=case_opening,
            casework=casework,
            reading=CaseReading(database, stored_persons, casework),
            instructions=Instructions(database, journal, casework, engine.receipts),
            notices=Notices(journal, casework),
            statistics=AdjudicationStatistics(database, journal, withholding_key),
            reports=DeduplicationParts.of(deployment).reports,
            report_cases=ReportCases(database, case_opening, stored_cases),
        )
