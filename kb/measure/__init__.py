"""Measures: how well we find (`evaluation`) and how fast (`speed`), both over the production path."""
