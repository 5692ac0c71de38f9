"""Names the parts that the station's pages call; `enrolment.station.composition` makes them, once for each service."""

from dataclasses import dataclass

from enrolment.station.capture_exceptions import CaptureExceptions
from enrolment.station.look_limit import LookLimit
from enrolment.station.offline_captures import OfflineCaptures
from enrolment.station.received_captures import ReceivedCaptures
from enrolment.station.visit_steps import Visits
from idverify.vision.reader import PhotographReader


@dataclass(frozen=True, slots=True)
class VisitFlows:
    """What pages do with visits: with those of the stations, or with those of practice."""

    visits: Visits
    exceptions: CaptureExceptions


@dataclass(frozen=True, slots=True)
class StationParts:
    """Offline captures are never practice: what a browser keeps is always meant to be sent."""

    work: VisitFlows
    practice: VisitFlows
    offline_captures: OfflineCaptures
    received_captures: ReceivedCaptures
    reader: PhotographReader
    look_limit: LookLimit
