from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import markdown
from ingest.contract import Item, Problem
from ingest.markdown import Defaults, MarkdownFolder
from kb.article import Draft
from kb.audience import Audience
from kb.language import Language
from tests.ingest.runs import Folder

GOOD = "title: A\nlanguage: en\naudience: public\n"
PUBLIC = Defaults(Audience.PUBLIC, Language.ENGLISH)


def read(folder: Folder, defaults: Defaults | None = None) -> list[Item[Draft] | Problem]:
    return list(MarkdownFolder(folder.path, "faq", defaults).items())


def the_problem(folder: Folder, content: str | bytes, defaults: Defaults | None = None) -> str:
    folder.raw("bad.md", content)
    (found,) = read(folder, defaults)
    assert isinstance(found, Problem), found
    return str(found)


def the_draft(folder: Folder, content: str, defaults: Defaults | None = None, file: str = "good.md") -> Draft:
    folder.raw(file, content)
    (found,) = read(folder, defaults)
    assert isinstance(found, Item), found
    return found.content


@pytest.mark.parametrize(
    ("front", "line", "reason"),
    [
        ("title: A\nlanguage: en\n", 1, "audience is missing; one of public, customer, partner, internal"),
        ("title: A\nlanguage: en\naudience:\n", 4, "audience is missing"),
        ("title: A\naudience: public\n", 1, "language is missing; one of en, zh-Hans, zh-Hant"),
        (GOOD + "audience: internal\n", 5, "'audience' is there twice, first on line 4"),
        ("title: A\nlanguage: en\naudience: everybody\n", 4, "'everybody' is none of public, customer, partner"),
        ("title: A\naudience: public\nlanguage: english\n", 4, "language 'english' is none of en, zh-Hans"),
        (GOOD + "confidence: sure\n", 5, "none of work_in_progress, not_validated, validated, archived"),
        (GOOD + "governance: none\n", 5, "none of experience, compliance"),
        (GOOD + "colour: red\n", 5, "unknown key 'colour'; known are audience, confidence"),
        (GOOD + "catagory:\n", 5, "unknown key 'catagory'"),
        ("title: A\nlanguage: en\naudiance: internal\n", 4, "unknown key 'audiance'; did you mean 'audience'?"),
        (GOOD + "tags: urgent\n", 5, "tags is a list of words, such as 'tags: [one, two]'"),
        (GOOD + "tags: [[a]]\n", 5, "tags is a list of words"),
        (GOOD + "products:\n  - hub-6\n  -\n", 5, "products is a list of words"),
        (GOOD + "topic: Broadband Faults\n", 5, "topic 'Broadband Faults' is no path such as 'broadband/faults'"),
        (GOOD + "id: a b\n", 5, "id 'a b' has more than letters, digits"),
        (GOOD + "owner: [a, b]\n", 5, "owner is one value"),
        (GOOD + f"owner: {'x' * 41}\n", 5, "owner has 41 characters; at most 40"),
        (GOOD + "valid_from: tomorrow\n", 5, "valid_from 'tomorrow' is no date such as 2026-12-31"),
        (GOOD + "valid_from: 2026-05-01\nvalid_until: 2026-04-30\n", 6, "valid_until comes before valid_from"),
        (GOOD + "id: a\nsuperseded_by: a\n", 6, "superseded_by names the article itself"),
        ("title: Hub 6: red light\n" + GOOD[9:], 2, "a value with ': ' in it needs quotes"),
        ("- title\n", 2, "the front matter is a list of 'key: value' lines"),
        ('title: "A\n' + GOOD[9:], 2, "the front matter is no YAML"),
        ("title: \x01\n", 1, "the front matter is no YAML"),
        ("title: " + "[" * 5_000 + "\n", 1, "the front matter is nested too deeply"),
        ('title: "\\UFFFFFFFF"\n', 1, "the front matter is no YAML"),
        (GOOD + 'owner: "\\ud800"\n', 5, "owner has a NUL or half a character in it"),
        (GOOD + 'tags: ["a\\0"]\n', 5, "tags has a NUL or half a character in it"),
        ("[a, b]: c\n", 2, "a key of the front matter is one word"),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_reason(folder: Folder, front: str, line: int, reason: str) -> None:
    said = the_problem(folder, f"---\n{front}---\nText.\n")
    assert said.startswith(f"bad.md:{line}: ")
    assert reason in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"---\n{GOOD}---\n\n\n", "bad.md:6: there is no text below the front matter"),
        ("---\ntitle: A\n\nText.\n", "bad.md:1: the front matter opened here is never closed"),
        (f"---\n{GOOD}---\n\nOne.\n\n::: internal\nSecret.\n", "bad.md:9: the block opened by '::: internal'"),
        (f"---\n{GOOD}---\nOne.\n\n- ::: internal\n", "bad.md:8: a line of ':::' stands at the first column"),
        (f"---\n{GOOD}---\n::: staff\nA\n:::\n", "bad.md:6: 'staff' is no audience"),
        (f"---\n{GOOD}---\nOne.\nTw\0o.\n", "bad.md:7: a NUL character"),
        (b"---\ntitle: caf\xe9\n---\n", "bad.md:2: not UTF-8 (byte 0xe9); save the file as UTF-8"),
        ("---\ntitle: A\n---\nText".encode("utf-16"), "bad.md:1: the file is UTF-16"),
        ("", "bad.md:1: audience is missing"),
    ],
)
def test_a_text_that_cannot_be_an_article_is_reported(folder: Folder, content: str | bytes, said: str) -> None:
    assert the_problem(folder, content).startswith(said)


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    folder.raw("bad.md", b"")
    with (folder.path / "bad.md").open("r+b") as file:
        file.truncate(markdown.LARGEST + 1)
    (found,) = read(folder)
    assert str(found) == "bad.md: the file has 10.0 MB; at most 10 MB are possible"


