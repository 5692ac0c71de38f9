"""Which passwords are accepted, and their argon2id hashes. A password is never stored, logged or shown."""

import re
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from idverify.ids import StaffId
from staff.accounts.refusals import PasswordRefused

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256
_AT_ONCE = 2
"""So many hashes are worked out at a time: each takes 64 MiB, and anybody may ask for one."""
_COMMON = Path(__file__).with_name("common_passwords.txt")
_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")
_MIN_DIFFERENT = 5


def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@dataclass(frozen=True, slots=True)
class Passwords:
    """`common`: the stems of passwords that everybody tries first."""

    common: frozenset[str]
    hasher: PasswordHasher = field(default_factory=_hasher, repr=False)
    _turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))
    _nobodys: list[str] = field(default_factory=list)

    @classmethod
    def open(cls) -> Self:
        """With the list that lies beside this file."""
        return cls(frozenset(_COMMON.read_text(encoding="utf-8").split()))

    def require_good(self, password: str, staff: StaffId) -> None:
        """NIST SP 800-63B, 3.1.1.2: long enough, not the name, not what is tried first; no rules about characters.

        Raises PasswordRefused.
        """
        if len(password) < MIN_CHARACTERS:
            raise PasswordRefused("short")
        if len(password) > MAX_CHARACTERS:
            raise PasswordRefused("long")
        plain = password.lower()
        if any(len(part) > 2 and part in plain for part in (staff, *re.split(r"[.-]", staff))):
            raise PasswordRefused("name")
        if len(set(plain)) < _MIN_DIFFERENT or _is_sequence(plain) or _stem(plain) in self.common:
            raise PasswordRefused("common")

    def hash(self, password: str) -> bytes:
        """The argon2id hash (RFC 9106, its second recommended profile) with a salt of its own."""
        with self._turns:
            return self.hasher.hash(password).encode()

    def fits(self, stored: bytes | None, password: str) -> bool:
        """Whether `stored` is the hash of `password`; without a hash the same work is done, and it does not."""
        if stored is None and not self._nobodys:
            self._nobodys.append(self.hash("nobody's password").decode())
        with self._turns:
            try:
                return self.hasher.verify(stored or self._nobodys[0], password[:MAX_CHARACTERS]) and stored is not None
            except (VerificationError, InvalidHashError):
                return False


def _stem(text: str) -> str:
    """The letters of a password such as "W3lcome-2026!", without what stands around them; of a repeated word one."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    letters = "".join(filter(str.isalpha, core.translate(_LOOKALIKES)))
    repeated = re.fullmatch(r"(.+?)\1+", letters)
    return repeated.group(1) if repeated else letters


def _is_sequence(text: str) -> bool:
    """Whether nearly every character follows its neighbour in the alphabet or on the keyboard."""
    rows = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm"
    rows += " " + rows[::-1]
    follows = sum(pair in rows for pair in map("".join, pairwise(text)))
    return follows >= 0.8 * (len(text) - 1)
