"""Writes a report as one HTML file that asks the network for nothing, and as a PDF.

Page and PDF come from one template. The page carries the signed content, so that it can be checked itself.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log10
from pathlib import Path

import cv2
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.deduplication import wording
from analysis.deduplication.clusters import Cluster
from analysis.deduplication.payroll_findings import PayrollFinding, PayrollFindingKind
from analysis.deduplication.report import Report
from analysis.deduplication.report_files import as_json
from analysis.deduplication.score_histogram import Histogram
from idverify.stored.case_evidence import Link
from idverify.vision.image import Decoder, decode

TEMPLATES = Path(__file__).parent / "templates"
FACE_HEIGHT_PX = 400
_PICTURE = re.compile(r'<img src="(data:image/jpeg;base64,[A-Za-z0-9+/=]+)" data-face="([0-9a-f]{64})"')
MOST_LINKS_SHOWN = 10
VERIFY_COMMANDS = ("python -m analysis report verify", "python -m enrolment report verify")
"""What a page names as the command that checks it: the present one, then those of pages that were written before."""
Faces = Mapping[str, str]
"""What an <img> shows of each kept photograph, by its sha256 (hex): a data: address, or one of the service's own."""


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """One bar of the distribution, in the drawing's units; `above`: at or above the threshold."""

    x: float
    y: float
    width: float
    height: float
    above: bool
    told: str


@dataclass(frozen=True, slots=True)
class HistogramChart:
    """The score distribution drawn on a logarithmic scale, 720 by 240 units."""

    bars: tuple[HistogramBar, ...]
    threshold_x: float
    grid: tuple[tuple[float, str], ...]
    axis: tuple[tuple[float, str], ...]


def html(report: Report, faces: Faces, verify_command: str = VERIFY_COMMANDS[0]) -> str:
    """The whole page. `faces` may lack some: a member without a picture says why."""
    style = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))  # noqa: S704  our own file
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["wording"] = wording
    environment.filters["shown"] = _shown_links
    return environment.get_template("report.html").render(
        report=report,
        head=report.head,
        inputs=report.head.inputs,
        faces=faces,
        chart=chart(report.head.histogram, report.head.inputs.threshold),
        sections=list(_sections(report)),
        style=style,
        policy=content_security_policy(),
        verify_command=verify_command,
        # "<" would end the block in the middle of a name.
        content=Markup(as_json(report).decode().replace("<", "\\u003c")),  # noqa: S704  escaped on this line
    )


def pdf(report: Report, faces: Faces) -> bytes:
    """The same page on A4."""
    import weasyprint  # takes a second and Pango: only who wants a PDF needs it

    # WeasyPrint's own fetcher would ask the network; only what is in the page itself is let through.
    only_data = weasyprint.urls.URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    document: bytes = weasyprint.HTML(string=html(report, faces), url_fetcher=only_data).write_pdf()
    return document


def shows(text: str, report: Report) -> bool:
    """Whether this is the page of `report`, pictures apart, as this version of the service writes it or one before."""
    pictures = {digest: Markup(source) for source, digest in _PICTURE.findall(text)}  # noqa: S704  compared only
    return any(html(report, pictures, command) == text for command in VERIFY_COMMANDS)


def content_security_policy() -> str:
    """What the page may load: its own style and pictures, nothing else. For the page itself and for a header."""
    digest = base64.b64encode(hashlib.sha256((TEMPLATES / "report.css").read_bytes()).digest()).decode()
    return f"default-src 'none'; img-src data: 'self'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def as_data(photographs: Mapping[str, tuple[str, bytes]], decoder: Decoder) -> dict[str, str]:
    """Photographs as small JPEG data: addresses, decoded by `decoder`. Raises ImageRejected, DecoderUnavailable."""
    found = {}
    for digest, (_, data) in photographs.items():
        pixels = decode(data, decoder=decoder).pixels
        scale = min(FACE_HEIGHT_PX / pixels.shape[0], 1.0)
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
        found[digest] = f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
    return found


def chart(histogram: Histogram, threshold: float, width: float = 720.0, height: float = 200.0) -> HistogramChart:
    """Bars from the lowest score that occurs to 1; the height is the decimal logarithm of the number of pairs."""
    scores = [histogram.lowest + at * histogram.width for at in range(len(histogram.counts))]
    occurring = [score for score, count in zip(scores, histogram.counts, strict=True) if count > 0]
    left = min([*occurring, threshold]) - histogram.width
    tallest = max(log10(max([*histogram.counts, 1.0])), 1.0) + 0.3

    def x(score: float) -> float:
        return round((score - left) / (1 + histogram.width - left) * width, 2)

    def y(count: float) -> float:
        # A bar of one pair must be seen: the axis starts a third of a decade below one.
        return round(height * (1 - (log10(max(count, 0.5)) + 0.3) / (tallest + 0.3)), 2)

    bars = tuple(
        HistogramBar(
            x(score),
            y(count),
            round(x(score + histogram.width) - x(score) - 0.8, 2),
            round(height - y(count), 2),
            score >= threshold - 1e-9,
            f"{wording.quantity(count)} pairs from {score:.2f} to {score + histogram.width:.2f}",
        )
        for score, count in zip(scores, histogram.counts, strict=True)
        if count > 0 and score >= left
    )
    decades = range(0, int(tallest) + 1, 2 if tallest > 6 else 1)
    ticks = [tick / 5 for tick in range(-5, 6) if left < tick / 5 <= 1]
    return HistogramChart(
        bars,
        x(threshold),
        tuple((y(10.0**decade), wording.quantity(10.0**decade)) for decade in decades),
        tuple((x(tick), f"{tick:.1f}") for tick in ticks),
    )


def _shown_links(cluster: Cluster) -> list[Link]:
    """The strongest links of a cluster, as many as a person reads."""
    return sorted(cluster.links, key=lambda link: -link.similarity)[:MOST_LINKS_SHOWN]


def _sections(report: Report) -> Iterator[tuple[str, list[PayrollFinding]]]:
    for kind in PayrollFindingKind:
        found = [finding for finding in report.findings if finding.kind is kind]
        if found:
            yield wording.FINDINGS[kind], found
