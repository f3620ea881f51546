"""A small knowledge base for the page: three languages, every audience, long and awkward texts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from kb import clock
from kb.article import Article, Confidence, Draft
from kb.audience import Audience
from kb.language import Language
from kb.person import SYSTEM, Role
from kb.post import Post
from kb.product import Product
from kb.solve import improve
from kb.solve.access import add_person
from kb.solve.passwords import set_password
from kb.solve.publishing import cut_posts, save_posts
from kb.store import topics
from kb.store.database import Database

PASSWORD = "three unrelated words"

RED = """\
## Issue

The ring on the hub stays **red** and nothing loads.

## Environment

Hub 6 (BW-H620), any fibre plan.

## Resolution

1. Unplug the hub, wait ten seconds and plug it in again.
2. Wait until the ring is blue. This takes up to four minutes.
3. Still red? Check the fibre box, then [run the line test](https://help.example.test/line-test).

| Light on the fibre box | What it means | What to do now | Who comes when nothing helps |
| --- | :---: | --- | ---: |
| LOS red | no light arrives in the fibre | check the green plug, do not bend the cable | engineer |
| PON flashing | being registered by the exchange | wait for ten minutes | nobody |

```
ping -c 4 192.168.1.1 && traceroute --max-hops=30 --queries=1 a-very-long-host-name.support.example.test
```

![The ring of the hub](https://pictures.example.test/ring.png)

::: internal
Before you book: run Beacon twice, two minutes apart, and note the code `X5-200`.
:::
"""

RED_HANS = """\
## 问题

路由器指示灯一直亮**红灯**，无法上网。

## 解决方法

1. 拔下路由器电源，等待十秒后重新插上。
2. 等待指示灯变为蓝色，最长约需四分钟。
3. 如果仍然亮红灯，请检查墙上的光纤盒。

## 备注

直接返回上一步即可，无须重新设置。
"""

RED_HANT = """\
## 問題

數據機指示燈一直亮**紅燈**，無法上網。

## 解決方法

1. 拔下數據機電源，等待十秒後重新插上。
2. 等待指示燈變為藍色，最長約需四分鐘。
3. 如果仍然亮紅燈，請檢查牆上的光纖盒。

## 備註

直接返回上一步即可，無須重新設定。
"""

LONG_TITLE = (
    "What to check, in which order, when a customer with a Hub 6, a mesh pod and a digital phone line reports that "
    "everything stopped at the same moment after a thunderstorm (including DNS_PROBE_FINISHED_NXDOMAIN_ON_EVERY_PAGE)"
)


@dataclass
class Library:
    """What was written, and a key for each kind of person."""

    articles: dict[str, Article] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def fill(db: Database) -> Library:
    """Write everything; the indexer of the service does the rest."""
    library = Library()
    _people(db, library)
    _products(db)
    _articles(db, library)
    _posts(db)
    return library


def _people(db: Database, library: Library) -> None:
    for name, tier, roles in (
        ("Ada", Audience.INTERNAL, {Role.PUBLISHER}),
        ("Carol", Audience.CUSTOMER, set()),
    ):
        person, library.keys[name] = add_person(db, SYSTEM, name, tier, roles=roles)
        set_password(db, SYSTEM, person.id, name, PASSWORD)


def _products(db: Database) -> None:
    with db.write() as tx:
        topics.save_product(tx, Product("hub-6", "Hub 6"))
        topics.save_product(tx, Product("tv-box", "TV Box 4K"))


def _articles(db: Database, library: Library) -> None:
    def write(name: str, title: str, body: str, **state: object) -> Article:
        known: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC}
        known |= {"confidence": Confidence.VALIDATED, "products": ("hub-6",)}
        library.articles[name] = improve.create(db, SYSTEM, Draft(title, body, **(known | state)))  # type: ignore[arg-type]
        return library.articles[name]

    write("red", "Hub 6 shows a steady red light", RED)
    write("red-hans", "路由器指示灯亮红灯怎么办", RED_HANS, language=Language.SIMPLIFIED)
    write("red-hant", "數據機指示燈亮紅燈怎麼辦", RED_HANT, language=Language.TRADITIONAL)
    pin = "## Resolution\n\nHold the pin for ten seconds. See [steady ring](../faults/red-light.md)."
    newer = write("reset", "Reset the hub with the pin hole", pin)
    write(
        "reset-old",
        "Reset the hub (red light, old way)",
        "## Resolution\n\nHold the pin for a red minute.",
        superseded_by=newer.id,
        confidence=Confidence.NOT_VALIDATED,
    )
    write(
        "secret",
        "Red light: credit without asking",
        "## Resolution\n\nGive staffcredit of 30.00 for a red light in Ledger.",
        audience=Audience.INTERNAL,
        confidence=Confidence.WORK_IN_PROGRESS,
    )
    write("plan", "Red light during a planned move", "Customers see the date.", audience=Audience.CUSTOMER)
    steps = "\n".join(
        f"{n}. Thunderstorm step {n}: look at the red cable and write down what you see." for n in range(1, 31)
    )
    write("long", LONG_TITLE, f"## Resolution\n\n{steps}", products=("tv-box",))


def _posts(db: Database) -> None:
    post = Post(
        id="post-1",
        source="forum",
        source_key="t/1/1",
        title="Red light every evening",
        body="Mine went red each evening until I moved the hub away from the fridge.",
        language=Language.ENGLISH,
        author="superuser_sam",
        created_at=datetime(2026, 2, 3, tzinfo=UTC),
        audience=Audience.PUBLIC,
        url="https://community.example.test/t/1#1",
        votes=12,
    )
    with db.write() as tx:
        save_posts(tx, [post], [], cut_posts([post]), clock.now())
