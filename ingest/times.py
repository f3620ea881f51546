"""Times as people and programs write them, with their zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kb.errors import Invalid

_CLOCK = r"(?P<hour>\d{1,2})[:时時点點](?P<minute>\d{1,2})分?(?::?(?P<second>\d{1,2})秒?(?:[.,](?P<fraction>\d+))?)?"
_HALF = r"(?P<half>[aApP]\.?[mM]\.?|上午|下午|凌晨|中午|晚上|早上)"
_ZONE = r"(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_/+-]+\d*)"
_WHEN = re.compile(
    r"(?:(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
    r"|(?P<one>\d{1,2})(?P<sign>[-/.])(?P<other>\d{1,2})(?P=sign)(?P<late>\d{4}))"
    rf"(?:[T,\s]*(?:{_HALF}\s*)?{_CLOCK}(?:\s*(?P<after>[aApP]\.?[mM]\.?))?)?(?:\s*\[?{_ZONE}\]?)?"
)
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?")
_MILLISECONDS = re.compile(r"\d{12,13}")
_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a file writes times: the `zone` of those that name none, and whether the day comes first in 3/4/2026 (None:
    it is not known, and such a date is refused)."""

    zone: tzinfo = UTC
    day_first: bool | None = None

    def moment(self, text: str, now: datetime) -> datetime:
        """A time, in UTC; raises Invalid for what is none, may be two, or has not come yet."""
        try:
            found = self._read(text.strip())
        except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
            raise Invalid(f"'{text[:40]}' is no time such as 2026-03-14T12:00:00+08:00", "time") from None
        if found > now + _SKEW:
            raise Invalid(f"'{text[:40]}' has not come yet", "time")
        return found

    def _read(self, text: str) -> datetime:
        if _MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        match = _WHEN.fullmatch(text)
        try:
            found = self._matched(match) if match else datetime.fromisoformat(text)
        except ValueError:
            if match:
                raise
            found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)

    def _matched(self, match: re.Match[str]) -> datetime:
        part = match.groupdict()
        year, month, day = (
            self._day(match) if part["year"] is None else _three(part["year"], part["month"], part["day"])
        )
        hour = int(part["hour"] or 0)
        half = (part["half"] or part["after"] or "").lower().replace(".", "")
        if half:
            late = half in ("pm", "下午", "晚上", "中午")
            hour = hour + 12 if late and hour < 12 else 0 if not late and hour == 12 else hour
        zone = _zone(part["zone"]) if part["zone"] else None
        clock = (
            hour,
            int(part["minute"] or 0),
            int(part["second"] or 0),
            int((part["fraction"] or "")[:6].ljust(6, "0")),
        )
        return datetime(year, month, day, *clock, tzinfo=zone)

    def _day(self, match: re.Match[str]) -> tuple[int, int, int]:
        one, other, year = int(match["one"]), int(match["other"]), int(match["late"])
        day_first = True if match["sign"] == "." or one > 12 else False if other > 12 else self.day_first
        if day_first is None and one != other:
            raise Invalid(f"'{match[0]}' may be two days; say --day-first or --month-first", "time")
        return (year, other, one) if day_first else (year, one, other)


def _three(*numbers: str) -> tuple[int, int, int]:
    one, two, three = map(int, numbers)
    return one, two, three


def zone_named(text: str) -> tzinfo:
    """The zone of a name such as "Asia/Shanghai" or "+08:00"; raises Invalid."""
    try:
        return _zone(text)
    except (ValueError, ZoneInfoNotFoundError):
        raise Invalid(f"'{text[:40]}' is no zone such as Asia/Shanghai or +08:00", "zone") from None


def _zone(text: str) -> tzinfo:
    bare = re.sub("^(UTC|GMT)(?=[+-])", "", text, flags=re.IGNORECASE)
    if bare.upper() in ("Z", "UTC", "GMT"):
        return UTC
    offset = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", bare)
    if offset is None:
        return ZoneInfo(bare)
    hours = f"{offset[1]}{int(offset[2]):02d}{offset[3] or '00'}"
    return datetime.strptime(hours, "%z").tzinfo or UTC
