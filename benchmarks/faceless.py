"""Pictures without a face, for counting false alarms: textures, gradients, rendered rooms and clothes without a head.

They are drawn by other code than the pictures that the built-in detector is trained on; same seed, same pixels.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from citizens import Capture, Identity
from citizens.capture import BACKGROUNDS, CLOTHES
from citizens.head import build_head
from citizens.pose import Camera
from citizens.scene import Layer, backdrop, draw_body

WIDTH_PX, HEIGHT_PX = 480, 640

Pixels = npt.NDArray[np.uint8]


def faceless(seed: int) -> Pixels:
    """One picture of nobody, (640, 480, 3) RGB; the kinds take turns."""
    return KINDS[seed % len(KINDS)](np.random.default_rng([seed, 31]))


def texture(rng: np.random.Generator) -> Pixels:
    """Noise whose power falls with frequency, as that of stone, cloth and foliage does, in any two colours."""
    rows, columns = np.fft.fftfreq(HEIGHT_PX)[:, None], np.fft.rfftfreq(WIDTH_PX)[None, :]
    spectrum = rng.standard_normal((HEIGHT_PX, WIDTH_PX // 2 + 1)) + 1j * rng.standard_normal(
        (HEIGHT_PX, WIDTH_PX // 2 + 1)
    )
    falling = np.maximum(np.hypot(rows, columns), 1 / WIDTH_PX) ** -rng.uniform(0.4, 2.2)
    noise = np.fft.irfft2(spectrum * falling, s=(HEIGHT_PX, WIDTH_PX))
    share = np.clip(noise / (4 * noise.std()) + 0.5, 0, 1)[..., None]
    return _u8(rng.uniform(0, 255, 3) * share + rng.uniform(0, 255, 3) * (1 - share))


def gradient(rng: np.random.Generator) -> Pixels:
    """Light that falls off from up to three places, over any colour."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), rng.uniform(0, 255, 3))
    for _ in range(int(rng.integers(1, 4))):
        centre, reach = rng.uniform(0, (WIDTH_PX, HEIGHT_PX)), rng.uniform(40, 500)
        share = np.exp(-(((x - centre[0]) / reach) ** 2) - ((y - centre[1]) / (reach * rng.uniform(0.4, 1.6))) ** 2)
        picture += (rng.uniform(0, 255, 3) - picture) * share[..., None]
    return _u8(picture)


def room(rng: np.random.Generator) -> Pixels:
    """A rendered backdrop with round and square things before it: clocks, plates, frames, buttons in rows."""
    picture = _u8(np.sqrt(np.maximum(backdrop(_capture(rng), (WIDTH_PX, HEIGHT_PX)), 0)) * 255)
    for _ in range(int(rng.integers(1, 14))):
        colour = tuple(int(c) for c in rng.uniform(20, 240, 3))
        x, y = int(rng.integers(WIDTH_PX)), int(rng.integers(HEIGHT_PX))
        size = int(rng.integers(8, 160))
        if rng.random() < 0.5:
            cv2.circle(picture, (x, y), size // 2, colour, -1, cv2.LINE_AA)
            cv2.circle(picture, (x, y), size // 2, (30, 30, 30), max(1, size // 20), cv2.LINE_AA)
        else:
            cv2.rectangle(picture, (x, y), (x + size, y + int(size * rng.uniform(0.4, 1.8))), colour, -1)
        for n in range(int(rng.integers(0, 4))):
            cv2.circle(picture, (x + n * size // 4, y + size // 3), max(2, size // 12), (25, 25, 25), -1, cv2.LINE_AA)
    return picture


def headless(rng: np.random.Generator) -> Pixels:
    """Shoulders and clothes in a rendered room, and no head on them."""
    capture, identity = _capture(rng), Identity.from_seed(int(rng.integers(9_500_000, 9_600_000)))
    head = build_head(identity, capture)
    image = backdrop(capture, (WIDTH_PX, HEIGHT_PX))
    draw_body(Layer(image, Camera.of(head, capture, (WIDTH_PX, HEIGHT_PX))), head, capture)
    return _u8(np.sqrt(np.maximum(image, 0)) * 255)


KINDS: tuple[Callable[[np.random.Generator], Pixels], ...] = (texture, gradient, room, headless)


def _capture(rng: np.random.Generator) -> Capture:
    seed = int(rng.integers(1 << 31))
    red, green, blue = rng.uniform(0.1, 0.95, 3).tolist()
    return Capture(
        seed=seed,
        clothes=str(rng.choice(CLOTHES)),
        clothes_rgb=(green, blue, red),
        background=str(rng.choice(BACKGROUNDS)),
        background_rgb=(red, green, blue),
    )


def _u8(picture: npt.NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)
