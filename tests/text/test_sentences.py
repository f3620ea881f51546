import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.sentences import LONGEST, sentences


def spoken(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hold reset. Wait! Is it green? Good.", ["Hold reset.", "Wait!", "Is it green?", "Good."]),
        ("It works now. then call us", ["It works now.", "then call us"]),
        ("Version 3.5 needs 1.5 GB. See v2.0.", ["Version 3.5 needs 1.5 GB.", "See v2.0."]),
        ("Ask Dr. Smith, e.g. by mail.", ["Ask Dr. Smith, e.g. by mail."]),
        ("Read No. 5. The answer is no. Stop.", ["Read No. 5.", "The answer is no.", "Stop."]),
        ("Open until 5 p.m. Call us.", ["Open until 5 p.m.", "Call us."]),
        ("Open until 5 p.m. every day.", ["Open until 5 p.m. every day."]),
        ("J. Smith wrote to Yahoo! in May.", ["J. Smith wrote to Yahoo! in May."]),
        ('He said "Stop." (Twice.) Then left.', ['He said "Stop."', "(Twice.)", "Then left."]),
        ("1. Unplug it.\n2. Wait\n  - ten seconds", ["Unplug it.", "Wait", "ten seconds"]),
        ("Light | Meaning\nred | fault", ["Light | Meaning", "red | fault"]),
        ("请重启路由器。等待；红灯亮了！", ["请重启路由器。", "等待；", "红灯亮了！"]),
        ("他说：“好了吗？”然后……走了。", ["他说：“好了吗？”", "然后……", "走了。"]),
        ("「重新開機。」再試一次。", ["「重新開機。」", "再試一次。"]),
        ("升级到 iOS 17.2 版.然后重启", ["升级到 iOS 17.2 版.", "然后重启"]),
        ("", []),
        (" \n\n- \n", []),
    ],
)
def test_a_sentence_ends_where_people_end_it(text: str, expected: list[str]) -> None:
    assert spoken(text) == expected


def test_what_never_ends_is_cut_between_words() -> None:
    found = spoken("retry the upload " * 100)
    assert all(len(each) <= LONGEST and each.split()[0] in {"retry", "the", "upload"} for each in found)
    assert " ".join(found).split() == ["retry", "the", "upload"] * 100


@given(st.text(alphabet="Ab 1.!?\n-。；！”「：|e", max_size=200))
def test_every_readable_character_is_in_one_sentence(text: str) -> None:
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    outside = "".join(
        text[a:b] for a, b in zip([0, *(e for _, e in spans)], [*(s for s, _ in spans), len(text)], strict=True)
    )
    assert not set(outside) - set(" \n-1.")


@pytest.mark.parametrize("hostile", ["." * 100_000, "a." * 50_000, "「" * 100_000, "x. " * 30_000, " " * 100_000])
def test_a_hostile_text_is_cut_in_no_time(hostile: str) -> None:
    start = time.process_time()
    sentences(hostile)
    assert time.process_time() - start < 2
