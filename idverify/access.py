"""Two types that many modules share: who makes a request and why, for the audit log, and how progress is reported.

Nothing here decides what anybody may do.
"""

from collections.abc import Callable
from dataclasses import dataclass

from idverify.ids import ClientId, RequestId


@dataclass(frozen=True, slots=True)
class Access:
    """The circumstances of one request.

    `purpose` is a short code agreed with the caller ("tax-filing", "payroll-check"); an administrator at the command
    line has client None and purpose "administration".
    """

    request: RequestId
    purpose: str
    client: ClientId | None = None
    clerk: str | None = None
    station: str | None = None


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many items of it are done and how many there are."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Reports nothing."""
