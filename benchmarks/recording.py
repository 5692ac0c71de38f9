"""A runtime that remembers what its networks were given, so that the very same tensors can be run bare afterwards."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from idverify.vision.runtime import Network, Runtime

Tensors = tuple[npt.NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of one network: which (by the sha256 of its file), and on what."""

    network: Network
    sha256: str
    inputs: Tensors

    def replay(self) -> None:
        """Run the session and nothing else: what the recipe's time is compared with."""
        self.network.session.run(None, dict(zip(self.network.input_names, self.inputs, strict=True)))


@dataclass(slots=True)
class Recorder:
    """Collects calls while it is on."""

    on: bool = False
    calls: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordingNetwork(Network):
    """A network that, while its recorder is on, keeps a copy of its inputs."""

    recorder: Recorder
    sha256: str

    def run(self, *inputs: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        if self.recorder.on:
            self.recorder.calls.append(Call(self, self.sha256, tuple(each.copy() for each in inputs)))
        return Network.run(self, *inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRuntime(Runtime):
    """Opens networks that record."""

    recorder: Recorder

    def session(self, model: bytes) -> RecordingNetwork:
        network = Runtime.session(self, model)
        return RecordingNetwork(
            network.session,
            network.input_names,
            network.output_names,
            self.recorder,
            hashlib.sha256(model).hexdigest(),
        )
