"""What each part stores or prints under a secret of its purpose is, to the byte, what the first release made of it.

The literals were computed by the code of the first release from the keys of `tests.keyrings`; none may ever change.
"""

from enrolment.station.receipt_codes import ReceiptCodes
from idverify.clients.agencies import Clients
from idverify.clients.credentials import secret_hmac
from idverify.clients.keys import ClientKeys
from idverify.clients.limits import AttemptLimits, Limits
from idverify.clients.tokens import Tokens
from idverify.ids import ClientId, EncounterId, PersonId, Pseudonym
from idverify.protection.envelope import Envelope
from idverify.protection.visit_key import VisitKeys
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.kept_answers import KeptAnswers
from idverify.stored.persons import StoredPersons
from idverify.stored.station_drafts import StationDrafts
from staff.accounts.sessions import Sessions
from staff.accounts.throttle import Throttle
from tests.deployments import Clock, Register
from tests.keyrings import fixed_keyring

ANNA = PersonId("C-1")


def test_counters_of_attempts() -> None:
    limits = AttemptLimits(fixed_keyring(), Limits(1, 1, 1, 1, 1))
    assert limits._hash(ANNA).hex() == "762c7fc165261d3b36e42e2c7d7484b9baaef4a59ff11b1b7964553d0c40c0ea"


def test_counters_of_wrong_passwords() -> None:
    name = Throttle(fixed_keyring())._subject("thabo").hex()
    assert name == "f71e763fd980e270a2d2733b3917d11540fe54db787ceac76004d91879c52fcd"


def test_sessions(register: Register) -> None:
    sessions = Sessions(register.engine.database, register.engine.journal, register.settings, fixed_keyring())
    assert sessions.name_of("token").hex() == "7f674171b6a25530db36beff6379b6756c2a0bc964cb828e986cff4a9deb854b"


def test_kept_answers() -> None:
    answers = KeptAnswers(fixed_keyring(), Clock())
    with answers.turn(ClientId("tax-office"), "key-1", b"asked") as slot:
        assert slot.name.hex() == "09935f166d429472a7f10053796d7409d903f3023a1e57e65ff58e75423a27dd"
        assert slot.request.hex() == "8f4d0e8fabe9f17faf19966fbb4e684e55b2f44ca355209b776521097a4e5040"
    person = answers._person_hash(ANNA).hex()
    assert person == "8af3e685f030ac59c8ea257fb7349e64744a393719abeb441bf0bcf5985ff1e7"


def test_station_drafts() -> None:
    drafts = StationDrafts(VisitKeys("a deployment", fixed_keyring()), fixed_keyring(), Clock())
    assert drafts._person_hash(ANNA).hex() == "abbaf1802d749537a1fec76b08b8996e690c6045a9bea7afb566c717c103e428"


def test_pairs_of_persons() -> None:
    envelope = Envelope("a deployment", fixed_keyring())
    joint_sealing = JointSealing(envelope, StoredPersons(envelope), fixed_keyring())
    pair = joint_sealing.pair(Pseudonym("b" * 32), Pseudonym("a" * 32)).hex()
    assert pair == "8b268acba01e13e8f244c4ed98ce3dca247f42be405b1fb7ef45782ea22ad1d6"


def test_codes_on_printed_receipts() -> None:
    assert ReceiptCodes(fixed_keyring()).code(ANNA, EncounterId("e-1")) == "7AZL-ILGF-ORPD-4FBT"


def test_client_secrets(register: Register) -> None:
    stored = "723f228d66d0f98dd0b43d22396eda3938365077ed1737631b6ca62d2dca6b43"
    for holder in (Clients, ClientKeys):
        made = holder(register.engine.database, register.engine.journal, fixed_keyring())
        assert secret_hmac(made._hmac_key, b"secret").hex() == stored


def test_the_key_that_signs_access_tokens(register: Register) -> None:
    tokens = Tokens(register.engine.database, register.engine.journal, fixed_keyring(), "an issuer")
    assert tokens._header["kid"] == "7BYy-TMUGtMlAGha"
