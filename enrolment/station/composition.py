"""Makes the parts of the station's pages from an opened engine; it decides nothing."""

import time
from datetime import timedelta

from enrolment.composition import enroller
from enrolment.station.capture_exceptions import CaptureExceptions
from enrolment.station.look_limit import LookLimit
from enrolment.station.offline_captures import OfflineCaptures
from enrolment.station.parts import StationParts, VisitFlows
from enrolment.station.practice_drafts import PracticeDrafts
from enrolment.station.receipt_codes import ReceiptCodes
from enrolment.station.received_captures import ReceivedCaptures
from enrolment.station.visit_steps import Visits
from enrolment.station.visit_storage import VisitStorage
from enrolment.without_face import RegistrationWithoutFace
from idverify.engine import Engine
from staff.accounts.nonces import Nonces
from staff.accounts.stations import Stations


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
        ReceiptCodes(engine.deployment.keys.keyring),
        practice=practice,
    )
    without_face = RegistrationWithoutFace(engine.stored_persons, engine.encounters, engine.journal)
    exceptions = CaptureExceptions(visits, storage, engine.stored_persons, engine.journal, enrolling, without_face)
    return VisitFlows(visits, exceptions)
