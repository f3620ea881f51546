"""Which of our languages a browser's `Accept-Language` asks for (RFC 9110, section 12.5.4)."""

from kb.language import Language

# Chinese without a script subtag: where Traditional is written.
_TRADITIONAL_REGIONS = {"tw", "hk", "mo"}


def preferred(header: str) -> Language:
    """The language with the highest weight that we have; English when none is named or the header makes no sense."""
    best, best_weight = Language.ENGLISH, 0.0
    for part in header.split(","):
        tag, _, parameters = part.partition(";")
        language = closest(tag)
        weight = _weight(parameters)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def closest(tag: str) -> Language | None:
    """Our language for a BCP 47 tag such as "zh-HK" or "en-GB", or None if we have nothing close."""
    primary, *subtags = tag.strip().lower().replace("_", "-").split("-")
    if primary == "en":
        return Language.ENGLISH
    if primary != "zh":
        return None
    if "hant" in subtags or (_TRADITIONAL_REGIONS & set(subtags) and "hans" not in subtags):
        return Language.TRADITIONAL
    return Language.SIMPLIFIED


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
