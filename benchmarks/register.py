"""Deployments with as many people as a benchmark asks for, written into the tables as their enrolments would have been.

Every key, seal, record digest, audit leaf and checkpoint is a real one, so that a start finds nothing to complain of.
Only the photographs are left out: the embeddings are given.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert, update

from idverify import keys
from idverify.access import Access
from idverify.administration.deployment import Deployment, utc_now
from idverify.audit.events import EventKind, LeafDraft, utc_text
from idverify.audit.log import Frontier, leaf_hash
from idverify.embedding import unit
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym, RequestId, TemplateId
from idverify.protection.envelope import SealContext
from idverify.protection.template import ProtectedTemplate, protect
from idverify.settings import Settings
from idverify.storage import tables
from idverify.storage.audit_log import LEAVES_PER_CHECKPOINT
from idverify.storage.database import Connection, Database
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.persons import PersonRow
from idverify.vision.reader import AttackCheck

REGISTER = GalleryId("benchmark-register")
PURPOSE = "tax-filing"
ACCESS = Access(RequestId("benchmark"), PURPOSE)
UNLIMITED = 10**9
_BATCH = 2_000
_THEN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Visit:
    person: PersonRow
    encounter: EncounterRow
    template: ProtectedTemplate


def unlimited(folder: Path, **others: object) -> Settings:
    """Settings of a deployment in `folder` whose caps no benchmark reaches."""
    return Settings.read(
        data_dir=folder,
        verifications_per_person_per_day=UNLIMITED,
        verifications_per_person_per_month=UNLIMITED,
        consecutive_failures_per_person=UNLIMITED,
        close_calls_per_person_per_year=UNLIMITED,
        identifications_per_client_per_day=UNLIMITED,
        requests_per_client_per_minute=UNLIMITED,
        **others,
    )


def found(settings: Settings, *, demonstration: bool = False) -> None:
    """A new deployment with one empty gallery, REGISTER."""
    database = Database.open(settings.database)
    database.migrate()
    keys.create(database, settings.root_keys, utc_now, ACCESS)
    database.close()
    with Deployment.open(settings) as deployment:
        policy = GalleryPolicy(presentation_attack=AttackCheck.OFF)
        deployment.galleries.add(REGISTER, demonstration=demonstration, policy=policy, access=ACCESS)


def number(index: int) -> PersonId:
    """The number of the index-th person."""
    return PersonId(f"C-{index:08d}")


def populate(
    deployment: Deployment,
    vectors: Iterable[Vectors],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Enrol a person for each row of `vectors` (blocks of unit vectors, (n, dimension)); returns how many."""
    people = 0
    draws = np.random.default_rng(seed=6)
    rows = (row for block in vectors for row in block)
    while batch := list(islice(rows, _BATCH)):
        encounters = [_visit(deployment, people + place, vector, draws) for place, vector in enumerate(batch)]
        with deployment.database.write() as connection:
            _store(connection, encounters)
            _log(connection, deployment, encounters)
        people += len(batch)
        progress(people)
    return people


def _visit(deployment: Deployment, index: int, vector: Vectors, draws: np.random.Generator) -> _Visit:
    model = deployment.model_set.embedder_digest
    envelope, person, moment = deployment.envelope, number(index), utc_text(_THEN)
    pseudonym = Pseudonym(draws.bytes(16).hex())
    key, wrapped = envelope.new_person_key(person, pseudonym)
    encounter = EncounterId(str(uuid4()))
    detail = b'{"quality": 87, "measures": {}, "presentation_attack": "not_evaluated", "candidates": []}'
    row = EncounterRow(
        encounter=encounter,
        person=person,
        created_at=moment,
        source="import",
        galleries=(REGISTER,),
        client=None,
        clerk="clerk-1",
        review=Review.NONE,
        detail=envelope.seal(key, detail, SealContext.of_encounter_detail(person, encounter)),
    )
    template = protect(
        unit(vector, ModelDigest(model)),
        template=TemplateId(str(UUID(bytes=draws.bytes(16), version=4))),
        encounter=encounter,
        key=key,
        envelope=envelope,
    )
    return _Visit(PersonRow(person, pseudonym, wrapped, moment), row, template)


def _store(connection: Connection, encounters: Sequence[_Visit]) -> None:
    slots = connection.execute(
        insert(tables.register.person_keys).returning(tables.register.person_keys.c.slot, sort_by_parameter_order=True),
        [{"wrapped_key": encounter.person.wrapped.sealed} for encounter in encounters],
    ).scalars()
    connection.execute(
        insert(tables.register.persons),
        [
            {
                "person": encounter.person.person,
                "pseudonym": encounter.person.pseudonym,
                "key_slot": slot,
                "wrapping_version": encounter.person.wrapped.wrapping_version,
                "status": encounter.person.status,
                "created_at": encounter.person.created_at,
            }
            for encounter, slot in zip(encounters, slots, strict=True)
        ],
    )
    columns = ("encounter", "person", "created_at", "source", "client", "clerk", "station", "review", "detail")
    connection.execute(
        insert(tables.register.encounters),
        [{name: getattr(encounter.encounter, name) for name in columns} for encounter in encounters],
    )
    connection.execute(
        insert(tables.register.encounter_galleries),
        [{"encounter": encounter.encounter.encounter, "gallery": REGISTER} for encounter in encounters],
    )
    parts = ("template", "encounter", "person", "generation", "model", "dimension", "dtype", "sealed")
    connection.execute(
        insert(tables.register.templates),
        [{name: getattr(encounter.template, name) for name in parts} for encounter in encounters],
    )


def _log(connection: Connection, deployment: Deployment, encounters: Sequence[_Visit]) -> None:
    """What `audit_log.append` does for each of them, with one write for all and a signature where one is kept."""
    signer = deployment.keys.checkpoint_signer
    frontier = Frontier.from_bytes(connection.execute(tables.audit.audit_head.select()).one().frontier)
    leaves, checkpoints = [], []
    for draft in _drafts(deployment, encounters):
        event = draft.placed(frontier.size, _THEN)
        leaf = event.leaf()
        digest = leaf_hash(leaf)
        frontier = frontier.append(digest)
        leaves.append(
            {
                "sequence": event.sequence,
                "event": event.event,
                "person": event.person,
                "leaf": leaf,
                "leaf_hash": digest,
                "root": frontier.root,
                "mac": signer.leaf_key.mac(digest),
            }
        )
        if frontier.size % LEAVES_PER_CHECKPOINT == 0:
            checkpoints.append({"size": frontier.size, "note": signer.sign(frontier.size, frontier.root)})
    connection.execute(insert(tables.audit.audit_leaves), leaves)
    if checkpoints:
        connection.execute(insert(tables.audit.audit_checkpoints), checkpoints)
    note = signer.sign(frontier.size, frontier.root)
    head = {"size": frontier.size, "frontier": frontier.to_bytes(), "root": frontier.root, "note": note}
    connection.execute(update(tables.audit.audit_head).values(head))


def _drafts(deployment: Deployment, encounters: Sequence[_Visit]) -> Iterator[LeafDraft]:
    for encounter in encounters:
        written = (encounter.encounter, encounter.template, encounter.person)
        yield LeafDraft(
            event=EventKind.ENCOUNTER_ENROLLED,
            clerk="clerk-1",
            person=encounter.person.pseudonym,
            gallery=REGISTER,
            purpose="registration",
            request=RequestId("benchmark"),
            policy=f"{REGISTER}/duplicates/fmr-1e-06",
            model=deployment.model_set.embedder_digest,
            records={item.log_name: item.digest for item in written},
        )
