"""The report as a page, a PDF and tables: it says what was found in plain words and asks the network for nothing."""

import base64
import csv
import io
import re
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st

from analysis.deduplication import report_files, report_page, wording
from analysis.deduplication.report import Part
from idverify.stored.case_evidence import Link, Pattern
from idverify.vision.image import decode_pixels
from idverify_receipts.errors import ReceiptInvalid
from tests.analysis.deduplication.values import FACE, HOSTILE, report
from tests.browser import Browsing
from tests.deployments import photograph


@pytest.fixture(scope="module")
def faces() -> dict[str, str]:
    return report_page.as_data({FACE: ("image/jpeg", photograph(3, 1))}, decode_pixels)


def test_the_page_says_what_was_found_and_what_to_make_of_it(faces: dict[str, str]) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", report_page.html(report(), faces)))
    for words in (
        "one in 4.2 million pairs of different people are so alike",
        "fewer than one in 33 million",
        "10 pairs by chance alone",
        "it is 3 to 22",
        "8 of the 13 identities in clusters were enrolled by clerk-07",
        "once in 3,000 reports",
        "fewer than once in a million million reports",
        "the roster's photograph is not kept",
        "this gallery keeps no photographs",
        "2 pairs that analysts held for different people before are left out",
        "no such file beside the roster",
        "(below the threshold)",
        "A cluster is a suspicion and no finding of guilt",
    ):
        assert words in text, words


def test_faces_are_made_small_and_lie_in_the_page(faces: dict[str, str]) -> None:
    jpeg = base64.b64decode(faces[FACE].partition(",")[2])
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape[0] == report_page.FACE_HEIGHT_PX
    assert report_page.html(report(), faces).count(faces[FACE]) == 1


def test_what_a_roster_says_is_never_markup(faces: dict[str, str]) -> None:
    text = report_page.html(report(payroll=HOSTILE), faces)
    assert "alert(1)</script>" not in text
    assert report_files.parse(text.encode()) == report(payroll=HOSTILE)


def test_a_page_whose_words_were_changed_does_not_show_its_report(faces: dict[str, str]) -> None:
    told = report()
    text = report_page.html(told, faces)
    assert report_page.shows(text, told)
    assert report_page.shows(text.replace(faces[FACE], "data:image/jpeg;base64,AAAA"), told)  # pictures are not signed
    for altered in (text.replace("E-2", "E-3", 1), text.replace("10 pairs by", "9 pairs by"), text + " "):
        assert altered != text
        assert not report_page.shows(altered, told)


def test_a_browser_asks_for_nothing_and_axe_finds_nothing(
    tmp_path: Path, browsing: Browsing, faces: dict[str, str]
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_page.html(report(), faces), encoding="utf-8")
    context = browsing.chromium.new_context(viewport={"width": 1280, "height": 720})
    asked, said = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: said.append(message.text))
    shown = context.new_page()
    shown.goto(file.as_uri())
    assert shown.locator("img").first.evaluate("image => image.naturalHeight") == report_page.FACE_HEIGHT_PX
    assert shown.locator("rect").count() == 42
    assert shown.evaluate("getComputedStyle(document.querySelector('.cover')).backgroundColor") == "rgb(18, 72, 107)"
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert said == []
    shown.set_viewport_size({"width": 800, "height": 1280})
    assert shown.evaluate("document.documentElement.scrollWidth <= 800")
    # axe runs as a script, which the page's own policy refuses: it is given the page without it.
    shown.set_content(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", file.read_text(encoding="utf-8")))
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_the_pdf_comes_from_the_same_page(faces: dict[str, str]) -> None:
    made = report_page.pdf(report(findings=60), faces)
    assert made.startswith(b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    objects = b"".join(zlib.decompressobj().decompress(one) for one in streams if one.startswith(b"\x78"))
    assert 3 <= len(re.findall(rb"/Type ?/Page\b", made + objects)) <= 6


def test_no_cell_of_the_csv_is_a_live_formula() -> None:
    rows = list(csv.reader(io.StringIO(report_files.as_csv(report(payroll="+cmd|' /C calc'!A0")))))
    assert len(rows) == 1 + 3 + 1
    assert all(len(row) == len(rows[0]) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert rows[3][2] == "'+cmd|' /C calc'!A0"
    assert rows[4][2].startswith("'=")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format": "idverify-report/1"}', b"<html></html>"])
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(ReceiptInvalid):
        report_files.parse(content)


def test_a_part_that_is_gone_stays_gone_through_a_file() -> None:
    whole = report()
    rest = replace(whole, parts=(Part("", None), *whole.parts[1:]))
    again = report_files.parse(report_files.as_json(rest))
    assert again == rest
    assert (again.gone, again.clusters) == (1, ())
    assert "1 of 2 parts of this report are gone" in re.sub(r"\s+", " ", report_page.html(again, {}))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (4.1e6, "4.1 million"),
        (31_984_000, "32 million"),
        (1.6e9, "1.6 thousand million"),
        (999_600, "1 million"),
        (730_123, "730,000"),
        (1_624, "1,600"),
        (12.4, "12"),
        (1.5, "1.5"),
    ],
)
def test_rates_are_told_to_two_digits(number: float, words: str) -> None:
    assert wording.quantity(number) == words


@given(st.floats(1e-9, 1e9))
def test_expected_numbers_never_look_like_nothing(number: float) -> None:
    assert wording.by_chance(number) not in ("0", "0.0", "0.00")


def test_chances_are_told_as_once_in_so_many() -> None:
    assert wording.surprise(Pattern("clerk", "x", 1, 1, 1, 0.001)) == "once in 1,000 reports"
    assert wording.one_in(Link(0, 1, 0.9, 1e-6, False, True)) == "one in 1 million pairs of different people"
