"""A bounded load on one service: clerks enrol, e-services ask, citizens are erased; every 2xx is written down."""

import functools
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from citizens import portrait_jpeg

CLIENTS = 4
FACES = 8
PURPOSE = "tax-filing"
photograph_of = functools.cache(portrait_jpeg)


@dataclass(frozen=True)
class Acknowledged:
    """An answer with a 2xx: who asked for what, and what the answer says of the record of it."""

    act: str
    request: str
    person: str
    position: int
    encounter: str | None = None


@dataclass
class Book:
    """What was answered, over all services that were run on one deployment."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """The status of every answer that was not 2xx."""
    in_doubt: set[str] = field(default_factory=set)
    """Who was being enrolled or erased when the service went: as they were, or as was asked."""
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """`CLIENTS` threads at one address, until the service is gone or `stop` is set."""

    def __init__(self, url: str, key: str, gallery: str, book: Book, seed: int) -> None:
        self._book = book
        self._gallery = gallery
        self._stop = threading.Event()
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(f"{seed}-{number}"), f"{seed}-{number}"))
            for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, more: int, timeout_s: float = 60) -> None:
        """Until so many more are acknowledged. Raises TimeoutError."""
        target, until = len(self._book.acknowledged) + more, time.monotonic() + timeout_s
        while len(self._book.acknowledged) < target:
            if time.monotonic() > until or not any(thread.is_alive() for thread in self._threads):
                raise TimeoutError(f"only {len(self._book.acknowledged)} acknowledged; {self._book.refused[-5:]}")
            time.sleep(0.002)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._http.close()

    def _work(self, chance: random.Random, name: str) -> None:
        mine: list[str] = []
        number = 0
        while not self._stop.is_set():
            number += 1
            draw = chance.random()
            if not mine or draw < 0.5:
                act, person = "enrolled", f"K-{name}-{number}"
            else:
                act, person = ("verified" if draw < 0.85 else "erased"), chance.choice(mine)
            request = f"soak-{name}-{number}"
            try:
                answer = self._ask(act, person, request, photograph_of(1 + chance.randrange(FACES), 1))
            except httpx.TransportError:
                if act != "verified":
                    self._book.in_doubt.add(person)
                return
            with self._book.lock:
                self._book.requests += 1
                if not answer.is_success:
                    self._book.refused.append(answer.status_code)
                    if act != "verified":
                        self._book.in_doubt.add(person)
                    mine = [one for one in mine if one != person]
                    continue
                self._book.acknowledged.append(_noted(act, request, person, answer.json()))
            if act == "enrolled":
                mine.append(person)
            elif act == "erased":
                mine.remove(person)

    def _ask(self, act: str, person: str, request: str, photograph: bytes) -> httpx.Response:
        headers = {"X-Request-ID": request}
        form = {"gallery": self._gallery, "purpose": PURPOSE}
        if act == "enrolled":
            files = {"images": photograph}
            return self._http.post(f"/v1/persons/{person}/encounters", headers=headers, data=form, files=files)
        if act == "verified":
            form["person"] = person
            return self._http.post("/v1/verifications", headers=headers, data=form, files={"image": photograph})
        return self._http.delete(f"/v1/persons/{person}", headers=headers, params={"purpose": PURPOSE})


def _noted(act: str, request: str, person: str, answer: dict[str, Any]) -> Acknowledged:
    return Acknowledged(act, request, person, answer["audit_position"], answer.get("encounter"))


def enrolled_at_the_end(acknowledged: Sequence[Acknowledged]) -> dict[str, str]:
    """Of everybody who was enrolled and not erased, the encounter that was acknowledged."""
    people: dict[str, str] = {}
    for one in acknowledged:
        if one.act == "enrolled" and one.encounter is not None:
            people[one.person] = one.encounter
        elif one.act == "erased":
            people.pop(one.person, None)
    return people
