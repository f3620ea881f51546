"""Who looks after which domain: cases without an owner of their own come to them."""

from kb import clock
from kb.errors import Invalid, NotFound
from kb.person import Person, Right
from kb.store import audit, domains, people, topics
from kb.store.database import Database
from kb.topic import check_topic_path


def listing(db: Database, by: Person) -> dict[str, str]:
    """The owner of each domain that has one, by topic. For who may lead: topics may be others' secrets."""
    by.require(Right.LEAD)
    with db.read() as tx:
        return domains.every(tx)


def put(db: Database, by: Person, topic: str, person_id: str | None) -> None:
    """Give a domain an owner, or none. Raises Invalid for a topic or person that cannot be, NotAllowed."""
    by.require(Right.LEAD)
    if not check_topic_path(topic):
        raise Invalid("a domain is a topic", "topic")
    at = clock.now()
    with db.write() as tx:
        if person_id is not None:
            try:
                found = people.get(tx, person_id)
            except NotFound:
                found = None
            if found is None or found.disabled or not found.may(Right.FIX):
                raise Invalid("there is no such person who may work on cases", "owner_id")
        before = domains.every(tx).get(topic)
        topics.ensure_topics(tx, [topic])
        domains.put(tx, topic, person_id)
        audit.write(
            tx, [audit.Change(by.id, "own", "domain", topic, {"owner_id": before}, {"owner_id": person_id}, at)]
        )
