"""The keys' life: made once, rotated under a running service, rewrapped with interruptions, destroyed for good."""

import shutil
import threading
from pathlib import Path

import pytest

from idverify import keys
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import Conflict, KeyUnavailable, SealBroken, StorageUnavailable
from idverify.ids import PersonId
from idverify.matching.decision import Outcome
from idverify.protection.keyring import RootKeyFile
from idverify.storage import service_keys
from idverify.storage.database import Database
from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, Clock, Register, access, copied, photograph


def test_keys_are_made_once(own_register: Register, tmp_path: Path) -> None:
    database = Database.open(own_register.settings.database)
    with pytest.raises(Conflict, match="belongs to a deployment already"):
        keys.create(database, tmp_path / "second.key", Clock(), access())
    assert not (tmp_path / "second.key").exists()
    database.close()
    fresh = Database.open(f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    fresh.migrate()
    with pytest.raises(Conflict, match="would orphan"):
        keys.create(fresh, own_register.settings.root_keys, Clock(), access())
    with pytest.raises(KeyUnavailable, match="idverify keys new"):
        keys.open_keys(fresh, own_register.settings.root_keys)
    fresh.close()


def test_after_rotation_and_rewrapping_everything_still_opens(own_register: Register) -> None:
    assert _rotate(own_register) == 2
    assert _rewrap(own_register) == len(PEOPLE)
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]
    assert own_register.sql("SELECT version FROM service_keys WHERE kind = 'wrapping'") == [(2,)]
    assert _events(own_register)[-2:] == [EventKind.KEYS_ROTATED, EventKind.KEYS_REWRAPPED]
    restarted = own_register.another()
    assert own_register.found(photograph(2, 2), engine=restarted) == ["C-2"]
    assert restarted.persons.show(PersonId("C-2"), access()).encounters[0].quality is not None


def test_rewrapping_that_was_cut_off_goes_on_where_it_stopped(
    own_register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "REWRAP_BATCH", 2)
    _rotate(own_register)

    class PowerCut(Exception):
        pass

    def cut(_what: str, done: int, total: int) -> None:
        assert total == len(PEOPLE)
        if done == 4:
            raise PowerCut

    with pytest.raises(PowerCut):
        _rewrap(own_register, cut)
    assert own_register.sql("SELECT wrapping_version, count(*) FROM persons GROUP BY 1") == [(1, 2), (2, 4)]
    assert own_register.another().ready  # in between, too
    assert _rewrap(own_register) == 2
    assert _rewrap(own_register) == 0
    assert own_register.another().ready


def test_a_running_service_follows_a_rotation_by_another_process(own_register: Register) -> None:
    running = own_register.engine
    operator = own_register.another()
    _rotate(own_register)
    own_register.enrol("C-7", photograph(7, 1), engine=operator)
    assert own_register.sql("SELECT wrapping_version FROM persons WHERE person = 'C-7'") == [(2,)]
    assert own_register.found(photograph(7, 2), engine=running) == ["C-7"]
    _rewrap(own_register)
    assert own_register.verify("C-1", photograph(1, 2)).decision.outcome is Outcome.MATCH
    assert running.persons.show(PersonId("C-2"), access()).encounters[0].quality is not None


def test_a_running_service_never_wraps_by_a_key_that_was_dropped(own_register: Register) -> None:
    assert own_register.engine.ready
    _rotate(own_register)
    _rewrap(own_register)
    own_register.enrol("C-7", photograph(7, 1))
    assert own_register.sql("SELECT wrapping_version FROM persons WHERE person = 'C-7'") == [(2,)]
    assert own_register.found(photograph(7, 2), engine=own_register.another()) == ["C-7"]


def test_a_wrapping_key_that_nobody_has_is_named(own_register: Register) -> None:
    assert own_register.engine.ready
    own_register.sql("UPDATE persons SET wrapping_version = 9 WHERE person = 'C-1'")
    with pytest.raises(KeyUnavailable, match="wrapping key version 9"):
        own_register.verify("C-1", photograph(1, 2))


def test_a_destroyed_root_key_closes_old_copies_and_not_the_live_database(
    own_register: Register, tmp_path_factory: pytest.TempPathFactory, reader: Reader
) -> None:
    own_register.close()
    backup = tmp_path_factory.mktemp("backup")
    shutil.copytree(own_register.settings.data_dir, backup, dirs_exist_ok=True)
    old = RootKeyFile.load(own_register.settings.root_keys).current_id
    _rotate(own_register)
    with pytest.raises(Conflict, match="still seals service keys"):
        _destroy(own_register, old)
    _rewrap(own_register)
    _destroy(own_register, old)
    assert _events(own_register)[-1] == EventKind.ROOT_KEY_DESTROYED
    assert own_register.found(photograph(1, 2), engine=own_register.another()) == ["C-1"]
    (backup / "root.key").unlink()
    shutil.copy(own_register.settings.root_keys, backup)
    with pytest.raises(KeyUnavailable, match=f"root key {old} is not in"):
        copied(backup, tmp_path_factory.mktemp("restored"), reader).another()


