"""Compares two embeddings, or a probe with all references of one person; it knows no thresholds."""

from collections.abc import Iterable

from idverify.embedding import Embedding
from idverify.errors import EmbedderMismatch


def similarity(probe: Embedding, reference: Embedding) -> float:
    """Cosine of the angle between two embeddings, -1 to 1, higher for more alike faces.

    Raises EmbedderMismatch when two different embedders made them: such numbers mean nothing.
    """
    if probe.model != reference.model or probe.dimension != reference.dimension:
        raise EmbedderMismatch(
            f"comparison: probe of embedder {probe.model[:12]} against reference of embedder {reference.model[:12]}; "
            "re-enrol or migrate the gallery"
        )
    return float(probe.vector @ reference.vector)


def best_similarity(probe: Embedding, references: Iterable[Embedding]) -> float | None:
    """The highest similarity over all references of one person; None when there are none."""
    return max((similarity(probe, reference) for reference in references), default=None)
