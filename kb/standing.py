"""Where an item stands right now: what confirming and ranking a hit need to know, for any kind of content."""

from dataclasses import dataclass
from datetime import datetime

from kb.audience import Access
from kb.case import OpenCase
from kb.passage import ItemRef


@dataclass(frozen=True, slots=True)
class Standing:
    """The present state of one item, as the record has it.

    `revision` is the one readers see; `live` whether they may be shown it at all. `label` is what people call it:
    an article's number, empty for others. `trust` in [0, 1] is the standing of the source (1 for our own articles),
    `resolved` counts interactions that it resolved. `changed_at` is when the shown text was published.
    `open_case` is a severe case about it that is to do: staff are warned, and it ranks lower meanwhile.
    """

    item: ItemRef
    revision: int
    access: Access
    live: bool
    title: str
    changed_at: datetime
    label: str = ""
    confidence: str = ""
    governance: str = ""
    superseded_by: ItemRef | None = None
    source: str = ""
    author: str = ""
    url: str = ""
    trust: float = 1.0
    resolved: int = 0
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    open_case: OpenCase | None = None

    @property
    def superseded(self) -> bool:
        """Whether something else has taken its place."""
        return self.superseded_by is not None
