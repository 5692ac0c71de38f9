"""Finds what a document names (links, files, modules, commands, make targets, settings) and says what is not there.

It reads the documents and the tree, and runs nothing that they name.
"""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

import analysis.__main__
import enrolment.__main__
import idverify.cli
from idverify.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "analysis",
    "api",
    "benchmarks",
    "citizens",
    "demo",
    "enrolment",
    "idverify",
    "idverify_receipts",
    "pages",
    "staff",
)
FOLDERS = (*PACKAGES, "docs", "models", "tests")
COMMANDS: dict[str, typer.Typer] = {
    "idverify": idverify.cli.app,
    "python -m idverify": idverify.cli.app,
    "python -m enrolment": enrolment.__main__.app,
    "python -m analysis": analysis.__main__.app,
}
NOT_SETTINGS = {"IDVERIFY_REQUIRE_ALL"}
"""Read by the tests only."""

_FENCED = re.compile(r"^(```+)[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^(?: {4}|\t)(.*)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_IN_A_FOLDER = re.compile(r"(?<![\w/.…-])((?:" + "|".join(FOLDERS) + r")/[\w./*-]*)")
_PYTHON_FILE = re.compile(r"(?<![\w/.*…-])([\w/*-]+\.py)\b")
_MODULE_RUN = re.compile(r"python -m ([\w.]+)")
_DOTTED = re.compile(r"^((?:" + "|".join(PACKAGES) + r")(?:\.\w+)+)$")
_SETTING = re.compile(rf"\b{PREFIX}[A-Z]\w*[A-Z]\b")
_TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown text and where it stands."""

    path: Path
    text: str

    @property
    def code(self) -> Iterator[str]:
        """Each code span, and each line of code blocks."""
        for _, block in _FENCED.findall(self.text):
            yield from map(str.strip, block.splitlines())
        prose = _FENCED.sub("", self.text)
        yield from map(str.strip, _INDENTED.findall(prose))
        for span in _SPAN.findall(prose):
            yield " ".join(span.split())

    def near(self, target: str) -> Path:
        """`target` as seen from the document."""
        return self.path.parent / target


def documents() -> list[Document]:
    """Every Markdown file of the project."""
    folders = [ROOT, *(ROOT / folder for folder in FOLDERS)]
    paths = [path for folder in folders for path in sorted(folder.glob("*.md" if folder == ROOT else "**/*.md"))]
    return [Document(path, path.read_text(encoding="utf-8")) for path in paths]


def broken_links(document: Document) -> Iterator[str]:
    """Relative links to a file or to a heading that is not there."""
    for target in _LINK.findall(document.text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        path = document.near(name) if name else document.path
        text = document.text if path == document.path else _text(path)
        if text is None or (heading and heading not in map(_anchor, _HEADING.findall(text))):
            yield target


def missing_files(document: Document) -> Iterator[str]:
    """Files and folders of this project, named from its root, from the document's folder or (.py) by name alone."""
    for found in _IN_A_FOLDER.findall(document.text):
        if not _is_there(document, found.rstrip(".-")):
            yield found
    for span in document.code:
        for name in _PYTHON_FILE.findall(span):
            if not _is_there(document, name) and ("/" in name or next(_named(name), None) is None):
                yield name


def missing_modules(document: Document) -> Iterator[str]:
    """Modules that are to be run, and names of modules or of what stands in them, that are not there."""
    for name in _MODULE_RUN.findall(document.text):
        if not _can_be_run(name):
            yield f"python -m {name}"
    for span in document.code:
        for name in _DOTTED.findall(span):
            if not _resolves(name):
                yield name


def missing_commands(document: Document) -> Iterator[str]:
    """Subcommands that the command line does not have, and targets that the Makefile does not have."""
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for line in document.code:
        words = line.removeprefix("… ").removeprefix(".venv/bin/").split()
        if words[:1] == ["make"] and words[1:] and words[1] not in targets:
            yield f"make {words[1]}"
        for start, app in COMMANDS.items():
            length = len(start.split())
            if words[:length] == start.split():
                yield from (f"{start} {word}" for word in _unknown(typer.main.get_command(app), words[length:]))


def unknown_settings(document: Document) -> Iterator[str]:
    """Variables of the environment that no setting has."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    yield from sorted(set(_SETTING.findall(document.text)) - known)


def _unknown(command: Any, words: list[str]) -> Iterator[str]:
    """The first word that is no subcommand where one is expected. "NAME", "…" or an option ends the search."""
    for word in words:
        if not hasattr(command, "commands") or not re.fullmatch(r"[a-z][a-z-]*", word):
            return
        if word not in command.commands:
            yield word
            return
        command = command.commands[word]


def _text(path: Path) -> str | None:
    """What a link leads to: "" for a folder or a picture, None for nothing."""
    if not path.exists():
        return None
    return path.read_text(encoding="utf-8") if path.suffix == ".md" else ""


def _anchor(heading: str) -> str:
    """The id that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _is_there(document: Document, name: str) -> bool:
    return any(
        next(folder.glob(name), None) is not None if "*" in name else (folder / name).exists()
        for folder in (ROOT, document.path.parent)
    )


def _named(name: str) -> Iterator[Path]:
    return (path for folder in FOLDERS for path in (ROOT / folder).rglob(name))


def _can_be_run(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir():
        return (path / "__main__.py").is_file()
    if path.with_suffix(".py").is_file():
        return True
    return name.partition(".")[0] not in FOLDERS and importlib.util.find_spec(name.partition(".")[0]) is not None


def _resolves(name: str) -> bool:
    """Whether it is a module, or a word that stands in the module of the name before its last dot."""
    path, last = ROOT.joinpath(*name.split(".")), name.rpartition(".")[2]
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    return module.is_file() and re.search(rf"\b{last}\b", module.read_text(encoding="utf-8")) is not None
