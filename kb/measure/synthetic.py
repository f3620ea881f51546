"""A made-up knowledge base of any size, with the shape of a real one.

Word frequencies follow Zipf and Mandelbrot, lengths are log-normal around 90 words, topics have words and a
direction of their own; audiences, groups, products and languages are mixed as a contact centre mixes them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, islice
from typing import TypeVar

import numpy as np

from kb.article import Article, Confidence, Revision
from kb.audience import Access, Audience
from kb.language import Language
from kb.number import new_number
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.person import Person
from kb.post import Post
from kb.query import Filters, Query
from kb.search.encoder import Encoder, EncoderIdentity, Identified
from kb.search.index import Vector

T = TypeVar("T")

DIMENSION = 384

_WORDS = 40_000
_TOPICS = 60
_TOPIC_WORDS = 150
_PRODUCTS = 40
_GROUPS = ("fraud", "partner-north", "retention")
_TIERS = {Audience.PUBLIC: 0.5, Audience.CUSTOMER: 0.15, Audience.PARTNER: 0.1, Audience.INTERNAL: 0.25}
_LANGUAGES = {Language.ENGLISH: 0.7, Language.SIMPLIFIED: 0.2, Language.TRADITIONAL: 0.1}
_ASKING = {Audience.PUBLIC: 0.4, Audience.CUSTOMER: 0.15, Audience.INTERNAL: 0.45}
_SYLLABLES = [a + b + c for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("", "n", "r", "l", "t")]
_HAN = (
    "网络路由器宽带光纤电视机顶盒手机号码套餐账单缴费续约退订安装维修故障重启指示灯红色绿色闪烁信号无线密码登录"
    "客服工程师上门预约时间地址搬迁移机合同优惠折扣流量漫游国际通话短信验证身份诈骗冻结恢复更换设备升级固件设置"
    "端口线缆接头检测速度测试延迟丢包断线连接失败错误代码提示页面应用下载更新服务投诉赔偿退款余额充值银行扣款"
)
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MadeItem:
    """One item with its passages and their vectors; an article has a revision."""

    content: Article | Post
    revision: Revision | None
    passages: Sequence[Passage]
    vectors: Sequence[Vector]

    @property
    def item(self) -> ItemRef:
        """What it is called."""
        return self.passages[0].ref.item


@dataclass(frozen=True, slots=True)
class Asked:
    """One search: who asks what, and the vector of the question."""

    by: Person
    query: Query
    vector: Vector


class SyntheticEncoder(Identified):
    """Knows the vectors it was told, so that the time of a real encoder is not measured; serves every language.

    One that is set `beside` it encodes every query as well, so that it is.
    """

    def __init__(self, known: Mapping[str, Vector]) -> None:
        digest = hashlib.sha256(b"synthetic").hexdigest()
        self.identity = EncoderIdentity("synthetic", digest, DIMENSION, max_tokens=256)
        self.beside: Encoder | None = None
        self._known = dict(known)

    def learn(self, asked: Sequence[Asked]) -> None:
        """Know the vectors of these questions."""
        self._known |= {each.query.text: each.vector for each in asked}

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `kb.search.encoder.Encoder`."""
        if self.beside is not None:
            self.beside.encode_queries(texts)
        return np.stack([self._known[text] for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """Never asked: the vectors of passages are given beforehand."""
        raise NotImplementedError


@dataclass
class Maker:
    """Makes items and questions; the same seed makes the same ones, but for the numbers of articles.

    One item in `article_every` is an article, the others are posts.
    """

    seed: int = 0
    article_every: int = 5
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._english = _pseudo_words(self._rng, _WORDS)
        self._chinese = _han_words(self._rng, _WORDS // 4)
        self._topics = _unit(self._rng.standard_normal((_TOPICS, DIMENSION)).astype(np.float32))
        self._topic_words = self._rng.integers(0, _WORDS // 4, (_TOPICS, _TOPIC_WORDS))
        ranks = np.arange(_WORDS) + 20.0  # the most frequent words of a language are stop words: left out
        self._shares = {n: np.cumsum(ranks[:n] ** -1.05) / np.sum(ranks[:n] ** -1.05) for n in (_WORDS, _WORDS // 4)}

    def items(self, passages: int) -> Iterator[MadeItem]:
        """Items with so many passages in total."""
        made = 0
        numbers: set[str] = set()
        for serial in count():
            if made >= passages:
                return
            size = min(int(self._rng.integers(1, 6)), passages - made)
            item = (
                self._article(serial, size, numbers) if serial % self.article_every == 0 else self._post(serial, size)
            )
            made += size
            yield item

    def questions(self, known: Sequence[MadeItem], number: int) -> list[Asked]:
        """Questions in the words of a known passage, near its vector, one in four with a filter."""
        return list(islice(self._questions(known), number))

    def _questions(self, known: Sequence[MadeItem]) -> Iterator[Asked]:
        for serial in count():
            about = known[int(self._rng.integers(len(known)))]
            place = int(self._rng.integers(len(about.passages)))
            passage = about.passages[place]
            words = passage.text.replace("\n", " ").split(" ")
            wanted = [words[n] for n in self._rng.integers(0, len(words), int(self._rng.integers(2, 8)))]
            joint = "" if passage.language is not Language.ENGLISH else " "
            tier = self._pick(_ASKING)
            groups = frozenset({_GROUPS[0]}) if tier is Audience.INTERNAL and serial % 10 == 0 else frozenset()
            filters = Filters()
            if serial % 8 == 0 and passage.products:
                filters = Filters(products=passage.products[:1])
            elif serial % 8 == 4:
                filters = Filters(kinds=(passage.ref.kind,))
            vector = self._near(about.vectors[place], 0.5)
            text = joint.join(wanted)
            yield Asked(Person(f"p{serial}", "Somebody", tier, groups=groups), Query(text, filters=filters), vector)

    def _article(self, serial: int, size: int, numbers: set[str]) -> MadeItem:
        language, tier, topic = self._pick(_LANGUAGES), self._pick(_TIERS), int(self._rng.integers(_TOPICS))
        groups = frozenset({_GROUPS[serial % len(_GROUPS)]}) if serial % 35 == 0 else frozenset()
        while (number := new_number()) in numbers:
            pass
        numbers.add(number)
        article = Article(
            id=_id("article", serial),
            number=number,
            language=language,
            audience=tier,
            created_at=_WRITTEN,
            modified_at=_WRITTEN,
            confidence=Confidence.VALIDATED,
            groups=groups,
            topic=f"area-{topic % 8}/topic-{topic}",
            products=self._products(),
            latest=1,
            published=1,
            published_at=_WRITTEN,
            source="bench",
            source_key=str(serial),
        )
        title = self._text(language, topic, 6)
        texts = self._texts(language, topic, size)
        body = "\n\n".join(texts)
        revision = Revision(article.id, 1, title, body, "system", _WRITTEN)
        whole = Passage(
            PassageRef(Kind.ARTICLE, article.id, 1, 0), title, (), "", language, Access(tier, groups), "", "",
            article.topic, article.products, (), article.confidence, article.source,
        )  # fmt: skip
        return MadeItem(article, revision, _passages(whole, texts), self._vectors(topic, size))

    def _post(self, serial: int, size: int) -> MadeItem:
        language, tier, topic = self._pick(_LANGUAGES), self._pick(_TIERS), int(self._rng.integers(_TOPICS))
        texts = self._texts(language, topic, size)
        post = Post(
            id=_id("post", serial),
            source="bench",
            source_key=str(serial),
            title=self._text(language, topic, 8),
            body="\n\n".join(texts),
            language=language,
            author="somebody",
            created_at=_WRITTEN,
            audience=tier,
            products=self._products(),
        )
        whole = Passage(
            PassageRef(Kind.POST, post.id, 1, 0), post.title, (), "", language, Access(tier), "", "", "",
            post.products, (), "", post.source,
        )  # fmt: skip
        return MadeItem(post, None, _passages(whole, texts), self._vectors(topic, size))

    def _texts(self, language: Language, topic: int, size: int) -> list[str]:
        lengths = np.clip(self._rng.lognormal(np.log(85), 0.5, size), 12, 260).astype(int)
        return [self._text(language, topic, int(length)) for length in lengths]

    def _text(self, language: Language, topic: int, length: int) -> str:
        words = self._english if language is Language.ENGLISH else self._chinese
        picks = np.searchsorted(self._shares[len(words)], self._rng.random(length))
        own = self._rng.random(length) < 0.25
        picks[own] = self._topic_words[topic][self._rng.integers(0, _TOPIC_WORDS, int(own.sum()))]
        # Chinese words are kept apart by a space here, or nobody would know where a question's words end.
        return " ".join(words[pick] for pick in picks)

    def _vectors(self, topic: int, size: int) -> list[Vector]:
        about = self._near(self._topics[topic], 0.9)
        return [self._near(about, 0.5) for _ in range(size)]

    def _near(self, vector: Vector, distance: float) -> Vector:
        """A unit vector beside another one; `distance` is the length of a random step away from it."""
        step = self._rng.standard_normal(DIMENSION).astype(np.float32) * (distance / np.sqrt(DIMENSION))
        return _unit(vector + step)

    def _products(self) -> tuple[str, ...]:
        return tuple(sorted({f"product-{n}" for n in self._rng.integers(0, _PRODUCTS, int(self._rng.integers(0, 3)))}))

    def _pick(self, shares: Mapping[T, float]) -> T:
        return list(shares)[int(self._rng.choice(len(shares), p=list(shares.values())))]


def _passages(whole: Passage, texts: Sequence[str]) -> list[Passage]:
    return [replace(whole, ref=whole.ref._replace(ordinal=ordinal), text=text) for ordinal, text in enumerate(texts)]


def _pseudo_words(rng: np.random.Generator, number: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < number:
        words["".join(_SYLLABLES[n] for n in rng.integers(0, len(_SYLLABLES), int(rng.integers(2, 4))))] = None
    return list(words)


def _han_words(rng: np.random.Generator, number: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < number:
        words["".join(_HAN[n] for n in rng.integers(0, len(_HAN), 2))] = None
    return list(words)


def _unit(vectors: Vector) -> Vector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def _id(kind: str, serial: int) -> str:
    return hashlib.sha1(f"{kind}{serial}".encode()).hexdigest()
