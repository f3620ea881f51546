from kb.measure.progress import Progress
from kb.measure.queue import bench


def test_the_queue_of_a_small_record_is_filled_and_timed() -> None:
    found = bench(60, 300, 2, Progress())
    assert {kind for kind, many in found["lines"].items() if not many} == set()
    timed = {name for name, value in found.items() if isinstance(value, dict) and "p95_ms" in value}
    assert {"first_page", "mine", "counts"} <= timed
