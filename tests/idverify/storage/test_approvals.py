"""Two administrators, on both databases: who may confirm what, once and in time, and what is left on record."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from idverify.access import Access
from idverify.administration.approvals import LIFETIME, Act, Approvals, Proposal
from idverify.audit.events import Event, EventKind
from idverify.errors import Conflict, IdverifyError, NotFound, NotPermitted, RecordRolledBack
from idverify.ids import ClientId, RequestId
from idverify.storage import audit_log, deployment
from idverify.storage.database import Connection
from idverify.stored.audit_journal import Journal

if TYPE_CHECKING:
    from tests.idverify.storage.conftest import StoredDeployment

ROOT = {"root": "0123456789abcdef"}
_requests = count(1)


def by(clerk: str | None, **others: ClientId) -> Access:
    return Access(RequestId(f"request-{next(_requests)}"), "administration", clerk=clerk, **others)


class Office:
    """Approvals over one deployed, with a clock to turn and a list of what was done."""

    def __init__(self, deployed: "StoredDeployment", now: datetime) -> None:
        self.deployed = deployed
        self.now = now
        self.done: list[str] = []
        self.approvals = Approvals(deployed.database, Journal(deployed.envelope, deployed.signer, self._clock))

    def propose(self, clerk: str | None = "amara", act: Act = Act.DESTROY_ROOT_KEY) -> str:
        return self.approvals.propose(act, ROOT, by(clerk)).proposal

    def confirm(self, proposal: str, clerk: str = "binta") -> str:
        return self.approvals.confirm(proposal, by(clerk), self._perform)

    def events(self) -> list[Event]:
        with self.deployed.database.read() as connection:
            return list(audit_log.leaves_after(connection, -1))

    def sql(self, statement: str, **values: str) -> None:
        with self.deployed.database.write() as connection:
            connection.execute(text(statement), values)

    def state(self, proposal: str) -> str:
        return self.approvals.get(proposal).state

    def _clock(self) -> datetime:
        return self.now

    def _perform(self, connection: Connection, proposal: Proposal) -> str:
        assert proposal.parameters == ROOT
        self.done.append(proposal.proposal)
        return "done"


@pytest.fixture
def office(deployed: "StoredDeployment", now: datetime) -> Office:
    return Office(deployed, now)


def test_what_one_proposes_another_confirms_and_both_stand_in_the_log(office: Office) -> None:
    proposal = office.propose()
    assert (office.state(proposal), office.done) == ("open", [])
    assert office.confirm(proposal) == "done"
    found = office.approvals.get(proposal)
    assert (found.state, found.proposer, found.decider) == ("confirmed", "amara", "binta")
    proposed, confirmed = office.events()
    assert (proposed.event, proposed.clerk) == (EventKind.APPROVAL_PROPOSED, "amara")
    assert (proposed.policy, proposed.reason) == ("keys.destroy", '{"root":"0123456789abcdef"}')
    assert (confirmed.event, confirmed.clerk) == (EventKind.APPROVAL_CONFIRMED, "binta")
    assert proposed.records == confirmed.records == {f"approvals/{proposal}": found.digest}
    assert found.digest.startswith(proposal)


def test_the_same_administrator_twice_is_refused_and_on_record(office: Office) -> None:
    proposal = office.propose()
    with pytest.raises(NotPermitted, match="another administrator"):
        office.confirm(proposal, "amara")
    assert (office.done, office.state(proposal)) == ([], "open")
    refused = office.events()[-1]
    assert (refused.event, refused.clerk, refused.reason) == (
        EventKind.APPROVAL_REFUSED,
        "amara",
        "same_administrator",
    )
    assert office.confirm(proposal) == "done"


def test_a_proposal_is_done_once(office: Office) -> None:
    proposal = office.propose()
    office.confirm(proposal)
    with pytest.raises(Conflict, match="propose again"):
        office.confirm(proposal, "chidi")
    assert (office.done, office.events()[-1].reason) == ([proposal], "closed")


def test_of_two_who_confirm_at_once_one_does_it(office: Office) -> None:
    proposal = office.propose()
    start, faults = threading.Barrier(2), list[IdverifyError]()

    def confirm(clerk: str) -> None:
        start.wait()
        try:
            office.confirm(proposal, clerk)
        except IdverifyError as error:
            faults.append(error)

    threads = [threading.Thread(target=confirm, args=(clerk,)) for clerk in ("binta", "chidi")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert office.done == [proposal]
    assert [type(fault) for fault in faults] == [Conflict]


@pytest.mark.parametrize(("late_ms", "refused"), [(-1, False), (0, True)])
def test_a_proposal_is_open_for_a_day(office: Office, late_ms: int, refused: bool) -> None:
    proposal = office.propose()
    office.now += LIFETIME + timedelta(milliseconds=late_ms)
    if not refused:
        assert office.confirm(proposal) == "done"
        return
    assert office.state(proposal) == "expired"
    with pytest.raises(Conflict, match="expired"):
        office.confirm(proposal)
    assert (office.done, office.events()[-1].reason) == ([], "expired")


@pytest.mark.parametrize(
    "change",
    [
        """parameters = '{"root":"ffffffffffffffff"}'""",
        "act = 'audit.export'",
        "proposer = 'somebody-else'",
        "expires_at = '2999-01-01T00:00:00.000Z'",
        "proposed_at = '2026-11-22T00:00:00.000Z'",
        "request = 'another'",
    ],
)
def test_a_proposal_altered_in_the_database_is_refused(office: Office, change: str) -> None:
    proposal = office.propose()
    office.sql(f"UPDATE approvals SET {change}")
    with pytest.raises(RecordRolledBack):
        office.approvals.get(proposal)
    with pytest.raises(RecordRolledBack, match="not what the audit log says"):
        office.confirm(proposal, "chidi")
    assert (office.done, office.events()[-1].reason) == ([], "altered")


def test_a_proposal_that_was_never_logged_is_refused(office: Office) -> None:
    proposal = office.propose()
    found = office.approvals.get(proposal)
    office.sql("UPDATE approvals SET proposer = 'nobody'")
    (forged,) = (one.proposal for one in office.approvals.list())
    assert forged != found.proposal
    office.sql("UPDATE approvals SET proposal = :forged", forged=forged)
    with pytest.raises(RecordRolledBack):
        office.confirm(forged, "amara")
    assert office.done == []


def test_one_proposal_put_in_the_place_of_another_is_refused(office: Office) -> None:
    harmless, harmful = office.propose("amara"), office.propose("amara", Act.EXPORT_AUDIT_LOG)
    office.sql("DELETE FROM approvals WHERE proposal = :id", id=harmless)
    office.sql("UPDATE approvals SET proposal = :id", id=harmless)
    assert [one.proposal for one in office.approvals.list()] == [harmful]
    with pytest.raises(RecordRolledBack):
        office.confirm(harmless)
    assert office.done == []


def test_a_confirmed_proposal_that_was_opened_again_in_the_database_is_refused(office: Office) -> None:
    proposal = office.propose()
    office.confirm(proposal)
    office.sql("UPDATE approvals SET state = 'open', decider = NULL, decided_at = NULL")
    with pytest.raises(Conflict, match="confirmed or withdrawn before"):
        office.confirm(proposal, "chidi")
    assert office.done == [proposal]


def test_an_act_that_fails_leaves_its_proposal_open_and_nothing_on_record(office: Office) -> None:
    proposal = office.propose()
    before = office.events()

    def fail(_connection: Connection, _proposal: Proposal) -> None:
        raise Conflict("the world has changed")

    with pytest.raises(Conflict, match="the world has changed"):
        office.approvals.confirm(proposal, by("binta"), fail)
    assert (office.events(), office.state(proposal)) == (before, "open")
    assert office.confirm(proposal) == "done"


@pytest.mark.parametrize("clerk", ["amara", "binta"])
def test_every_administrator_may_withdraw_and_then_nobody_confirms(office: Office, clerk: str) -> None:
    proposal = office.propose()
    office.approvals.withdraw(proposal, by(clerk))
    assert office.events()[-1].event is EventKind.APPROVAL_WITHDRAWN
    acts: tuple[Callable[[], object], ...] = (
        lambda: office.confirm(proposal),
        lambda: office.approvals.withdraw(proposal, by("chidi")),
    )
    for act in acts:
        with pytest.raises(Conflict):
            act()
    assert (office.done, office.state(proposal)) == ([], "withdrawn")


def test_the_same_act_proposed_twice_is_two_proposals(office: Office) -> None:
    first, second = office.propose(), office.propose()
    assert first != second
    assert [one.proposal for one in office.approvals.list()] in ([first, second], [second, first])
    office.confirm(second)
    assert (office.state(first), office.done) == ("open", [second])


@pytest.mark.parametrize("access", [by(None), by(""), by("amara", client=ClientId("revenue-authority"))])
def test_nobody_proposes_or_confirms_without_a_name_or_as_a_client(office: Office, access: Access) -> None:
    with pytest.raises(NotPermitted, match="named administrator"):
        office.approvals.propose(Act.EXPORT_AUDIT_LOG, {}, access)
    with pytest.raises(NotPermitted, match="named administrator"):
        office.approvals.confirm(office.propose(), access, lambda *_: None)


def test_an_unknown_proposal_says_where_to_look(office: Office) -> None:
    with pytest.raises(NotFound, match="idverify approvals list"):
        office.confirm("0" * 16)
    with office.deployed.database.read() as connection:
        assert deployment.find(connection) is not None
    assert office.events() == []
