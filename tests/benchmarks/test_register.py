"""The deployments that benchmarks write straight into the tables are such as enrolment would have made."""

from pathlib import Path

import numpy as np

from benchmarks.register import REGISTER, found, number, populate, unlimited
from benchmarks.startup import measure
from idverify.administration.deployment import Deployment
from idverify.embedding import unit
from idverify.galleries.in_memory import GalleriesInMemory
from idverify.startup.workers import DeploymentLocation


def test_everybody_of_a_written_register_is_loaded_and_found(tmp_path: Path) -> None:
    settings = unlimited(tmp_path)
    found(settings, demonstration=True)
    vectors = np.random.default_rng(0).standard_normal((50, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Deployment.open(settings) as deployment:
        assert populate(deployment, [vectors[:20], vectors[20:]]) == 50
        model = deployment.model_set.embedder_digest
        galleries_in_memory = GalleriesInMemory(
            deployment.database,
            deployment.envelope,
            deployment.stored_persons,
            deployment.keys.checkpoint_signer,
            model,
            128,
            DeploymentLocation(settings.database, settings.root_keys),
        )
        galleries_in_memory.load(lambda *_: None)  # refuses what is not sound
    (gallery,) = galleries_in_memory.galleries()
    assert (gallery.gallery, len(gallery)) == (REGISTER, 50)
    assert gallery.search(unit(vectors[33], model), most=1)[0].person == number(33)
    start = measure(tmp_path)
    assert start.people == 50
    assert start.opened_a_second > 0
    assert list(start.steps_s) == ["Verifying the audit log", "Comparing records", "Opening templates and building"]
