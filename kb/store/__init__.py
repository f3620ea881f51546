"""Keeps: the system of record in SQL. The only package that imports SQLAlchemy."""
