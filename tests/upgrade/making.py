"""What every scene of the fixture is handed: the deployment while it is made, its clock, and what to write down."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from idverify.access import Access
from tests.browser import Served, served
from tests.deployments import Clock, Register, access
from tests.upgrade.callers import signed_in
from tests.visitors import Visitor

_STEP = timedelta(milliseconds=50)
Facts = dict[str, Any]


class MovingClock(Clock):
    """Goes on a little each time that it is read, and not otherwise."""

    def __call__(self) -> datetime:
        self.now += _STEP
        return self.now


@dataclass
class Making:
    """A deployment that is being made; `kept` is the folder of what people keep elsewhere."""

    register: Register
    kept: Path
    facts: Facts = field(default_factory=dict)
    _sites: list[Served] = field(default_factory=list)

    @property
    def site(self) -> Served:
        return self._sites[-1]

    @contextmanager
    def running(self) -> Iterator[None]:
        """The service runs in here, and is closed afterwards, as for a restart."""
        with served(self.register.engine) as site:
            self._sites.append(site)
            try:
                yield
            finally:
                self._sites.pop()
        self.register.close()

    def signed_in(self, name: str) -> AbstractContextManager[Visitor]:
        """A browser in which that member of staff is signed in, by the password that stands in the facts."""
        return signed_in(self.site, name, self.facts["passwords"][name])

    def keep(self, name: str, content: bytes) -> str:
        """Write a file for whoever keeps it; its name."""
        (self.kept / name).write_bytes(content)
        return name


def administrator(name: str = "admin.one") -> Access:
    """Somebody at the machine."""
    return access("administration", client=None, clerk=name)
