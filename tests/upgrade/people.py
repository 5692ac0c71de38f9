"""The people of the fixture and the agencies that ask about them: enrolment, answers that are kept, caps, erasure."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from idverify.clients.agencies import Scope
from idverify.clients.credentials import Credential
from idverify.ids import ClientId, PersonId
from idverify.storage.persons import PersonStatus
from tests.deployments import PAYROLL, REGISTER
from tests.proofs import assertion, pem, private_pem
from tests.upgrade.callers import PURPOSE, agency, search, verify
from tests.upgrade.making import Making, administrator
from tests.upgrade.photographs import portrait

REGISTERED = {"C-1": 1, "C-2": 2, "C-3": 3, "C-4": 4, "C-5": 5, "C-6": 6, "C-7": 7, "C-8": 8, "C-9": 9, "C-10": 10}
"""In the register, and which rendered citizen each of them is."""
PAID = {"C-2": 2} | {f"P-{seed}": seed for seed in range(21, 26)} | {f"GHOST-{seed}": seed for seed in range(21, 26)}
"""In the payroll, the ghosts with a face that was there before under another number."""
_AGENCIES = {
    "registration-office": (Scope.ENROL, Scope.PERSONS_ERASE, Scope.AUDIT_READ),
    "revenue-authority": (Scope.VERIFY,),
    "police": (Scope.IDENTIFY,),
    "auditor": (Scope.DUPLICATES_READ,),
}
_GATEWAY = "pension-gateway"
SEARCHES_A_DAY = 2
_ASKED_ABOUT = {"C-1": 1, "C-2": 2, "C-3": 3, "C-6": 6, "C-7": 7, "C-8": 8, "C-10": 10, "V-31": 31}
_ALMOST_C_4 = 363
"""A citizen whose face is about as like that of C-4 as the threshold asks for."""


def found_agencies(making: Making) -> None:
    """Clients with a key of ours, one of them with a small quota of searches, and one with a public key of its own."""
    clients = making.register.engine.clients
    both, keys = (REGISTER, PAYROLL), {}
    for name, scopes in _AGENCIES.items():
        sees = name == "auditor"
        _, keys[name] = clients.add(
            name, scopes=scopes, galleries=both, purposes=[PURPOSE], sees_scores=sees, access=administrator()
        )
    clients.limit(ClientId("police"), administrator(), requests_per_minute=None, identifications_per_day=SEARCHES_A_DAY)
    private = Ed25519PrivateKey.generate()
    clients.add(
        _GATEWAY,
        scopes=[Scope.VERIFY],
        galleries=both,
        purposes=[PURPOSE],
        sees_scores=False,
        access=administrator(),
        proofs=[Credential.of_public_key(pem(private))],
    )
    making.facts["keys"] = keys
    making.facts["gateway"] = {
        "client": _GATEWAY,
        "private_key": private_pem(private).decode(),
        "issuer": making.register.engine.deployment.issuer,
    }


def enrol(making: Making, person: str, seed: int, *, day: int = 1, gallery: str = REGISTER) -> str:
    """By the registration office; what came of it."""
    with agency(making.site, making.facts["keys"]["registration-office"]) as office:
        answer = office.post(
            f"/v1/persons/{person}/encounters",
            data={"gallery": gallery, "purpose": PURPOSE},
            files=[("images", portrait(seed, day))],
        )
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return " ".join([told["outcome"], *told["review_reasons"]])


def enrol_everybody(making: Making) -> None:
    """Two galleries; C-1 comes twice, and C-4 comes back with another face. C-5 is deceased, C-9 erased."""
    outcomes = {f"{person} in {REGISTER}": enrol(making, person, seed) for person, seed in REGISTERED.items()}
    outcomes |= {
        f"{person} in {PAYROLL}": enrol(making, person, seed, day=2 if person[0] == "G" else 1, gallery=PAYROLL)
        for person, seed in PAID.items()
    }
    outcomes["C-1 again"] = enrol(making, "C-1", 1, day=2)
    outcomes["C-4 again"] = enrol(making, "C-4", 44)
    making.facts["outcomes"] = outcomes
    making.register.engine.persons.set_status(PersonId("C-5"), PersonStatus.DECEASED, administrator())
    erase(making, "C-9")


def erase(making: Making, person: str) -> None:
    """By the registration office."""
    with agency(making.site, making.facts["keys"]["registration-office"]) as office:
        answer = office.delete(f"/v1/persons/{person}", params={"purpose": PURPOSE})
    assert answer.status_code == 200, answer.text


def keep_photographs(making: Making) -> None:
    """Those that the tests ask about, because what draws them may change: each person on a later day."""
    for person, seed in _ASKED_ABOUT.items():
        making.keep(f"{person}.jpg", portrait(seed, 3))
    making.keep("almost-C-4.jpg", portrait(_ALMOST_C_4, 1))


def keep_answer(making: Making, person: str, name: str) -> None:
    """A verification under an Idempotency-Key: the answer as it came, with its signed receipt."""
    once = f"key-of-the-answer-{name}"
    with agency(making.site, making.facts["keys"]["revenue-authority"]) as office:
        answer = verify(office, person, portrait(REGISTERED[person], 3), once=once)
        jwks = office.get("/.well-known/jwks.json")
    assert answer.json()["outcome"] == "match", answer.text
    making.facts.setdefault("answers", {})[name] = {
        "person": person,
        "once": once,
        "file": making.keep(f"answer-{name}.json", answer.content),
        "jwks": making.keep(f"jwks-{name}.json", jwks.content),
    }


def use_up(making: Making) -> None:
    """C-6 was asked about as often as a day allows, C-7 failed too often in a row, C-4 had too many close calls, and
    the police searched too often. C-8 is short of what locks by one failure.
    """
    settings, keys = making.register.settings, making.facts["keys"]
    with agency(making.site, keys["revenue-authority"]) as office:
        day = settings.verifications_per_person_per_day
        answers = [verify(office, "C-6", portrait(6, 3)).status_code for _ in range(day + 1)]
        assert answers == [200] * day + [429]
        failures = settings.consecutive_failures_per_person
        for _ in range(failures):
            assert verify(office, "C-7", portrait(1, 3)).json()["outcome"] == "no_match"
        assert verify(office, "C-7", portrait(7, 3)).status_code == 423
        for _ in range(settings.close_calls_per_person_per_year):
            assert verify(office, "C-4", portrait(_ALMOST_C_4, 1)).json()["outcome"] == "no_match"
        assert verify(office, "C-4", portrait(4, 3)).status_code == 423
        for _ in range(failures - 1):
            assert verify(office, "C-8", portrait(1, 3)).json()["outcome"] == "no_match"
    with agency(making.site, keys["police"]) as police:
        searches = [search(police, portrait(3, 3)).status_code for _ in range(SEARCHES_A_DAY + 1)]
        assert searches == [200] * SEARCHES_A_DAY + [429]


def write_down_people(making: Making) -> None:
    """What the registration office is told of everybody, None of whom is not there, and who looked at C-1."""
    told, params = {}, {"purpose": PURPOSE}
    with agency(making.site, making.facts["keys"]["registration-office"]) as office:
        for person in (*REGISTERED, *PAID, "C-11", "GHOST-6", "V-31", "V-32", "V-33"):
            answer = office.get(f"/v1/persons/{person}", params=params)
            told[person] = answer.json() if answer.status_code == 200 else None
        making.facts["accesses_of_C-1"] = office.get("/v1/persons/C-1/accesses", params=params).json()["accesses"]
    making.facts["people"] = told


def keep_token(making: Making) -> None:
    """An access token of the gateway, which is good for five minutes, and its assertion, which is used up."""
    gateway = making.facts["gateway"]
    now_s = making.register.clock.now.timestamp()
    proof = assertion(gateway["private_key"], gateway["client"], gateway["issuer"], now_s=now_s, exp=int(now_s) + 300)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": proof,
    }
    with agency(making.site, "") as nobody:
        answer = nobody.post("/oauth/token", data=form)
    assert answer.status_code == 200, answer.text
    gateway |= {"used_assertion": proof, "token": answer.json()["access_token"]}
