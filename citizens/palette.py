"""Colours of skin, hair and eyes, as sRGB triples from 0 to 1.

It promises colours that people have; it must not know where they are painted.
"""

from __future__ import annotations

import numpy as np

Rgb = tuple[float, float, float]

# One colour a group, from light to dark, as a face in even light shows it.
SKIN_TONES: tuple[Rgb, ...] = (
    (0.93, 0.79, 0.71),
    (0.89, 0.72, 0.61),
    (0.82, 0.63, 0.50),
    (0.71, 0.52, 0.40),
    (0.58, 0.41, 0.315),
    (0.465, 0.32, 0.248),
)
DARK_HAIR: tuple[Rgb, ...] = ((0.06, 0.05, 0.05), (0.11, 0.08, 0.07), (0.17, 0.11, 0.08))
FAIR_HAIR: tuple[Rgb, ...] = ((0.26, 0.16, 0.10), (0.40, 0.27, 0.16), (0.50, 0.26, 0.13), (0.68, 0.53, 0.33))
GREY_HAIR: Rgb = (0.74, 0.73, 0.72)
DARK_IRIS: tuple[Rgb, ...] = ((0.14, 0.08, 0.05), (0.22, 0.13, 0.07), (0.30, 0.18, 0.09))
FAIR_IRIS: tuple[Rgb, ...] = ((0.42, 0.35, 0.16), (0.30, 0.42, 0.30), (0.34, 0.45, 0.54), (0.44, 0.49, 0.52))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """The colour `share` of the way (0 to 1) from the first to the second."""
    a, b, c = (x + (y - x) * share for x, y in zip(first, second, strict=True))
    return a, b, c


def scaled(colour: Rgb, factor: float) -> Rgb:
    """The colour made darker (factor below 1) or lighter, within 0 to 1."""
    a, b, c = (min(x * factor, 1.0) for x in colour)
    return a, b, c


def skin_colour(tone: int, shade: float, warmth: float) -> Rgb:
    """Skin of group 1 to 6; `shade` and `warmth` from -1 to 1 move it inside its group."""
    red, green, blue = SKIN_TONES[tone - 1]
    light = 1.0 + 0.075 * shade
    return red * light, green * light * (1 + 0.018 * warmth), blue * light * (1 - 0.06 * warmth)


def hair_colour(rng: np.random.Generator, tone: int, grey: float) -> Rgb:
    """Hair that is seen with that skin; `grey` from 0 to 1."""
    fair = rng.random() < (0.8, 0.6, 0.3, 0.2, 0.15, 0.15)[tone - 1]
    # The fairest kinds are for the lightest skin; others dye or bleach to brown.
    choices = FAIR_HAIR[: 4 if tone <= 3 else 3] if fair else DARK_HAIR
    base = choices[int(rng.integers(0, len(choices)))]
    return mix(base, GREY_HAIR, grey * 0.9)


def iris_colour(rng: np.random.Generator, tone: int) -> Rgb:
    """An iris that is seen with that skin."""
    fair = rng.random() < (0.75, 0.55, 0.25, 0.1, 0.05, 0.03)[tone - 1]
    return (FAIR_IRIS if fair else DARK_IRIS)[int(rng.integers(0, 4 if fair else 3))]
