"""Captures as training needs them: more varied than any clerk's day, so that the networks see many kinds of pictures.

It promises the same capture for the same seed; it must not hold anything that tells people apart.
"""

import dataclasses

import numpy as np

from citizens import Capture


def wide_capture(seed: int) -> Capture:
    """A visit with turns to 40 degrees, hard lamps, windows behind the head, open mouths and near or far heads.

    A third of all visits stay ordinary (`Capture.from_seed`).
    """
    ordinary = Capture.from_seed(seed)
    rng = np.random.default_rng([seed, 21])
    head_height = float(rng.uniform(0.5, 0.72))
    if rng.random() < 1 / 3:
        return dataclasses.replace(ordinary, head_height=head_height)
    return dataclasses.replace(
        ordinary,
        yaw_deg=float(np.clip(rng.normal(0, 16), -40, 40)),
        pitch_deg=float(np.clip(rng.normal(0, 9), -22, 22)),
        roll_deg=float(np.clip(rng.normal(0, 9), -30, 30)),
        head_height=head_height,
        light_azimuth_deg=float(rng.uniform(-80, 80)),
        light_elevation_deg=float(rng.uniform(-10, 65)),
        light_strength=float(rng.uniform(0.5, 1.5)),
        light_contrast=float(rng.uniform(0.1, 0.95)),
        light_warmth=float(rng.uniform(-1, 1)),
        backlight=float(rng.uniform(0, 0.9)) if rng.random() < 0.2 else 0.0,
        smile=float(rng.uniform(0, 1)),
        mouth_open=float(max(0.0, rng.uniform(-0.6, 0.6))),
        eyes_open=float(rng.uniform(0.55, 1.15)),
        gaze_x=float(rng.uniform(-0.7, 0.7)),
        noise=float(rng.uniform(0.0, 0.01)),
        blur_px=0.0,
    )
