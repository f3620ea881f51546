"""What customers say: one "not helpful" is a voice, many are a case."""

from collections.abc import Iterable
from datetime import datetime

from kb.case import LATELY, SEVERITY, Rules
from kb.flag import Cause
from kb.passage import ItemRef
from kb.person import SYSTEM
from kb.solve.folding import About, case_of, change, weighed
from kb.store import audit, cases, content
from kb.store.database import Tx


def heard(tx: Tx, items: Iterable[ItemRef], rules: Rules, at: datetime) -> None:
    """Open or weigh the case of each item that enough different people said does not help, lately.

    Interactions are counted, where a voice has one, so that nobody makes a case alone. Whoever may read the item on
    staff sees the case: it quotes nobody.
    """
    for item in sorted(set(items)):
        standing = content.standings(tx, [item], at).get(item)
        if standing is None:
            continue
        about = About(Cause.NOT_HELPFUL, standing.access.audience, standing, standing.revision)
        finished = cases.finished_at(tx, item, about.fold)  # what was said before it has been dealt with
        count = cases.unhelped(tx, item, max(at - LATELY, finished) if finished else at - LATELY)
        if count < rules.not_helpful:
            continue
        before = case_of(tx, SYSTEM, about, rules, at)
        if before.to_do and count > before.count:  # what came with an article that was merged into this one stays
            after = weighed(tx, before, count, SEVERITY[Cause.NOT_HELPFUL], at)
            cases.update(tx, before, after)
            audit.write(tx, [change(SYSTEM, "heard", before, after, at)])
