"""Phrases."""

from kb.text.phrases import MOST, han_pairs, pairs, plain, share


def test_neighbouring_words_are_found_side_by_side_and_nowhere_else() -> None:
    wanted = pairs("reset the router password")
    assert share(wanted, plain("Here is how to *reset the router password*.")) == 1
    assert share(wanted, plain("The password of a router; you may reset it.")) == 0
    assert 0 < share(wanted, plain("Choose a router password.")) < 1


def test_two_stop_words_are_no_phrase_and_one_counts_half() -> None:
    assert pairs("what is the") == {}
    assert pairs("the router light") == {"the router": 0.5, "router light": 1.0}


def test_marks_line_breaks_and_hyphens_stand_between_words_like_a_blank() -> None:
    wanted = pairs("set-up guide")
    assert share(wanted, plain("the `set up`\nguide")) == 1


def test_han_characters_pair_up_in_either_script() -> None:
    assert share(pairs("重設密碼"), plain("请先重设密码。")) == 1
    assert han_pairs("重設密碼 Hub 路由") == ["重设", "设密", "密码", "路由"]
    assert han_pairs("plain text") == []


def test_a_pasted_page_is_looked_for_by_its_beginning() -> None:
    assert len(pairs(" ".join(f"word{n}" for n in range(500)))) == MOST


def test_nothing_is_shared_where_nothing_is_asked() -> None:
    assert share(pairs(""), plain("text")) == 0
