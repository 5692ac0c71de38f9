"""The DET picture: a file that any XML reader takes, the same for the same figures."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from benchmarks.det import Caption, write_det
from benchmarks.intervals import Interval
from benchmarks.statistics import TARGETS, OperatingRate, curve_targets

CAPTION = Caption("Error trade-off on nobody", "made-up figures & <angles>")


def made_up_rates(fnmr_at_tightest: float) -> dict[float, OperatingRate]:
    rates = {}
    for target in curve_targets():
        fnmr = fnmr_at_tightest * float((1e-6 / target) ** 0.4)
        rates[target] = OperatingRate(
            target, 0.3 - 0.03 * float(np.log10(target)), Interval(0.3, 0.5), fnmr, Interval(fnmr * 0.7, fnmr * 1.4), 10
        )
    return rates


def test_the_picture_is_xml_and_names_every_operating_point(tmp_path: Path) -> None:
    rates = made_up_rates(0.1)
    write_det(tmp_path / "det.svg", rates, 2000, CAPTION)
    text = "".join(ElementTree.parse(tmp_path / "det.svg").getroot().itertext())
    assert CAPTION.title in text
    assert CAPTION.subtitle in text
    for target in TARGETS:
        assert f"{100 * rates[target].fnmr:.2f} %" in text


def test_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        write_det(tmp_path / name, made_up_rates(0.1), 2000, CAPTION)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_population_without_any_error_can_be_drawn(tmp_path: Path) -> None:
    write_det(tmp_path / "det.svg", made_up_rates(0.0), 2000, CAPTION)
    assert ElementTree.parse(tmp_path / "det.svg").getroot().tag.endswith("svg")
