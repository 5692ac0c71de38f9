"""Pairs have one name, and those that analysts decided are known again."""

from analysis.deduplication.pairs import decided_pairs, pair
from idverify.ids import PersonId, Pseudonym
from idverify.storage import duplicates, persons
from tests.deployments import Register


def test_a_pair_is_named_alike_from_either_side() -> None:
    assert pair("C-2", "C-1") == pair("C-1", "C-2") == ("C-1", "C-2")


def test_only_decided_pairs_are_given_back(own_register: Register) -> None:
    deployment = own_register.engine.deployment
    with deployment.database.write() as connection:
        one, two, three = (persons.get(connection, PersonId(each)).pseudonym for each in ("C-1", "C-2", "C-3"))
        name = deployment.joint_sealing.pair(two, one)
        duplicates.decide_pair(connection, name, "twins_or_family", "2026-11-21T09:30:00.000Z")
        asked: dict[tuple[str, str], tuple[Pseudonym, Pseudonym]] = {
            ("C-1", "C-2"): (one, two),
            ("C-1", "C-3"): (one, three),
        }
        assert decided_pairs(connection, deployment.joint_sealing, asked) == {("C-1", "C-2")}
