"""Who asks, for what purpose and under which request id: every flow takes one, and every audit leaf records it."""

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
