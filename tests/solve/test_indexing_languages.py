"""An English encoder in a house that writes Chinese as well."""

from collections.abc import Callable

from kb import clock
from kb.article import Article
from kb.language import Language
from kb.store import outbox
from kb.store.database import Database
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder


def test_passages_in_a_language_the_encoder_does_not_serve_are_not_encoded(
    works: Works, write: Callable[..., Article], sqlite_db: Database
) -> None:
    works = works.reopened(ready(ToyEncoder(languages={"en"}, name="english")))
    english = write("Red light", "Restart the hub.")
    chinese = write("红灯", "重启路由器。", language=Language.SIMPLIFIED)
    works.settle()
    assert works.indexer.counters.encoded == 1
    assert works.found("red light", legs="dense") == [english.id]
    assert works.found("红灯", legs="lexical") == [chinese.id]
    assert [ref.item_id for ref in works.live.get()[0].without_dense()] == [chinese.id]
    with sqlite_db.read() as tx:
        assert not any(each.waiting for each in outbox.backlog(tx, clock.now()))
    works.live.close()
