"""What the documents name is there: links, files, modules, commands, make targets, settings."""

from collections.abc import Callable, Iterator

import pytest

from tests.docs.references import (
    ROOT,
    Document,
    broken_links,
    documents,
    missing_commands,
    missing_files,
    missing_modules,
    unknown_settings,
)

Check = Callable[[Document], Iterator[str]]
CHECKS: tuple[Check, ...] = (broken_links, missing_files, missing_modules, missing_commands, unknown_settings)
ELSEWHERE = {
    "tests/upgrade/release_0_2",  # a reader makes these by following the document
    "test_release_0_2*.py",
    "idverify/storage/migrations/versions/revision_NNNN.py",
    "models/best/98.20/best_model.onnx",  # in the repository of that network's author
}


@pytest.mark.parametrize("document", documents(), ids=lambda document: str(document.path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Document) -> None:
    wrong = {name for check in CHECKS for name in check(document)}
    assert sorted(wrong - ELSEWHERE) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a page](nowhere.md)", "nowhere.md"),
        ("[a heading](README.md#nowhere)", "README.md#nowhere"),
        ("[a heading here](#nowhere)\n\n# Somewhere", "#nowhere"),
        ("![a picture](docs/nowhere.png)", "docs/nowhere.png"),
        ("it lies in tests/nowhere/test_it.py.", "tests/nowhere/test_it.py"),
        ("held by `test_nowhere.py`", "test_nowhere.py"),
        ("read by `vision/nowhere.py`", "vision/nowhere.py"),
        ("    python -m benchmarks.nowhere --json x.json", "python -m benchmarks.nowhere"),
        ("`python -m pages` has nothing to run", "python -m pages"),
        ("the processes are `idverify.startup.nowhere`", "idverify.startup.nowhere"),
        ("run `make nowhere`", "make nowhere"),
        ("```text\nidverify nowhere\n```", "idverify nowhere"),
        ("    python -m analysis report nowhere ID", "python -m analysis nowhere"),
        ("set `IDVERIFY_NOWHERE`", "IDVERIFY_NOWHERE"),
    ],
)
def test_what_is_not_there_is_named(text: str, named: str) -> None:
    document = Document(ROOT / "EXAMPLE.md", text)
    found = {name.rstrip(".") for check in CHECKS for name in check(document)}
    assert found == {named}


@pytest.mark.parametrize(
    "text",
    [
        "[the log](docs/administration.md#the-audit-log) and [elsewhere](https://example.org/nowhere.md)",
        "`tests/upgrade/test_release_0_1*.py`, `test_links.py`, `idverify/`, `idverify.engine.Engine`",
        "    idverify galleries add NAME\n    python -m enrolment staff add clerk.one\n    make lint",
        "idverify answers one question, and `make` alone prints what there is",
        "`IDVERIFY_…` and `IDVERIFY_DATA_DIR`; `POST /api/nowhere`",
    ],
)
def test_what_is_there_is_not_named(text: str) -> None:
    document = Document(ROOT / "EXAMPLE.md", text)
    assert [name for check in CHECKS for name in check(document)] == []
