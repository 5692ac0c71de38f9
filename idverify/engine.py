"""Makes every part of the service once, in order, and hands it to the parts that use it; nothing is global.

It must not decide anything: it only wires the parts together, opens them and closes them.
"""

from contextlib import ExitStack
from datetime import timedelta
from typing import Self

from idverify.access import Progress, no_progress
from idverify.administration.deployment import Clock, Deployment, utc_now
from idverify.clients.tokens import Tokens
from idverify.encounters.register import Encounters
from idverify.errors import IdverifyError
from idverify.galleries.definitions import GalleryView
from idverify.galleries.follower import GalleryFollower
from idverify.galleries.in_memory import GalleriesInMemory
from idverify.galleries.search import GallerySearch
from idverify.identification import Identification
from idverify.persons import Persons
from idverify.protection.capture_sealing import CaptureKeys
from idverify.settings import Settings
from idverify.startup.workers import DeploymentLocation
from idverify.storage import audit_log
from idverify.stored.decoy import Decoy
from idverify.verification import Verification
from idverify.vision.decoder_pool import DecoderPool
from idverify.vision.image import Decoder, decode_pixels
from idverify.vision.reader import PhotographReader, Reader
from idverify.vision.reader_messages import Order
from idverify.vision.reader_pool import ReaderPool
from idverify.vision.runtime import Runtime


class Engine:
    """A running service: 1:1, 1:N, persons and galleries, with models loaded and galleries in memory."""

    def __init__(
        self,
        deployment: Deployment,
        reader: PhotographReader,
        decoder: Decoder = decode_pixels,
        workers: ExitStack | None = None,
    ) -> None:
        """`reader` runs the embedder that the galleries belong to; `decoder` is for photographs that are only shown.

        `workers`, if there are any, end with the engine. The galleries are not loaded yet: `galleries_in_memory.load`
        loads them before it returns, `follower.start` in a thread of its own.
        """
        self._workers = workers or ExitStack()
        self.decoder = decoder
        self.deployment = deployment
        self.settings = settings = deployment.settings
        self.database = database = deployment.database
        self.journal = journal = deployment.journal
        self.envelope = deployment.envelope
        self.galleries = deployment.galleries
        self.clients = deployment.clients
        self.stored_persons = stored_persons = deployment.stored_persons
        self.reader = reader
        self.encounters = Encounters(self.envelope, stored_persons, journal)
        keyring = deployment.keys.keyring
        self.tokens = Tokens(database, journal, keyring, deployment.issuer)
        signer = deployment.keys.checkpoint_signer
        location = DeploymentLocation(settings.database, settings.root_keys)
        self.galleries_in_memory = GalleriesInMemory(
            database, self.envelope, stored_persons, signer, reader.model, reader.dimension, location
        )
        self.follower = GalleryFollower(self.galleries_in_memory, database)
        self.kept_answers = deployment.kept_answers
        attempt_limits = deployment.attempt_limits
        self.drafts = drafts = deployment.drafts
        self.persons = Persons(
            database, stored_persons, journal, self.galleries_in_memory, attempt_limits, self.kept_answers, drafts
        )
        self.capture_keys = CaptureKeys(deployment.keys.deployment, keyring)
        self.receipts = deployment.keys.receipts
        decoy = Decoy(self.envelope, stored_persons, reader.model, reader.dimension)
        lifetime = timedelta(seconds=settings.answer_lifetime_s)
        galleries = self.galleries
        self.verification = Verification(
            database, galleries, reader, stored_persons, journal, attempt_limits, decoy, lifetime
        )
        self.searches = GallerySearch(self.galleries_in_memory, database)
        self.identification = Identification(
            database, galleries, reader, self.searches, stored_persons, journal, attempt_limits, lifetime
        )

    @classmethod
    def open(
        cls, settings: Settings, *, progress: Progress = no_progress, clock: Clock = utc_now, serving: bool = False
    ) -> Self:
        """Check models, database and keys, then rebuild the galleries; refuses to start on anything wrong.

        `serving`: photographs are read in processes of their own, and the galleries are left to `follower.start`;
        1:N is refused until they are there.

        Raises ConfigurationInvalid and its kind, AuditBroken, RecordRolledBack, SealBroken, DecoderUnavailable.
        """
        with ExitStack() as opened:
            deployment = Deployment.open(settings, clock=clock)
            opened.callback(deployment.close)
            workers = opened.enter_context(ExitStack())
            decoders = workers.enter_context(DecoderPool(1 if serving else settings.readers))
            files = settings.model_files
            reader: PhotographReader
            if serving:
                order = Order(deployment.model_set, files, settings.threads)
                reader = workers.enter_context(ReaderPool(order, settings.readers))
            else:
                reader = Reader.open(deployment.model_set, files, Runtime(settings.threads), decoders)
            engine = cls(deployment, reader, decoders, workers)
            # What an erasure that was cut off between its commit and its scrub left behind.
            deployment.database.scrub()
            with deployment.database.write() as connection:
                deployment.kept_answers.drop_expired(connection)
                deployment.drafts.drop_expired(connection)
                deployment.attempt_limits.drop_past(connection, clock())
            if not serving:
                engine.galleries_in_memory.load(progress)
            decoders.check()
            opened.pop_all()
        return engine

    @property
    def ready(self) -> bool:
        """Whether 1:N can be answered."""
        return self.galleries_in_memory.loaded

    def people_in(self, view: GalleryView) -> int:
        """How many people a gallery holds: by its copy in memory where there is one, which need not be counted."""
        if not self.galleries_in_memory.loaded or view.model != self.reader.model:
            return self.galleries.size(view.gallery).people
        with self.database.read() as connection:
            return len(self.galleries_in_memory.caught_up(connection, view.gallery))

    def check(self) -> dict[str, str]:
        """Each part that an answer needs: "ok", or what is wrong with it."""
        try:
            with self.database.read() as connection:
                audit_log.require_signed(connection, self.deployment.keys.checkpoint_signer)
            database = "ok"
        except IdverifyError as error:
            database = str(error)
        return {"database": database, "galleries": "ok" if self.ready else "loading"}

    def close(self) -> None:
        self.follower.stop()
        self._workers.close()
        self.deployment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
