"""Readers in processes of their own read what a reader in this process reads, and cost a photograph when they die."""

import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from idverify.errors import DecoderUnavailable, ImageFormatUnsupported, ModelAltered, ModelMissing
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.quality import QualityVerdict
from idverify.vision.reader import Assessment, Look, Reader, Reading, ReadingPolicy, Refusal
from idverify.vision.reader_messages import Order
from idverify.vision.reader_pool import ReaderPool
from idverify.vision.stages import Stage
from tests.deployments import wall
from tests.processes import assert_confined, children, eventually, gone, to_be_killed

ENROLMENT, VERIFICATION = ReadingPolicy.enrolment(), ReadingPolicy.verification()

Portrait = Callable[[int, int], bytes]
Answer = TypeVar("Answer", Reading, Assessment, Refusal, Look)


@pytest.fixture(scope="module")
def order(model_set: ModelSet, model_files: ModelFiles) -> Order:
    return Order(model_set, model_files, 1)


@pytest.fixture(scope="module")
def readers(order: Order) -> Iterator[ReaderPool]:
    with ReaderPool(order, 2) as opened:
        yield opened


@pytest.fixture
def one(order: Order) -> Iterator[ReaderPool]:
    with ReaderPool(order, 1) as opened:
        yield opened


def only(readers: ReaderPool) -> int:
    (pid,) = readers.pids
    return pid


def assert_alike(one: Answer, other: Answer, *, but: Collection[str] = ()) -> None:
    """Every part is the same; natural measures to six digits, for sums of 32 bits depend on how many threads sum."""
    for part in fields(one):
        left, right = getattr(one, part.name), getattr(other, part.name)
        if isinstance(left, QualityVerdict):
            assert replace(left, measures=()) == replace(right, measures=())
            assert [(each.name, each.quality) for each in left.measures] == [
                (each.name, each.quality) for each in right.measures
            ]
            natural = [[each.native for each in verdict.measures] for verdict in (left, right)]
            assert natural[0] == [None if value is None else pytest.approx(value, rel=1e-6) for value in natural[1]]
        elif part.name not in but:
            assert left == right, part.name


def test_they_are_of_the_same_networks(readers: ReaderPool, reader: Reader) -> None:
    assert (readers.model, readers.dimension) == (reader.model, reader.dimension)


@pytest.mark.parametrize("policy", [ENROLMENT, VERIFICATION], ids=["enrolment", "verification"])
def test_a_reading_is_the_same_in_every_part(
    readers: ReaderPool, reader: Reader, portrait: Portrait, policy: ReadingPolicy
) -> None:
    theirs, ours = readers.read(portrait(1, 1), policy), reader.read(portrait(1, 1), policy)
    assert isinstance(theirs, Reading)
    assert isinstance(ours, Reading)
    assert np.allclose(theirs.embedding.vector, ours.embedding.vector, rtol=0, atol=1e-6)
    assert theirs.embedding.model == ours.embedding.model
    assert_alike(theirs, ours, but={"embedding"})


def test_a_refusal_and_a_look_are_the_same(readers: ReaderPool, reader: Reader, portrait: Portrait) -> None:
    refused, expected = readers.read(wall(), VERIFICATION), reader.read(wall(), VERIFICATION)
    assert isinstance(refused, Refusal)
    assert isinstance(expected, Refusal)
    assert_alike(refused, expected)
    theirs, ours = readers.look(portrait(1, 1), ENROLMENT), reader.look(portrait(1, 1), ENROLMENT)
    assert theirs.face is not None
    assert ours.face is not None
    assert np.allclose(theirs.face.landmarks, ours.face.landmarks, rtol=0, atol=1e-3)
    assert_alike(theirs, ours, but={"face"})


def test_the_best_of_several_is_the_same_and_read_in_one_process(
    readers: ReaderPool, reader: Reader, portrait: Portrait
) -> None:
    frames = [wall(), portrait(1, 1), portrait(1, 2)]
    told: Counter[Stage] = Counter()
    readers.stages.listen(lambda stage, _duration_s: told.update([stage]))
    (theirs_index, theirs), (index, ours) = readers.read_best(frames, ENROLMENT), reader.read_best(frames, ENROLMENT)
    assert theirs_index == index
    assert isinstance(theirs, Reading)
    assert isinstance(ours, Reading)
    assert np.allclose(theirs.embedding.vector, ours.embedding.vector, rtol=0, atol=1e-6)
    assert_alike(theirs, ours, but={"embedding"})
    assert (told[Stage.DECODE], told[Stage.EMBED]) == (3, 1)
    theirs_index, assessed = readers.assess_best(frames, ENROLMENT)
    assert theirs_index == index
    assert isinstance(assessed, Assessment)
    assert_alike(assessed, Assessment(ours.verdict, ours.presentation_attack))
    assert told[Stage.EMBED] == 1
    _, refused = readers.assess_best([wall()], ENROLMENT)
    assert isinstance(refused, Refusal)


