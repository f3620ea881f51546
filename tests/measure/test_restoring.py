from pathlib import Path

from kb.measure.progress import Progress
from kb.measure.restoring import measure
from kb.settings import Settings


def test_a_restored_record_answers_every_question_the_same(tmp_path: Path) -> None:
    found = measure(Settings(data_dir=tmp_path), 300, Progress(), questions=100)
    assert found["articles"] == 300
    assert found["passages"] > 600
    assert found["hits"] > 500
    assert found["answered_the_same"] == found["questions"] == 100
    assert found["total_s"] >= found["backup_s"] + found["restore_s"]
