"""The verdict: complete, fair over skin tones, stricter at enrolment, and with advice that fits the fault."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, render
from idverify.vision.alignment import align
from idverify.vision.image import Image
from idverify.vision.quality import Advice, MeasureName, QualityGate, QualityVerdict, assess
from idverify.vision.quality.gates import ADVICE_ONLY, LIMITS
from idverify.vision.reader import Reader

SKIN_TONES = range(1, 7)


def verdict_of(
    reader: Reader, pixels: np.ndarray, gate: QualityGate = QualityGate.ENROLMENT, jpeg_quality: int | None = 90
) -> QualityVerdict:
    image = Image(np.ascontiguousarray(pixels), "jpeg", jpeg_quality)
    face = reader.detector.refine(image, reader.detector.detect(image)[0])
    return assess(image, face, (face,), align(image, face), gate)


def person_of(tone: int, nth: int = 0) -> Identity:
    """The nth identity of a skin tone."""
    return [each for each in map(Identity.from_seed, range(60)) if each.skin_tone == tone][nth]


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return render(Identity.from_seed(4), Capture.frontal()).pixels


def test_every_measure_of_the_standard_is_there_once(reader: Reader, pixels: np.ndarray) -> None:
    verdict = verdict_of(reader, pixels)
    assert [each.name for each in verdict.measures] == list(MeasureName)
    assert all(each.quality is None or 0 <= each.quality <= 100 for each in verdict.measures)
    assert verdict.measure(MeasureName.ROLL).name is MeasureName.ROLL


def test_a_studio_portrait_passes_without_advice(reader: Reader, pixels: np.ndarray) -> None:
    verdict = verdict_of(reader, pixels)
    assert verdict.acceptable
    assert verdict.advice == ()
    assert verdict.score > 80


@pytest.mark.parametrize("gate", [QualityGate.ENROLMENT, QualityGate.VERIFICATION])
@pytest.mark.parametrize("tone", SKIN_TONES)
def test_no_skin_tone_is_refused_on_an_ordinary_day(reader: Reader, tone: int, gate: QualityGate) -> None:
    for nth in range(4):
        pixels = render(person_of(tone, nth), Capture.from_seed(500 + nth)).pixels
        assert verdict_of(reader, pixels, gate).acceptable, (tone, nth)


@pytest.mark.parametrize("tone", SKIN_TONES)
def test_in_good_light_no_skin_tone_is_told_to_mend_light_or_colour(reader: Reader, tone: int) -> None:
    for nth in range(3):
        advice = verdict_of(reader, render(person_of(tone, nth), Capture.frontal()).pixels).advice
        assert not {Advice.MORE_LIGHT, Advice.LESS_LIGHT, Advice.CHECK_THE_COLOURS} & set(advice)


@pytest.mark.parametrize("tone", SKIN_TONES)
def test_half_the_light_refuses_no_skin_tone_and_a_tenth_no_probe(reader: Reader, tone: int) -> None:
    half = render(person_of(tone), replace(Capture.frontal(), light_strength=0.5)).pixels
    assert verdict_of(reader, half).acceptable
    tenth = render(person_of(tone), replace(Capture.frontal(), light_strength=0.1)).pixels
    assert verdict_of(reader, tenth, QualityGate.VERIFICATION).acceptable


def test_measures_that_follow_skin_tone_decide_nothing() -> None:
    following = {
        MeasureName.LUMINANCE_MEAN,
        MeasureName.LUMINANCE_VARIANCE,
        MeasureName.UNDER_EXPOSURE,
        MeasureName.NATURAL_COLOUR,
    }
    assert not following & LIMITS.keys()
    assert MeasureName.NATURAL_COLOUR in ADVICE_ONLY


def test_enrolment_is_never_more_lenient_than_verification() -> None:
    assert all(limit.enrolment >= limit.verification for limit in LIMITS.values())
    assert all(limit.advise_below >= limit.enrolment for limit in LIMITS.values())


STUDIO = Capture.frontal()


@pytest.mark.parametrize(
    ("capture", "advice"),
    [
        (replace(STUDIO, yaw_deg=38.0), Advice.FACE_THE_CAMERA),
        (replace(STUDIO, roll_deg=45.0), Advice.HOLD_HEAD_UPRIGHT),
        (replace(STUDIO, blur_px=8.0), Advice.HOLD_STILL),
        (replace(STUDIO, light_strength=0.04), Advice.MORE_LIGHT),
    ],
    ids=["turned", "tilted", "blurred", "dark"],
)
def test_a_fault_is_refused_at_enrolment_with_its_advice(reader: Reader, capture: Capture, advice: Advice) -> None:
    verdict = verdict_of(reader, render(Identity.from_seed(0), capture).pixels)
    assert not verdict.acceptable
    assert advice in verdict.advice


def test_a_burnt_out_face_is_told_so(reader: Reader) -> None:
    bright = render(person_of(1), replace(Capture.frontal(), light_strength=2.5)).pixels
    verdict = verdict_of(reader, bright)
    assert not verdict.acceptable
    assert Advice.LESS_LIGHT in verdict.advice
    assert Advice.MORE_LIGHT not in verdict.advice


def test_a_small_face_is_told_to_come_closer(reader: Reader, pixels: np.ndarray) -> None:
    verdict = verdict_of(reader, cv2.resize(pixels, (150, 200), interpolation=cv2.INTER_AREA))
    assert not verdict.acceptable
    assert verdict.advice[0] is Advice.MOVE_CLOSER


def test_a_file_squeezed_too_far_is_refused_and_a_png_is_not(reader: Reader, pixels: np.ndarray) -> None:
    assert Advice.SEND_THE_ORIGINAL in verdict_of(reader, pixels, jpeg_quality=8).advice
    assert not verdict_of(reader, pixels, jpeg_quality=8).acceptable
    assert verdict_of(reader, pixels, jpeg_quality=None).acceptable


def test_what_was_not_assessed_lowers_the_score(reader: Reader, pixels: np.ndarray) -> None:
    assert verdict_of(reader, pixels, jpeg_quality=None).score < verdict_of(reader, pixels, jpeg_quality=90).score


def test_without_a_gate_everything_passes(reader: Reader, pixels: np.ndarray) -> None:
    blurred = cv2.GaussianBlur(pixels, (0, 0), 9)
    assert not verdict_of(reader, blurred, QualityGate.ENROLMENT).acceptable
    assert verdict_of(reader, blurred, QualityGate.NONE).acceptable


def test_every_advice_is_one_plain_sentence() -> None:
    for each in Advice:
        assert each.text.endswith(".")
        assert each.text[0].isupper()
        assert len(each.text) < 90
