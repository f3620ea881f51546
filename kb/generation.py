"""Generations of the index: the one that answers, the one being built beside it, those given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class GenerationState(StrEnum):
    """The life of an index."""

    WANTED = "wanted"
    BUILDING = "building"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Generation:
    """One index and what it was built with. Another encoder or analyzer means another generation.

    `average_length` is the tokens a passage that its BM25 weights were computed with, `tuning` what calibration chose
    for it. `touched_at` moves while it is built, so that an abandoned build can be told from a slow one.
    """

    name: str
    state: GenerationState
    created_at: datetime
    touched_at: datetime
    encoder: str = ""
    encoder_name: str = ""
    dimension: int = 0
    analyzer: str = ""
    average_length: float = 0.0
    live_at: datetime | None = None
    tuning: Mapping[str, Any] = field(default_factory=dict)
