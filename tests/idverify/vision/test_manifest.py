"""The manifest that ships, and finding model files: only the pinned bytes are handed out."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from idverify.errors import ConfigurationInvalid, ModelAltered, ModelMissing
from idverify.vision.manifest import (
    BUILTIN,
    REFERENCE,
    Manifest,
    ModelFile,
    ModelFiles,
    ModelSet,
    NetworkRole,
    load_manifest,
)

CONTENT = b"pretend weights"


@pytest.fixture
def file(model_set: ModelSet) -> ModelFile:
    """Of a name that no folder holds yet."""
    detector = replace(model_set.files[NetworkRole.DETECTOR], name="pretended.onnx")
    return replace(detector, sha256=hashlib.sha256(CONTENT).hexdigest(), size_bytes=len(CONTENT))


def test_the_reference_set_is_pinned_and_free(manifest: Manifest) -> None:
    model_set = manifest.set(REFERENCE)
    assert set(model_set.files) == set(NetworkRole)
    for each in model_set.files.values():
        assert each.licence == "Apache-2.0"
        assert len(bytes.fromhex(each.sha256)) == 32
        assert each.source_url.startswith("https://")
        assert f"/{each.version}" in each.source_url, "the address must name the pinned commit"
    assert model_set.embedder_digest == model_set.files[NetworkRole.EMBEDDER].sha256


def test_the_built_in_set_ships_with_the_library_and_is_small(manifest: Manifest, tmp_path: Path) -> None:
    files = manifest.set(BUILTIN).files.values()
    shipped = ModelFiles(None, tmp_path)
    assert [len(shipped.open_checked(each)) for each in files] == [each.size_bytes for each in files]
    assert sum(each.size_bytes for each in files) < 1_500_000
    assert manifest.set(BUILTIN).demonstration


def test_the_reference_set_is_preferred_and_the_built_in_one_always_there(manifest: Manifest, tmp_path: Path) -> None:
    nothing, chosen = ModelFiles(None, tmp_path / "nothing"), ModelFiles(tmp_path, tmp_path / "nothing")
    assert manifest.choose("", nothing).name == BUILTIN
    (tmp_path / manifest.set(REFERENCE).files[NetworkRole.EMBEDDER].name).touch()
    assert manifest.choose("", chosen).name == REFERENCE
    assert manifest.choose(BUILTIN, chosen).name == BUILTIN
    assert manifest.choose(REFERENCE, nothing).name == REFERENCE
    with pytest.raises(ConfigurationInvalid, match="'beta'"):
        manifest.choose("beta", nothing)


def test_every_file_has_a_model_card(manifest: Manifest) -> None:
    folder = Path(__file__).parents[3] / "models"
    for each in (file for model_set in manifest.sets.values() for file in model_set.files.values()):
        card = (folder / each.card).read_text(encoding="utf-8")
        assert each.sha256 in card
        assert each.licence in card


def test_an_unknown_set_is_named_with_the_known_ones(manifest: Manifest) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"\['builtin', 'reference'\].*'beta'"):
        manifest.set("beta")


def test_operating_points_are_handed_on_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text('set = []\n[[operating_point]]\nembedder = "ab"\nfmr = 1e-4\n')
    assert load_manifest(path).operating_points == ({"embedder": "ab", "fmr": 1e-4},)


@pytest.mark.parametrize(
    "text",
    ["not toml [", "", '[[set]]\nname = "a"', '[[set]]\nname = "a"\ndescription = ""\nfile = [{ role = "painter" }]'],
)
def test_a_manifest_that_pins_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationInvalid, match="manifest"):
        load_manifest(path)


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="could not be read"):
        load_manifest(tmp_path / "absent.toml")


def test_the_operators_folder_comes_before_the_cache(tmp_path: Path, file: ModelFile) -> None:
    chosen, cache = tmp_path / "chosen", tmp_path / "cache"
    for folder in (chosen, cache):
        folder.mkdir()
    (cache / file.name).write_bytes(CONTENT)
    assert ModelFiles(chosen, cache).locate(file).parent == cache
    (chosen / file.name).write_bytes(CONTENT)
    assert ModelFiles(chosen, cache).locate(file).parent == chosen
    assert ModelFiles(None, cache).open_checked(file) == CONTENT


def test_a_missing_file_names_the_command_that_fetches_it(tmp_path: Path, file: ModelFile) -> None:
    with pytest.raises(ModelMissing, match="idverify models pull"):
        ModelFiles(None, tmp_path).locate(file)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\0", b"Pretend weights"])
def test_an_altered_file_is_refused_by_name(tmp_path: Path, file: ModelFile, content: bytes) -> None:
    (tmp_path / file.name).write_bytes(content)
    with pytest.raises(ModelAltered, match=file.name):
        ModelFiles(tmp_path, tmp_path).open_checked(file)


def test_an_altered_file_is_not_passed_over_for_a_right_one_further_on(tmp_path: Path, file: ModelFile) -> None:
    chosen, cache = tmp_path / "chosen", tmp_path / "cache"
    for folder, content in ((chosen, b"altered"), (cache, CONTENT)):
        folder.mkdir()
        (folder / file.name).write_bytes(content)
    with pytest.raises(ModelAltered):
        ModelFiles(chosen, cache).open_checked(file)
