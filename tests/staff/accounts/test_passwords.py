"""Which passwords are taken, and what is kept of them."""

import pytest

from idverify.ids import StaffId
from staff.accounts.passwords import Passwords
from staff.accounts.refusals import PasswordRefused

STAFF = StaffId("clerk.one")


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords.open()


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short one", "short"),
        ("elevenchars", "short"),
        ("x7" * 129, "long"),
        ("i am clerk.one!", "name"),
        ("the Clerk family", "name"),
        ("aaaaaaaaaaaaaaa", "common"),
        ("abababababababab", "common"),
        ("123456789012", "common"),
        ("qwertyuiopasdf", "common"),
        ("Password2026!", "common"),
        ("P@ssw0rd123456", "common"),
        ("...p4ssword2026", "common"),
        ("passwordpassword", "common"),
        ("Welcome-2026-11", "common"),
        ("2026 lesotho 2026", "common"),
    ],
)
def test_a_password_that_is_short_the_name_or_everybodys_first_guess_is_refused(
    passwords: Passwords, password: str, rule: str
) -> None:
    with pytest.raises(PasswordRefused) as refused:
        passwords.require_good(password, STAFF)
    assert refused.value.rule == rule
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password", ["seven quiet herons", "khomo ea metsi e thabile", "vX8#kq2!mZp0", "x" * 4 + "Ab1!kdow"]
)
def test_other_passwords_are_taken_whatever_characters_they_have(passwords: Passwords, password: str) -> None:
    passwords.require_good(password, STAFF)


def test_a_hash_fits_its_password_only_and_never_shows_it(passwords: Passwords) -> None:
    stored = passwords.hash("seven quiet herons")
    assert stored.startswith(b"$argon2id$v=19$m=65536,t=3,p=4$")
    assert b"herons" not in stored
    assert passwords.fits(stored, "seven quiet herons")
    assert not passwords.fits(stored, "seven quiet heron")
    assert not passwords.fits(None, "seven quiet herons")
    assert not passwords.fits(None, "nobody's password")
    assert not passwords.fits(b"not a hash", "seven quiet herons")
