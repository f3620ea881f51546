"""Keeps: the system of record in SQL. The only package that imports SQLAlchemy."""

from kb.store import case_tables as case_tables  # so that whoever walks the schema meets all tables
