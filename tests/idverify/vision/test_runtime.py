"""Networks run checked bytes, from several threads, and say what they cannot load."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from idverify.errors import ConfigurationInvalid
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.runtime import Runtime


def test_bytes_that_are_no_model_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationInvalid, match="could not load"):
        Runtime().session(b"no model")


def test_a_network_gives_the_same_answer_from_many_threads(model_set: ModelSet, model_files: ModelFiles) -> None:
    network = Runtime(threads=1).session(model_files.open_checked(model_set.files[NetworkRole.EMBEDDER]))
    crops = np.random.default_rng(0).normal(size=(8, 1, 3, 112, 112)).astype(np.float32)
    alone = [network.run(crop)[0] for crop in crops]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda crop: network.run(crop)[0], crops))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    assert network.output_sizes == (128,)
