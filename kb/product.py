"""Products: what customers own and ask about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One product. `key` is how articles name it ("hub-6"); `models` are the identifiers printed on it."""

    key: str
    name: str
    models: tuple[str, ...] = ()
    description: str = ""
