"""The account of the person at the command line, as the kernel knows it; never from environment variables."""

import os
import pwd
from pathlib import Path

LOGIN_UID = Path("/proc/self/loginuid")
_UNSET = 0xFFFF_FFFF


def account(login_uid: Path = LOGIN_UID) -> str:
    """The account that this session logged in with, also behind `sudo` or `su`; where nobody logged in (a container,
    a service), the account that this process runs under.

    No stronger than the machine: somebody who is root on it can be anybody, and so can somebody in a session without a
    login, because there the kernel lets a process name one, once.
    """
    uid = _logged_in(login_uid)
    if uid is None:
        uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number that has no name
        return f"uid-{uid}"


def _logged_in(login_uid: Path) -> int | None:
    try:
        uid = int(login_uid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == _UNSET else uid
