"""What an administrator needs without any model or gallery in memory: database, keys, journal, persons, clients."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from idverify import keys
from idverify.approvals import Approvals
from idverify.client_keys import ClientKeys
from idverify.clients import Clients
from idverify.galleries import Galleries
from idverify.journal import Journal
from idverify.keys import OpenedKeys
from idverify.matching.operating_point import OperatingPoints
from idverify.persons import Persons
from idverify.protection.envelope import Envelope
from idverify.protection.keyring import ServiceKeyKind
from idverify.settings import Settings
from idverify.storage.database import Database
from idverify.subjects import Subjects
from idverify.tokens import issuer_of
from idverify.vision.manifest import ModelSet, load_manifest

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Administration:
    """An opened deployment. `persons` here erases from the store; running services follow the log by themselves."""

    settings: Settings
    database: Database
    keys: OpenedKeys
    envelope: Envelope
    journal: Journal
    subjects: Subjects
    model_set: ModelSet
    galleries: Galleries
    clients: Clients
    client_keys: ClientKeys
    persons: Persons
    approvals: Approvals

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now) -> Self:
        """Raises ConfigurationInvalid and its kind: an outdated schema, unusable keys, an unknown model set."""
        manifest = load_manifest()
        model_set = manifest.set(settings.model_set)
        database = Database.open(settings.database)
        database.require_current()
        opened = keys.open_keys(database, settings.root_keys)
        envelope = Envelope(opened.deployment, opened.keyring)
        journal = Journal(envelope, opened.checkpoint_signer, clock)
        subjects = Subjects(envelope)
        hmac_key = opened.keyring.service_key(ServiceKeyKind.CLIENT_HMAC)
        points = OperatingPoints.parse(manifest.operating_points)
        return cls(
            settings=settings,
            database=database,
            keys=opened,
            envelope=envelope,
            journal=journal,
            subjects=subjects,
            model_set=model_set,
            galleries=Galleries(database, journal, model_set.embedder_digest, points),
            clients=Clients(database, journal, hmac_key),
            client_keys=ClientKeys(database, journal, hmac_key),
            persons=Persons(database, envelope, subjects, journal, None),
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
