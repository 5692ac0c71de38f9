"""The three languages say the same things, nothing is missing and nothing is left over."""

import re
import string
from pathlib import Path

import pytest

from idverify.errors import ConfigurationInvalid
from pages.catalogues import Catalogues, preferred
from pages.formats import Formats
from staff.accounts.accounts import LANGUAGES
from staff.app import SECTIONS

CODE = [Path(__file__).parents[2] / package for package in ("analysis", "enrolment", "pages", "staff")]
CALL = re.compile(r"""\b(?:t|text)\((?:request, )?["']([a-z_]+(?:\.[a-z0-9_]+)+)["'][,)]""")
QUOTED = re.compile(r"""["'`]([a-z_]+(?:\.[a-z0-9_]+)*\.?[a-z0-9_]*)["'`{]""")


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return Catalogues.load(section.folder / "locale" for section in SECTIONS)


@pytest.fixture(scope="module")
def sources() -> str:
    files = [file for kind in ("py", "html", "js") for package in CODE for file in sorted(package.rglob(f"*.{kind}"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_message_with_the_same_placeholders(catalogues: Catalogues, language: str) -> None:
    english, other = catalogues["en"].texts, catalogues[language].texts
    assert other.keys() == english.keys()
    assert {name: _placeholders(text) for name, text in other.items()} == {
        name: _placeholders(text) for name, text in english.items()
    }
    assert [name for name, text in other.items() if not text.strip() or text != text.strip()] == []


@pytest.mark.parametrize("language", ["st", "sw"])
def test_no_sentence_was_left_in_english(catalogues: Catalogues, language: str) -> None:
    english = catalogues["en"].texts
    same = [name for name, text in catalogues[language].texts.items() if text == english[name] and " " in text]
    assert same == []


def test_every_message_that_is_asked_for_exists(catalogues: Catalogues, sources: str) -> None:
    assert set(CALL.findall(sources)) - catalogues["en"].texts.keys() == set()


def test_no_message_is_left_over(catalogues: Catalogues, sources: str) -> None:
    """A message is used where its id stands in quotes, or begins with quoted text that ends in a dot or underscore."""
    quoted = set(QUOTED.findall(sources))
    beginnings = tuple(text for text in quoted if "." in text and text.endswith((".", "_")))
    unused = [name for name in catalogues["en"].texts if name not in quoted and not name.startswith(beginnings)]
    assert unused == []


def test_a_message_in_two_sections_is_refused(tmp_path: Path) -> None:
    for section in ("one", "two"):
        (tmp_path / section).mkdir()
        for language in LANGUAGES:
            (tmp_path / section / f"{language}.toml").write_text('[kit]\nnext = "Next"\n', encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match=r"kit\.next"):
        Catalogues.load([tmp_path / "one", tmp_path / "two"])


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "en"), ("st", "st"), ("fr, st-LS;q=0.8", "st"), ("SW-ke", "sw"), ("xx;;;,,", "en"), ("de", "en")],
)
def test_the_browsers_language_is_taken_where_we_have_it(header: str, language: str) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize(
    ("language", "moment"),
    [("en", "22 Nov 2026 01:30"), ("sw", "22 Nov 2026 01:30"), ("st", "22 Pun 2026 01:30")],
)
def test_times_are_written_in_the_deployments_zone(language: str, moment: str) -> None:
    formats = Formats.of(language, "Africa/Maseru")
    assert formats.moment("2026-11-21T23:30:00.000Z") == moment
    assert (formats.number(12345.6), formats.percent(0.0731)) == ("12,345.6", "7.3%")
