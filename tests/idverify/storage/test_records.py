"""Rows come back as the values that went in, on both databases, and absence and duplicates have their own errors."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from idverify.errors import ClientNotFound, Conflict, GalleryNotFound, NotFound, PersonNotFound
from idverify.ids import ClientId, EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym
from idverify.protection.keyring import Keyring, ServiceKeyKind, rotated_service_keys
from idverify.protection.template import reveal
from idverify.storage import (
    clients,
    encounters,
    galleries,
    images,
    jobs,
    persons,
    service_keys,
    templates,
    verification_counts,
)
from idverify.storage.clients import ClientRow, CredentialRow
from idverify.storage.database import Database
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.galleries import GalleryCounts, GalleryRow
from idverify.storage.images import ImageRow
from idverify.storage.jobs import JobItemRow, JobRow, JobState
from idverify.storage.persons import Erased

REGISTER, PAYROLL = GalleryId("civil-register"), GalleryId("payroll")


def test_a_person_comes_back_as_stored_and_their_template_opens(deployed: Any) -> None:
    anna = deployed.enrol("anna")
    with deployed.database.read() as connection:
        row = persons.get(connection, PersonId("anna"))
        assert row == anna.row
        assert persons.find_by_pseudonym(connection, Pseudonym("p-anna")) == row
        (template,) = templates.templates_of(connection, row.person, REGISTER)
        assert encounters.encounters_of(connection, row.person) == [anna.encounter]
    assert template == anna.template
    key = deployed.envelope.open_person_key(row.person, row.pseudonym, row.wrapped)
    assert np.array_equal(reveal(template, key, deployed.envelope).vector, anna.embedding.vector)


def test_an_absent_person_is_not_found(deployed: Any) -> None:
    with deployed.database.write() as connection:
        assert persons.find(connection, PersonId("nobody")) is None
        for absent in (persons.get, persons.erase_person):
            with pytest.raises(PersonNotFound):
                absent(connection, PersonId("nobody"))


def test_numbers_are_found_by_pseudonym_for_everybody_who_is_there(deployed: Any) -> None:
    for person in ("anna", "ben", "cleo"):
        deployed.enrol(person)
    with deployed.database.write() as connection:
        persons.erase_person(connection, PersonId("ben"))
        asked = [Pseudonym(f"p-{person}") for person in ("anna", "ben", "cleo", "nobody")]
        assert persons.numbers_of(connection, asked, batch=1) == {"p-anna": "anna", "p-cleo": "cleo"}
        assert persons.numbers_of(connection, []) == {}


def test_a_gallery_takes_another_policy_and_the_others_keep_theirs(deployed: Any) -> None:
    with deployed.database.write() as connection:
        assert galleries.get(connection, PAYROLL, lock=True).policy == {}
        galleries.set_policy(connection, PAYROLL, {"verification_fmr": 1e-5})
        with pytest.raises(GalleryNotFound):
            galleries.set_policy(connection, GalleryId("nothing"), {})
    with deployed.database.read() as connection:
        assert galleries.get(connection, PAYROLL).policy == {"verification_fmr": 1e-5}
        assert galleries.get(connection, REGISTER).policy == {}


def test_enrolling_a_person_twice_is_a_conflict_and_changes_nothing(deployed: Any) -> None:
    anna = deployed.enrol("anna")
    with pytest.raises(Conflict):
        deployed.enrol("anna")
    with deployed.database.read() as connection:
        assert persons.get(connection, PersonId("anna")) == anna.row
        assert persons.count(connection) == 1


def test_erasing_deletes_everything_of_the_person_and_of_nobody_else(deployed: Any) -> None:
    deployed.enrol("anna", in_galleries=("civil-register", "payroll"))
    ben = deployed.enrol("ben")
    with deployed.database.write() as connection:
        image = ImageRow("i-1", EncounterId("e-anna-1"), PersonId("anna"), 1, "image/jpeg", b"sealed")
        images.add(connection, image)
        assert images.images_of(connection, PersonId("anna")) == [image]
        assert persons.erase_person(connection, PersonId("anna")) == Erased(Pseudonym("p-anna"), 1, 1, 1)
    with deployed.database.read() as connection:
        assert list(persons.all_persons(connection)) == [ben.row]
        assert list(encounters.all_encounters(connection)) == [(ben.row.pseudonym, ben.encounter)]
        assert list(templates.all_templates(connection)) == [(ben.row, ben.template)]
        assert list(images.all_images(connection)) == []
        assert galleries.counts(connection, PAYROLL) == GalleryCounts(0, 0, 0, 0)


def test_templates_are_read_in_ranges_of_key_slots_with_each_gallery_that_they_are_in(deployed: Any) -> None:
    both = [deployed.enrol(f"both-{n}", in_galleries=("civil-register", "payroll")) for n in range(3)]
    only = deployed.enrol("only")
    with deployed.database.read() as connection:
        ranges = ((1, 2), (3, 100))
        found = [
            (row[11], row[0], row[3], row[4], row[10])
            for first, last in ranges
            for part in templates.sealed_between(connection, first, last, both[0].template.model, batch=2)
            for row in part
        ]
        assert not list(templates.sealed_between(connection, 1, 100, ModelDigest("of another"), batch=2))
        everywhere = list(templates.all_templates(connection, batch=2))
        numbers = 3 * only.template.dimension
        assert galleries.counts(connection, PAYROLL) == GalleryCounts(3, 3, 3, numbers)
        assert templates.templates_of(connection, only.row.person, PAYROLL) == []
    stored = [(person.row, person.template) for person in (*both, only)]
    assert everywhere == stored
    opened_from = [(row.person, row.wrapped.sealed, template.template, template.sealed) for row, template in stored]
    assert [rest for gallery, *rest in sorted(found) if gallery == PAYROLL] == [list(one) for one in opened_from[:3]]
    assert [rest for gallery, *rest in sorted(found) if gallery == REGISTER] == [list(one) for one in opened_from]


def test_where_one_gallery_holds_everybody_no_visit_is_looked_up_in_it(deployed: Any) -> None:
    def found(only: GalleryId | None) -> list[Any]:
        with deployed.database.read() as connection:
            parts = templates.sealed_between(connection, 1, 100, anna.template.model, only=only, batch=2)
            return [tuple(row) for part in parts for row in part]

    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) is None
    anna = deployed.enrol("anna")
    deployed.enrol("ben")
    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) == REGISTER
    assert len(found(REGISTER)) == 2
    assert found(REGISTER) == found(None)
    # One visit that is in two galleries; then, that one gone, one that is in another gallery only.
    deployed.enrol("carla", in_galleries=("civil-register", "payroll"))
    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) is None
    with deployed.database.write() as connection:
        persons.erase_person(connection, PersonId("carla"))
    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) == REGISTER
    deployed.enrol("dora", in_galleries=("payroll",))
    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) is None


def test_a_visit_in_no_gallery_keeps_everybody_from_being_taken_for_one_gallerys(deployed: Any) -> None:
    deployed.enrol("anna")
    deployed.enrol("ben", in_galleries=())
    with deployed.database.read() as connection:
        assert galleries.holding_everybody(connection) is None


def test_a_stream_may_be_left_in_the_middle(deployed: Any) -> None:
    for number in range(5):
        deployed.enrol(f"person-{number}")
    with deployed.database.read() as connection:
        assert next(templates.all_templates(connection, batch=1)) is not None
    with deployed.database.read() as connection:
        assert len(list(persons.all_persons(connection, batch=1))) == 5


def test_persons_to_rewrap_come_in_pages_and_drop_out_when_done(deployed: Any) -> None:
    for number in range(5):
        deployed.enrol(f"person-{number}")
    with deployed.database.write() as connection:
        first = persons.persons_wrapped_before(connection, 2, limit=2)
        second = persons.persons_wrapped_before(connection, 2, after=first[-1].person, limit=10)
        assert [row.person for row in (*first, *second)] == [f"person-{number}" for number in range(5)]
        assert persons.persons_wrapped_before(connection, 1) == []
        rewrapped = persons.set_wrapped(connection, first[0], replace(first[0].wrapped, wrapping_version=2))
        assert persons.get(connection, first[0].person) == rewrapped
        assert first[0] not in persons.persons_wrapped_before(connection, 2)


def test_a_key_that_changed_meanwhile_is_not_overwritten(deployed: Any) -> None:
    row = deployed.enrol("anna").row
    fresh = deployed.envelope.rewrap(row.person, row.pseudonym, row.wrapped)
    with deployed.database.write() as connection:
        persons.set_wrapped(connection, row, fresh)
        with pytest.raises(PersonNotFound, match="meanwhile"):
            persons.set_wrapped(connection, row, row.wrapped)
        assert persons.get(connection, row.person).wrapped == fresh


def test_an_encounter_waits_for_review_until_it_is_decided(deployed: Any) -> None:
    anna, ben = deployed.enrol("anna"), deployed.enrol("ben")
    with deployed.database.write() as connection:
        pending = [encounters.set_review(connection, person.encounter, Review.PENDING) for person in (anna, ben)]
        cleared = encounters.set_review(connection, pending[0], Review.CLEARED)
        assert encounters.get(connection, cleared.encounter) == cleared
        assert cleared.digest != pending[0].digest
        reviews = encounters.reviews_of(connection, [row.encounter for row in pending])
        assert reviews == {pending[0].encounter: Review.CLEARED, pending[1].encounter: Review.PENDING}
        with pytest.raises(NotFound):
            encounters.get(connection, EncounterId("absent"))
        with pytest.raises(NotFound):
            encounters.set_review(connection, replace(cleared, encounter=EncounterId("absent")), Review.CLEARED)


def test_an_encounter_needs_its_person_and_its_gallery(deployed: Any) -> None:
    row = EncounterRow(EncounterId("e"), PersonId("nobody"), "now", "station", ())
    with pytest.raises(Conflict), deployed.database.write() as connection:
        encounters.add(connection, row)
    deployed.enrol("anna")
    elsewhere = replace(row, person=PersonId("anna"), galleries=(GalleryId("absent"),))
    with pytest.raises(Conflict), deployed.database.write() as connection:
        encounters.add(connection, elsewhere)


def test_galleries_come_back_as_stored(database: Database, model: ModelDigest) -> None:
    row = GalleryRow(GalleryId("demo"), True, model, "now", {"keep_images": False, "fmr": 1e-4})
    with database.write() as connection:
        galleries.add(connection, row)
        assert galleries.get(connection, row.gallery) == row
        assert galleries.all_galleries(connection) == [row]
        with pytest.raises(GalleryNotFound):
            galleries.get(connection, PAYROLL)
    with pytest.raises(Conflict), database.write() as connection:
        galleries.add(connection, row)


def test_clients_come_back_as_stored_and_can_be_suspended(database: Database) -> None:
    row = ClientRow(
        client=ClientId("revenue-authority"),
        scopes=("verify", "identify"),
        galleries=(REGISTER,),
        purposes=("tax-filing",),
        sees_scores=False,
        created_at="now",
    )
    with database.write() as connection:
        clients.add(connection, row)
        assert clients.find(connection, row.client) == row
        assert clients.find(connection, ClientId("nobody")) is None
        clients.set_status(connection, row.client, clients.SUSPENDED)
        assert clients.all_clients(connection) == [replace(row, status="suspended")]
        with pytest.raises(ClientNotFound):
            clients.set_status(connection, ClientId("nobody"), clients.ACTIVE)


def test_credentials_come_back_as_stored_and_show_nothing(database: Database) -> None:
    client = ClientId("revenue-authority")
    row = CredentialRow(client, "name", "secret", b"hmac", "2026-11-21T09:30:00.000Z")
    with database.write() as connection:
        clients.add(connection, ClientRow(client, (), (), (), False, "now"))
        clients.add_credential(connection, row)
        assert clients.credentials_of(connection, client) == clients.all_credentials(connection) == (row,)
        clients.set_expiry(connection, row, "2026-11-21T10:30:00.000Z")
        (ending,) = clients.credentials_of(connection, client)
    assert ending.live("2026-11-21T10:29:59.999Z")
    assert not ending.live("2026-11-21T10:30:00.000Z")
    assert "hmac" not in repr(row)
    with pytest.raises(Conflict), database.write() as connection:
        clients.add_credential(connection, row)


def test_service_keys_survive_storage_and_rotation(deployed: Any) -> None:
    deployed.enrol("anna")
    rotated = deployed.root.with_new_current()
    with deployed.database.write() as connection:
        stored = service_keys.all_service_keys(connection)
        service_keys.put(connection, rotated_service_keys(stored, rotated, deployed.envelope._deployment), "now")
        assert service_keys.roots_in_use(connection) == {deployed.root.current_id, rotated.current_id}
        assert service_keys.drop_unused_wrapping(connection) == []  # Anna's key still needs version 1
        row = persons.get(connection, PersonId("anna"))
        persons.set_wrapped(connection, row, replace(row.wrapped, wrapping_version=2))
        assert service_keys.drop_unused_wrapping(connection) == [1]
        assert service_keys.roots_in_use(connection) == {rotated.current_id}
        keyring = Keyring.open(service_keys.all_service_keys(connection), rotated, deployed.envelope._deployment)
    assert keyring.current_wrapping_version == 2
    signing = ServiceKeyKind.AUDIT_SIGNING
    assert keyring.service_key(signing) == deployed.keyring.service_key(signing)


def test_attempts_are_counted_by_subject_and_day(database: Database) -> None:
    today = date(2026, 11, 21)
    with database.write() as connection:
        assert [verification_counts.count_attempt(connection, b"anna", today) for _ in range(3)] == [1, 2, 3]
        assert verification_counts.count_attempt(connection, b"anna", today - timedelta(days=29)) == 1
        assert verification_counts.count_attempt(connection, b"anna", today - timedelta(days=30)) == 1
        assert verification_counts.count_attempt(connection, b"ben", today) == 1
        assert verification_counts.attempts_since(connection, b"anna", today) == {today: 3}
        month = {today - timedelta(days=29): 1, today: 3}
        assert verification_counts.attempts_since(connection, b"anna", today - timedelta(days=29)) == month
        assert verification_counts.attempts_since(connection, b"nobody", today) == {}
        assert verification_counts.forget_before(connection, today - timedelta(days=29), close_calls=today) == 1
        assert verification_counts.attempts_since(connection, b"anna", date.min) == month
        verification_counts.forget_attempt(connection, b"anna", today)
        assert verification_counts.attempts_since(connection, b"anna", today) == {today: 2}


def test_close_calls_outlast_the_attempts_of_their_month(database: Database) -> None:
    today = date(2026, 11, 21)
    month, year = today - timedelta(days=30), today - timedelta(days=365)
    with database.write() as connection:
        for day, calls in ((today, 0), (today, 2), (month, 1), (year, 4)):
            verification_counts.count_attempt(connection, b"anna", day)
            verification_counts.count_close(connection, b"anna", day, calls)
        verification_counts.count_attempt(connection, b"ben", month)
        assert verification_counts.forget_before(connection, today, close_calls=year) == 1  # Ben's
        assert [verification_counts.standing(connection, b"anna", day)[0] for day in (today, month, year)] == [2, 3, 7]
        assert verification_counts.standing(connection, b"ben", year) == (0, 0)
        assert verification_counts.forget_before(connection, today, close_calls=today) == 2
        verification_counts.forget_close(connection, b"anna")
        assert verification_counts.standing(connection, b"anna", year) == (0, 0)
        assert verification_counts.attempts_since(connection, b"anna", year) == {today: 2}


def test_a_job_goes_on_where_it_stopped(database: Database) -> None:
    row = JobRow("j1", "import", {"folder": "people", "gallery": "payroll"}, "09:00", "09:00")
    done = [
        JobItemRow("a/1.jpg", "enrolled", person=PersonId("a")),
        JobItemRow("b/1.jpg", "refused", "no_face", "no face was found"),
        JobItemRow("c/1.jpg", "refused", "no_face"),
    ]
    with database.write() as connection:
        jobs.add(connection, row)
        for item in done:
            jobs.add_item(connection, "j1", item)
    with database.write() as connection:
        assert jobs.running(connection, "import") == [row]
        assert jobs.done_items(connection, "j1") == {item.item for item in done}
        assert list(jobs.items(connection, "j1", batch=2)) == done
        assert jobs.outcomes(connection, "j1") == {("enrolled", None): 1, ("refused", "no_face"): 2}
        jobs.set_state(connection, "j1", JobState.FINISHED, "10:00")
        assert jobs.get(connection, "j1") == replace(row, state=JobState.FINISHED, updated_at="10:00")
        assert jobs.running(connection, "import") == []
        with pytest.raises(NotFound):
            jobs.get(connection, "absent")
        with pytest.raises(NotFound):
            jobs.set_state(connection, "absent", JobState.FINISHED, "10:00")
    with pytest.raises(Conflict), database.write() as connection:
        jobs.add_item(connection, "j1", done[0])
