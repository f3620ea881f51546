"""What calibration chose for an index: how much each field counts, and each leg, by language of the question.

Stored with the generation as JSON; anything missing or out of bounds is the default, so that an index of an earlier
or later version still answers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from kb.search.fusion import Weights

T = TypeVar("T", "FieldWeights", Weights)

_BOUNDS = (0.0, 10.0)


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """How often a word counts that stands in the title, a heading, the issue statement; one in other text counts once.

    `stretch` is how much longer that makes an average passage: BM25 measures a length against the average.
    """

    title: float = 1.0
    heading: float = 1.0
    issue: float = 1.0
    stretch: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether all fields count alike."""
        return self.title == self.heading == self.issue == 1.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """The choice. `legs` has the weights by language family of the question ("en", "zh"); `note` says how they were
    found, for people."""

    fields: FieldWeights = FieldWeights()
    legs: Mapping[str, Weights] = field(default_factory=dict)
    note: Mapping[str, Any] = field(default_factory=dict)

    def weights(self, family: str) -> Weights:
        """The weights of the legs for questions in that language."""
        return self.legs.get(family) or Weights()

    def as_json(self) -> dict[str, Any]:
        """What is stored; {} for the defaults."""
        found: dict[str, Any] = {}
        if self.fields != FieldWeights():
            found["fields"] = asdict(self.fields)
        if self.legs:
            found["legs"] = {family: asdict(weights) for family, weights in self.legs.items()}
        return found | ({"note": dict(self.note)} if self.note else {})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Tuning":
        """What `as_json` gave."""
        legs = stored.get("legs")
        return cls(
            _known(FieldWeights, stored.get("fields")),
            {str(family): _known(Weights, each) for family, each in legs.items()} if isinstance(legs, Mapping) else {},
            note if isinstance(note := stored.get("note"), Mapping) else {},
        )


def _known(kind: type[T], stored: object) -> T:
    """The numbers that mean something."""
    found = stored if isinstance(stored, Mapping) else {}
    low, high = _BOUNDS
    names = {each.name for each in fields(kind)}
    return kind(
        **{
            name: float(value)
            for name, value in found.items()
            if name in names and isinstance(value, int | float) and low <= value <= high
        }
    )
