"""Keeps: the system of record in SQL. The only package that imports SQLAlchemy."""

from kb.store import case_tables, queue_tables, schema, upkeep_tables, webhook_tables

__all__ = [
    "case_tables",
    "queue_tables",
    "schema",
    "upkeep_tables",
    "webhook_tables",
]  # whoever reads the schema of the store reads all of it
