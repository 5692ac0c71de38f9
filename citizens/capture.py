"""How one portrait was taken: everything that changes between two captures of the same person.

It promises an ordinary day at a clerk's webcam from any seed; it must not hold anything that tells people apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from citizens.palette import Rgb

CLOTHES = ("round", "vneck", "shirt", "jacket")
BACKGROUNDS = ("plain", "gradient", "office")


@dataclass(frozen=True, slots=True)
class Capture:
    """A visit. Angles are degrees; shares are of the image's side; 0 and 1 bound what has no unit."""

    seed: int = 0  # of noise, cloth and backdrop
    yaw_deg: float = 0.0  # positive: the face turns to the image's right
    pitch_deg: float = 0.0  # positive: the face looks down
    roll_deg: float = 0.0  # positive: the head tilts clockwise in the image
    head_height: float = 0.57  # crown to chin, of the image's height
    offset_x: float = 0.0  # of the face's centre from the image's, of its width
    offset_y: float = 0.0  # likewise, of its height; positive is down

    light_azimuth_deg: float = 0.0  # positive: from the image's right
    light_elevation_deg: float = 25.0
    light_strength: float = 1.0  # exposure: 0.25 is dark, 2 is burnt out
    light_contrast: float = 0.5  # 0: light from everywhere, 1: one lamp alone
    light_warmth: float = 0.0  # -1 (blue) to 1 (yellow)
    backlight: float = 0.0  # 0 to 1: a window behind the head

    smile: float = 0.05  # 0 to 1
    mouth_open: float = 0.0  # 0 to 1
    eyes_open: float = 1.0  # 0 (shut) to 1.15
    gaze_x: float = 0.0  # -1 to 1

    noise: float = 0.008  # standard deviation of a pixel, of full white
    blur_px: float = 0.0  # standard deviation of the blur

    clothes: str = "shirt"  # one of CLOTHES
    clothes_rgb: Rgb = (0.25, 0.32, 0.45)
    background: str = "plain"  # one of BACKGROUNDS
    background_rgb: Rgb = (0.82, 0.84, 0.86)

    @classmethod
    def frontal(cls) -> Capture:
        """The studio: frontal, even light, plain background, still face."""
        return cls()

    @classmethod
    def from_seed(cls, seed: int) -> Capture:
        """A clerk's webcam on some day: small turns, another lamp, another shirt."""
        rng = np.random.default_rng([seed, 3])
        cloth = rng.uniform(0.08, 0.7) * (1 + rng.uniform(-0.3, 0.3, 3))
        wall = rng.uniform(0.45, 0.85) * (1 + rng.uniform(-0.06, 0.06, 3))
        return cls(
            seed=seed,
            yaw_deg=float(np.clip(rng.normal(0, 6.5), -16, 16)),
            pitch_deg=float(np.clip(rng.normal(0, 4), -10, 10)),
            roll_deg=float(np.clip(rng.normal(0, 3), -8, 8)),
            head_height=float(rng.uniform(0.47, 0.57)),
            offset_x=float(rng.uniform(-0.03, 0.03)),
            offset_y=float(rng.uniform(-0.02, 0.02)),
            light_azimuth_deg=float(np.clip(rng.normal(0, 30), -60, 60)),
            light_elevation_deg=float(rng.uniform(10, 45)),
            light_strength=float(rng.uniform(0.75, 1.2)),
            light_contrast=float(rng.uniform(0.25, 0.8)),
            light_warmth=float(rng.uniform(-0.8, 0.8)),
            smile=float(np.clip(rng.normal(0.15, 0.3), 0, 0.8)),
            mouth_open=float(np.clip(rng.normal(-0.12, 0.2), 0, 0.45)),
            eyes_open=float(rng.uniform(0.8, 1.1)),
            gaze_x=float(rng.uniform(-0.3, 0.3)),
            noise=float(rng.uniform(0.004, 0.016)),
            blur_px=float(rng.uniform(0, 1.1)),
            clothes=str(rng.choice(CLOTHES)),
            clothes_rgb=rgb(cloth),
            background=str(rng.choice(BACKGROUNDS)),
            background_rgb=rgb(wall),
        )


def rgb(values: np.ndarray) -> Rgb:
    """Three numbers as a colour within 0 to 1."""
    red, green, blue = np.clip(values, 0, 1).tolist()
    return red, green, blue
