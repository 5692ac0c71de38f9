"""Photographs of rendered citizens as small files: without a camera's grain, which is most of what a JPEG holds."""

import functools
from dataclasses import replace

import cv2
import numpy as np

from citizens import Capture, Identity, render

_QUALITY = 65


@functools.cache
def portrait(seed: int, day: int) -> bytes:
    """JPEG of rendered citizen `seed` as a station takes them on some day: good light, a small turn."""
    yaw, pitch, roll, smile = np.random.default_rng([seed, day]).uniform(-1, 1, 4)
    capture = Capture(yaw_deg=4 * yaw, pitch_deg=2 * pitch, roll_deg=2 * roll, smile=0.1 + 0.1 * smile)
    return render(Identity.from_seed(seed), replace(capture, seed=100 * seed + day, noise=0.0)).jpeg(_QUALITY)


@functools.cache
def dark(seed: int) -> bytes:
    """The same citizen with next to no light: one face, and refused for its quality only."""
    pixels = cv2.imdecode(np.frombuffer(portrait(seed, 1), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.imencode(".jpg", (pixels * 0.1).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
