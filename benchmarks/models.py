"""Opens the shipped recipe for measuring, with the models that the service itself would find."""

from idverify.settings import Settings
from idverify.vision.manifest import ModelFiles, load_manifest
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime


def open_reader(runtime: Runtime) -> Reader:
    """The reader of the environment's model set. Raises ConfigurationInvalid (ModelMissing, ModelAltered among it)."""
    settings = Settings.read()
    files = ModelFiles(settings.model_dir, settings.model_cache_dir)
    return Reader.open(load_manifest().choose(settings.model_set, files), files, runtime)
