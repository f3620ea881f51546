"""What agents said about articles elsewhere, from a CSV file or JSON lines: one row, one flag.

    article,quote,cause,comment,agent,time,ticket
    482-9175,Hold reset for ten seconds,outdated,Since firmware 4 it takes fifteen,kim,2026-03-14 12:00,T-1009

Columns are known by many names, English and Chinese (`_NAMES`), others by `--map`. A row needs an article, a title or
a quote; or what was asked, if nothing answers. `id` names it for ever; without one it is known by what it says.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.causes import cause_of
from ingest.contract import Item, Problem
from ingest.run import Keys
from ingest.table import Row, Table
from ingest.times import Calendar
from kb import clock
from kb.errors import Invalid
from kb.flag import Cause
from kb.text.hygiene import tidy
from kb.text.script import fold

KEY, LINE, REASON = "kb_key", "kb_line", "kb_reason"
"""Columns that a file of rejected rows has besides its own."""

_NAMES: dict[str, str] = {
    "key": KEY,
    "id": "id, feedback id, row id, record id, flag id, 编号, 反馈编号, 记录编号, 反馈id, 回馈编号",
    "article": "article, article number, article id, article no, number, kb, kb number, kb id, document, doc, url,"
    "link, address, article url, article link, page, 文章, 文章编号, 文章号, 知识编号, 知识条目,"
    "条目, 链接, 网址, 连结,"
    "文章链接, 文章连结, 文章网址",
    "title": "title, article title, article name, subject, 标题, 文章标题, 文章名称, 知识标题",
    "quote": "quote, passage, text, excerpt, sentence, quoted text, highlighted text, selection,"
    "原文, 引用, 段落, 摘录,"
    "句子, 引文, 选中文字",
    "cause": "cause, reason, type, category, feedback type, issue type, problem, 原因, 类型, 类别, 分类, 问题类型,"
    "反馈类型, 回馈类型",
    "note": "note, notes, comment, comments, feedback, description, remark, remarks, free text,"
    "details, message, 备注,"
    "说明, 评论, 意见, 反馈, 反馈内容, 描述, 内容, 留言, 回馈, 回馈内容",
    "agent": "agent, agent name, agent id, author, user, user name, by, employee, reporter, submitted by, created by,"
    "name, email, login, 客服, 坐席, 座席, 客服人员, 专员, 提交人, 反馈人, 员工, 工号, 姓名, 用户, 使用者, 提报人",
    "time": "time, date, at, created, created at, date created, timestamp, submitted at, submitted, when, 时间, 日期,"
    "提交时间, 反馈时间, 创建时间, 建立时间, 提报时间",
    "interaction": "interaction, interaction id, ticket, ticket id, ticket number, contact, contact id, conversation,"
    "conversation id, call id, case number, chat id, 工单, 工单号, 工单编号, 会话, 会话编号,"
    "通话编号, 案件编号, 服务单号",
    "query": "query, search, search term, search terms, searched, question, asked, 搜索词, 查询,"
    "提问, 搜寻词, 关键字, 问题",
    "severe": "severe, urgent, harm, critical, 严重, 紧急",
    "revision": "revision, version, 版本, 修订",
}  # fmt: skip
_YES = {"1", "yes", "y", "true", "是", "严重", "紧急", "urgent", "severe", "high", "critical", "高"}
_NO = {"", "0", "no", "n", "false", "否", "低", "low", "normal", "medium", "none", "普通", "一般", "中"}
_LISTS = ("note", "article", "agent")  # of two columns of one field both count: a number and a link, an id and a name
_LONGEST_NAME = 200  # the columns' width
FIELDS = tuple(name for name in _NAMES if name != "key")


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a row says. `article` and `agent` are whatever it calls them, each way on a line.

    `said_at` is None where it tells no time. `problem` says why it cannot be read, which matters unless it came in
    before.
    """

    cause: Cause
    article: str = ""
    title: str = ""
    quote: str = ""
    note: str = ""
    query: str = ""
    agent: str = ""
    interaction: str = ""
    said_at: datetime | None = None
    revision: int | None = None
    severe: bool = False
    problem: str = ""


