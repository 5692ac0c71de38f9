"""Galleries and their policies: embedder, population, error rates, number format, and whether images are kept."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import ConfigurationInvalid, Conflict, DemonstrationOnly, EmbedderMismatch, InvalidInput
from idverify.ids import GalleryId, ModelDigest, PersonId, purpose
from idverify.matching.gallery import expected_bytes
from idverify.matching.operating_point import STRICTEST_RATE, Calibration, OperatingPoints, Population
from idverify.storage import galleries as table
from idverify.storage.database import Connection, Database
from idverify.storage.galleries import GalleryRow
from idverify.stored.audit_journal import Journal
from idverify.vision.manifest import ModelSet, load_manifest
from idverify.vision.reader import AttackCheck

_MOST_TRIES = 20


@dataclass(frozen=True, slots=True)
class GalleryPolicy:
    """What holds for everybody in one gallery.

    `verification_fmr`: false match rate of a 1:1 answer. `identification_fpir` and `duplicate_fpir`: probability that a
    search of the whole gallery returns somebody who is not the probe's person, for callers and for the duplicate
    check at enrolment. Rates lie in [1e-12, 0.5]. At a station: `legal_bases` are the codes that a clerk chooses from,
    `person_pattern` a regular expression that the whole of a person's number must match (empty: any number),
    `allow_files` takes a photograph from a file, and so many `capture_tries` may fail before the clerk may record a
    failure to enrol. Raises InvalidInput.
    """

    verification_fmr: float = 1e-4
    identification_fpir: float = 1e-3
    duplicate_fpir: float = 1e-2
    presentation_attack: AttackCheck = AttackCheck.ADVISE
    keep_images: bool = False
    legal_bases: tuple[str, ...] = ("consent", "legal-obligation", "public-task")
    person_pattern: str = ""
    allow_files: bool = False
    capture_tries: int = 3

    def __post_init__(self) -> None:
        for name in ("verification_fmr", "identification_fpir", "duplicate_fpir"):
            if not STRICTEST_RATE <= getattr(self, name) <= 0.5:
                raise InvalidInput(f"{name}: expected {STRICTEST_RATE:g} to 0.5, got {getattr(self, name):g}")
        if not self.legal_bases:
            raise InvalidInput("legal_bases: expected at least one code")
        for code in self.legal_bases:
            purpose(code)
        if not 1 <= self.capture_tries <= _MOST_TRIES:
            raise InvalidInput(f"capture_tries: expected 1 to {_MOST_TRIES}, got {self.capture_tries}")
        try:
            re.compile(self.person_pattern)
        except re.error:
            raise InvalidInput("person_pattern: expected a regular expression") from None

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> "GalleryPolicy":
        """What `as_json` gave, of this version or of an earlier one, whose policies lack the later fields."""
        later = {"legal_bases": tuple(stored["legal_bases"])} if "legal_bases" in stored else {}
        attack = AttackCheck(stored["presentation_attack"])
        return cls(**{**stored, **later, "presentation_attack": attack})

    def as_json(self) -> dict[str, Any]:
        """What `parse` takes."""
        return {**asdict(self), "legal_bases": list(self.legal_bases)}

    def takes(self, person: PersonId) -> bool:
        """Whether the number has the form that this gallery asks for."""
        return not self.person_pattern or re.fullmatch(self.person_pattern, person) is not None


@dataclass(frozen=True, slots=True)
class GalleryDefinition:
    """A gallery as the flows need it: `calibration` holds the thresholds of its embedder on its population."""

    gallery: GalleryId
    demonstration: bool
    model: ModelDigest
    policy: GalleryPolicy
    calibration: Calibration

    @property
    def population(self) -> Population:
        return population_of(self.demonstration)


@dataclass(frozen=True, slots=True)
class GalleryView:
    """A gallery as a caller may see it."""

    gallery: GalleryId
    demonstration: bool
    population: Population
    model: ModelDigest
    policy: GalleryPolicy


@dataclass(frozen=True, slots=True)
class GallerySize:
    """How many people and references a gallery holds, and about how much memory it takes in a service that has loaded
    it.
    """

    people: int
    references: int
    memory_bytes: int


def population_of(demonstration: bool) -> Population:
    """Demonstrations are made of rendered citizens, which look more alike to an embedder than real people do."""
    return Population.RENDERED if demonstration else Population.PHOTOGRAPHS


def require_suitable(model_set: ModelSet, gallery: GalleryId, *, demonstration: bool) -> None:
    """Raises DemonstrationOnly for a set that knows rendered citizens only on a gallery of real people."""
    if model_set.demonstration and not demonstration:
        raise DemonstrationOnly(
            f"gallery {gallery} is of real people, and the {model_set.name} model set knows rendered citizens only; "
            "run `idverify models pull` for the reference set, or mark the gallery as a demonstration"
        )


class Galleries:
    """Adds, lists and finds galleries for one embedder."""

    def __init__(self, database: Database, journal: Journal, model_set: ModelSet, points: OperatingPoints) -> None:
        self._database = database
        self._journal = journal
        self._model_set = model_set
        self._model = model_set.embedder_digest
        self._points = points

    def add(self, gallery: GalleryId, *, demonstration: bool, policy: GalleryPolicy, access: Access) -> None:
        """Make an empty gallery for this deployment's embedder.

        Raises Conflict when it exists, OperatingPointMissing when its population has no thresholds, DemonstrationOnly
        when the gallery is of real people and this deployment runs a demonstration set.
        """
        require_suitable(self._model_set, gallery, demonstration=demonstration)
        self._points.of(self._model, population_of(demonstration))
        with self._database.write() as connection:
            row = GalleryRow(gallery, demonstration, self._model, utc_text(self._journal.now()), policy.as_json())
            if any(other.gallery == gallery for other in table.all_galleries(connection)):
                raise Conflict(f"gallery {gallery} exists already; choose another name")
            table.add(connection, row)
            written = {row.log_name: row.digest}
            self._journal.record(
                connection, EventKind.GALLERY_CREATED, access, gallery=gallery, model=self._model, records=written
            )

    def planned(self, gallery: GalleryId, changes: Mapping[str, object]) -> tuple[GalleryPolicy, GalleryPolicy]:
        """The gallery's policy now, and with `changes` (by field name). Raises GalleryNotFound, InvalidInput."""
        with self._database.read() as connection:
            now = _policy(table.get(connection, gallery))
        return now, replace(now, **changes)  # type: ignore[arg-type]

    def change(
        self,
        connection: Connection,
        gallery: GalleryId,
        expected: GalleryPolicy,
        policy: GalleryPolicy,
        access: Access,
        approval: Mapping[str, str],
    ) -> None:
        """Give the gallery another policy; answers are given by it from the commit on.

        Two administrators decide this: it takes the transaction and the record of their approval, see
        `idverify.administration.dual_control`. Raises GalleryNotFound, and Conflict when its policy is not `expected`
        (any more).
        """
        row = table.get(connection, gallery, lock=True)
        if _policy(row) != expected:
            raise Conflict(f"gallery {gallery}: its policy was changed meanwhile; propose the change again")
        table.set_policy(connection, gallery, policy.as_json())
        changed = replace(row, policy=policy.as_json())
        written = {**approval, changed.log_name: changed.digest}
        self._journal.record(
            connection, EventKind.GALLERY_CHANGED, access, gallery=gallery, model=row.model, records=written
        )

    def find(self, connection: Connection, gallery: GalleryId, *, to_search: bool = False) -> GalleryDefinition:
        """Raises GalleryNotFound, DemonstrationOnly, and EmbedderMismatch when the gallery is another embedder's.

        `to_search`: one that is moving to this deployment's embedder will do, with those who have moved already.
        """
        row = table.get(connection, gallery)
        require_suitable(self._model_set, gallery, demonstration=row.demonstration)
        if to_search and row.moving_to == self._model:
            row = replace(row, model=self._model)
        if row.model != self._model:
            raise EmbedderMismatch(
                f"gallery {gallery} belongs to embedder {row.model[:12]}{_in_set(row.model)}, this service runs "
                f"{self._model[:12]}; start it with the gallery's model set (IDVERIFY_MODEL_SET)"
            )
        return self._definition(row)

    def start_move(self, connection: Connection, gallery: GalleryId, target: ModelSet, access: Access) -> GalleryRow:
        """Let the gallery begin to move to another model set's embedder, or go on; returns its row as it then is.

        Raises GalleryNotFound, DemonstrationOnly, OperatingPointMissing when its population has no thresholds for the
        target, Conflict when it is moving elsewhere.
        """
        row = table.get(connection, gallery, lock=True)
        require_suitable(target, gallery, demonstration=row.demonstration)
        self._points.of(target.embedder_digest, population_of(row.demonstration))
        if target.embedder_digest in (row.model, row.moving_to):
            return row
        if row.moving_to is not None:
            raise Conflict(f"gallery {gallery}: it is moving to embedder {row.moving_to[:12]}; let that end first")
        return self._set_model(
            connection, row, row.model, target.embedder_digest, EventKind.GALLERY_MOVE_STARTED, access
        )

    def finish_move(self, connection: Connection, gallery: GalleryId, access: Access) -> None:
        """Let the gallery belong to the embedder that it moved to; services of the old one are refused from here on."""
        row = table.get(connection, gallery, lock=True)
        if row.moving_to is not None:
            self._set_model(connection, row, row.moving_to, None, EventKind.GALLERY_MOVED, access)

    def _set_model(
        self,
        connection: Connection,
        row: GalleryRow,
        model: ModelDigest,
        moving_to: ModelDigest | None,
        event: EventKind,
        access: Access,
    ) -> GalleryRow:
        table.set_model(connection, row.gallery, model, moving_to)
        changed = replace(row, model=model, moving_to=moving_to)
        written = {changed.log_name: changed.digest}
        named = moving_to or model
        self._journal.record(connection, event, access, gallery=row.gallery, model=named, records=written)
        return changed

    def list(self) -> tuple[GalleryView, ...]:
        """Every gallery by name."""
        with self._database.read() as connection:
            return tuple(_view(row) for row in table.all_galleries(connection))

    def size(self, gallery: GalleryId) -> GallerySize:
        """As the store has it; zero for a gallery that does not exist. A million people take seconds to count."""
        with self._database.read() as connection:
            counts = table.counts(connection, gallery)
        memory_bytes = expected_bytes(counts.templates, counts.numbers)
        return GallerySize(counts.persons, counts.templates, memory_bytes)

    def _definition(self, row: GalleryRow) -> GalleryDefinition:
        calibration = self._points.of(row.model, population_of(row.demonstration))
        return GalleryDefinition(row.gallery, row.demonstration, row.model, _policy(row), calibration)


def _view(row: GalleryRow) -> GalleryView:
    return GalleryView(
        gallery=row.gallery,
        demonstration=row.demonstration,
        population=population_of(row.demonstration),
        model=row.model,
        policy=_policy(row),
    )


def _policy(row: GalleryRow) -> GalleryPolicy:
    try:
        return GalleryPolicy.parse(row.policy)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationInvalid(f"gallery {row.gallery}: its stored policy is not one of this version") from error


def _in_set(embedder: ModelDigest) -> str:
    """Which set of the manifest has the embedder, as words to be added to its digest."""
    named = [each.name for each in load_manifest().sets.values() if each.embedder_digest == embedder]
    return f" of the set {named[0]}" if named else ""
