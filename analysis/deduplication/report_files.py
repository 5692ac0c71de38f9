"""Writes reports as JSON and CSV files, and reads such files back to be checked; it opens no database."""

import json
import re
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from analysis.deduplication import wording
from analysis.deduplication.clusters import Cluster
from analysis.deduplication.payroll_findings import PayrollFinding
from analysis.deduplication.report import Part, Report, plain
from idverify.cli.spreadsheet import csv_text
from idverify.stored.case_evidence import Member
from idverify_receipts.errors import ReceiptInvalid

FORMAT = "idverify-report/1"
MAX_BYTES = 512 * 1024 * 1024
_EMBEDDED = re.compile(rb'<script type="application/json" id="report">(.*?)</script>', re.DOTALL)
_HEADER = (
    "part",
    "finding",
    "payroll number",
    "roster line",
    "person",
    "gallery",
    "captured",
    "clerk or client",
    "station",
    "quality",
    "status",
    "strongest similarity",
    "one in so many pairs of different people",
    "evidence (decades)",
    "told",
)


def as_json(report: Report) -> bytes:
    """The signed content: head, parts that are still there, signature. Numbers are those that were signed."""
    return json.dumps({"format": FORMAT, **plain(report)}, ensure_ascii=False, indent=1).encode()


def as_csv(report: Report) -> str:
    """One row for each identity in a cluster and for each finding; no cell is a live formula."""
    rows = [row for part in report.parts for row in _rows(part)]
    return csv_text(_HEADER, rows)


def parse(content: bytes) -> Report:
    """The report of a JSON file, or the one that an HTML page carries. Raises ReceiptInvalid."""
    embedded = _EMBEDDED.search(content)
    try:
        parsed = json.loads(embedded[1] if embedded is not None else content)
        if not isinstance(parsed, dict) or parsed.pop("format", None) != FORMAT:
            raise ReceiptInvalid(f"expected a report in the form {FORMAT}: the JSON or the HTML file")
        return TypeAdapter(Report).validate_python(parsed)
    except (ValueError, ValidationError, RecursionError):
        raise ReceiptInvalid(f"not a report in the form {FORMAT}: expected the JSON or the HTML file") from None


def _rows(part: Part) -> Iterator[tuple[str, ...]]:
    if isinstance(part.content, PayrollFinding):
        found = part.content
        yield (
            str(found.number), wording.FINDINGS[found.kind], found.payroll, str(found.line), found.person or "",
            *[""] * 9, found.told,
        )  # fmt: skip
    elif isinstance(part.content, Cluster):
        for at, member in enumerate(part.content.members):
            yield _member_row(part.content, at, member)


def _member_row(cluster: Cluster, at: int, member: Member) -> tuple[str, ...]:
    own = max((link for link in cluster.links if at in (link.left, link.right)), key=lambda link: link.similarity)
    return (
        str(cluster.number),
        wording.CLUSTERS[cluster.kind],
        member.payroll or "",
        "" if member.line is None else str(member.line),
        member.person or "",
        member.gallery or "",
        member.captured_at or "",
        member.clerk or member.client or "",
        member.station or "",
        "" if member.quality is None else str(member.quality),
        member.status or "",
        f"{own.similarity:.4f}",
        f"{'more than ' * own.at_most}{1 / own.fmr:.0f}",
        f"{cluster.evidence:.1f}",
        "",
    )
