"""Everything about staff made once from an opened deployment, for the pages and for the command line."""

from dataclasses import dataclass
from typing import Self

from enrolment.staff.accounts import Accounts
from enrolment.staff.credentials import StaffCredentials
from enrolment.staff.nonces import Nonces
from enrolment.staff.passwords import Passwords
from enrolment.staff.sessions import Sessions
from enrolment.staff.sign_in import SignIn
from enrolment.staff.stations import Stations
from enrolment.staff.throttle import Throttle
from idverify.administration.deployment import Administration
from idverify.protection.keyring import ServiceKeyKind


@dataclass(frozen=True, slots=True)
class Staff:
    """The rooms of this package."""

    accounts: Accounts
    credentials: StaffCredentials
    sessions: Sessions
    sign_in: SignIn
    stations: Stations
    nonces: Nonces

    @classmethod
    def of(cls, administration: Administration) -> Self:
        database, journal = administration.database, administration.journal
        passwords = Passwords.open()
        nonces = Nonces(journal)
        hmac_key = administration.keys.keyring.service_key(ServiceKeyKind.SUBJECT_HMAC)
        throttle = Throttle(hmac_key)
        return cls(
            accounts=Accounts(database, journal),
            credentials=StaffCredentials(database, journal, passwords),
            sessions=Sessions(database, journal, administration.settings, hmac_key),
            sign_in=SignIn(database, journal, passwords, throttle, nonces),
            stations=Stations(database, journal, nonces),
            nonces=nonces,
        )
