import math

import numpy as np
import pytest

from kb.solve.significance import Difference, paired_bootstrap


def test_two_equal_rankings_do_not_differ():
    values = [0.1, 0.5, 1.0]

    assert paired_bootstrap(values, values) == Difference(0.0, 0.0, 0.0, 1.0)


def test_a_gain_on_every_query_is_real():
    a = np.linspace(0, 0.8, 50)

    found = paired_bootstrap(a.tolist(), (a + 0.1).tolist())

    assert found.mean == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1)
    assert found.p == 0


def test_a_gain_on_one_query_of_many_is_luck():
    found = paired_bootstrap([0.0] * 40, [0.3] + [0.0] * 39)

    assert found.low == 0
    assert found.p > 0.05


def test_p_and_interval_are_those_of_the_t_test_where_values_are_normal():
    """With many normal values the bootstrap tends to Student's test: Smucker et al. find them alike."""
    differences = np.random.default_rng(7).normal(0.02, 0.2, 400)

    found = paired_bootstrap([0.0] * 400, differences.tolist())

    error = differences.std(ddof=1) / 20
    t = differences.mean() / error
    assert found.p == pytest.approx(math.erfc(abs(t) / math.sqrt(2)), abs=0.015)
    assert found.low == pytest.approx(differences.mean() - 1.96 * error, abs=0.002)
    assert found.high == pytest.approx(differences.mean() + 1.96 * error, abs=0.002)


def test_the_order_of_a_and_b_turns_the_sign_only():
    a, b = np.random.default_rng(3).random((2, 60)).tolist()

    there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)

    assert there.mean == pytest.approx(-back.mean)
    assert there.low == pytest.approx(-back.high)
    assert there.p == back.p


def test_the_same_seed_draws_the_same():
    a, b = np.random.default_rng(1).random((2, 30)).tolist()

    assert paired_bootstrap(a, b, seed=5) == paired_bootstrap(a, b, seed=5)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 0.5])])
def test_what_is_no_pair_is_refused(a, b):
    with pytest.raises(ValueError, match="in pairs"):
        paired_bootstrap(a, b)
