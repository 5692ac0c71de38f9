"""Puts the layers together: one citizen, one capture, one picture with its true landmarks.

It promises the same pixels for the same arguments; it must not read a clock, a file or shared state.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from citizens.canvas import Canvas
from citizens.capture import Capture
from citizens.features import landmarks_mm, paint_features
from citizens.hair import paint_beard, paint_hair
from citizens.hairstyle import STYLES
from citizens.head import Grid, Head, build_head
from citizens.identity import Identity
from citizens.light import diffuse, gloss, lamp_direction
from citizens.locks import draw_beard_end, draw_hair_behind, draw_locks_beside
from citizens.pose import Camera, see
from citizens.scene import Layer, backdrop, draw_body, draw_ear, draw_neck
from citizens.skin import base_colour, paint_skin

DEFAULT_SIZE_PX = (480, 640)
# The normal distribution in 256 steps of equal weight: a byte of randomness a pixel is enough for grain.
_NORMAL_QUANTILES = np.array([NormalDist().inv_cdf((n + 0.5) / 256) for n in range(256)], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture and what is true of it.

    pixels     (H, W, 3) uint8, RGB
    landmarks  (5, 2) float64 pixels (x, y): eyes, nose tip, mouth corners; the image's left first
    face_box   (left, top, right, bottom) in pixels: brow to chin with a part of the forehead, as detectors frame it
    """

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    face_box: tuple[float, float, float, float]

    def jpeg(self, quality: int = 90) -> bytes:
        """The picture as a JPEG file; quality 1 to 100."""
        done, buffer = cv2.imencode(".jpg", self.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise ValueError(f"OpenCV did not encode a picture of {self.pixels.shape} at quality {quality}")
        return buffer.tobytes()


def portrait_jpeg(identity_seed: int, capture_seed: int) -> bytes:
    """The JPEG of one visit of one person; the same capture seed gives two people different days."""
    visit = int(np.random.SeedSequence([identity_seed, capture_seed]).generate_state(1)[0])
    return render(Identity.from_seed(identity_seed), Capture.from_seed(visit)).jpeg()


def render(identity: Identity, capture: Capture, size_px: tuple[int, int] = DEFAULT_SIZE_PX) -> Portrait:
    """Draws the person as captured; `size_px` is (width, height), each at least 64."""
    if min(size_px) < 64:
        raise ValueError(f"a portrait needs sides of at least 64 px, not {size_px}")
    head = build_head(identity, capture)
    camera = Camera.of(head, capture, size_px)
    skin = base_colour(identity)
    image = backdrop(capture, size_px)
    layer = Layer(image, camera)
    draw_hair_behind(layer, head, capture)
    draw_body(layer, head, capture)
    draw_neck(layer, head, capture, skin)
    has_ears = not STYLES[identity.hair_style].covers_ears
    if has_ears:
        draw_ear(layer, head, capture, -1, skin)
        draw_ear(layer, head, capture, 1, skin)
    _draw_head(image, head, camera, capture)
    draw_beard_end(layer, head, capture)
    if has_ears and abs(capture.yaw_deg) > 6:
        draw_ear(layer, head, capture, -1 if capture.yaw_deg > 0 else 1, skin)
    draw_locks_beside(layer, head, capture)
    return Portrait(_develop(image, capture), _landmarks(head, camera, capture), _face_box(head, camera))


def paint_chart(head: Head, capture: Capture) -> Grid:
    """The chart's colours without light: (CHART_HEIGHT, CHART_WIDTH, 3), sRGB 0 to 1."""
    skin = base_colour(head.identity)
    canvas = Canvas(head, skin)
    paint_skin(canvas)
    paint_features(canvas, capture, skin)
    paint_beard(canvas, capture)
    paint_hair(canvas)
    return canvas.rgb


def _draw_head(image: Grid, head: Head, camera: Camera, capture: Capture) -> None:
    """Lights the painted chart and lays it where the camera sees the head."""
    chart = paint_chart(head, capture)
    lamp = camera.light_in_head(lamp_direction(capture))
    up, eye = (camera.light_in_head(np.array(d, np.float32)) for d in ((0, -1, 0), (0, 0, 1)))
    light = diffuse(head.normals, lamp, up, capture) * head.occlusion[..., None]
    size = (chart.shape[1], chart.shape[0])
    shine = cv2.resize(gloss(head.normals, lamp, eye, capture, head.identity.skin_gloss), size)
    # In place from here on: fresh pages for pictures of this size cost more than the arithmetic.
    lit = np.multiply(chart, chart, out=chart)
    lit *= cv2.resize(light, size)
    lit += shine[..., None]
    view = see(head, camera)
    face = cv2.remap(lit, view.columns, view.rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    area = image[view.window]
    face -= area
    face *= view.alpha[..., None]
    area += face


def _develop(image: Grid, capture: Capture) -> NDArray[np.uint8]:
    """Linear light to 8-bit pixels: tone curve, lens blur, sensor noise. Spends the image."""
    np.sqrt(np.maximum(image, 0, out=image), out=image)
    pixels = cv2.convertScaleAbs(image, alpha=255)
    if capture.blur_px > 0.2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), capture.blur_px)
    if capture.noise > 0:
        rng = np.random.default_rng([capture.seed, 13])
        levels = np.round(_NORMAL_QUANTILES * (255 * capture.noise)).astype(np.int16)
        grain = levels[rng.integers(0, 256, pixels.shape[:2], np.uint8)]
        pixels = cv2.add(pixels, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U)
    return np.asarray(pixels, np.uint8)


def _landmarks(head: Head, camera: Camera, capture: Capture) -> NDArray[np.float64]:
    points = landmarks_mm(head.identity, capture)
    on_skin = head.surface(head.theta(points[:, 0], points[:, 1]), points[:, 1])
    return np.asarray(camera.pixels(on_skin), np.float64)


def _face_box(head: Head, camera: Camera) -> tuple[float, float, float, float]:
    i = head.identity
    heights = np.linspace(-i.hairline_mm * 0.85, i.chin_drop_mm, 9, dtype=np.float32)
    angles = np.array([-1.25, -0.6, 0.0, 0.6, 1.25], np.float32)
    theta, v = (grid.ravel() for grid in np.meshgrid(angles, heights))
    points = camera.pixels(head.surface(theta, v))
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom
