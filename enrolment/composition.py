"""Makes every flow of `enrolment` from an opened engine, each of the parts that it needs.

Commands and pages call it; no flow imports the engine.
"""

import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from enrolment.bulk_import import BulkImport
from enrolment.enroller import Enroller, Transaction
from enrolment.station.capture_exceptions import CaptureExceptions
from enrolment.station.look_limit import LookLimit
from enrolment.station.offline_captures import OfflineCaptures
from enrolment.station.parts import StationParts, VisitFlows
from enrolment.station.practice_drafts import PracticeDrafts
from enrolment.station.receipt_codes import ReceiptCodes
from enrolment.station.received_captures import ReceivedCaptures
from enrolment.station.visit_steps import Visits
from enrolment.station.visit_storage import VisitStorage
from enrolment.supervision.day import StationDays
from enrolment.without_face import RegistrationWithoutFace
from idverify.access import Access
from idverify.engine import Engine
from idverify.ids import GalleryId
from staff.accounts.nonces import Nonces
from staff.accounts.stations import Stations


def enroller(engine: Engine, transaction: Transaction | None = None) -> Enroller:
    """`transaction`: what each enrolment is done in (none: `Database.write`)."""
    return Enroller(
        engine.database,
        engine.galleries,
        engine.reader,
        engine.searches,
        engine.stored_persons,
        engine.encounters,
        engine.journal,
        transaction or engine.database.write,
    )


def bulk_import(engine: Engine, gallery: GalleryId, source: Path, access: Access) -> BulkImport:
    """The import of one folder or CSV file into one gallery."""
    return BulkImport(
        engine.database,
        engine.galleries,
        engine.journal,
        enroller(engine),
        gallery=gallery,
        source=source,
        access=access,
    )


def station_parts(engine: Engine) -> StationParts:
    """What the station's pages call."""
    journal = engine.journal
    nonces = Nonces(journal)
    storage = VisitStorage(engine.database, engine.database.write, engine.drafts)
    work = _visit_flows(engine, storage, practice=False)
    offline_captures = OfflineCaptures(work.visits, storage, journal, enroller(engine))
    received_captures = ReceivedCaptures(
        engine.database,
        engine.capture_keys,
        Stations(engine.database, journal, nonces),
        nonces,
        timedelta(days=engine.settings.capture_nonce_days),
    )
    practice = VisitStorage(engine.database, engine.database.rehearse, PracticeDrafts(journal.now))
    return StationParts(
        work,
        _visit_flows(engine, practice, practice=True),
        offline_captures,
        received_captures,
        engine.reader,
        LookLimit(time.monotonic),
    )


def _visit_flows(engine: Engine, storage: VisitStorage, *, practice: bool) -> VisitFlows:
    """Every enrolment is done in a transaction of `storage`."""
    enrolling = enroller(engine, storage.transaction)
    visits = Visits(
        storage,
        engine.galleries,
        engine.reader,
        engine.stored_persons,
        engine.journal,
        enrolling,
        ReceiptCodes.of(engine.deployment.keys.keyring),
        practice=practice,
    )
    without_face = RegistrationWithoutFace(engine.stored_persons, engine.encounters, engine.journal)
    exceptions = CaptureExceptions(visits, storage, engine.stored_persons, engine.journal, enrolling, without_face)
    return VisitFlows(visits, exceptions)


def station_days(engine: Engine) -> StationDays:
    """What the supervisor's pages call."""
    return StationDays(engine.database, engine.journal, ZoneInfo(engine.settings.time_zone))
