"""Keeps reports: signed, sealed, and shown only with a leaf in the access log of each person that they name."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import rfc8785
from pydantic import TypeAdapter

from analysis.deduplication.clusters import Cluster
from analysis.deduplication.inputs import ReportKind
from analysis.deduplication.payroll_findings import PayrollFinding
from analysis.deduplication.report import Part, Report, ReportContent, ReportHead, head_digest, plain
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import NotFound
from idverify.ids import GalleryId, PersonId
from idverify.receipts import Receipts
from idverify.storage import images, persons, reports
from idverify.storage.database import Connection, Database
from idverify.storage.reports import ReportPartRow, ReportRow
from idverify.stored.audit_journal import Journal
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.persons import OpenedPerson, StoredPersons
from idverify_receipts.checking import check_signed
from idverify_receipts.errors import ReceiptInvalid

TYPE = "idverify-report+jwt"
CLAIMS = ("iss", "jti", "iat", "report_digest", "audit_position")
_HEAD: TypeAdapter[ReportHead] = TypeAdapter(ReportHead)
_PART: TypeAdapter[Part] = TypeAdapter(Part)


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report in a list: nothing of what it found."""

    report: str
    kind: ReportKind
    galleries: tuple[GalleryId, ...]
    made_at: str


class Reports:
    """Publishes, lists and shows reports. `within` names the galleries that the caller may use; None: all of them."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        stored_persons: StoredPersons,
        joint_sealing: JointSealing,
        receipts: Receipts,
    ) -> None:
        """`receipts` signs the reports with the deployment's answer-signing key."""
        self._database = database
        self._journal = journal
        self._stored_persons = stored_persons
        self._joint_sealing = joint_sealing
        self._receipts = receipts

    def publish(
        self, connection: Connection, content: ReportContent, access: Access, *, search: str | None = None
    ) -> str:
        """Number, sign, seal and store what was found, and log it; the report's id.

        It is the caller's transaction, which took its turn in the log before it looked who is still there.
        """
        report, inputs = str(uuid4()), content.inputs
        contents: tuple[Cluster | PayrollFinding, ...] = (*content.clusters, *content.findings)
        parts = [
            (Part(secrets.token_hex(16), replace(one, number=number)), self._sealed_for(connection, one))
            for number, one in enumerate(contents, start=1)
        ]
        now = self._journal.now()
        head = ReportHead(
            report=report,
            deployment=self._receipts.issuer,
            made_at=utc_text(now),
            inputs=inputs,
            histogram=content.histogram,
            patterns=content.patterns,
            totals=dict(Counter(one.kind.value for one in contents)),
            parts=tuple(part.digest for part, _ in parts),
        )
        claims = {
            "jti": report,
            "iat": int(now.timestamp()),
            "report_digest": f"sha256:{head_digest(head)}",
            "audit_position": inputs.audit_position,
        }
        row = ReportRow(
            report=report,
            kind=inputs.kind,
            galleries=tuple(one.gallery for one in inputs.galleries),
            search=search,
            made_at=head.made_at,
            signature=self._receipts.sign(claims, type_=TYPE),
            head=self._joint_sealing.seal([], rfc8785.dumps(plain(head)), "reports", report),
        )
        reports.add(connection, row, (self._sealed(report, at, *part) for at, part in enumerate(parts)))
        self._journal.record(
            connection,
            EventKind.REPORT_MADE,
            access,
            gallery=row.galleries[0],
            policy=inputs.policy,
            model=inputs.model,
            reason=f"sha256:{head_digest(head)}",
        )
        return report

    def read(self, report: str, access: Access, *, within: Collection[GalleryId] | None = None) -> Report:
        """The report, as far as its persons are still there. That it was read is logged, and so is each person shown.

        Raises NotFound, also for a report about a gallery beyond `within`, and SealBroken.
        """
        with self._database.write() as connection:
            row = _within(reports.get(connection, report), within)
            shown = self._open(connection, row)
            policy = shown.head.inputs.policy
            journal, gallery = self._journal, row.galleries[0]
            journal.record(connection, EventKind.REPORT_READ, access, gallery=gallery, policy=policy, reason=report)
            for person in sorted(people_of(shown)):
                opened_person = self._stored_persons.find(connection, person)
                if opened_person is not None:
                    journal.record(
                        connection,
                        EventKind.PERSON_REPORTED,
                        access,
                        person=opened_person,
                        gallery=gallery,
                        policy=policy,
                    )
        return shown

    def opened(self, report: str, *, within: Collection[GalleryId] | None = None) -> Report:
        """The report without a leaf in the audit log: for making cases of it, never for showing. Raises as `read`."""
        with self._database.read() as connection:
            return self._open(connection, _within(reports.get(connection, report), within))

    def list(self, *, within: Collection[GalleryId] | None = None) -> tuple[ReportView, ...]:
        """The reports, the newest first."""
        with self._database.read() as connection:
            return tuple(
                ReportView(row.report, ReportKind(row.kind), row.galleries, row.made_at)
                for row in reports.all_reports(connection)
                if within is None or set(row.galleries) <= set(within)
            )

    def faces(self, report: Report) -> dict[str, tuple[str, bytes]]:
        """The kept photographs of the report's members: media type and bytes by their sha256 (hex).

        Call it for a report that `read` gave, which logged that these persons are shown. Raises SealBroken.
        """
        wanted = {member.image: member.person for one in report.clusters for member in one.members if member.image}
        found: dict[str, tuple[str, bytes]] = {}
        with self._database.read() as connection:
            for person in {person for person in wanted.values() if person is not None}:
                opened_person = self._stored_persons.find(connection, person)
                for image in images.images_of(connection, person) if opened_person is not None else ():
                    assert opened_person is not None  # noqa: S101  there are no images without it
                    opened = self._stored_persons.photograph(opened_person, image)
                    found[hashlib.sha256(opened).hexdigest()] = (image.media_type, opened)
        return {digest: found[digest] for digest in wanted if digest in found}

    def jwks(self) -> dict[str, Any]:
        """The public keys that reports of this deployment are checked with."""
        return dict(self._receipts.jwks())

    def _sealed_for(self, connection: Connection, content: Cluster | PayrollFinding) -> Sequence[OpenedPerson]:
        """The persons under whose keys it is sealed. A payroll number that nobody is enrolled under has none."""
        found = (self._stored_persons.find(connection, person) for person in sorted(people_in(content)))
        return [opened_person for opened_person in found if opened_person is not None]

    def _sealed(self, report: str, at: int, part: Part, sealed_for: Sequence[OpenedPerson]) -> ReportPartRow:
        sealed = self._joint_sealing.seal(sealed_for, rfc8785.dumps(plain(part)), "report_parts", f"{report}/{at}")
        return ReportPartRow(at, sealed_for[0].row.person if sealed_for else None, sealed)

    def _open(self, connection: Connection, row: ReportRow) -> Report:
        sealed_head = self._joint_sealing.open(connection, None, row.head, "reports", row.report)
        assert sealed_head is not None  # noqa: S101  a head is nobody's
        head = _HEAD.validate_json(sealed_head)
        parts = dict.fromkeys(range(len(head.parts)), Part("", None))
        for stored in reports.parts(connection, row.report):
            first = None if stored.person is None else persons.find(connection, stored.person)
            opened_person = None if first is None else self._stored_persons.open(first)
            opened = self._joint_sealing.open(
                connection, opened_person, stored.sealed, "report_parts", f"{row.report}/{stored.part}"
            )
            if opened is not None:
                parts[stored.part] = _PART.validate_json(opened)
        return Report(head, tuple(parts.values()), row.signature)


