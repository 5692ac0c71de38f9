"""An opened deployment as administrators use it: database, keys, journal, persons, clients; no model, no gallery."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from idverify import keys
from idverify.access import Access
from idverify.administration.approvals import Approvals
from idverify.clients.agencies import Clients
from idverify.clients.keys import ClientKeys
from idverify.clients.limits import AttemptLimits, Limits
from idverify.clients.tokens import issuer_of
from idverify.galleries.definitions import Galleries
from idverify.ids import RequestId
from idverify.keys import OpenedKeys
from idverify.matching.operating_point import OperatingPoints
from idverify.persons import Persons
from idverify.protection.envelope import Envelope
from idverify.protection.visit_key import VisitKeys
from idverify.settings import Settings
from idverify.storage.database import Database
from idverify.stored.audit_journal import Journal
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.kept_answers import KeptAnswers
from idverify.stored.persons import StoredPersons
from idverify.stored.station_drafts import StationDrafts
from idverify.vision.manifest import ModelSet, load_manifest

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deployment:
    """An opened deployment. `persons` here erases from the store; running services follow the log by themselves."""

    settings: Settings
    database: Database
    keys: OpenedKeys
    envelope: Envelope
    journal: Journal
    stored_persons: StoredPersons
    joint_sealing: JointSealing
    model_set: ModelSet
    galleries: Galleries
    clients: Clients
    client_keys: ClientKeys
    attempt_limits: AttemptLimits
    kept_answers: KeptAnswers
    drafts: StationDrafts
    persons: Persons
    approvals: Approvals

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now) -> Self:
        """Raises ConfigurationInvalid and its kind: an outdated schema, unusable keys, an unknown model set."""
        manifest = load_manifest()
        model_set = manifest.choose(settings.model_set, settings.model_files)
        database = Database.open(settings.database)
        database.require_current()
        by_start = Access(RequestId(secrets.token_hex(16)), "administration")
        keys.complete(database, settings.root_keys, clock, by_start)
        opened = keys.open_keys(database, settings.root_keys)
        envelope = Envelope(opened.deployment, opened.keyring)
        journal = Journal(envelope, opened.checkpoint_signer, clock)
        stored_persons = StoredPersons(envelope)
        attempt_limits = AttemptLimits(opened.keyring, _limits(settings))
        kept_answers = KeptAnswers(opened.keyring, clock)
        drafts = StationDrafts(VisitKeys(opened.deployment, opened.keyring), opened.keyring, clock)
        points = OperatingPoints.parse(manifest.operating_points)
        return cls(
            settings=settings,
            database=database,
            keys=opened,
            envelope=envelope,
            journal=journal,
            stored_persons=stored_persons,
            joint_sealing=JointSealing(envelope, stored_persons, opened.keyring),
            model_set=model_set,
            galleries=Galleries(database, journal, model_set, points),
            clients=Clients(database, journal, opened.keyring),
            client_keys=ClientKeys(database, journal, opened.keyring),
            attempt_limits=attempt_limits,
            kept_answers=kept_answers,
            drafts=drafts,
            persons=Persons(database, stored_persons, journal, None, attempt_limits, kept_answers, drafts),
            approvals=Approvals(database, journal),
        )

    @property
    def issuer(self) -> str:
        """Whom tokens are from, and whom assertions must be addressed to."""
        return issuer_of(self.settings.token_issuer, self.keys.deployment)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _limits(settings: Settings) -> Limits:
    return Limits(
        per_day=settings.verifications_per_person_per_day,
        per_month=settings.verifications_per_person_per_month,
        consecutive_failures=settings.consecutive_failures_per_person,
        close_calls_per_year=settings.close_calls_per_person_per_year,
        searches_per_day=settings.identifications_per_client_per_day,
    )
