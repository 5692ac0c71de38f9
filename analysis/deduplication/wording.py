"""Puts a report's figures into plain words: rates as "one in so many", chances as "once in so many reports"."""

from analysis.deduplication.clusters import ClusterKind
from analysis.deduplication.expectation import Expectation
from analysis.deduplication.inputs import ReportKind
from analysis.deduplication.payroll_findings import PayrollFinding, PayrollFindingKind
from idverify.stored.case_evidence import Link, Member, Pattern

TITLES = {
    ReportKind.DUPLICATE_SEARCH: "Duplicate search",
    ReportKind.PAYROLL_CHECK: "Payroll check",
}
CLUSTERS = {
    ClusterKind.SAME_FACE: "One face under several numbers",
    ClusterKind.OTHER_NUMBER: "Face known to the register under another number",
}
FINDINGS = {
    PayrollFindingKind.NO_FACE: "Payroll numbers with no face",
    PayrollFindingKind.UNKNOWN_FACE: "Faces that match nobody",
    PayrollFindingKind.NOT_ENROLLED: "Entries whose person is not in the register (never enrolled, or erased)",
    PayrollFindingKind.DECEASED: "Entries whose person is marked as deceased",
}
_LARGE = ((1e12, "million million"), (1e9, "thousand million"), (1e6, "million"))


def quantity(number: float) -> str:
    """A large number to two digits: "31 million", "4.1 million", "730,000", "1,600", "12"."""
    for size, name in _LARGE:
        if number >= size * 0.995:
            return f"{_two_digits(number / size)} {name}"
    return _two_digits(number)


def count(number: int) -> str:
    """A number of things: exactly below a million, "4.1 million" above."""
    return f"{number:,}" if number < 1_000_000 else quantity(number)


def one_in(link: Link) -> str:
    """How rare such a score is: "one in 4.1 million pairs of different people"."""
    return f"{'fewer than ' * link.at_most}one in {quantity(1 / link.fmr)} pairs of different people"


def by_chance(number: float) -> str:
    """How many are expected: "1,624", "10", "0.15", "fewer than 0.01"."""
    if number >= 9.5:
        return count(round(number))
    if number >= 0.95:
        return f"{number:.1f}"
    return f"{number:.2f}" if number >= 0.01 else "fewer than 0.01"


def announced(expectation: Expectation) -> str:
    """What to expect of a search, in a sentence for whoever starts it."""
    sure = " The rate lies beyond what was measured and is extrapolated." if expectation.point.extrapolated else ""
    return (
        f"{expectation.pairs:,} pairs at a false match rate of {expectation.point.fmr:.1e}: "
        f"expect about {by_chance(expectation.expected)} false pairs, "
        f"{expectation.low:,} to {expectation.high:,} in 95 of 100 such searches.{sure}"
    )


def between(low: int, high: int) -> str:
    """An interval of counts: "4 to 24", "none"."""
    return f"{low:,} to {high:,}" if low < high else ("none" if high == 0 else f"{high:,}")


def surprise(pattern: Pattern) -> str:
    """How often chance alone would make a report show as much."""
    if pattern.chance < 1e-12:
        return "fewer than once in a million million reports"
    return f"once in {quantity(1 / pattern.chance)} reports"


def seen(pattern: Pattern) -> str:
    """What is noticed, as a sentence without a full stop."""
    who = {
        "clerk": f"{pattern.seen} of the {pattern.among} identities in clusters were enrolled by {pattern.value}",
        "station": f"{pattern.seen} of the {pattern.among} identities in clusters were enrolled at {pattern.value}",
        "day": f"{pattern.seen} of the {pattern.among} identities in clusters were enrolled on {pattern.value}",
        "same-clerk": f"In {pattern.seen} of {pattern.among} ties between two identities one clerk enrolled both",
        "same-station": f"In {pattern.seen} of {pattern.among} ties between two identities one station enrolled both",
        "same-day": f"In {pattern.seen} of {pattern.among} ties between two identities both were enrolled on one day",
        "neighbouring-numbers": f"In {pattern.seen} of {pattern.among} ties the two numbers are neighbours",
    }
    return who[pattern.kind]


def place(member: Member) -> str:
    """By whom and where: "clerk-07 at station north", or what is known of it."""
    parts = [member.clerk or member.client or "", f"at {member.station}" if member.station else ""]
    return " ".join(filter(None, parts)) or "not recorded"


def entry_of(finding: PayrollFinding) -> str:
    return finding.payroll if finding.person is None else f"{finding.payroll} ({finding.person})"


def day(time: str | None) -> str:
    """The date of a UTC time."""
    return "not known" if time is None else time[:10]


def _two_digits(number: float) -> str:
    if number < 9.95:
        return f"{number:.1f}".removesuffix(".0")
    rounded = float(f"{number:.2g}") if number >= 1_000 else round(number)
    return f"{rounded:,.0f}"
