"""Galleries: policies within their ranges, one embedder each, thresholds of the population that they hold."""

from typing import Any

import pytest

from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.errors import ConfigurationInvalid, Conflict, DemonstrationOnly, EmbedderMismatch, InvalidInput
from idverify.galleries.definitions import GalleryPolicy, GallerySize
from idverify.ids import GalleryId, PersonId
from idverify.matching.operating_point import Population
from idverify.storage import galleries as table
from idverify.storage.galleries import GalleryRow
from idverify.vision.manifest import BUILTIN, REFERENCE, load_manifest
from idverify.vision.reader import AttackCheck
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, photograph


def test_galleries_are_listed_with_size_population_and_policy(register: Register) -> None:
    civil, payroll = sorted(register.engine.galleries.list(), key=lambda view: view.gallery != REGISTER)[:2]
    size = register.engine.galleries.size(civil.gallery)
    assert (size.people, size.references) == (len(PEOPLE), len(PEOPLE))
    assert civil.population is Population.RENDERED
    assert (payroll.gallery, payroll.policy.keep_images) == (PAYROLL, True)
    assert register.engine.galleries.size(PAYROLL) == GallerySize(0, 0, 0)
    assert [register.engine.people_in(view) for view in (civil, payroll)] == [len(PEOPLE), 0]
    assert payroll.policy.presentation_attack is AttackCheck.OFF


def test_a_gallery_of_people_and_one_of_rendered_citizens_have_other_thresholds(register: Register) -> None:
    real, drawn = GalleryId("voters"), GalleryId("players")
    # Of the reference set, whether or not its weights are on this machine.
    with Deployment.open(register.settings.model_copy(update={"model_set": REFERENCE})) as deployment:
        for name in (real, drawn):
            deployment.galleries.add(name, demonstration=name == drawn, policy=GalleryPolicy(), access=access())
        with deployment.database.read() as connection:
            people, rendered = (deployment.galleries.find(connection, name) for name in (real, drawn))
    assert (people.population, rendered.population) == (Population.PHOTOGRAPHS, Population.RENDERED)
    assert people.calibration.at_fmr(1e-4).threshold < rendered.calibration.at_fmr(1e-4).threshold
    assert "rendered" not in people.calibration.at_fmr(1e-4).name


def test_a_gallery_is_made_once_and_on_record(register: Register) -> None:
    name = GalleryId("licences")
    register.engine.galleries.add(name, demonstration=True, policy=GalleryPolicy(), access=access())
    assert register.sql("SELECT event FROM audit_leaves ORDER BY sequence DESC LIMIT 1") == [
        (EventKind.GALLERY_CREATED,)
    ]
    before = register.sql("SELECT size FROM audit_head")
    with pytest.raises(Conflict, match="gallery licences exists already"):
        register.engine.galleries.add(name, demonstration=True, policy=GalleryPolicy(), access=access())
    assert register.sql("SELECT size FROM audit_head") == before


def test_a_gallery_of_real_people_refuses_the_built_in_set(own_register: Register) -> None:
    with Deployment.open(own_register.settings.model_copy(update={"model_set": BUILTIN})) as deployment:
        with pytest.raises(DemonstrationOnly, match="gallery citizens is of real people"):
            deployment.galleries.add(
                GalleryId("citizens"), demonstration=False, policy=GalleryPolicy(), access=access()
            )
        real = GalleryRow(GalleryId("real"), False, deployment.model_set.embedder_digest, "2026-11-21", {})
        with deployment.database.write() as connection:
            table.add(connection, real)  # by somebody with the database
            with pytest.raises(DemonstrationOnly, match="gallery real is of real people"):
                deployment.galleries.find(connection, real.gallery)


@pytest.mark.parametrize("rate", [0.0, -1e-4, 5e-324, 0.51, 1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["verification_fmr", "identification_fpir", "duplicate_fpir"])
def test_a_rate_out_of_range_is_refused(name: str, rate: float) -> None:
    with pytest.raises(InvalidInput, match=name):
        GalleryPolicy(**{name: rate})  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", ["{}", '{"verification_fmr": 1}', '{"presentation_attack": "sometimes"}', "[]"])
def test_a_stored_policy_of_another_version_is_named(own_register: Register, policy: str) -> None:
    running = own_register.engine  # a start would refuse the row already: it is not as the log last saw it
    own_register.sql("UPDATE galleries SET policy = ? WHERE gallery = 'payroll'", policy)
    with pytest.raises(ConfigurationInvalid, match="gallery payroll"):
        running.galleries.list()


def test_a_policy_of_an_earlier_version_reads_with_the_defaults_of_what_came_since() -> None:
    policy = GalleryPolicy(legal_bases=("statute-12",), person_pattern="P-[0-9]{4}-[0-9]", capture_tries=5)
    stored = policy.as_json()
    assert GalleryPolicy.parse(stored) == policy
    for later in ("legal_bases", "person_pattern", "allow_files", "capture_tries"):
        del stored[later]
    assert GalleryPolicy.parse(stored) == GalleryPolicy()


@pytest.mark.parametrize(
    "field", [{"legal_bases": ()}, {"legal_bases": ("A b",)}, {"person_pattern": "("}, {"capture_tries": 0}]
)
def test_what_stations_could_not_go_by_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        GalleryPolicy(**field)


def test_a_number_must_match_the_pattern_as_a_whole() -> None:
    policy = GalleryPolicy(person_pattern="P-[0-9]{4}")
    assert policy.takes(PersonId("P-1024"))
    assert not policy.takes(PersonId("P-10244"))
    assert GalleryPolicy().takes(PersonId("anything"))


def test_a_gallery_of_another_model_set_says_which(own_register: Register) -> None:
    own = own_register.engine.reader.model
    other = next(each for each in load_manifest().sets.values() if each.embedder_digest != own)
    own_register.sql("UPDATE galleries SET model = ? WHERE gallery = ?", other.embedder_digest, REGISTER)
    with pytest.raises(EmbedderMismatch, match=f"of the set {other.name}, .*IDVERIFY_MODEL_SET"):
        own_register.verify("C-1", photograph(1, 2))
