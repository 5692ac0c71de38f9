"""Makes accounts, stations and sessions from an opened deployment, for pages and commands; it decides nothing."""

from dataclasses import dataclass
from typing import Self

from idverify.administration.deployment import Deployment
from staff.accounts.accounts import Accounts
from staff.accounts.credentials import StaffCredentials
from staff.accounts.nonces import Nonces
from staff.accounts.passwords import Passwords
from staff.accounts.sessions import Sessions
from staff.accounts.sign_in import SignIn
from staff.accounts.stations import Stations
from staff.accounts.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Staff:
    """The parts of this package that pages and commands use."""

    accounts: Accounts
    credentials: StaffCredentials
    sessions: Sessions
    sign_in: SignIn
    stations: Stations
    nonces: Nonces

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        database, journal = deployment.database, deployment.journal
        passwords = Passwords.open()
        nonces = Nonces(journal)
        keyring = deployment.keys.keyring
        throttle = Throttle(keyring)
        return cls(
            accounts=Accounts(database, journal),
            credentials=StaffCredentials(database, journal, passwords),
            sessions=Sessions(database, journal, deployment.settings, keyring),
            sign_in=SignIn(database, journal, passwords, throttle, nonces),
            stations=Stations(database, journal, nonces),
            nonces=nonces,
        )
