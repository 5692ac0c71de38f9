"""What each name of a hair style means: thickness on the head, where the hair ends, what hangs or stands behind it.

It promises one entry for every name in identity.HAIR_STYLES; it must not draw.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HairStyle:
    """Thickness and reach in millimetres, at the least and the greatest hair_volume."""

    top_mm: tuple[float, float]
    side_mm: tuple[float, float]
    side_reach_mm: float  # how far below the eye line the hair at the temples reaches
    cover: float = 1.0  # how much the scalp is hidden
    curl: float = 0.0  # 0 straight strands, 1 tight curls
    recession_mm: float = 0.0  # how far the hairline stands back at the temples
    fringe_mm: float = 0.0  # how far hair falls over the forehead
    sweep: float = 0.0  # how far strands lean away from the parting: 0 straight back, 1 at 45 degrees
    behind: str = "none"  # none, afro, bob, long, bun: the mass behind the head

    @property
    def covers_ears(self) -> bool:
        """Whether the ears are hidden."""
        return self.behind in ("afro", "bob", "long")


STYLES: dict[str, HairStyle] = {
    "bald": HairStyle((0, 0), (0, 0), -200, cover=0.0),
    "shaved": HairStyle((0.5, 1.5), (0.5, 1.0), 14, cover=0.55, curl=0.8, recession_mm=4),
    "short": HairStyle((4, 10), (1.5, 4), 20, cover=0.95, sweep=0.6),
    "side": HairStyle((8, 20), (2, 6), 22, sweep=1.3),
    "fringe": HairStyle((8, 16), (4, 9), 26, fringe_mm=30, sweep=0.15),
    "curly": HairStyle((12, 26), (6, 13), 16, curl=0.7),
    "afro": HairStyle((18, 36), (9, 16), 6, curl=1.0, behind="afro"),
    "bob": HairStyle((8, 16), (7, 13), 46, behind="bob", sweep=0.9),
    "long": HairStyle((6, 14), (5, 10), 46, behind="long", sweep=0.8),
    "wavy": HairStyle((10, 20), (8, 15), 46, curl=0.3, behind="long", sweep=0.8),
    "tied": HairStyle((3, 8), (2, 5), 4, behind="bun"),
    "receding": HairStyle((2, 5), (2, 5), 24, cover=0.85, recession_mm=26, sweep=0.3),
}


def between(ends: tuple[float, float], share: float) -> float:
    """The value `share` of the way along the range."""
    return ends[0] + (ends[1] - ends[0]) * share