def test_a_file_nobody_may_open_is_a_problem_and_the_rest_goes_on(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a.md")
    folder.write("b.md")
    read_bytes = Path.read_bytes

    def guarded(self: Path) -> bytes:
        if self.name == "a.md":
            raise PermissionError(13, "Permission denied")
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    first, second = read(folder)
    assert str(first) == "a.md: cannot be read: Permission denied"
    assert isinstance(second, Item)


def test_the_id_of_a_second_file_is_a_mistake_that_names_the_first(folder: Folder) -> None:
    folder.write("a.md", id="same")
    folder.write("b.md", id="same")
    first, second = read(folder)
    assert isinstance(first, Item)
    assert str(second) == "b.md:5: the id 'same' belongs to a.md already"


def test_values_are_taken_as_they_are_written(folder: Folder) -> None:
    draft = the_draft(
        folder, "---\ntitle: 1.10\nlanguage: en\naudience: public\ntags: [0691, no, 5g]\nowner: yes\n---\nx"
    )
    assert (draft.title, draft.tags, draft.owner_id) == ("1.10", ("0691", "no", "5g"), "yes")


def test_a_date_with_a_time_is_that_moment_in_utc(folder: Folder) -> None:
    draft = the_draft(
        folder, f"---\n{GOOD}valid_from: 2026-01-01T08:00:00+08:00\nvalid_until: 2026-01-02 10:00\n---\nx"
    )
    assert draft.valid_from is not None
    assert draft.valid_from.isoformat() == "2026-01-01T00:00:00+00:00"
    assert draft.valid_until is not None
    assert draft.valid_until.isoformat() == "2026-01-02T10:00:00+00:00"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# The hub  is red\n\nText", "The hub is red"),
        ("## Issue\nRed.\n\n## Reset *the* hub\n", "Reset the hub"),
        ("## 问题\n红灯。\n", "good"),
        ("::: internal\n# Fraud desk\n:::\n\n# For all\n", "For all"),
        ("Text only", "good"),
    ],
)
def test_without_a_title_the_first_heading_that_all_may_read_is_it(folder: Folder, body: str, title: str) -> None:
    assert the_draft(folder, body, PUBLIC).title == title


def test_an_internal_article_may_be_titled_by_an_internal_heading(folder: Folder) -> None:
    inside = Defaults(Audience.INTERNAL, Language.ENGLISH)
    assert the_draft(folder, "::: internal\n# Fraud desk\n:::\n\n# For all\n", inside).title == "Fraud desk"


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("audiance: internal", "did you mean 'audience'?"),
        ("group: [fraud]", "did you mean 'groups'?"),
        ("draft: true", "nobody should read it yet"),
        ("published: False", "nobody should read it yet"),
    ],
)
def test_a_foreign_file_that_seems_to_hide_something_is_not_let_out(folder: Folder, front: str, reason: str) -> None:
    said = the_problem(folder, f"---\ntitle: A\n{front}\n---\nText.\n", PUBLIC)
    assert said.startswith("bad.md:3: ")
    assert reason in said


def test_a_file_with_a_field_of_ours_is_held_to_all_our_rules_whatever_the_defaults(folder: Folder) -> None:
    said = the_problem(folder, "---\nid: a\nsummary: x\n---\nText.\n", PUBLIC)
    assert said.startswith("bad.md:3: unknown key 'summary'")


def test_only_visible_regular_markdown_files_inside_the_folder_are_read(folder: Folder, tmp_path: Path) -> None:
    for file in ("a.md", "b/C.MD", "b/README.md", ".hidden.md", ".git/x.md", "notes.txt", "d.markdown"):
        folder.write(file)
    folder.raw("README.md", "# How to write here\n")
    (folder.path / "folder.md").mkdir()
    outside = Folder(tmp_path / "outside")
    outside.write("secret.md")
    (folder.path / "link.md").symlink_to(outside.path / "secret.md")
    (folder.path / "linked").symlink_to(outside.path)
    assert [found.key for found in read(folder)] == ["a.md", "b/C.MD", "b/README.md"]


def test_a_readme_with_front_matter_is_an_article(folder: Folder) -> None:
    folder.write("README.md")
    assert [found.key for found in read(folder)] == ["README.md"]


def test_a_name_typed_on_a_mac_is_the_same_key(folder: Folder) -> None:
    folder.write("cafe\u0301.md")
    assert [found.key for found in read(folder)] == ["caf\u00e9.md"]
    assert MarkdownFolder(folder.path, "faq").has_file("caf\u00e9.md")


def test_a_thousand_aliases_in_yaml_cost_nothing(folder: Folder) -> None:
    bomb = "\n".join(
        ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    )
    assert "unknown key 'a0'" in the_problem(folder, f"---\n{GOOD}{bomb}\n---\nText.\n")


_LINES = st.sampled_from([
    "---", "title: A", "audience: public", "language: en", "tags: [", "::: internal", ":::", "# H", "- a", "> ", "```",
    "|a|", "id: x", ": ", "\t", "", "\r", "\u2028", "'", '"', "&a *a",
])  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=20), max_size=20).map("\n".join))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_file_it_is_an_article_or_a_problem(folder: Folder, text: str) -> None:
    folder.raw("any.md", text.encode("utf-8", "surrogatepass"))
    for defaults in (None, PUBLIC):
        (found,) = read(folder, defaults)
        assert found.file == "any.md"


def test_a_text_of_half_a_million_characters_is_taken_whole(folder: Folder) -> None:
    body = "A sentence of a long article, with words.\n\n" * 9_999
    assert the_draft(folder, f"---\n{GOOD}---\n{body}").body == body.rstrip()
