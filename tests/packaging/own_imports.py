"""What our own source files import, by their syntax trees: imports inside functions count, and nothing is run."""

import ast
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def imported(files: Iterable[Path]) -> dict[str, set[str]]:
    """Every name of an absolute import in these files, such as `jwt.types` or `api.auth.Caller`, by its top level."""
    names: dict[str, set[str]] = {}
    for file in files:
        for name in _names(file):
            names.setdefault(name.partition(".")[0], set()).add(name)
    return names


def third_party(*packages: str) -> set[str]:
    """Top-level names that these packages of ours import and that are neither Python's own nor of this checkout."""
    files = [file for package in packages for file in (CHECKOUT / package).rglob("*.py")]
    own = sys.stdlib_module_names | {
        "_typeshed"
    }  # the types of the standard library, which are there for checkers only
    return {name for name in imported(files) if name not in own and not _is_ours(name)}


def reached(*modules: str) -> set[str]:
    """Every module of ours that these import, directly or through others; names as Python would import them."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if module in seen or file is None:
            continue
        seen.add(module)
        waiting.extend(name for names in imported([file]).values() for name in names)
        waiting.append(module.rpartition(".")[0])
    return seen


@cache
def _names(file: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _is_ours(top_level: str) -> bool:
    return (CHECKOUT / top_level / "__init__.py").is_file()


def _file(module: str) -> Path | None:
    place = CHECKOUT.joinpath(*module.split("."))
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in files if module and file.is_file()), None)
