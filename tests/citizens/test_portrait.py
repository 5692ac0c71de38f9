"""Rendered portraits: the same pixels for the same arguments, with true landmarks that follow pose and expression."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, Portrait, portrait_jpeg, render
from citizens.capture import BACKGROUNDS, CLOTHES
from citizens.identity import BEARDS, HAIR_STYLES

PERSON = Identity.from_seed(11)
STUDIO = Capture.frontal()


def _taken(person: Identity = PERSON, **changes: Any) -> Portrait:
    return render(person, dataclasses.replace(STUDIO, **changes))


def _skin(portrait: Portrait) -> np.ndarray[Any, Any]:
    """The mean colour between the eyes and the nose."""
    x, y = portrait.landmarks[:3].mean(axis=0).round().astype(int)
    patch: np.ndarray[Any, Any] = portrait.pixels[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3).mean(axis=0)
    return patch


def test_the_same_seeds_give_the_same_bytes() -> None:
    assert portrait_jpeg(5, 6) == portrait_jpeg(5, 6)
    assert portrait_jpeg(5, 6) != portrait_jpeg(5, 7)
    assert portrait_jpeg(5, 6) != portrait_jpeg(6, 6)


def test_another_process_draws_the_same_pixels() -> None:
    code = "from citizens import portrait_jpeg; import hashlib; print(hashlib.sha256(portrait_jpeg(5, 6)).hexdigest())"
    seen = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(seen) == 1


@pytest.mark.parametrize("size_px", [(480, 640), (250, 250), (333, 401), (64, 64)])
def test_a_portrait_has_the_size_asked_for(size_px: tuple[int, int]) -> None:
    portrait = render(PERSON, STUDIO, size_px)
    assert portrait.pixels.shape == (size_px[1], size_px[0], 3)
    assert portrait.pixels.dtype == np.uint8
    assert portrait.landmarks.shape == (5, 2)
    assert portrait.landmarks.dtype == np.float64


def test_a_size_too_small_for_a_face_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64 px"):
        render(PERSON, STUDIO, (40, 640))


def test_a_jpeg_shows_the_pixels() -> None:
    portrait = _taken(noise=0.0)
    file = np.frombuffer(portrait.jpeg(quality=95), np.uint8)
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded[..., ::-1].astype(int) - portrait.pixels).mean() < 2


def test_landmarks_lie_in_the_face_box_and_in_their_places() -> None:
    for seed in range(24):
        portrait = render(Identity.from_seed(seed), Capture.from_seed(seed))
        left, top, right, bottom = portrait.face_box
        x, y = portrait.landmarks.T
        assert left < x.min() < x.max() < right, seed
        assert top < y.min() < y.max() < bottom, seed
        assert x[0] < x[2] < x[1], seed
        assert x[3] < x[4], seed
        assert max(y[0], y[1]) < y[2] < min(y[3], y[4]), seed


def test_a_studio_portrait_is_fit_for_a_document() -> None:
    for seed in range(24):
        portrait = render(Identity.from_seed(seed), STUDIO)
        left, _, right, bottom = portrait.face_box
        assert portrait.landmarks[1, 0] - portrait.landmarks[0, 0] >= 88, seed
        assert left > 60, seed
        assert right < 420, seed
        assert bottom < 520, seed
        border = np.concatenate([portrait.pixels[:250, :25], portrait.pixels[:250, -25:]], axis=1)
        assert border.std(axis=(0, 1)).max() < 6, seed


def test_the_face_turns_as_the_capture_says() -> None:
    frontal, turned = _taken().landmarks, _taken(yaw_deg=30.0).landmarks
    assert _nose_share(frontal) == pytest.approx(0.5, abs=0.02)
    assert _nose_share(turned) > 0.68
    assert _nose_share(_taken(yaw_deg=-30.0).landmarks) < 0.32
    assert turned[1, 0] - turned[0, 0] < 0.92 * (frontal[1, 0] - frontal[0, 0])


def _nose_share(landmarks: np.ndarray[Any, Any]) -> float:
    """Where the nose lies between the eyes: 0 under the image-left one, 1 under the other."""
    return float((landmarks[2, 0] - landmarks[0, 0]) / (landmarks[1, 0] - landmarks[0, 0]))


def test_looking_down_brings_nose_and_mouth_together() -> None:
    def gap(pitch_deg: float) -> float:
        landmarks = _taken(pitch_deg=pitch_deg).landmarks
        return float(landmarks[3:, 1].mean() - landmarks[2, 1])

    assert gap(15.0) < gap(0.0) < gap(-15.0)


def test_a_tilted_head_tilts_the_line_of_the_eyes() -> None:
    right, left = _taken(roll_deg=12.0).landmarks[:2]
    assert np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])) == pytest.approx(12.0, abs=0.3)


def test_the_head_goes_where_the_capture_puts_it() -> None:
    centre = _taken().landmarks.mean(axis=0)
    moved = _taken(offset_x=0.2, offset_y=-0.1).landmarks.mean(axis=0)
    assert moved - centre == pytest.approx([0.2 * 480, -0.1 * 640], abs=0.01)
    near, far = (_taken(head_height=share).landmarks for share in (0.6, 0.15))
    assert (near[1, 0] - near[0, 0]) / (far[1, 0] - far[0, 0]) == pytest.approx(4.0, rel=0.01)


def test_a_face_that_leaves_the_image_is_still_a_picture() -> None:
    for offset in (0.45, 0.9, -0.9):
        assert _taken(offset_x=offset, offset_y=offset).pixels.shape == (640, 480, 3)


def test_the_pupils_are_dark_where_the_landmarks_say() -> None:
    for seed in range(12):
        portrait = _taken(Identity.from_seed(seed), noise=0.0, light_contrast=0.2)
        for x, y in portrait.landmarks[:2].round().astype(int):
            pupil = portrait.pixels[y - 1 : y + 2, x - 1 : x + 2].mean()
            assert pupil < 0.6 * _skin(portrait).mean(), seed


def test_darker_groups_of_skin_are_darker() -> None:
    light = [_skin(_taken(dataclasses.replace(PERSON, skin_tone=tone))).mean() for tone in range(1, 7)]
    assert light == sorted(light, reverse=True)
    assert light[0] > 1.6 * light[5]


def test_capture_conditions_show_in_the_pixels() -> None:
    def sharpness(portrait: Portrait) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(portrait.pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())

    plain = _taken(noise=0.0)
    assert _skin(_taken(light_strength=0.15)).mean() < 0.5 * _skin(plain).mean()
    assert sharpness(_taken(noise=0.0, blur_px=3.0)) < 0.2 * sharpness(plain)
    backlit = _taken(backlight=1.0)
    assert _skin(backlit).mean() < 0.8 * _skin(plain).mean()
    assert backlit.pixels[20:60, 20:60].mean() > 250
    assert _taken(noise=0.0).pixels[:60, :60].std() < _taken(noise=0.03).pixels[:60, :60].std()


def test_a_lamp_at_the_side_lights_that_side() -> None:
    def cheeks(azimuth_deg: float) -> tuple[float, float]:
        portrait = _taken(noise=0.0, light_azimuth_deg=azimuth_deg, light_contrast=0.9)
        (x0, y0), (x1, y1) = ((portrait.landmarks[a] + portrait.landmarks[b]) / 2 for a, b in ((0, 3), (1, 4)))
        left = portrait.pixels[int(y0) - 6 : int(y0) + 6, int(x0) - 10 : int(x0) + 2].mean()
        right = portrait.pixels[int(y1) - 6 : int(y1) + 6, int(x1) - 2 : int(x1) + 10].mean()
        return float(left), float(right)

    left, right = cheeks(55.0)
    assert right > 1.25 * left
    left, right = cheeks(-55.0)
    assert left > 1.25 * right


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_every_hair_style_and_beard_can_be_drawn(style: str) -> None:
    pictures = {
        _taken(dataclasses.replace(PERSON, hair_style=style, beard=beard), yaw_deg=18.0).pixels.tobytes()
        for beard in BEARDS
    }
    assert len(pictures) == len(BEARDS)


def test_every_garment_and_backdrop_can_be_drawn() -> None:
    pictures = {_taken(clothes=garment).pixels.tobytes() for garment in CLOTHES}
    pictures |= {_taken(background=backdrop, seed=3).pixels.tobytes() for backdrop in BACKGROUNDS}
    assert len(pictures) == len(CLOTHES) + len(BACKGROUNDS)


def test_a_smile_widens_the_mouth_and_raises_its_corners() -> None:
    still, smiling = _taken(smile=0.0).landmarks, _taken(smile=0.8).landmarks
    assert smiling[4, 0] - smiling[3, 0] > 1.05 * (still[4, 0] - still[3, 0])
    assert smiling[3, 1] < still[3, 1] - 2


def test_a_beard_that_starts_below_the_lip_is_painted() -> None:
    assert portrait_jpeg(1_000_434, 1_001_737).startswith(b"\xff\xd8")