def test_a_refused_destruction_is_not_recorded_and_destroys_nothing(own_register: Register) -> None:
    before = own_register.settings.root_keys.read_bytes(), _events(own_register)
    current = RootKeyFile.load(own_register.settings.root_keys).current_id
    with pytest.raises(Conflict):
        _destroy(own_register, current)
    assert (own_register.settings.root_keys.read_bytes(), _events(own_register)) == before


def test_a_destruction_that_cannot_be_recorded_destroys_nothing(own_register: Register) -> None:
    old = RootKeyFile.load(own_register.settings.root_keys).current_id
    _rotate(own_register)
    _rewrap(own_register)
    own_register.sql("CREATE TRIGGER full BEFORE INSERT ON audit_leaves BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(StorageUnavailable):
        _destroy(own_register, old)
    assert old in RootKeyFile.load(own_register.settings.root_keys).ids


def test_a_rotation_that_was_cut_off_leaves_everything_open_and_may_be_done_again(own_register: Register) -> None:
    assert own_register.engine.ready
    own_register.sql("CREATE TRIGGER full BEFORE INSERT ON service_keys BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(StorageUnavailable):
        _rotate(own_register)
    own_register.sql("DROP TRIGGER full")
    assert own_register.another().ready
    assert _rotate(own_register) == 2
    assert _rewrap(own_register) == len(PEOPLE)
    assert own_register.another().ready


def test_two_rotations_at_once_lose_no_root_key(own_register: Register) -> None:
    engines = [own_register.another() for _ in range(4)]
    start = threading.Barrier(len(engines))
    versions: list[int] = []

    def rotate(engine: Engine) -> None:
        start.wait()
        parts = (engine.database, own_register.settings.root_keys, engine.deployment.keys, engine.journal)
        versions.append(keys.rotate(*parts, access("rotation")))

    threads = [threading.Thread(target=rotate, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == [2, 3, 4, 5]
    assert len(RootKeyFile.load(own_register.settings.root_keys).ids) == 5
    assert own_register.another().ready


@pytest.mark.parametrize("mode", [0o444, 0o640, 0o604])
def test_a_key_file_that_others_can_read_stops_the_start(own_register: Register, mode: int) -> None:
    own_register.settings.root_keys.chmod(mode)
    with pytest.raises(KeyUnavailable, match="chmod 400"):
        own_register.another()


def test_the_key_file_of_another_deployment_opens_nothing(own_register: Register, tmp_path: Path) -> None:
    own_register.settings.root_keys.unlink()
    with pytest.raises(KeyUnavailable, match="does not exist"):
        own_register.another()
    RootKeyFile.create(own_register.settings.root_keys)
    with pytest.raises(KeyUnavailable, match="another deployment"):
        own_register.another()


def test_an_altered_service_key_stops_the_start(own_register: Register) -> None:
    ((sealed,),) = own_register.sql("SELECT sealed FROM service_keys WHERE kind = 'answer-signing'")
    own_register.sql(
        "UPDATE service_keys SET sealed = ? WHERE kind = 'answer-signing'", sealed[:-1] + bytes([sealed[-1] ^ 1])
    )
    with pytest.raises(SealBroken):
        own_register.another()


def test_the_stored_version_is_the_newest_wrapping_key(own_register: Register) -> None:
    _rotate(own_register)
    with own_register.engine.database.read() as connection:
        assert service_keys.current_wrapping_version(connection) == 2


def _rotate(register: Register) -> int:
    opened = register.another()
    parts = (opened.database, register.settings.root_keys, opened.deployment.keys, opened.journal)
    return keys.rotate(*parts, access("rotation"))


def _rewrap(register: Register, progress: object = None) -> int:
    opened = register.another()
    told = progress if callable(progress) else lambda *_: None
    return keys.rewrap(opened.database, opened.deployment.keys, opened.journal, access("rotation"), told)


def _destroy(register: Register, root_id: str) -> None:
    opened = register.another()
    with opened.database.write() as connection:
        keys.destroy_root(connection, register.settings.root_keys, root_id, opened.journal, access("rotation"), {})


def _events(register: Register) -> list[str]:
    return [event for (event,) in register.sql("SELECT event FROM audit_leaves ORDER BY sequence")]


def test_a_deployment_of_an_earlier_version_gets_the_kinds_of_keys_that_came_since(own_register: Register) -> None:
    own_register.sql("DELETE FROM service_keys WHERE kind = 'capture-sealing'")
    first = own_register.another()
    assert _events(own_register)[-1] == EventKind.KEYS_ADDED
    assert own_register.another().capture_keys.current == first.capture_keys.current
    assert _events(own_register).count(EventKind.KEYS_ADDED) == 1
    # Made anew, these would lose what they served.
    own_register.sql("DELETE FROM service_keys WHERE kind = 'subject-hmac'")
    with pytest.raises(KeyUnavailable, match="subject-hmac"):
        own_register.another()
