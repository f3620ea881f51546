import pytest

from kb.errors import Invalid
from kb.topic import Topic, check_topic_path


@pytest.mark.parametrize("path", ["", "tv", "broadband/faults", "a-b/c_d/9", "寬頻/故障", "/".join("abcdefgh")])
def test_a_good_path_is_taken_as_it_is(path: str) -> None:
    assert check_topic_path(path) == path


@pytest.mark.parametrize(
    "path", ["TV", "tv/", "/tv", "tv//faults", "tv faults", " tv", "tv/ x", "/", "/".join("abcdefghi")]
)
def test_a_bad_path_is_refused_with_an_example(path: str) -> None:
    with pytest.raises(Invalid, match="broadband/faults") as refused:
        check_topic_path(path)
    assert refused.value.field == "topic"


def test_a_topic_knows_the_one_above() -> None:
    assert Topic("tv/faults/sound").parent == "tv/faults"
    assert Topic("tv").parent == ""
