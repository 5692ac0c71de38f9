"""A gallery that moves from an older embedder to the one in use, for tests: step by step, or killed on its way.

The older embedder is the one in use under another digest: the same network, a different model to everybody else.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.administration.migration import Migration, MigrationRun
from idverify.engine import Engine
from idverify.galleries.definitions import Galleries
from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.matching.operating_point import OperatingPoints
from idverify.storage import galleries, templates
from idverify.stored.audit_journal import Journal
from idverify.vision.manifest import Manifest, ModelSet, NetworkRole
from tests.deployments import KEEPING, Register, access, photograph

OLDER = ModelDigest("0d" * 32)
VETERANS = GalleryId("veterans")
SEEDS = range(11, 17)
PEOPLE = [PersonId(f"V-{seed}") for seed in SEEDS]


@dataclass
class Move:
    """A deployment whose veterans were enrolled by the older embedder: a service of each, and the way from one to
    the other."""

    register: Register
    older: Engine
    model_set: ModelSet

    @property
    def newer(self) -> Engine:
        return self.register.engine

    def run(self, after_each: Callable[[], None] = lambda: None, gallery: GalleryId = VETERANS) -> MigrationRun:
        def progress(_what: str, _done: int, _total: int) -> None:
            after_each()

        return Migration(self.newer.deployment, self.model_set, self.register.reader).run(gallery, access(), progress)

    def vectors(self) -> dict[tuple[str, str], bytes]:
        """Person and embedder of every template of the veterans, with the embedding itself."""
        with self.newer.database.read() as connection:
            return {
                (row.person, template.model): self.newer.stored_persons.reveal(
                    self.newer.stored_persons.open(row), template
                ).vector.tobytes()
                for row, template in templates.templates_in_gallery(connection, VETERANS)
            }

    def model(self) -> ModelDigest:
        with self.newer.database.read() as connection:
            return galleries.get(connection, VETERANS).model


def older_engine(register: Register, manifest: Manifest, model_set: ModelSet) -> Engine:
    """A service of the older embedder on the register's database."""
    former = replace(model_set.files[NetworkRole.EMBEDDER], sha256=OLDER)
    older_set = replace(model_set, files={**model_set.files, NetworkRole.EMBEDDER: former})
    points = [
        *manifest.operating_points,
        *(
            {**point, "embedder": OLDER}
            for point in manifest.operating_points
            if point["embedder"] == register.reader.model
        ),
    ]
    opened = Deployment.open(register.settings, clock=register.clock)
    of_older = Galleries(opened.database, opened.journal, older_set, OperatingPoints.parse(points))
    reader = replace(register.reader, embedder=replace(register.reader.embedder, model=OLDER))
    engine = Engine(replace(opened, galleries=of_older, model_set=older_set), reader)
    engine.galleries_in_memory.load(no_progress)
    return engine


def found_veterans(register: Register, older: Engine) -> None:
    """Enrol the veterans, photographs kept."""
    older.galleries.add(VETERANS, demonstration=True, policy=KEEPING, access=access())
    for seed, person in zip(SEEDS, PEOPLE, strict=True):
        register.enrol(person, photograph(seed, 1), gallery=VETERANS, engine=older)


def killed_at(move: Move, leaf: int) -> None:
    """Run the move in a process that SIGKILL ends while the transaction of its `leaf`-th audit leaf is open."""
    child = os.fork()
    if child == 0:
        leaves, record = count(1), Journal.record

        def dying(*args: Any, **named: Any) -> int:
            position = record(*args, **named)
            if next(leaves) == leaf:
                os.kill(os.getpid(), signal.SIGKILL)
            return position

        try:
            setattr(Journal, "record", dying)  # noqa: B010  in this process only
            with Deployment.open(move.register.settings) as deployment:
                Migration(deployment, move.model_set, move.register.reader).run(VETERANS, access(), no_progress)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the run was through before that leaf"
