"""Reads a photograph: from its bytes to an embedding with a quality verdict, or to a refusal with reason and advice.

It stores nothing, compares nothing and knows no person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, Self

from idverify.embedding import Embedding
from idverify.errors import InvalidInput
from idverify.ids import ModelDigest
from idverify.reasons import Reason
from idverify.vision.alignment import AlignedFace, align
from idverify.vision.chosen_face import FaceChoice, choose
from idverify.vision.detector import Detector, Face
from idverify.vision.embedder import Embedder
from idverify.vision.face_position import refused_position
from idverify.vision.image import Decoder, Image, decode, decode_pixels
from idverify.vision.liveness import NOT_EVALUATED, AttackFinding, Liveness, PresentationAttack
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.quality import Advice, QualityGate, QualityVerdict, assess
from idverify.vision.runtime import Runtime
from idverify.vision.stages import Stage, Stages


class AttackCheck(StrEnum):
    """Presentation-attack detection: not run, run and reported, or run and a condition."""

    OFF = "off"
    ADVISE = "advise"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class ReadingPolicy:
    """What a photograph must be for one purpose. `mirrored` embeds the mirror image too: slower, fewer errors."""

    face_choice: FaceChoice
    quality: QualityGate
    presentation_attack: AttackCheck
    mirrored: bool

    @classmethod
    def enrolment(cls) -> Self:
        """One good picture of one person, made once and kept for years."""
        return cls(FaceChoice.SINGLE, QualityGate.ENROLMENT, AttackCheck.ADVISE, mirrored=True)

    @classmethod
    def verification(cls) -> Self:
        """A probe: refused only when grossly unusable."""
        return cls(FaceChoice.SINGLE, QualityGate.VERIFICATION, AttackCheck.OFF, mirrored=False)

    @classmethod
    def in_the_wild(cls) -> Self:
        """Photographs not taken for the purpose, for benchmarks: the prominent face, whatever its quality and place."""
        return cls(FaceChoice.PROMINENT, QualityGate.NONE, AttackCheck.OFF, mirrored=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """We looked and chose not to process; `verdict` is None when the reason came before quality was measured."""

    reason: Reason
    verdict: QualityVerdict | None
    advice: tuple[Advice, ...]
    presentation_attack: PresentationAttack = NOT_EVALUATED


@dataclass(frozen=True, slots=True)
class Assessment:
    """A photograph that may be enrolled, by its quality and the attack check; nothing in it identifies."""

    verdict: QualityVerdict
    presentation_attack: PresentationAttack

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What would make the next picture better; a suspected attack comes first."""
        suspected = self.presentation_attack.finding is AttackFinding.SUSPECTED
        return (Advice.LIVE_PERSON, *self.verdict.advice) if suspected else self.verdict.advice


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """What was read: `face_box` is (x, y, width, height) in px of the upright picture of the given size."""

    embedding: Embedding
    verdict: QualityVerdict
    presentation_attack: PresentationAttack
    face_box: tuple[float, float, float, float]
    width_px: int
    height_px: int

    @property
    def advice(self) -> tuple[Advice, ...]:
        """As `Assessment.advice`."""
        return Assessment(self.verdict, self.presentation_attack).advice

    def __repr__(self) -> str:
        return f"Reading({self.width_px} x {self.height_px}, quality {self.verdict.score}, {self.embedding!r})"


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame shows, for advice while a person is before the camera; nothing in it identifies.

    `reason` is why a photograph like this would be refused, None when it would do. `face` is None where there is not
    one face to speak of, and `verdict` where the reason came before quality was measured.
    """

    reason: Reason | None
    advice: tuple[Advice, ...]
    face: Face | None
    verdict: QualityVerdict | None
    width_px: int
    height_px: int


class PhotographReader(Protocol):
    """What reads photographs: a `Reader` in this process, or `idverify.vision.reader_pool` in others."""

    @property
    def model(self) -> ModelDigest: ...

    @property
    def dimension(self) -> int: ...

    @property
    def stages(self) -> Stages: ...

    def read(self, data: bytes, policy: ReadingPolicy) -> Reading | Refusal: ...

    def read_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Reading | Refusal]: ...

    def assess_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Assessment | Refusal]: ...

    def look(self, data: bytes, policy: ReadingPolicy) -> Look: ...


@dataclass(frozen=True, slots=True, repr=False)
class _Acceptable:
    """A photograph that passed every check of its policy, with its pixels: it lives no longer than one call."""

    image: Image
    face: Face
    aligned: AlignedFace
    verdict: QualityVerdict
    presentation_attack: PresentationAttack


@dataclass(frozen=True, slots=True)
class Reader:
    """The networks of one model set, ready to read; safe to use from several threads.

    `stages` tells listeners how long each stage took.
    """

    detector: Detector
    embedder: Embedder
    liveness: Liveness
    decoder: Decoder = decode_pixels
    stages: Stages = field(default_factory=Stages)

    @classmethod
    def open(
        cls, model_set: ModelSet, model_files: ModelFiles, runtime: Runtime, decoder: Decoder = decode_pixels
    ) -> Self:
        """Load and check every file of the set. Raises ModelMissing, ModelAltered or ConfigurationInvalid.

        A service gives a `DecoderPool` for the decoder; without one, photographs are decoded in this process.
        """
        networks = {role: runtime.session(model_files.open_checked(file)) for role, file in model_set.files.items()}
        return cls(
            Detector(networks[NetworkRole.DETECTOR]),
            Embedder(networks[NetworkRole.EMBEDDER], model_set.embedder_digest),
            Liveness(networks.get(NetworkRole.LIVENESS)),
            decoder,
        )

    @property
    def model(self) -> ModelDigest:
        """The embedder that every reading is tied to."""
        return self.embedder.model

    @property
    def dimension(self) -> int:
        """Numbers in an embedding."""
        return self.embedder.dimension

    def read(self, data: bytes, policy: ReadingPolicy) -> Reading | Refusal:
        """Read one photograph. Raises ImageRejected's kinds for broken bytes, DecoderUnavailable without a decoder."""
        return self.read_best([data], policy)[1]

    def read_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Reading | Refusal]:
        """Assess every photograph once and embed the best one: its index from 0, and its reading.

        The best is the acceptable one of highest quality, the first of equals; when none is acceptable, the refusal is
        that of the one of highest quality. Raises what `read` raises, and InvalidInput without photographs.
        """
        index, best = self._best(photographs, policy)
        if isinstance(best, Refusal):
            return index, best
        with self.stages.timed(Stage.EMBED):
            embedding = self.embedder.embed(best.aligned, mirrored=policy.mirrored)
        size = best.image.width_px, best.image.height_px
        return index, Reading(embedding, best.verdict, best.presentation_attack, best.face.box, *size)

    def assess_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Assessment | Refusal]:
        """Like `read_best`, with the same choice, but nothing is embedded."""
        index, best = self._best(photographs, policy)
        return index, best if isinstance(best, Refusal) else Assessment(best.verdict, best.presentation_attack)

    def look(self, data: bytes, policy: ReadingPolicy) -> Look:
        """What `read` would say of a photograph like this one, up to its quality; neither attack nor embedding.

        Raises what `read` raises.
        """
        image = self._decode(data)
        seen = self._assess(image, policy)
        size = image.width_px, image.height_px
        if isinstance(seen, Refusal):
            return Look(seen.reason, seen.advice, None, None, *size)
        face, _, verdict = seen
        reason = None if verdict.acceptable else Reason.QUALITY_TOO_LOW
        return Look(reason, verdict.advice, face, verdict, *size)

    def _best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, _Acceptable | Refusal]:
        if not photographs:
            raise InvalidInput("photographs: expected at least one, got none")
        chosen, best = 0, self._examine(photographs[0], policy)
        for index, photograph in enumerate(photographs[1:], start=1):
            other = self._examine(photograph, policy)
            if _rank(other) > _rank(best):
                chosen, best = index, other
        # Where the attack check is no condition it is of use for the chosen photograph only.
        if policy.presentation_attack is AttackCheck.ADVISE and isinstance(best, _Acceptable):
            best = replace(best, presentation_attack=self._attack(best.image, best.face))
        return chosen, best

    def _examine(self, data: bytes, policy: ReadingPolicy) -> _Acceptable | Refusal:
        """Whether a photograph may be embedded."""
        image = self._decode(data)
        seen = self._assess(image, policy)
        if isinstance(seen, Refusal):
            return seen
        face, aligned, verdict = seen
        if not verdict.acceptable:
            return Refusal(Reason.QUALITY_TOO_LOW, verdict, verdict.advice)
        attack = self._attack(image, face) if policy.presentation_attack is AttackCheck.REQUIRE else NOT_EVALUATED
        if policy.presentation_attack is AttackCheck.REQUIRE and attack.finding is not AttackFinding.LIVE:
            reason = _ATTACK_REASONS[attack.finding]
            return Refusal(reason, verdict, _ADVICE[reason], attack)
        return _Acceptable(image, face, aligned, verdict, attack)

    def _decode(self, data: bytes) -> Image:
        with self.stages.timed(Stage.DECODE):
            return decode(data, decoder=self.decoder)

    def _assess(self, image: Image, policy: ReadingPolicy) -> Refusal | tuple[Face, AlignedFace, QualityVerdict]:
        """The chosen face, its crop and how good they are, or why there is none to assess."""
        with self.stages.timed(Stage.DETECT):
            faces = self.detector.detect(image)
        chosen = choose(faces, image, policy.face_choice)
        if isinstance(chosen, Reason):
            return Refusal(chosen, None, _ADVICE[chosen])
        with self.stages.timed(Stage.REFINE):
            face = self.detector.refine(image, chosen)
        if policy.quality is not QualityGate.NONE and (position := refused_position(image, face)):
            return Refusal(position, None, _ADVICE[position])
        aligned = align(image, face)
        with self.stages.timed(Stage.QUALITY):
            verdict = assess(
                image, face, tuple(face if each is chosen else each for each in faces), aligned, policy.quality
            )
        return face, aligned, verdict

    def _attack(self, image: Image, face: Face) -> PresentationAttack:
        with self.stages.timed(Stage.LIVENESS):
            return self.liveness.score(image, face)


_ATTACK_REASONS = {
    AttackFinding.SUSPECTED: Reason.PRESENTATION_ATTACK_SUSPECTED,
    AttackFinding.NOT_EVALUATED: Reason.PRESENTATION_ATTACK_NOT_EVALUATED,
}
_ADVICE = {
    Reason.NO_FACE: (Advice.CENTRE_THE_FACE, Advice.FACE_THE_CAMERA),
    Reason.SEVERAL_FACES: (Advice.ONE_PERSON_ONLY,),
    Reason.FACE_AT_EDGE: (Advice.CENTRE_THE_FACE, Advice.MOVE_BACK),
    Reason.FACE_TOO_SMALL: (Advice.MOVE_CLOSER,),
    Reason.PRESENTATION_ATTACK_SUSPECTED: (Advice.LIVE_PERSON,),
    Reason.PRESENTATION_ATTACK_NOT_EVALUATED: (Advice.CENTRE_THE_FACE, Advice.LIVE_PERSON),
}


def _rank(found: _Acceptable | Refusal) -> tuple[bool, int]:
    """What is acceptable comes before what is not, then quality decides; one whose quality was not measured is last."""
    return isinstance(found, _Acceptable), -1 if found.verdict is None else found.verdict.score
