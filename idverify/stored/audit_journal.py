"""Writes audit leaves in the caller's transaction; details about a person must be sealed under that person's key."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from idverify.access import Access
from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import Event, EventKind, LeafDraft
from idverify.ids import GalleryId, ModelDigest
from idverify.matching.decision import Decision
from idverify.protection.envelope import Envelope, SealContext
from idverify.storage import audit_log
from idverify.storage.database import Connection
from idverify.stored.persons import OpenedPerson


class Journal:
    """Turns what was done into leaves of the audit log."""

    def __init__(self, envelope: Envelope, signer: CheckpointSigner, clock: Callable[[], datetime]) -> None:
        self._envelope = envelope
        self._signer = signer
        self._clock = clock

    def now(self) -> datetime:
        """The time that answers and leaves carry (UTC)."""
        return self._clock()

    def record(
        self,
        connection: Connection,
        event: EventKind,
        access: Access,
        *,
        person: OpenedPerson | None = None,
        decision: Decision | None = None,
        reason: str | None = None,
        gallery: GalleryId | None = None,
        policy: str | None = None,
        model: ModelDigest | None = None,
        records: Mapping[str, str] | None = None,
        detail: Mapping[str, object] | None = None,
        sealed_for: OpenedPerson | None = None,
    ) -> int:
        """Append one leaf and return its position in the log; the leaf stands when the transaction commits.

        `detail` is sealed under the key of `sealed_for`, by default of `person`, and is unreadable once that key is
        erased. `reason` is for acts that are no decision about a person.
        """
        draft = LeafDraft(
            event=event,
            client=access.client,
            clerk=access.clerk,
            station=access.station,
            person=None if person is None else person.row.pseudonym,
            gallery=gallery,
            purpose=access.purpose,
            request=access.request,
            decision=None if decision is None else decision.outcome,
            reason=reason if decision is None else decision.reason,
            policy=policy,
            model=model,
            records=records or {},
        )
        sealed_for_one = sealed_for or person
        sealed = None if sealed_for_one is None or detail is None else self._sealer(sealed_for_one, detail)
        position = audit_log.append(connection, draft, now=self._clock(), signer=self._signer, seal_detail=sealed)
        return position.sequence

    def open_detail(self, opened_person: OpenedPerson, event: Event) -> dict[str, Any]:
        """What a leaf says about its person beyond the clear fields. Raises SealBroken."""
        if event.sealed_detail is None:
            return {}
        context = SealContext.of_audit_detail(opened_person.row.person, event.sequence)
        detail: dict[str, Any] = json.loads(self._envelope.open(opened_person.key, event.sealed_detail, context))
        return detail

    def _sealer(self, opened_person: OpenedPerson, detail: Mapping[str, object]) -> Callable[[int], bytes]:
        plaintext = json.dumps(detail, sort_keys=True).encode()

        def seal(sequence: int) -> bytes:
            return self._envelope.seal(
                opened_person.key, plaintext, SealContext.of_audit_detail(opened_person.row.person, sequence)
            )

        return seal
