"""A report of made-up content for the tests of files and pages: no deployment, no face."""

from analysis.deduplication.clusters import Cluster, ClusterKind
from analysis.deduplication.inputs import CalibrationInput, GalleryInput, Inputs, ReportKind, RosterInput
from analysis.deduplication.payroll_findings import PayrollFinding, PayrollFindingKind
from analysis.deduplication.report import Part, Report, ReportHead
from analysis.deduplication.roster import RosterDefect
from analysis.deduplication.score_histogram import Histogram
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.stored.case_evidence import Link, Member, Pattern

FACE = "ab" * 32
HOSTILE = "</script><script>alert(1)</script>"


def member(number: str, *, face: bool = True, clerk: str = "clerk-07") -> Member:
    return Member(
        person=PersonId(number),
        gallery=GalleryId("payroll"),
        encounter=EncounterId(f"visit-{number}"),
        captured_at="2026-03-16T09:30:00.000Z",
        source="station",
        clerk=clerk,
        station="north",
        quality=93,
        status="active",
        image=FACE if face else None,
    )


def report(*, payroll: str = "E-9", findings: int = 1) -> Report:
    """A payroll check with a cluster of three, one of them a roster entry named `payroll`, and findings."""
    entry = Member(None, None, payroll=payroll, line=9)
    links = (
        Link(0, 1, 0.9312, 2.4e-7, False, True),
        Link(0, 2, 0.8712, 3e-8, True, True),
        Link(1, 2, 0.7001, 0.004, False, False),
    )
    cluster = Cluster(1, ClusterKind.SAME_FACE, (member("E-1"), member("E-2", face=False), entry), links, 14.1)
    others = [
        PayrollFinding(
            2 + at, PayrollFindingKind.NO_FACE, f"={payroll}{at}", None, 12 + at, "no face was found in the photograph"
        )
        for at in range(findings)
    ]
    contents: tuple[Cluster | PayrollFinding, ...] = (cluster, *others)
    parts = tuple(Part("00" * 16, content) for content in contents)
    calibration = CalibrationInput(1e-6, 0.855, 0.847, 0.867, 31_984_000, "rendered citizens", "2026-11-21")
    inputs = Inputs(
        kind=ReportKind.PAYROLL_CHECK,
        galleries=(GalleryInput(GalleryId("payroll"), True, True, 3_000, 3_000),),
        roster=RosterInput("cd" * 32, 40, (RosterDefect(4, "photograph", "no such file beside the roster"),)),
        audit_position=3_004,
        model=ModelDigest("ef" * 32),
        population="rendered",
        policy="payroll/payroll-check/fmr-2e-06-rendered",
        fmr=2.2e-6,
        threshold=0.8458,
        extrapolated=False,
        calibration=(calibration,),
        pairs=4_498_500,
        expected_false_pairs=10.0,
        false_pairs_low=3,
        false_pairs_high=22,
        known_non_duplicates=2,
    )
    head = ReportHead(
        report="7997b6d0-b7cc-4783-a318-aa65b84a1032",
        deployment="ec96d1a5-3f67-440f-9fe4-fe52560007ac",
        made_at="2026-11-21T09:30:00.000Z",
        inputs=inputs,
        histogram=Histogram(0.0058, 0.02, (*range(1, 42), 0, 2), 480_000),
        patterns=(Pattern("clerk", "clerk-07", 8, 13, 1.8, 0.00033), Pattern("same-day", "", 2, 2, 0.01, 1e-14)),
        totals={"same-face": 1, "no-face": findings},
        parts=tuple(part.digest for part in parts),
    )
    return Report(head, parts, "header.claims.signature")
