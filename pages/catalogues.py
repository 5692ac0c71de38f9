"""Every text that a person reads, by message id and language, from TOML files; no text stands in code or a template."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from idverify.errors import ConfigurationInvalid
from staff.accounts.accounts import LANGUAGES

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language by message id, such as "capture.move_closer", with {named} placeholders."""

    language: str
    texts: Mapping[str, str]

    def text(self, message: str, **values: object) -> str:
        """The text with its placeholders filled in. Raises KeyError for an unknown id or a missing placeholder."""
        return self.texts[message].format_map(values)


@dataclass(frozen=True, slots=True)
class Catalogues:
    """One catalogue a language."""

    by_language: Mapping[str, Catalogue]

    @classmethod
    def load(cls, folders: Iterable[Path]) -> Self:
        """Merge `en.toml`, `st.toml` and `sw.toml` of every folder. Raises ConfigurationInvalid for an id twice."""
        folders = list(folders)
        merged = {}
        for language in LANGUAGES:
            texts: dict[str, str] = {}
            for folder in folders:
                for message, text in _flat(tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))):
                    if message in texts:
                        raise ConfigurationInvalid(f"{folder}: the message {message} stands in another catalogue too")
                    texts[message] = text
            merged[language] = Catalogue(language, texts)
        return cls(merged)

    def __getitem__(self, language: str) -> Catalogue:
        return self.by_language[language]


def preferred(accept_language: str) -> str:
    """The first language of ours in an Accept-Language header, whose order is taken as it stands; else English."""
    for part in accept_language.split(","):
        language = part.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
