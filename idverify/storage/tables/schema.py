"""What all tables share: the naming of constraints, and the columns that most of them have."""

from sqlalchemy import Column, ForeignKey, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def of(name: str, target: str, *, primary_key: bool = False, index: bool = False) -> Column[str]:
    """A column that points at another table's row and goes with it."""
    return Column(
        name, String, ForeignKey(target, ondelete="CASCADE"), nullable=False, primary_key=primary_key, index=index
    )
