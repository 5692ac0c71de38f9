"""Opens the shipped recipe for measuring, with the models that the service itself would find."""

from idverify.settings import Settings
from idverify.vision.manifest import load_manifest
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime


def open_reader(runtime: Runtime) -> Reader:
    """The reader of the environment's model set. Raises ConfigurationInvalid (ModelMissing, ModelAltered among it)."""
    settings = Settings.read()
    files = settings.model_files
    return Reader.open(load_manifest().choose(settings.model_set, files), files, runtime)
