"""Who a rendered citizen is: the traits that stay the same from one portrait to the next.

It promises traits inside the ranges stated beside them, drawn from a seed alone; it must not hold what changes between
captures.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from citizens.palette import Rgb, hair_colour, iris_colour

HAIR_STYLES = ("bald", "shaved", "short", "side", "fringe", "curly", "afro", "bob", "long", "wavy", "tied", "receding")
BEARDS = ("none", "stubble", "moustache", "goatee", "short", "full")

_SELDOM_WITH_BEARD = ("fringe", "bob", "long", "wavy", "tied")


def _trait(low: float, high: float) -> Any:
    """A number that is drawn evenly from [low, high]."""
    return field(metadata={"range": (low, high)})


@dataclass(frozen=True, slots=True)
class Identity:
    """Lengths are millimetres on a head whose origin lies between the eyes; traits without unit say their range."""

    seed: int  # of the skin's texture, the marks and the asymmetry
    skin_tone: int  # 1 (lightest) to 6 (darkest)
    hair_style: str  # one of HAIR_STYLES
    hair_rgb: Rgb
    beard: str  # one of BEARDS
    iris_rgb: Rgb

    age_years: float = _trait(19, 74)
    skin_shade: float = _trait(-1, 1)
    skin_warmth: float = _trait(-1, 1)
    skin_gloss: float = _trait(0.4, 1.5)
    freckles: float = _trait(-1.5, 1)  # none below zero
    asymmetry: float = _trait(0.3, 1)

    face_width_mm: float = _trait(124, 154)
    forehead_width: float = _trait(0.92, 1.06)  # of the face's width
    jaw_width: float = _trait(0.70, 0.95)  # of the face's width, at the mouth
    chin_width_mm: float = _trait(36, 70)
    chin_height_mm: float = _trait(38, 52)
    chin_relief: float = _trait(0, 1)
    crown_rise_mm: float = _trait(100, 118)
    cheek_fullness: float = _trait(-1, 1)
    cheekbones: float = _trait(0, 1)
    brow_ridge: float = _trait(0, 1)

    eye_distance_mm: float = _trait(59, 72)
    eye_width_mm: float = _trait(26, 34)
    eye_opening_mm: float = _trait(7.5, 11.8)
    eye_tilt_deg: float = _trait(-4.5, 10)
    eye_depth: float = _trait(0, 1)
    lid_crease_mm: float = _trait(0, 5)

    brow_rise_mm: float = _trait(14, 24.5)
    brow_thickness_mm: float = _trait(2.8, 10)
    brow_length_mm: float = _trait(36, 52)
    brow_arch_mm: float = _trait(0, 7)
    brow_tilt_deg: float = _trait(-6, 9)  # positive: the outer end stands higher
    brow_density: float = _trait(0.4, 1)

    nose_length_mm: float = _trait(31.5, 45.5)  # eye line to tip
    nose_width_mm: float = _trait(27, 46)
    nose_bridge_mm: float = _trait(9, 20)
    nose_relief_mm: float = _trait(14, 25)
    nose_bulb: float = _trait(0, 1)

    philtrum_mm: float = _trait(11.5, 21)
    mouth_width_mm: float = _trait(41, 62)
    upper_lip_mm: float = _trait(3.5, 10)
    lower_lip_mm: float = _trait(5.5, 13)
    lip_redness: float = _trait(0, 1)
    mouth_curve_mm: float = _trait(-1.0, 3.0)  # positive: the corners rise

    ear_height_mm: float = _trait(52, 70)
    ear_flare: float = _trait(0, 1)
    hairline_mm: float = _trait(56, 76)
    hair_volume: float = _trait(0, 1)
    hair_parting: float = _trait(-1, 1)

    @classmethod
    def from_seed(cls, seed: int) -> Identity:
        """The person of that seed; seeds 0, 1, 2 ... give unlike people, skin tones evenly."""
        rng = np.random.default_rng([seed, 1])
        traits = {name: float(rng.uniform(low, high)) for name, (low, high) in trait_ranges().items()}
        tone = int(rng.integers(1, 7))
        grey = float(np.clip((traits["age_years"] - 40) / 32, 0, 1)) * float(rng.uniform(0.2, 1))
        style = str(rng.choice(HAIR_STYLES))
        bearded = rng.random() < (0.1 if style in _SELDOM_WITH_BEARD else 0.58)
        return cls(
            seed=seed,
            skin_tone=tone,
            hair_style=style,
            hair_rgb=hair_colour(rng, tone, grey),
            beard=str(rng.choice(BEARDS[1:])) if bearded else "none",
            iris_rgb=iris_colour(rng, tone),
            **traits,
        )

    @property
    def nose_base_mm(self) -> float:
        """From the eye line down to the base of the nose."""
        return self.nose_length_mm + 10.5

    @property
    def mouth_drop_mm(self) -> float:
        """From the eye line down to the line between the lips."""
        return self.nose_base_mm + self.philtrum_mm

    @property
    def chin_drop_mm(self) -> float:
        """From the eye line down to the lowest point of the chin."""
        return self.mouth_drop_mm + self.chin_height_mm


def trait_ranges() -> dict[str, tuple[float, float]]:
    """The even range of every numeric trait, by name."""
    return {f.name: f.metadata["range"] for f in dataclasses.fields(Identity) if "range" in f.metadata}


def twin(identity: Identity, seed: int) -> Identity:
    """A sibling so alike that a duplicate search may name both: every trait moves by about 5 % of its range."""
    rng = np.random.default_rng([seed, 2])
    moved: dict[str, Any] = {}
    for name, (low, high) in trait_ranges().items():
        step = rng.normal(0, 0.05 * (high - low))
        moved[name] = float(np.clip(getattr(identity, name) + step, low, high))
    return dataclasses.replace(identity, **moved)
