"""What somebody means who says what is wrong: names of causes, and words of free text, English and Chinese.

Free text is read by rule, so that anybody can say why a row became what it did: the first line of `_SAID` of which a
phrase stands in the text. What says nothing of the kind, or "not sure", is *hard to use*: an editor reads all of these.
"""

import re

from kb.flag import Cause
from kb.text.script import fold

_NAMED: dict[Cause, str] = {
    Cause.INTERNAL_SHOWN: "internal shown, internal text shown, internal, leak, confidential, 内部信息, 内部内容外泄,"
    "泄露, 外泄, 内部资料外泄",
    Cause.NOTHING_ANSWERS: "nothing answers, nothing answers this, no answer, not found, no article, missing, gap,"
    "missing article, no result, no results, 没有答案, 无答案, 缺失, 缺少, 没有文章, 找不到,"
    "无结果, 没有结果, 知识缺口",
    Cause.BETTER_WAY: "better way, i know a better way, suggestion, improvement, tip, 更好的办法, 更好的方法,"
    "有更好的办法, 有更好的做法, 更好的做法, 建议, 改进建议",
    Cause.WRONG_ARTICLE: "wrong article, wrong answer, irrelevant, not relevant, does not answer,"
    "off topic, wrong result,"
    "答非所问, 文章不对, 不相关, 不符, 搜错了, 文不对题",
    Cause.WRONG_FACT: "wrong fact, wrong, incorrect, outdated, out of date, obsolete, stale,"
    "inaccurate, error, mistake,"
    "old, expired, factual error, wrong or outdated, 错误, 有误, 过时, 已过时, 过期, 内容错误,"
    "信息错误, 事实错误, 不正确,"
    "不准确, 旧, 失效, 内容有误, 资讯有误",
    Cause.HARD_TO_USE: "hard to use, unclear, confusing, hard to read, hard to understand,"
    "incomplete, too long, typo,"
    "formatting, broken link, not helpful, unhelpful, not sure, other, 难用, 不好用, 不清楚, 看不懂, 难懂, 不完整,"
    "太长, 排版, 错别字, 没用, 没有帮助, 不确定, 其他, 不易理解, 不清晰, 没帮助",
}
_SAID: tuple[tuple[Cause, str], ...] = (
    (Cause.INTERNAL_SHOWN, "customers can see, customer can see, internal note, should be internal, confidential,"
     "客户能看到, 客户看得到, 顾客看得到, 不该公开, 不应公开, 不能公开"),
    (Cause.NOTHING_ANSWERS, "no article about, no article for, no article on, could not find an article,"
     "nothing about, 没有相关文章, 找不到文章, 没有这方面的, 找不到相关"),
    (Cause.BETTER_WAY, "better way, faster way, easier way, instead you can, 更好的办法, 更好的方法, 更快的, 更简单的"),
    (Cause.WRONG_ARTICLE, "wrong article, not what was asked, not what i searched, does not answer, unrelated,"
     "答非所问, 不相关, 文不对题"),
    (Cause.WRONG_FACT, "wrong, incorrect, outdated, out of date, obsolete, no longer, not true, has changed,"
     "inaccurate, does not work, doesn't work, 错了, 不对, 错误, 过时, 已经改, 不再, 过期, 不正确, 失效, 有误"),
)  # fmt: skip


def _phrases(text: str) -> list[str]:
    return [_bare(each) for each in text.split(",") if each.strip()]


def _bare(text: str) -> str:
    """A name as it is compared: scripts, case and signs aside."""
    return " ".join(re.sub(r"[\W_]+", " ", fold(text)).split())


_BY_NAME = {name: cause for cause, names in _NAMED.items() for name in (*_phrases(names), _bare(cause))}
_BY_WORDS = [
    (cause, re.compile("|".join(rf"\b{re.escape(each)}\b" if each.isascii() else re.escape(each) for each in found)))
    for cause, found in ((cause, _phrases(words)) for cause, words in _SAID)
]
_MISSING = {_bare(each) for each in ("missing", "缺失", "缺少")}


def cause_of(named: str, said: str, has_article: bool) -> Cause:
    """The cause that a row means, by the name it gives, else by what it says.

    With an article there is something to read: "missing" then says that something is missing from it (hard to use),
    and that nothing answers that this article does not (wrong article).
    """
    name = _bare(named)
    found = _BY_NAME.get(name) or _by_words(named) or _by_words(said) or Cause.HARD_TO_USE
    if found is not Cause.NOTHING_ANSWERS or not has_article:
        return found
    return Cause.HARD_TO_USE if name in _MISSING else Cause.WRONG_ARTICLE


def _by_words(text: str) -> Cause | None:
    bare = _bare(text)
    return next((cause for cause, words in _BY_WORDS if words.search(bare)), None) if bare else None
