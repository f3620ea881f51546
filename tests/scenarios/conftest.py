"""KCS's demo scenarios, each played from end to end in a house of its own."""

from tests.api.conftest import house

__all__ = ["house"]
