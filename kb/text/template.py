"""The KCS template: issue, environment, resolution, cause, notes, and the headings that stand for them."""

import re

from kb.text.script import fold

FIELDS = ("issue", "environment", "resolution", "cause", "notes")

_STANDARD = {
    "issue": "issue 问题",
    "environment": "environment 环境",
    "resolution": "resolution 解决方法",
    "cause": "cause 原因",
    "notes": "notes 备注",
}
_SYNONYMS = {
    "issue": "problem, symptom, symptoms, question, issue statement, 问题描述, 问题现象, 故障现象, 现象, 症状",
    "environment": "applies to, affected products, 适用范围, 适用环境, 适用于, 适用产品, 使用环境",
    "resolution": "solution, fix, workaround, answer, how to fix, resolution steps, solution steps, "
    "解决方案, 解决办法, 解决步骤, 处理方法, 处理办法, 处理步骤, 临时解决方法, 答案, 解答",
    "cause": "root cause, reason, 根本原因, 故障原因, 问题原因, 原因分析",
    "notes": "note, comments, additional information, internal notes, "
    "备注说明, 补充说明, 说明, 注意事项, 注意, 内部备注",
}
_STANDARD_FIELD = {name: field for field, names in _STANDARD.items() for name in names.split()}
_FIELD = _STANDARD_FIELD | {name.strip(): field for field, names in _SYNONYMS.items() for name in names.split(",")}
_DECORATION = re.compile(r"^[\d.、()\s]+|[\s:]+$")  # "1. Issue:"


def field_of(heading: str) -> str:
    """The template field a heading stands for, in any of the languages and scripts, or ""."""
    return _FIELD.get(_bare(heading), "")


def is_standard(heading: str) -> bool:
    """Whether it is the field's own name rather than a synonym that says a little more ("Workaround")."""
    return _bare(heading) in _STANDARD_FIELD


def _bare(heading: str) -> str:
    return _DECORATION.sub("", fold(heading))
