from pathlib import Path

import pytest

from kb.measure.noise import measure_noise, measure_scripts, noisy, other_script
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.text.script import simplified
from tests.toys import ToyEncoder

TEXTS = ["How do I reset the router?", "restart E-1234 hub", "支付失败怎么办", "無線路由器紅燈怎麼辦"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_slip_is_always_the_same_and_small(text: str) -> None:
    slips = {noisy(text, str(n)) for n in range(50)}
    assert len(slips) > 10
    assert text not in slips
    assert all(abs(len(slip) - len(text)) <= 1 for slip in slips)
    assert slips == {noisy(text, str(n)) for n in range(50)}


def test_identifiers_short_words_and_single_characters_hold_no_slip() -> None:
    assert all(noisy(text, "1") == text for text in ("E-1234 fix it", "Get-ADUser", "的", ""))
    assert all("E-1234" in noisy("restart E-1234 hub", str(n)) for n in range(30))


def test_a_slip_in_chinese_is_one_character_in_the_script_of_the_query() -> None:
    for n in range(20):
        slip = noisy("無線路由器紅燈怎麼辦", str(n))
        assert sum(a != b for a, b in zip(slip, "無線路由器紅燈怎麼辦", strict=True)) == 1
        assert simplified(slip) != slip


def test_a_copy_is_in_the_other_script() -> None:
    assert other_script("路由器红灯") == "路由器紅燈"
    assert other_script("路由器紅燈") == "路由器红灯"
    assert other_script("red light") == "red light"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("set")
    titles = [
        "支付失败怎么办",
        "路由器红灯",
        "账户余额不足",
        "restart the router",
        "where is the invoice",
        "roaming abroad",
    ]
    documents = [f'{{"_id": "d{n}", "title": "{title}", "text": "{title}"}}' for n, title in enumerate(titles)]
    queries = [f'{{"_id": "q{n}", "text": "{title}"}}' for n, title in enumerate(titles)]
    (made / "corpus.jsonl").write_text("\n".join(documents))
    (made / "queries.jsonl").write_text("\n".join(queries))
    (made / "qrels.tsv").write_text("\n".join(["q\td\ts", *(f"q{n}\td{n}\t1" for n in range(len(titles)))]))
    return made


def ready() -> BackgroundEncoder:
    toy = ToyEncoder()
    encoder = BackgroundEncoder(lambda: toy, toy.identity).start()
    encoder.wait()
    return encoder


def test_noise_tells_what_slips_cost_and_what_correcting_wins_back(folder: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None)
    found = measure_noise(settings, folder, encoder=ready()).as_json()
    assert found["queries"] == found["changed"] == 6
    assert found["clean"] == found["clean corrected"] == 1.0
    assert found["noisy corrected"] >= found["noisy"]


def test_both_scripts_find_the_same(folder: Path, tmp_path: Path) -> None:
    found = measure_scripts(Settings(data_dir=tmp_path, _env_file=None), folder, encoder=ready()).as_json()
    assert (found["queries"], found["same"], found["share"]) == (6, 6, 1.0)
