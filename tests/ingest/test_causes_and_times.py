"""How a cause and a time are read that somebody wrote elsewhere."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.causes import cause_of
from ingest.times import Calendar
from kb.errors import Invalid
from kb.flag import Cause

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("named", "said", "has_article", "cause"),
    [
        ("outdated", "", True, Cause.WRONG_FACT),
        ("Wrong_Fact", "", True, Cause.WRONG_FACT),
        ("過時", "", True, Cause.WRONG_FACT),
        ("unclear", "this is outdated", True, Cause.HARD_TO_USE),
        ("missing", "", True, Cause.HARD_TO_USE),
        ("missing", "", False, Cause.NOTHING_ANSWERS),
        ("nothing answers", "", True, Cause.WRONG_ARTICLE),
        ("", "The price is no longer 12 euros", True, Cause.WRONG_FACT),
        ("", "这里的价格已经过时了", True, Cause.WRONG_FACT),
        ("", "客戶能看到這段", True, Cause.INTERNAL_SHOWN),
        ("", "not sure what this means", True, Cause.HARD_TO_USE),
        ("not sure", "", True, Cause.HARD_TO_USE),
        ("The price is wrong, says the customer", "", True, Cause.WRONG_FACT),
        ("wronged", "", True, Cause.HARD_TO_USE),
    ],
)
def test_a_cause_is_read_by_name_then_by_rule(named: str, said: str, has_article: bool, cause: Cause) -> None:
    assert cause_of(named, said, has_article) is cause


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T12:00:00Z", "2026-03-14 20:00:00+08:00", "2026-03-14 12:00", "2026/3/14 12:00", "14.03.2026 12:00",
        "2026年3月14日 下午8:00 +0800", "03/14/2026 12:00 PM", "14/03/2026, 12:00:00", "1773489600", "1773489600000",
        "Sat, 14 Mar 2026 12:00:00 +0000", "2026-03-14T20:00:00.000+0800", "2026-03-14 20:00 Asia/Shanghai",
        "2026-03-14T12:00:00.123456Z", "2026-03-14 12:00:00 UTC",
    ],
)  # fmt: skip
def test_times_of_any_common_form_are_understood(text: str) -> None:
    assert Calendar().moment(text, LATER).replace(microsecond=0) == datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_a_time_that_may_be_two_is_none_until_it_is_said_which() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    with pytest.raises(Invalid, match="--day-first"):
        Calendar().moment("3/4/2026", LATER)
    assert Calendar(shanghai, day_first=True).moment("3/4/2026 8:00", LATER) == datetime(2026, 4, 3, tzinfo=UTC)
    assert Calendar(day_first=False).moment("3/4/2026", LATER) == datetime(2026, 3, 4, tzinfo=UTC)
    for text in ("soon", "2026-13-01", "31.02.2026", "12", "2031-01-01"):
        with pytest.raises(Invalid):
            Calendar().moment(text, LATER)
