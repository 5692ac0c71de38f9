"""The closed list of reason codes of decisions; callers rely on them, so no code may change its meaning."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a decision is what it is.

    The first group are results, the second are refusals: we looked and chose not to process.
    """

    SIMILARITY_AT_OR_ABOVE_THRESHOLD = "similarity_at_or_above_threshold"
    SIMILARITY_BELOW_THRESHOLD = "similarity_below_threshold"

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_AT_EDGE = "face_at_edge"
    FACE_TOO_SMALL = "face_too_small"
    QUALITY_TOO_LOW = "quality_too_low"
    PRESENTATION_ATTACK_SUSPECTED = "presentation_attack_suspected"
    PRESENTATION_ATTACK_NOT_EVALUATED = "presentation_attack_not_evaluated"
