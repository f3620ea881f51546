"""Topics: a tree to browse and to narrow a search by."""

from dataclasses import dataclass, field

from kb.errors import Invalid


@dataclass(frozen=True, slots=True)
class Topic:
    """A node of the tree. `path` names it and its place ("broadband/faults"); `names` are shown, by language."""

    path: str
    names: dict[str, str] = field(default_factory=dict)
    position: int = 0

    @property
    def parent(self) -> str:
        """The path above, or "" at the root."""
        return self.path.rpartition("/")[0]


def check_topic_path(path: str) -> str:
    """The path, if it is a good one ("", "a", "a/b-c"); raises Invalid otherwise."""
    parts = path.split("/") if path else []
    if len(parts) > 8 or any(not part or part != part.strip().lower() or " " in part for part in parts):
        raise Invalid(f"topic {path!r} is no path such as 'broadband/faults' (lower case, no spaces)", "topic")
    return path
