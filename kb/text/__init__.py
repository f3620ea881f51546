"""Markdown to passages to tokens. Pure: no files, no network, no clock."""
