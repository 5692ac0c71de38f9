"""The code on a printed receipt fits the person and encounter that the receipt names, and nothing else."""

from enrolment.station import composition
from enrolment.station.receipt_codes import ReceiptCodes
from enrolment.station.visit import Visit
from enrolment.station.visit_steps import Workplace
from idverify.ids import PersonId, RequestId
from tests.deployments import REGISTER, Register, photograph

CLERK = Workplace("clerk-1", "maseru-1", REGISTER, RequestId("request-clerk-1"))


def test_a_receipts_code_fits_what_it_says_and_nothing_else(own_register: Register) -> None:
    visits = composition.station_parts(own_register.engine).work.visits
    visit = visits.start(CLERK, "P-77").visit
    visits.choose_basis(CLERK, visit, "consent")
    visits.capture(CLERK, visit, "capture-1", [photograph(77, 1)], "station", lambda _connection: None)
    outcome = Visit.parse(visits.commit(CLERK, visit).content).outcome
    assert outcome is not None
    assert outcome.encounter is not None
    codes = ReceiptCodes(own_register.engine.deployment.keys.keyring)
    assert codes.fits(outcome.receipt.lower(), PersonId("P-77"), outcome.encounter)
    assert not codes.fits(outcome.receipt, PersonId("P-78"), outcome.encounter)
