"""Reads models/manifest.toml and finds the model files; it hands out only bytes that have the pinned sha256.

It never downloads; a missing or altered file is an error that names the command to run.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from idverify.errors import ConfigurationInvalid, ModelAltered, ModelMissing
from idverify.ids import ModelDigest

MANIFEST_NAME = "manifest.toml"
REFERENCE, BUILTIN = "reference", "builtin"
PREFERENCE = (REFERENCE, BUILTIN)
"""Which set is used when none is named: the first of which any file is on this machine. The built-in one always is."""


class NetworkRole(StrEnum):
    """What a model file does in the recipe."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True)
class InputGeometry:
    """What the network takes: channel order, value range in words, side in px or the multiple it must be of."""

    channels: str
    values: str
    side_px: int | None = None
    side_multiple_px: int | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One pinned file; `sha256` is 64 lower-case hex digits, `card` a path relative to the manifest.

    `source_url` is empty for a file that ships beside the manifest.
    """

    role: NetworkRole
    name: str
    version: str
    sha256: str
    size_bytes: int
    licence: str
    source_url: str
    card: str
    input: InputGeometry


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The files that make one recipe; detector and embedder are always there, liveness may be absent.

    A `demonstration` set knows rendered citizens only: no gallery of real people takes it.
    """

    name: str
    description: str
    demonstration: bool
    files: Mapping[NetworkRole, ModelFile]

    @property
    def embedder_digest(self) -> ModelDigest:
        """What ties templates, galleries and operating points to this set's embedder."""
        return ModelDigest(self.files[NetworkRole.EMBEDDER].sha256)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The sets by name, and the `[[operating_point]]` tables as they stand in the file."""

    sets: Mapping[str, ModelSet]
    operating_points: tuple[Mapping[str, object], ...] = field(default=())

    def choose(self, name: str, files: "ModelFiles") -> ModelSet:
        """The set of that name; for none, the first of `PREFERENCE` that is here. Raises ConfigurationInvalid."""
        if name:
            return self.set(name)
        here = (each for each in map(self.set, PREFERENCE) if any(map(files.holds, each.files.values())))
        return next(here, self.set())

    def set(self, name: str = REFERENCE) -> ModelSet:
        """Raises ConfigurationInvalid for a set that is not in the manifest."""
        if name not in self.sets:
            raise ConfigurationInvalid(f"model set: expected one of {sorted(self.sets)}, got {name!r}")
        return self.sets[name]


def manifest_path() -> Path:
    """The manifest that ships with this library: inside the package when installed, in models/ in a checkout."""
    packaged = Path(__file__).with_name(MANIFEST_NAME)
    return packaged if packaged.exists() else Path(__file__).parents[2] / "models" / MANIFEST_NAME


def load_manifest(path: Path | None = None) -> Manifest:
    """Read a manifest, by default the one that ships with the library. Raises ConfigurationInvalid."""
    path = path or manifest_path()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        sets = [_model_set(table) for table in document["set"]]
    except OSError as error:
        raise ConfigurationInvalid(f"model manifest {path}: could not be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationInvalid(f"model manifest {path}: expected sets of pinned files, found {error!r}") from error
    return Manifest({each.name: each for each in sets}, tuple(document.get("operating_point", ())))


def _model_set(table: Mapping[str, object]) -> ModelSet:
    files = [_model_file(dict(entry)) for entry in table["file"]]  # type: ignore[attr-defined]
    by_role = {file.role: file for file in files}
    if len(by_role) != len(files) or not {NetworkRole.DETECTOR, NetworkRole.EMBEDDER} <= by_role.keys():
        raise ValueError("one detector, one embedder and at most one liveness file a set")
    return ModelSet(str(table["name"]), str(table["description"]), bool(table.get("demonstration", False)), by_role)


def _model_file(entry: dict[str, object]) -> ModelFile:
    geometry = InputGeometry(**entry.pop("input"))  # type: ignore[arg-type]
    return ModelFile(role=NetworkRole(str(entry.pop("role"))), input=geometry, **entry)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where model files are looked up: `model_dir`, the operator's choice, `cache_dir`, which `pull` fills, and last
    the folder that ships with the library.
    """

    model_dir: Path | None
    cache_dir: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """In the order in which they are looked into."""
        chosen = () if self.model_dir is None else (self.model_dir,)
        return (*chosen, self.cache_dir, manifest_path().with_name(BUILTIN))

    def holds(self, file: ModelFile) -> bool:
        """Whether there is a file of that name; its content is not looked at."""
        return any((folder / file.name).is_file() for folder in self.folders)

    def locate(self, file: ModelFile) -> Path:
        """The first folder that holds `file`; its content is not looked at. Raises ModelMissing."""
        for folder in self.folders:
            if (folder / file.name).is_file():
                return folder / file.name
        raise ModelMissing(
            f"model {file.name} is in none of {', '.join(map(str, self.folders))}; "
            "run `idverify models pull`, or set IDVERIFY_MODEL_DIR to the folder that holds it"
        )

    def open_checked(self, file: ModelFile) -> bytes:
        """The file's bytes, read once and checked, so that what is run is what was checked.

        Raises ModelMissing or ModelAltered.
        """
        path = self.locate(file)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelMissing(f"model {path}: could not be read ({error.strerror}); check its permissions") from error
        seen = hashlib.sha256(content).hexdigest()
        if seen != file.sha256:
            raise ModelAltered(
                f"model {path}: expected sha256 {file.sha256[:16]}… ({file.size_bytes} bytes), found {seen[:16]}… "
                f"({len(content)} bytes); delete it and run `idverify models pull`"
            )
        return content
