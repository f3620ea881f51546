"""Brings content in from files and other systems."""
