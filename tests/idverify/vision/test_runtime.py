"""Networks run checked bytes, from several threads, and say what they cannot load."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from idverify.errors import ConfigurationInvalid
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.runtime import Runtime

ROOT = Path(__file__).parents[3]


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


def test_the_runtime_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    """Left alone, onnxruntime 1.31 collects events about the machine in the home folder and sends them."""
    program = "import idverify.vision.runtime, onnxruntime, time; onnxruntime.SessionOptions(); time.sleep(0.5)"
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "ORT_DISABLE_TELEMETRY": "0"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
