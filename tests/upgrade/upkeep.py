"""The administrators of the fixture: other keys, proposals, a backup, and what of the audit log is kept elsewhere."""

from idverify import keys
from idverify.access import no_progress
from idverify.administration import dual_control
from idverify.administration.backup import make_backup
from idverify.storage import audit_log
from tests.deployments import PAYROLL, REGISTER
from tests.upgrade.making import Making, administrator

_FIRST, _SECOND = "admin.one", "admin.two"


def change_keys(making: Making) -> None:
    """`idverify keys rotate` and `rewrap`; the service must be started again."""
    opened = making.register.engine.deployment
    keys.rotate(opened.database, making.register.settings.root_keys, opened.keys, opened.journal, administrator())
    making.register.close()
    opened = making.register.engine.deployment
    keys.rewrap(opened.database, opened.keys, opened.journal, administrator(), no_progress)
    making.register.close()


def propose(making: Making) -> None:
    """One change that a second administrator confirmed, one that waits for one."""
    opened = making.register.engine.deployment
    stricter = dual_control.propose_gallery_change(
        opened, PAYROLL, {"identification_fpir": 1e-4}, administrator(_FIRST)
    )
    dual_control.confirm(opened, stricter.proposal, administrator(_SECOND))
    waiting = dual_control.propose_gallery_change(opened, REGISTER, {"verification_fmr": 1e-5}, administrator(_FIRST))
    making.facts["proposals"] = {
        "confirmed": stricter.proposal,
        "open": waiting.proposal,
        "proposer": _FIRST,
        "second": _SECOND,
    }


def back_up(making: Making) -> None:
    """`idverify backup`, with a copy of the root key file of the day."""
    opened, file = making.register.engine.deployment, making.kept / "of-the-day.backup"
    made = make_backup(
        opened.database,
        making.register.settings.root_keys,
        opened.keys,
        opened.journal,
        administrator(),
        file,
        no_progress,
    )
    making.facts["backup"] = {"file": file.name, "leaves": made.leaves}


def keep_log(making: Making) -> None:
    """`idverify audit export`, by two administrators, and `idverify audit checkpoint`."""
    opened, file = making.register.engine.deployment, making.kept / "audit.jsonl"
    proposed = dual_control.propose_export(opened, file, administrator(_FIRST))
    dual_control.confirm(opened, proposed.proposal, administrator(_SECOND))
    with opened.database.read() as connection:
        note = audit_log.checkpoint(connection)
    assert note is not None
    making.facts["log"] = {
        "export": file.name,
        "checkpoint": making.keep("printed.checkpoint", note.encode()),
        "leaves": len(file.read_bytes().splitlines()),
    }
