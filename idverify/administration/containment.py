"""Contains an incident as one recorded job: suspends clients, rotates the keys and rewraps every person's key.

What is done already is read from the deployment itself, so that the same command continues an interrupted run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from idverify import keys
from idverify.access import Access, Progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind, utc_text
from idverify.errors import ClientNotFound, InvalidInput
from idverify.ids import ClientId, RequestId
from idverify.protection.keyring import RootKeyFile, ServiceKeyKind
from idverify.storage import jobs, service_keys
from idverify.storage.jobs import JobRow, JobState

JOB = "incident.contain"


@dataclass(frozen=True, slots=True)
class ContainmentStep:
    """One thing to do, and whether it is done."""

    what: str
    is_done: Callable[[], bool]
    do: Callable[[], object]


class Containment:
    """One incident's containment; `begin` it, then `run` it, as often as it takes."""

    def __init__(self, deployment: Deployment, job: JobRow, access: Access, progress: Progress) -> None:
        self._deployment = deployment
        self._job = job
        self._access = replace(access, request=RequestId(job.job))
        self._progress = progress
        suspensions = [self._suspension(ClientId(name)) for name in job.parameters["clients"]]
        rotation = [
            ContainmentStep("rotate the root key and the wrapping key", self._is_rotated, self._rotate),
            ContainmentStep("rewrap everybody's key by the new wrapping key", self._is_rewrapped, self._rewrap),
        ]
        self.steps = (*suspensions, *(rotation if job.parameters["rotate"] else ()))

    @classmethod
    def begin(
        cls,
        deployment: Deployment,
        clients: Sequence[ClientId],
        rotate: bool,
        access: Access,
        progress: Progress,
    ) -> "Containment":
        """Take up the unfinished containment of the same clients, or put a new one on record.

        Raises InvalidInput when there is nothing to do, ClientNotFound before anything is done.
        """
        if not clients and not rotate:
            raise InvalidInput("incident: expected a client to suspend, keys to rotate, or both")
        known = {client.client for client in deployment.clients.list()}
        if missing := sorted(set(clients) - known):
            raise ClientNotFound(f"no client {missing[0]}; `idverify clients list` shows them")
        asked = {"clients": sorted(set(clients)), "rotate": rotate}
        with deployment.database.write() as connection:
            for job in jobs.running(connection, JOB):
                if {name: job.parameters[name] for name in asked} == asked:
                    return cls(deployment, job, access, progress)
            now = utc_text(deployment.journal.now())
            before = service_keys.current_wrapping_version(connection)
            job = JobRow(access.request, JOB, {**asked, "wrapping_version_before": before}, now, now)
            jobs.add(connection, job)
            deployment.journal.record(connection, EventKind.CONTAINMENT_STARTED, access)
        return cls(deployment, job, access, progress)

    @property
    def remaining(self) -> tuple[str, ...]:
        """What is not done yet."""
        return tuple(step.what for step in self.steps if not step.is_done())

    def run(self) -> None:
        """Do what remains, in order. Every leaf of it carries the request id of the first run."""
        for step in self.steps:
            if not step.is_done():
                step.do()
        with self._deployment.database.write() as connection:
            jobs.set_state(connection, self._job.job, JobState.FINISHED, utc_text(self._deployment.journal.now()))
            self._deployment.journal.record(connection, EventKind.CONTAINMENT_FINISHED, self._access)

    def roots_to_destroy(self) -> tuple[str, ...]:
        """Previous root keys that nothing here needs any more: only backups open with them."""
        with self._deployment.database.read() as connection:
            needed = service_keys.roots_in_use(connection)
        root = RootKeyFile.load(self._deployment.settings.root_keys)
        return tuple(name for name in root.ids if name != root.current_id and name not in needed)

    def _suspension(self, name: ClientId) -> ContainmentStep:
        clients = self._deployment.clients

        def is_done() -> bool:
            return any(client.client == name and client.suspended for client in clients.list())

        return ContainmentStep(f"suspend the client {name}", is_done, lambda: clients.suspend(name, self._access))

    def _is_rotated(self) -> bool:
        with self._deployment.database.read() as connection:
            version = service_keys.current_wrapping_version(connection)
        return version > int(self._job.parameters["wrapping_version_before"])

    def _rotate(self) -> None:
        at = self._deployment
        keys.rotate(at.database, at.settings.root_keys, at.keys, at.journal, self._access)

    def _is_rewrapped(self) -> bool:
        """Rewrapping drops the old wrapping keys at its end."""
        with self._deployment.database.read() as connection:
            stored = service_keys.all_service_keys(connection)
        return self._is_rotated() and sum(key.kind is ServiceKeyKind.WRAPPING for key in stored) == 1

    def _rewrap(self) -> None:
        at = self._deployment
        opened = keys.open_keys(at.database, at.settings.root_keys)  # with the new wrapping key
        keys.rewrap(at.database, opened, at.journal, self._access, self._progress)
