"""Every hostile kind gets its documented answer, whatever it is, and no photograph is ever half-read."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image as Pillow

from idverify.errors import ImageCorrupt, ImageRejected
from idverify.matching.comparison import similarity
from idverify.matching.decision import Outcome, decide
from idverify.matching.operating_point import OperatingPoints, Population
from idverify.vision.decoder_pool import DecoderPool
from idverify.vision.image import decode
from idverify.vision.manifest import Manifest
from idverify.vision.reader import Reader, Reading, ReadingPolicy
from tests.idverify.vision.hostile import Hostile, corpus, encoded, scene
from tests.idverify.vision.mutations import mutations, seeds


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1) as opened:
        yield opened


@pytest.fixture(scope="module")
def kinds() -> list[Hostile]:
    return corpus()


def answer(data: bytes, pool: DecoderPool) -> type[ImageRejected] | None:
    try:
        decode(data, decoder=pool)
    except ImageRejected as refused:
        return type(refused)
    return None


def test_the_corpus_has_the_kinds_that_it_should(kinds: list[Hostile]) -> None:
    assert len({kind.name for kind in kinds}) == len(kinds) >= 150
    assert sum(kind.refused is not None for kind in kinds) >= 120


def test_each_hostile_kind_gets_its_documented_code_and_ends_no_worker(kinds: list[Hostile], pool: DecoderPool) -> None:
    workers = pool.pids
    assert {kind.name: answer(kind.data, pool) for kind in kinds} == {kind.name: kind.refused for kind in kinds}
    assert pool.pids == workers


def test_a_refusal_repeats_nothing_of_the_file(kinds: list[Hostile], pool: DecoderPool) -> None:
    for kind in kinds:
        if kind.refused is not None and b"alert" in kind.data:
            with pytest.raises(kind.refused) as caught:
                decode(kind.data, decoder=pool)
            assert "alert" not in str(caught.value)


def test_300_mutations_never_do_worse_than_a_refusal(pool: DecoderPool) -> None:
    answers = [answer(data, pool) for _, data in mutations(300, seed=1)]
    assert len(answers) == 300
    assert None in answers  # some are harmless
    assert ImageCorrupt in answers


@pytest.mark.parametrize("coding", list(seeds()))
def test_a_photograph_cut_at_any_percent_is_refused(coding: str, pool: DecoderPool) -> None:
    data = seeds()[coding]
    for percent in range(1, 100):
        cut = data[: len(data) * percent // 100]
        assert answer(cut, pool) is ImageCorrupt, percent


@pytest.mark.parametrize("coding", [name for name in seeds() if "PNG" not in name])
def test_an_end_marker_does_not_hide_a_cut_at_any_percent(coding: str, pool: DecoderPool) -> None:
    data = seeds()[coding]
    for percent in range(1, 100):
        cut = data[: len(data) * percent // 100] + b"\xff\xd9"
        assert answer(cut, pool) is ImageCorrupt, percent


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_face_held_in_any_of_eight_ways_gets_the_same_decision(
    kind: str, reader: Reader, manifest: Manifest, portrait: Callable[[int, int], bytes], pool: DecoderPool
) -> None:
    confined = replace(reader, decoder=pool)
    policy = ReadingPolicy.verification()
    reference, stranger = (confined.read(portrait(person, 0), policy) for person in (1, 2))
    assert isinstance(reference, Reading)
    assert isinstance(stranger, Reading)
    point = OperatingPoints.parse(manifest.operating_points).of(reader.model, Population.RENDERED).at_fmr(1e-4)
    for orientation in range(1, 9):
        probe = confined.read(_held(portrait(1, 1), orientation, kind), policy)
        assert isinstance(probe, Reading), orientation
        assert decide(similarity(probe.embedding, reference.embedding), point).outcome is Outcome.MATCH
        assert decide(similarity(probe.embedding, stranger.embedding), point).outcome is Outcome.NO_MATCH


_HELD = {  # what the camera stored, for each orientation, of the same upright scene (EXIF 2.32, table 6)
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_90,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_270,
}


def _held(photograph: bytes, orientation: int, kind: str) -> bytes:
    picture = Pillow.open(BytesIO(photograph))
    stored = picture.transpose(_HELD[orientation]) if orientation in _HELD else picture
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return encoded(stored, kind, exif=exif, **({"quality": 95} if kind == "jpeg" else {}))


def test_a_picture_with_a_comment_is_the_picture_without_it(pool: DecoderPool) -> None:
    data = encoded(scene())
    commented = data[:2] + b"\xff\xfe\0\x0bcomment.." + data[2:]
    assert (decode(commented, decoder=pool).pixels == decode(data).pixels).all()
