"""Runs ONNX networks on the CPU with the number of threads that it is told; the only module that imports onnxruntime.

It takes bytes that were checked before (`ModelFiles.open_checked`); it reads no file and chooses no model.
"""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Before the import, which would otherwise begin to report the machine to the makers of onnxruntime. By assignment: no
# environment may turn it on.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

from idverify.errors import ConfigurationInvalid

_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class Network:
    """One loaded model; `run` may be called from several threads at once."""

    session: onnxruntime.InferenceSession
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    @property
    def output_sizes(self) -> tuple[int | None, ...]:
        """Last dimension of each output, None where the model leaves it open."""
        shapes = (each.shape[-1] for each in self.session.get_outputs())
        return tuple(size if isinstance(size, int) else None for size in shapes)

    def run(self, *inputs: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """The outputs in the order of `output_names`, for float32 inputs in the order of `input_names`."""
        outputs: list[npt.NDArray[np.float32]] = self.session.run(
            None, dict(zip(self.input_names, inputs, strict=True))
        )
        return outputs


@dataclass(frozen=True, slots=True)
class Runtime:
    """Opens networks that each use at most `threads` threads a call; one is best where requests run side by side."""

    threads: int = 1

    def session(self, model: bytes) -> Network:
        """Load an ONNX model from its checked bytes. Raises ConfigurationInvalid when onnxruntime cannot load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no public base class
            raise ConfigurationInvalid(f"model: onnxruntime could not load it ({type(error).__name__})") from error
        return Network(
            session,
            tuple(each.name for each in session.get_inputs()),
            tuple(each.name for each in session.get_outputs()),
        )
