"""Supplies the people of the demo: photographs of your own, a folder a person, or rendered citizens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from citizens import portrait_jpeg
from idverify.errors import InvalidInput
from idverify.ids import PersonId

MOST_PEOPLE = 60
PHOTOGRAPHS_EACH = 3
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Player:
    """One person of the story: `enrolled` goes into the gallery, `later` are photographs of later days."""

    person: PersonId
    enrolled: bytes
    later: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, and whether they are rendered citizens."""

    players: tuple[Player, ...]
    rendered: bool


def cast(photos: Path | None, most: int = MOST_PEOPLE) -> Cast:
    """At most `most` people, from a folder or rendered. Raises InvalidInput when the folder has too few of them."""
    if photos is None:
        return Cast(tuple(_rendered(seed) for seed in range(most)), rendered=True)
    if not photos.is_dir():
        raise InvalidInput(f"PHOTOS={photos}: expected a folder with a folder for each person")
    players = tuple(_photographed(photos))[:most]
    if len(players) < 4:
        raise InvalidInput(
            f"PHOTOS={photos}: expected at least 4 people with {PHOTOGRAPHS_EACH} photographs each, "
            f"in one folder a person; found {len(players)}"
        )
    return Cast(players, rendered=False)


def _rendered(seed: int) -> Player:
    portraits = [portrait_jpeg(seed, seed * PHOTOGRAPHS_EACH + visit) for visit in range(PHOTOGRAPHS_EACH)]
    return Player(PersonId(f"C-{10_001 + seed}"), portraits[0], tuple(portraits[1:]))


def _photographed(photos: Path) -> Iterator[Player]:
    number = 0
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        if len(files) >= PHOTOGRAPHS_EACH:
            # A number of its own, not the folder's name: names of real people do not get into the story.
            number += 1
            first, *later = (path.read_bytes() for path in files[:PHOTOGRAPHS_EACH])
            yield Player(PersonId(f"P-{10_000 + number}"), first, tuple(later))
