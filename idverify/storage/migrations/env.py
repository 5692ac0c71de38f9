"""Runs the migrations on the connection that `Database.migrate` hands over, in its transaction, and on no other."""

from alembic import context

from idverify.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
