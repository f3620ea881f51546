"""Whether a difference between two rankings is real, or the luck of the queries that were asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_AT_ONCE = 1_000_000  # numbers drawn at once: 8 MB, however many queries there are


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of `b - a` over the queries, its 95 % interval, and the two-sided p-value of there being none."""

    mean: float
    low: float
    high: float
    p: float


def paired_bootstrap(a: Sequence[float], b: Sequence[float], seed: int = 0, samples: int = 10_000) -> Difference:
    """How much better `b` is than `a`, both one value per query in the same order.

    Queries are drawn again with replacement `samples` times (Smucker, Allan and Carterette, *A Comparison of
    Statistical Significance Tests for Information Retrieval Evaluation*, CIKM 2007, section 3.3): the interval is that
    of the means drawn, p the share of them that lie as far from the mean observed as that lies from zero.
    Raises ValueError for sequences of different lengths, or empty ones.
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(f"queries are compared in pairs: {len(a)} and {len(b)} values")
    differences = np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)
    mean = float(differences.mean())
    drawn = np.concatenate(list(_means(differences, seed, samples)))
    low, high = np.percentile(drawn, [2.5, 97.5])
    # Sums in another order differ in the last digit: what is as far away but for that counts.
    p = float(np.mean(np.abs(drawn - mean) >= abs(mean) - 1e-12))
    return Difference(mean, float(low), float(high), p)


def _means(values: np.ndarray, seed: int, samples: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    step = max(_AT_ONCE // len(values), 1)
    for start in range(0, samples, step):
        yield values[random.integers(len(values), size=(min(step, samples - start), len(values)))].mean(axis=1)
