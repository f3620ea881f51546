from collections import Counter

import pytest

from kb.measure.flood import Flood, measure
from kb.measure.progress import Progress
from kb.settings import Settings


def test_what_is_told_of_a_flood() -> None:
    found = Flood(seconds=60, asked_per_s=300, calm_s=20, calm_ms=[5.0] * 100, others_ms=[10.0] * 98 + [500.0] * 2)
    found.others, found.flooder = Counter({200: 100}), Counter({200: 30, 429: 90})
    found.memory = [(float(second), 100 + second / 60) for second in range(60)]
    told = found.as_json()
    assert told["flooder"]["refused_with_429"] == 0.75
    assert (told["others"]["p50_ms"], told["others"]["p95_ms"], told["others"]["max_ms"]) == (10.0, 10.0, 500.0)
    assert told["others"]["before_the_flood"]["p99_ms"] == 5.0
    assert told["memory_mb"]["slope_per_minute"] == 1.0


@pytest.mark.slow
def test_a_flood_is_refused_and_the_others_are_answered() -> None:
    settings = Settings(_env_file=None, rate_per_key=6, rate_burst_s=1)  # type: ignore[call-arg]
    told = measure(settings, 5, Progress(), articles=20)
    assert told["others"]["statuses"].keys() == {"200"}
    assert told["flooder"]["refused_with_429"] > 0.2