class FeedbackFile:
    """The rows of one file. `mapping` says which field a column is, where its name does not.

    Raises Invalid for a file in which nothing tells what is meant.
    """

    def __init__(
        self, path: Path, name: str, calendar: Calendar, mapping: Mapping[str, str] | None = None, encoding: str = ""
    ) -> None:
        self.name = name
        self.table = Table(path, encoding)
        self.total = self.table.total
        self.done = 0
        self.unknown: dict[str, int] = {}
        self.repeated = 0
        self._calendar = calendar
        self._mapping = dict(mapping or {})
        self._seen = Keys()
        fields = {self._field(column) for column in self.table.columns}
        if not self.table.is_json and not fields & {"article", "title", "quote", "query"}:
            listed = ", ".join(self.table.columns)[:300]
            raise Invalid(f"none of the columns ({listed}) is an article, a title or a quote; say --map COLUMN=article")

    def items(self) -> Iterator[Item[Feedback] | Problem]:
        """Every row, as feedback or as a problem. What a row without an id says a second time is passed over."""
        for row in self.table.rows():
            self.done = self.table.done
            if row.problem:
                yield Problem(self.table.name, row.problem, row.line, row=row.cells)
                continue
            said = self._said(row.cells)
            key, given = self._key(said)
            if self._seen.add(key):
                yield self._read(row, said, key)
            elif given:
                yield Problem(self.table.name, "its id is there twice; the first one counts", row.line, row=row.cells)
            else:
                self.repeated += 1

    def again(self, keys: Collection[str]) -> Iterator[Item[Feedback] | Problem]:
        """Nothing: no row names another."""
        return iter(())

    def _read(self, row: Row, said: Mapping[str, str], key: str) -> Item[Feedback]:
        try:
            content = self._feedback(said)
        except Invalid as error:
            content = Feedback(Cause.HARD_TO_USE, problem=str(error))
        return Item(key, key, content, self.table.name, row.line, row=row.cells)

    def _feedback(self, said: Mapping[str, str]) -> Feedback:
        has_article = any(said.get(name) for name in ("article", "title", "quote"))
        at = said.get("time", "")
        return Feedback(
            cause=cause_of(said.get("cause", ""), said.get("note", ""), has_article),
            article=said.get("article", ""),
            title=said.get("title", ""),
            quote=said.get("quote", ""),
            note=said.get("note", ""),
            query=said.get("query", ""),
            agent=said.get("agent", "")[:_LONGEST_NAME],
            interaction=said.get("interaction", "")[:_LONGEST_NAME],
            said_at=self._calendar.moment(at, clock.now()) if at else None,
            revision=_number(said.get("revision", "")),
            severe=_yes(said.get("severe", "")),
        )

    def _said(self, cells: Mapping[str, str]) -> dict[str, str]:
        """What the row says by field; two columns of one field stand below each other."""
        said: dict[str, str] = {}
        for column, cell in cells.items():
            field = self._field(column)
            if field is None:
                if column not in (LINE, REASON):
                    self.unknown[column] = self.unknown.get(column, 0) + 1
            elif text := tidy(cell).strip():
                said[field] = f"{said[field]}\n{text}" if field in said and field in _LISTS else said.get(field, text)
        return said

    def _field(self, column: str) -> str | None:
        return self._mapping.get(column) or _FIELD.get(_bare(column))

    def _key(self, said: Mapping[str, str]) -> tuple[str, bool]:
        """What names a row for ever, and whether the row itself said so. A corrected row keeps the name it had."""
        if said.get("key"):
            return said["key"][:64], True
        own = said.get("id")
        what = {"id": own} if own else dict(said)
        text = json.dumps([self.name, what], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest(), bool(own)


def _bare(name: str) -> str:
    return " ".join(fold(name).replace("_", " ").replace("-", " ").split())


_FIELD = {_bare(name): field for field, names in _NAMES.items() for name in names.split(",")}


def _number(text: str) -> int | None:
    bare = text.lower().removeprefix("v").removesuffix(".0")
    if bare and not (bare.isdecimal() and int(bare[:9]) > 0 and len(bare) < 10):
        raise Invalid(f"'{text[:20]}' is no number of a revision", "revision")
    return int(bare) if bare else None


def _yes(text: str) -> bool:
    bare = fold(text)
    if bare not in _YES | _NO:
        raise Invalid(f"severe is yes or no, not '{text[:20]}'", "severe")
    return bare in _YES