def test_what_is_no_photograph_is_refused_in_the_same_words(readers: ReaderPool, reader: Reader) -> None:
    with pytest.raises(ImageFormatUnsupported) as ours:
        reader.read(b"nonsense", VERIFICATION)
    with pytest.raises(ImageFormatUnsupported) as theirs:
        readers.read(b"nonsense", VERIFICATION)
    assert str(theirs.value) == str(ours.value)


def test_the_time_of_every_stage_is_told(readers: ReaderPool, portrait: Portrait) -> None:
    told: list[tuple[Stage, float]] = []
    readers.stages.listen(lambda stage, duration_s: told.append((stage, duration_s)))
    readers.read(portrait(1, 1), VERIFICATION)
    assert [stage for stage, _ in told] == [Stage.DECODE, Stage.DETECT, Stage.REFINE, Stage.QUALITY, Stage.EMBED]
    assert all(duration_s > 0 for _, duration_s in told)


def test_many_threads_share_two(readers: ReaderPool, portrait: Portrait) -> None:
    photographs = [portrait(seed, 1) for seed in range(1, 5)]
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda data: readers.read(data, VERIFICATION), photographs * 5))
    vectors = [each.embedding.vector for each in read if isinstance(each, Reading)]
    assert len(vectors) == 20
    assert all(np.allclose(vector, vectors[place % 4], rtol=0, atol=1e-6) for place, vector in enumerate(vectors))


def test_one_that_is_killed_over_a_photograph_costs_that_photograph_only(one: ReaderPool, portrait: Portrait) -> None:
    first = only(one)
    os.kill(first, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(one.read, portrait(1, 1), VERIFICATION)
        assert eventually(one._idle.empty)
        os.kill(first, signal.SIGKILL)
        try:
            answer.result()
        except DecoderUnavailable as error:
            assert "send the photograph again" in str(error)  # noqa: PT017  read by the next one where it died before
    assert isinstance(one.read(portrait(1, 1), VERIFICATION), Reading)
    assert only(one) != first
    assert gone(first)


def test_one_that_died_while_idle_is_replaced_and_the_next_photograph_is_read(
    one: ReaderPool, portrait: Portrait
) -> None:
    first = only(one)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: gone(first))
    assert isinstance(one.read(portrait(1, 1), VERIFICATION), Reading)


def test_networks_that_are_missing_or_altered_are_refused_at_the_start(order: Order, tmp_path: Path) -> None:
    for file in order.model_set.files.values():
        shutil.copy(order.model_files.locate(file), tmp_path / file.name)
    embedder = order.model_set.files[NetworkRole.EMBEDDER]
    altered = bytearray((tmp_path / embedder.name).read_bytes())
    altered[len(altered) // 2] ^= 1
    (tmp_path / embedder.name).write_bytes(altered)
    absent = replace(embedder, name="absent.onnx")
    before = set(children(os.getpid()))
    for file, refusal in ((embedder, ModelAltered), (absent, ModelMissing)):
        asked = replace(order.model_set, files={**order.model_set.files, NetworkRole.EMBEDDER: file})
        with pytest.raises(refusal, match=file.name):
            ReaderPool(Order(asked, ModelFiles(tmp_path, tmp_path), 1), 2)
    assert set(children(os.getpid())) <= before


def test_it_has_nothing_of_the_services_environment(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d")
    with ReaderPool(order, 1) as readers:
        assert b"hunter2" not in Path(f"/proc/{only(readers)}/environ").read_bytes()


def test_they_are_confined(readers: ReaderPool) -> None:
    for pid in readers.pids:
        assert_confined(pid)


def test_closing_waits_for_the_photograph_in_hand_and_later_ones_are_refused(order: Order, portrait: Portrait) -> None:
    readers = ReaderPool(order, 1)
    pid = only(readers)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(readers.read, portrait(1, 1), VERIFICATION)
        assert eventually(readers._idle.empty)
        closing = threading.Thread(target=readers.close)
        closing.start()
        os.kill(pid, signal.SIGCONT)
        assert isinstance(answer.result(), Reading)
        closing.join()
    assert gone(pid)
    with pytest.raises(DecoderUnavailable, match="shutting down"):
        readers.read(portrait(1, 1), VERIFICATION)


def test_a_service_that_is_killed_leaves_neither_reader_nor_decoder(model_set: ModelSet, model_dir: Path) -> None:
    program = f"""
        from pathlib import Path
        from idverify.vision.manifest import ModelFiles, load_manifest
        from idverify.vision.reader_messages import Order
        from idverify.vision.reader_pool import ReaderPool
        folder = Path({str(model_dir)!r})
        pool = ReaderPool(Order(load_manifest().set({model_set.name!r}), ModelFiles(folder, folder), 1), 1)
    """
    with to_be_killed(program) as readers:
        (pid,) = readers
        decoders = children(pid)
        assert len(decoders) == 1
    assert eventually(lambda: all(map(gone, [pid, *decoders])))
