"""The story: people are enrolled, verified and found, a second identity is noticed, one person is erased."""

import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import jwt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from demo.cast import Cast, Player
from demo.service import Agency, DemoDeployment, image, opened

GALLERY = "civil-register"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class AnswerTally:
    """What came of a series of verifications."""

    outcomes: dict[str, int]
    median_ms: float

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())


class Story:
    """Plays the chapters in order, each with real calls, and prints what came back."""

    def __init__(self, deployment: DemoDeployment, company: Cast, console: Console) -> None:
        self._deployment = deployment
        self._cast = company
        self._console = console

    def play(self) -> None:
        """Everything, in order. Raises RuntimeError or AssertionError when the story does not hold."""
        self._open_the_office()
        with self._deployment.api() as address:
            office = self._agency(
                address, "registration-office", "registration", "enrol", "identify", "duplicates.read"
            )
            revenue = self._agency(address, "revenue-authority", "tax-filing", "verify")
            ombudsman = self._agency(address, "ombudsman", "data-protection", "audit.read", "persons.erase")
            enrolled = self._enrol(office)
            self._verify(revenue, enrolled)
            self._show_a_receipt(revenue, enrolled[0])
            self._identify(office, enrolled[1])
            self._plant_a_duplicate(office, enrolled[2])
            self._show_accesses(ombudsman, enrolled[0])
            self._erase(ombudsman, office, revenue, enrolled[3])
        self._verify_the_log()

    def _open_the_office(self) -> None:
        self._chapter("1. A deployment of its own: root key (mode 0400), sealed service keys, one gallery")
        self._deployment.command("keys", "new")
        options = ["--demonstration", "--presentation-attack", "off"] if self._cast.rendered else []
        self._deployment.command("galleries", "add", GALLERY, *options)
        if self._cast.rendered:
            self._say("The people are rendered by this project and do not exist. The gallery is marked as a")
            self._say("demonstration: its thresholds were calibrated on rendered citizens, not on real faces.")

    def _agency(self, address: str, name: str, purpose: str, *scopes: str) -> Agency:
        options = [word for scope in scopes for word in ("--scope", scope)]
        added = self._deployment.command("clients", "add", name, *options, "--gallery", GALLERY, "--purpose", purpose)
        return Agency(address, added.strip(), purpose)

    def _enrol(self, office: Agency) -> list[Player]:
        self._chapter(f"2. {len(self._cast.players)} people are enrolled through the API")
        enrolled, outcomes, times = [], dict[str, int](), []
        for player in self._track(self._cast.players, "Enrolling"):
            started = time.perf_counter()
            answer = self._enrol_one(office, player.person, player.enrolled)
            times.append(time.perf_counter() - started)
            what = answer["outcome"] + (f" ({answer['reason']})" if "reason" in answer else "")
            outcomes[what] = outcomes.get(what, 0) + 1
            if answer["outcome"] == "enrolled":
                enrolled.append(player)
        self._table("outcome", "people", outcomes)
        self._say(f"Median {statistics.median(times) * 1000:.0f} ms each: photograph, quality, duplicate check against")
        self._say("everybody so far, sealed template, audit leaf.")
        if len(enrolled) < 4:
            raise RuntimeError("fewer than 4 people could be enrolled; the photographs are not good enough for a story")
        return enrolled

    def _enrol_one(self, office: Agency, person: str, photograph: bytes) -> dict[str, Any]:
        return office.post(f"/v1/persons/{person}/encounters", {"gallery": GALLERY, "images": [image(photograph)]})

    def _verify(self, revenue: Agency, enrolled: list[Player]) -> None:
        self._chapter("3. The revenue authority asks: is this the person with this number?")
        claims = [(player.person, photograph) for player in enrolled for photograph in player.later]
        mated = self._series(revenue, claims, "Genuine claims")
        strangers = enrolled[1:] + enrolled[:1]
        impostors = [(claimed.person, player.later[0]) for claimed, player in zip(enrolled, strangers, strict=True)]
        non_mated = self._series(revenue, impostors, "Impostors")
        table = Table("claims", "match", "no match", "not processed", "median answer")
        for name, tally in (("genuine, a photograph of another day", mated), ("impostor, somebody else", non_mated)):
            cells = [str(tally.outcomes.get(outcome, 0)) for outcome in ("match", "no_match", "not_processed")]
            table.add_row(name, *cells, f"{tally.median_ms:.0f} ms")
        self._console.print(table)
        self._say("Each answer is match / no match / not processed, a reason and a signed receipt: never a score.")

    def _series(self, revenue: Agency, claims: Sequence[tuple[str, bytes]], what: str) -> AnswerTally:
        outcomes: dict[str, int] = {}
        times = []
        for person, photograph in self._track(claims, what):
            started = time.perf_counter()
            answer = self._verify_one(revenue, person, photograph)
            times.append(time.perf_counter() - started)
            outcomes[answer["outcome"]] = outcomes.get(answer["outcome"], 0) + 1
        return AnswerTally(outcomes, statistics.median(times) * 1000)

    def _verify_one(self, revenue: Agency, person: str, photograph: bytes) -> dict[str, Any]:
        return revenue.post("/v1/verifications", {"gallery": GALLERY, "person": person, "image": image(photograph)})

    def _identify_one(self, office: Agency, photograph: bytes) -> tuple[list[str], dict[str, Any]]:
        answer = office.post("/v1/identifications", {"gallery": GALLERY, "image": image(photograph)})
        return [candidate["person"] for candidate in answer["candidates"]], answer

    def _show_a_receipt(self, revenue: Agency, player: Player) -> None:
        self._chapter("4. A receipt is checked offline, with the service's public key")
        answer = self._verify_one(revenue, player.person, player.later[0])
        with opened(f"{revenue.address}/.well-known/jwks.json", timeout_s=30) as response:
            key = jwt.PyJWKSet.from_dict(json.load(response)).keys[0]
        claims = jwt.decode(answer["receipt"], key, algorithms=["EdDSA"], audience="revenue-authority")
        shown = {name: claims[name] for name in ("sub", "outcome", "purpose", "policy", "audit_position")}
        self._table("claim", "value", shown | {"exp": datetime.fromtimestamp(claims["exp"], UTC)})

    def _identify(self, office: Agency, player: Player) -> None:
        self._chapter("5. A person without papers: who is this?")
        found, answer = self._identify_one(office, player.later[-1])
        self._say(
            f"Searched {answer['enrolled']} people at a false positive rate of {answer['fpir']:g}: {_names(found)}"
        )
        self._say(f"(it is {player.person}). A candidate is for a person to look at, never a decision.")

    def _plant_a_duplicate(self, office: Agency, player: Player) -> None:
        self._chapter("6. A ghost: the same face comes back under another number")
        answer = self._enrol_one(office, "GHOST-1", player.later[0])
        found = [duplicate["person"] for duplicate in answer.get("duplicates", [])]
        self._say(f"GHOST-1: {answer['outcome']} {', '.join(answer.get('review_reasons', []))}.")
        self._say(f"The face is that of {_names(found)} (it is {player.person}).")
        self._say("Nobody is refused for it: an analyst decides.")

    def _show_accesses(self, ombudsman: Agency, player: Player) -> None:
        self._chapter(f"7. {player.person} asks who looked at their data")
        accesses = ombudsman.get(f"/v1/persons/{player.person}/accesses")["accesses"]
        table = Table("leaf", "UTC", "who", "what", "why", "outcome")
        for access in accesses:
            table.add_row(
                str(access["audit_position"]),
                access["time"][11:19],
                access["client"],
                access["event"],
                access["purpose"],
                access["outcome"] or "",
            )
        self._console.print(table)

    def _erase(self, ombudsman: Agency, office: Agency, revenue: Agency, player: Player) -> None:
        self._chapter(f"8. {player.person} is erased")
        receipt = ombudsman.delete(f"/v1/persons/{player.person}")
        self._say(
            f"Gone: {receipt['encounters']} encounter, {receipt['templates']} template and the key that opened it."
        )
        after = self._verify_one(revenue, player.person, player.later[0])
        found, _ = self._identify_one(office, player.later[0])
        self._say(f"Their face against their number now: {after['outcome']}. A search finds {_names(found)}.")

    def _verify_the_log(self) -> None:
        self._chapter("9. The audit log is recomputed, leaf by leaf")
        self._say(self._deployment.command("audit", "verify").strip())

    def _track(self, items: Sequence[Item], what: str) -> Iterable[Item]:
        hidden = not self._console.is_terminal
        return track(items, what, console=self._console, transient=True, disable=hidden)

    def _chapter(self, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{title}", align="left")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def _table(self, name: str, value: str, rows: Mapping[str, object]) -> None:
        table = Table(name, value)
        for key, number in rows.items():
            table.add_row(key, str(number))
        self._console.print(table)


def _names(people: list[str]) -> str:
    return ", ".join(people) or "nobody"
