"""From measures to a verdict: is this photograph good enough for its purpose, and what should the clerk change?"""

from collections.abc import Iterator
from dataclasses import dataclass

from idverify.vision.alignment import AlignedFace
from idverify.vision.detector import Face
from idverify.vision.image import Image
from idverify.vision.quality.advice import Advice
from idverify.vision.quality.detail import background_uniformity, compression, sharpness
from idverify.vision.quality.gates import ADVICE_ONLY, LIMITS, MAY_BE_UNASSESSED, QualityGate
from idverify.vision.quality.geometry import Geometry, geometry_measures, geometry_of
from idverify.vision.quality.light import light_measures, natural_colour
from idverify.vision.quality.measure import Measure, MeasureName, not_assessed


@dataclass(frozen=True, slots=True)
class QualityVerdict:
    """All measures, one for each `MeasureName`; whether the gate lets it pass; what to change, most wanted first.

    `score` is 0 to 100: the mean quality of the deciding measures, in which one that was not assessed counts 0.
    """

    measures: tuple[Measure, ...]
    acceptable: bool
    score: int
    advice: tuple[Advice, ...]

    def measure(self, name: MeasureName) -> Measure:
        """The measure of that name."""
        return next(each for each in self.measures if each.name is name)


def assess(
    image: Image,
    face: Face,
    faces: tuple[Face, ...],
    aligned: AlignedFace,
    gate: QualityGate = QualityGate.ENROLMENT,
) -> QualityVerdict:
    """Measure `face` (one of `faces`, cut out as `aligned`) in `image` and hold it against `gate`."""
    geometry = geometry_of(face)
    measures = (
        _background(image, geometry, gate),
        *light_measures(aligned),
        sharpness(aligned),
        compression(image),
        natural_colour(aligned),
        *geometry_measures(image, face, faces, geometry),
    )
    return _verdict(measures, gate)


def _background(image: Image, geometry: Geometry, gate: QualityGate) -> Measure:
    """Only looked at where somebody could put up another one."""
    if gate is QualityGate.ENROLMENT:
        return background_uniformity(image, geometry)
    return not_assessed(MeasureName.BACKGROUND_UNIFORMITY)


def _verdict(measures: tuple[Measure, ...], gate: QualityGate) -> QualityVerdict:
    quality = {each.name: each.quality for each in measures}
    passes = [
        name in MAY_BE_UNASSESSED if (seen := quality[name]) is None else seen >= limit.least(gate)
        for name, limit in LIMITS.items()
    ]
    score = round(sum(quality[name] or 0 for name in LIMITS) / len(LIMITS))
    acceptable = gate is QualityGate.NONE or all(passes)
    return QualityVerdict(measures, acceptable, score, tuple(dict.fromkeys(_advice(quality))))


def _advice(quality: dict[MeasureName, int | None]) -> Iterator[Advice]:
    """In order of `LIMITS`, then what is only advice; a measure that was not assessed calls for none."""
    for name, limit in LIMITS.items():
        if (seen := quality[name]) is not None and seen < limit.advise_below:
            yield _dark_or_bright(quality) if limit.advice is Advice.MORE_LIGHT else limit.advice
    for name, (below, advice) in ADVICE_ONLY.items():
        if (seen := quality[name]) is not None and seen < below:
            yield advice


def _dark_or_bright(quality: dict[MeasureName, int | None]) -> Advice:
    """Little detail is left: because too much of the face is burnt out, or because it is too dark."""
    burnt_out = (quality[MeasureName.OVER_EXPOSURE] or 0) < LIMITS[MeasureName.OVER_EXPOSURE].advise_below
    return Advice.LESS_LIGHT if burnt_out else Advice.MORE_LIGHT
