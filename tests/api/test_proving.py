"""Proof that does not come off: what stumbles is put off, counted, and keeps none of the others back."""

from datetime import datetime
from typing import cast

from kb.person import Person
from kb.query import Query
from kb.solve.proving import Prover
from kb.solve.reuse import Answer, Finder
from tests.api.conftest import House
from tests.api.test_cases import TEN, fixed, flagged


class Stumbling:
    """Finds, but for one query that nobody thought of."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self.healed = False

    def find(self, by: Person, query: Query, at: datetime) -> Answer:
        if query.text == "stumble" and not self.healed:
            raise RuntimeError("nobody thought of that")
        return self.finder.find(by, query, at)


def test_a_case_that_cannot_be_proved_is_put_off_for_longer_each_time_and_counted(house: House) -> None:
    stumbling, clock = Stumbling(house.service.finder), [1000.0]
    prover = Prover(house.service.db, cast(Finder, stumbling), now=lambda: clock[0])
    first, second = house.write("Red light", TEN), house.write("Red light", TEN)
    bad, good = flagged(house, first, query="stumble")["case"], flagged(house, second, query="reset")["case"]
    fixed(house, first, bad["id"])
    fixed(house, second, good["id"])
    house.settle()
    assert (prover.step(), prover.failed) == (1, 1), "the other one is proved"
    for wait in (2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600):
        failed = prover.failed
        clock[0] += wait - 1
        prover.step()
        assert prover.failed == failed, f"not before {wait} s are over"
        clock[0] += 1
        prover.step()
        assert prover.failed == failed + 1
    stumbling.healed = True
    clock[0] += 600
    assert prover.step() == 1
    assert house.get(f"cases/{bad['id']}", "candidate").json()["proof"] == "done"
    assert "kb_case_proof_failures_total 0.0" in house.get("/metrics", "admin").text