def people_in(content: Cluster | PayrollFinding | None) -> set[PersonId]:
    """Everybody whom a part names by their number."""
    if isinstance(content, Cluster):
        return {member.person for member in content.members if member.person is not None}
    return {content.person} if content is not None and content.person is not None else set()


def people_of(report: Report) -> set[PersonId]:
    """Everybody whom the report names by their number."""
    return set().union(*(people_in(part.content) for part in report.parts))


def check(report: Report, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """What the report's signature claims, where every part that is still there is as it was signed.

    Parts that went with the erasure of a person are missing and say so. Raises ReceiptInvalid saying which of the
    numbered checks failed.
    """
    # 1. The signature, by a key of the deployment.
    claims = check_signed(report.signature, jwks, type_=TYPE, required=CLAIMS)
    # 2. It is about this head, and the head about this report of this deployment.
    if claims["report_digest"] != f"sha256:{head_digest(report.head)}":
        raise ReceiptInvalid("the head of the report is not what was signed")
    if (claims["jti"], claims["iss"]) != (report.head.report, report.head.deployment):
        raise ReceiptInvalid("the signature is of another report")
    # 3. The head names each part that is there, in its place.
    if len(report.parts) != len(report.head.parts):
        raise ReceiptInvalid(f"expected {len(report.head.parts)} parts, found {len(report.parts)}")
    for number, (part, digest) in enumerate(zip(report.parts, report.head.parts, strict=True), start=1):
        if part.content is not None and part.digest != digest:
            raise ReceiptInvalid(f"part {number} of the report is not what was signed")
    return claims


def _within(row: ReportRow, within: Collection[GalleryId] | None) -> ReportRow:
    if within is not None and not set(row.galleries) <= set(within):
        raise NotFound(f"no report {row.report}")
    return row
