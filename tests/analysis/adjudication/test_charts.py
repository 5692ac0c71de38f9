"""Bars in proportion, lines at round numbers, labels that do not run into each other."""

import pytest

from analysis.adjudication.charts import bar_chart


def test_bars_are_as_high_as_their_numbers() -> None:
    chart = bar_chart(["2026-10", "2026-11"], {"enrolments": [50, 100], "refusals": [0, 25]})
    heights = [bar.height for bar in chart.bars]
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[3] == pytest.approx(heights[0] / 2, abs=0.2)
    assert heights[1] == 0
    assert [bar.series for bar in chart.bars] == [1, 2, 1, 2]
    assert all(bar.y + bar.height == pytest.approx(chart.base, abs=0.2) for bar in chart.bars)
    assert [line.text for line in chart.lines] == ["0", "20", "40", "60", "80", "100"]
    assert chart.bars[2].title == "2026-11, enrolments: 100"


@pytest.mark.parametrize(("highest", "top"), [(0, "1"), (3, "3"), (7, "8"), (999, "1,000"), (57_000, "60,000")])
def test_the_highest_line_is_round_and_not_below_the_highest_bar(highest: int, top: str) -> None:
    chart = bar_chart(["2026-11"], {"enrolments": [highest]})
    assert chart.lines[-1].text == top
    assert 2 <= len(chart.lines) <= 6


def test_a_month_of_days_has_labels_for_some_of_them() -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 31)]
    chart = bar_chart(days, {"enrolments": list(range(30))})
    assert len(chart.bars) == 30
    assert [label.text for label in chart.labels] == days[::5]


def test_nothing_is_an_empty_chart() -> None:
    assert bar_chart([], {"enrolments": []}).bars == ()
