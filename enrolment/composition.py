"""Makes the enroller and imports of an opened engine, each of the parts that it needs; it decides nothing.

Commands, the API and the packages beside it call this; no flow imports the engine.
"""

from pathlib import Path

from enrolment.bulk_import import BulkImport
from enrolment.enroller import Enroller, Transaction
from idverify.access import Access
from idverify.engine import Engine
from idverify.ids import GalleryId


def enroller(engine: Engine, transaction: Transaction | None = None) -> Enroller:
    """`transaction`: what each enrolment is done in (none: `Database.write`)."""
    return Enroller(
        engine.database,
        engine.galleries,
        engine.reader,
        engine.searches,
        engine.stored_persons,
        engine.encounters,
        engine.journal,
        transaction or engine.database.write,
    )


def bulk_import(engine: Engine, gallery: GalleryId, source: Path, access: Access) -> BulkImport:
    """The import of one folder or CSV file into one gallery."""
    return BulkImport(
        engine.database,
        engine.galleries,
        engine.journal,
        enroller(engine),
        gallery=gallery,
        source=source,
        access=access,
    )
