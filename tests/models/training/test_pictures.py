"""What the built-in networks are trained on: the same pictures for the same seeds, and true landmarks in every one."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.clutter import clutter
from models.training.portraits import SIZE_PX, Portraits, load, render_missing
from models.training.scenes import SIDE_PX, Scene, near_scene, scene
from models.training.spoiling import cover, spoil


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portraits")
    assert [path.name for path in render_missing(folder, 50, 1, workers=1)] == ["000000.npz"]
    return folder


@pytest.fixture(scope="module")
def portraits(folder: Path) -> Portraits:
    return load(folder)


def test_what_is_rendered_is_not_rendered_again(folder: Path) -> None:
    assert list(render_missing(folder, 50, 1, workers=1)) == []


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="training render"):
        load(tmp_path)


def test_landmarks_lie_in_the_face_box_of_each_portrait(portraits: Portraits) -> None:
    assert len(portraits) == len(set(portraits.people.tolist())) == 50
    assert portraits.pixels(0).shape == (SIZE_PX[1], SIZE_PX[0], 3)
    low, high = portraits.boxes[:, None, :2], portraits.boxes[:, None, 2:]
    assert ((portraits.landmarks > low - 4) & (portraits.landmarks < high + 4)).all()


def test_a_seed_gives_one_scene(portraits: Portraits) -> None:
    for seed in range(12):
        once, again = scene(portraits, (7, seed)), scene(portraits, (7, seed))
        assert np.array_equal(once.pixels, again.pixels)
        assert np.array_equal(once.points, again.points)
    assert not np.array_equal(scene(portraits, (7, 1)).pixels, scene(portraits, (7, 2)).pixels)


def test_every_face_of_a_scene_has_its_landmarks_and_the_subjects_right_eye_first(portraits: Portraits) -> None:
    faces = 0
    for seed in range(150):
        made = scene(portraits, (seed,))
        assert made.pixels.shape == (SIDE_PX, SIDE_PX, 3)
        for box, points in zip(made.boxes, made.points.reshape(-1, 5, 2), strict=True):
            if box[2] == 0:
                assert not points.any()
                continue
            faces += 1
            assert points[0, 0] < points[1, 0], "on the image's left, in mirrored scenes too"
            assert points[:2, 1].mean() < points[3:, 1].mean()
            middle = box[:2] + box[2:] / 2
            assert np.all(np.abs(points.mean(axis=0) - middle) < 0.4 * box[2:].max())
    assert faces > 100


def test_spoiling_and_covering_change_a_picture_and_keep_its_shape(portraits: Portraits) -> None:
    rng, pixels = np.random.default_rng(3), portraits.pixels(0)
    before = pixels.copy()
    spoilt = [spoil(rng, pixels) for _ in range(20)]
    covered = [cover(rng, pixels, portraits.landmarks[0]) for _ in range(8)]
    assert all(each.shape == pixels.shape and each.dtype == np.uint8 for each in (*spoilt, *covered))
    assert sum(not np.array_equal(each, before) for each in spoilt) >= 12
    assert sum(not np.array_equal(each, before) for each in covered) >= 6
    assert np.array_equal(pixels, before)


def test_clutter_is_any_colour() -> None:
    rng = np.random.default_rng(1)
    means = [float(clutter(rng, SIDE_PX).mean()) for _ in range(200)]
    assert min(means) < 80
    assert max(means) > 170


@pytest.mark.parametrize("make", [scene, near_scene])
def test_the_landmarks_of_a_scene_lie_where_those_of_the_portrait_were_laid(
    make: Callable[[Portraits, tuple[int, ...]], Scene],
) -> None:
    """White dots on black, mirrored, turned, halved and spoilt: their centres are the landmarks, to a tenth of a px."""
    width, height = SIZE_PX
    landmarks = np.array([(90, 130), (150, 130), (120, 165), (97, 200), (143, 200)], np.float32)
    pixels = np.zeros((height, width, 3), np.uint8)
    for x, y in landmarks.astype(int).tolist():
        cv2.circle(pixels, (x, y), 5, (255, 255, 255), -1, cv2.LINE_AA)
    encoded = cv2.imencode(".png", pixels)[1].tobytes()
    dotted = Portraits([encoded], np.zeros(1, np.int64), landmarks[None], np.array([[60, 90, 180, 240]], np.float32))
    off = []
    for seed in range(150):
        made = make(dotted, (seed,))
        light = made.pixels.mean(axis=2)
        for box, points in zip(made.boxes, made.points.reshape(-1, 5, 2), strict=True):
            if not 40 < box[3] < 130:
                continue
            for point in points:
                left, top = np.round(point).astype(int) - 4
                near = light[max(0, top) : top + 9, max(0, left) : left + 9]
                if near.shape == (9, 9) and left >= 0 and top >= 0 and near.max() > 120 and near.min() < 40:
                    rows, columns = np.mgrid[0:9, 0:9] * near / near.sum()
                    off.append((columns.sum() + left - point[0], rows.sum() + top - point[1]))
    assert len(off) > 100
    assert np.abs(np.median(off, axis=0)).max() < 0.1
