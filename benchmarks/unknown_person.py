"""Does the time of an answer tell who is enrolled? Known non-matches against unknown numbers, in turn and interleaved.

`python -m benchmarks.unknown_person` compares the two by the two-sample Kolmogorov-Smirnov test: calling the
library, or with `--http` through the served API, where the answers are also compared byte by byte. Rendered citizens,
SQLite.
"""

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import numpy.typing as npt
import typer
import uvicorn

from api.app import create_app
from citizens import portrait_jpeg
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from idverify import keys
from idverify.access import Access
from idverify.administration.deployment import utc_now
from idverify.clients.agencies import Scope
from idverify.engine import Engine
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.settings import Settings
from idverify.storage.database import Database
from idverify.verification import VerificationRequest
from idverify.vision.reader import AttackCheck

GALLERY, PURPOSE, UNLIMITED = GalleryId("demo-register"), "tax-filing", 10**9
ACCESS = Access(RequestId("benchmark"), PURPOSE)
PEOPLE = 20
WARM_UPS = 50
_VARYING = re.compile(r'"(?:person|request_id|decided_at|expires_at|audit_position|receipt)":(?:"[^"]*"|\d+)')

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Median times in ms of the two kinds, the statistic and its p-value, and whether the answers were the same."""

    requests_each: int
    known_ms: float
    unknown_ms: float
    statistic: float
    p: float
    bodies: int


def kolmogorov_smirnov(a: Seconds, b: Seconds) -> tuple[float, float]:
    """The two-sample statistic and its asymptotic p-value (Press et al., Numerical Recipes, 3rd ed., 14.3.3)."""
    values = np.sort(np.concatenate([a, b]))
    distances = np.searchsorted(np.sort(a), values, "right") / len(a) - np.searchsorted(
        np.sort(b), values, "right"
    ) / len(b)
    statistic = float(np.abs(distances).max())
    root = np.sqrt(len(a) * len(b) / (len(a) + len(b)))
    argument = (root + 0.12 + 0.11 / root) * statistic
    terms = np.arange(1, 101)
    p = 2 * float(((-1.0) ** (terms - 1) * np.exp(-2 * (terms * argument) ** 2)).sum())
    return statistic, 1.0 if argument < 0.2 else min(max(p, 0.0), 1.0)


def compare(ask: Callable[[PersonId], str], requests_each: int, seed: int = 1) -> Comparison:
    """Ask about known people and unknown numbers in random order. `ask` returns the answer without what must vary.

    Both kinds use the same number of distinct numbers of the same length, so that neither finds warmer counters.
    """
    numbers = [[PersonId(f"{letter}-{index:04d}") for index in range(PEOPLE)] for letter in ("C", "X")]
    kinds = np.random.default_rng(seed).permutation(np.repeat([0, 1], requests_each))
    asked, bodies = [0, 0], set()
    times: list[list[float]] = [[], []]
    for kind in (0, 1) * WARM_UPS:
        ask(numbers[kind][asked[kind] % PEOPLE])
        asked[kind] += 1
    for kind in kinds:
        person = numbers[kind][asked[kind] % PEOPLE]
        asked[kind] += 1
        started_s = time.perf_counter()
        body = ask(person)
        times[kind].append(time.perf_counter() - started_s)
        bodies.add(body)
    known, unknown = (np.array(of) for of in times)
    statistic, p = kolmogorov_smirnov(known, unknown)
    known_ms, unknown_ms = (float(np.median(of)) * 1000 for of in (known, unknown))
    return Comparison(requests_each, known_ms, unknown_ms, statistic, p, len(bodies))


@contextmanager
def deployment(folder: Path, model_dir: Path | None) -> Iterator[Engine]:
    """A register of rendered citizens C-0000, C-0001, …, without caps, for as long as the block lasts."""
    settings = Settings.read(
        data_dir=folder,
        model_dir=model_dir,
        verifications_per_person_per_day=UNLIMITED,
        verifications_per_person_per_month=UNLIMITED,
        consecutive_failures_per_person=UNLIMITED,
        close_calls_per_person_per_year=UNLIMITED,
        requests_per_client_per_minute=UNLIMITED,
    )
    database = Database.open(settings.database)
    database.migrate()
    keys.create(database, settings.root_keys, utc_now, ACCESS)
    database.close()
    with Engine.open(settings) as engine:
        policy = GalleryPolicy(presentation_attack=AttackCheck.OFF)
        engine.galleries.add(GALLERY, demonstration=True, policy=policy, access=ACCESS)
        for index in range(PEOPLE):
            visit = [portrait_jpeg(index + 1, 1)]
            request = EnrolmentRequest(PersonId(f"C-{index:04d}"), GALLERY, visit, ACCESS, source="cli")
            composition.enroller(engine).enrol(request)
        yield engine


def by_library(engine: Engine, probe: bytes) -> Callable[[PersonId], str]:
    """Asks the 1:1 flow itself."""

    def ask(person: PersonId) -> str:
        answer = engine.verification.verify(VerificationRequest(person, GALLERY, probe, ACCESS))
        return f"{answer.decision} {answer.policy} {answer.advice}"

    return ask


@contextmanager
def by_http(engine: Engine, probe: bytes) -> Iterator[Callable[[PersonId], str]]:
    """Asks the API over loopback; what is compared is status, header names and body but for ids, times and receipt."""
    _, key = engine.clients.add(
        "agency", scopes=[Scope.VERIFY], galleries=[GALLERY], purposes=[PURPOSE], sees_scores=False, access=ACCESS
    )
    server = uvicorn.Server(uvicorn.Config(create_app(engine), port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:

            def ask(person: PersonId) -> str:
                answer = client.post(
                    "/v1/verifications",
                    data={"gallery": GALLERY, "person": person, "purpose": PURPOSE},
                    files={"image": probe},
                )
                names = sorted(answer.headers)
                return json.dumps([answer.status_code, names, _VARYING.sub("", answer.text)])

            yield ask
    finally:
        server.should_exit = True
        thread.join()


def main(
    requests: Annotated[int, typer.Option(help="Of each kind.")] = 5_000,
    http: Annotated[bool, typer.Option("--http", help="Through the served API.")] = False,
    model_dir: Annotated[Path | None, typer.Option(help="Folder of model files.")] = None,
) -> None:
    """Compare the times of known non-matches and unknown numbers."""
    probe = portrait_jpeg(PEOPLE + 1, 2)
    with tempfile.TemporaryDirectory() as folder, deployment(Path(folder), model_dir) as engine:
        if http:
            with by_http(engine, probe) as ask:
                found = compare(ask, requests)
        else:
            found = compare(by_library(engine, probe), requests)
    typer.echo(
        f"{found.requests_each} each; medians {found.known_ms:.3f} ms known, {found.unknown_ms:.3f} ms unknown; "
        f"Kolmogorov-Smirnov D = {found.statistic:.4f}, p = {found.p:.3f}; {found.bodies} distinct answer(s)"
    )


if __name__ == "__main__":
    typer.run(main)
