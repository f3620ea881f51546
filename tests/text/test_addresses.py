from kb.text.addresses import addresses, readdressed

TEXT = """\
![ring](img/ring.png "The ring") and [manual](<docs/my manual.pdf>), [again](img/ring.png), [a](b\\_c.md)

[![small](img/small%20one.png)](https://a.example) `![x](img/ring.png)` ![def][d]

```
![code](img/ring.png)
```

::: internal
[d]: img/hidden.png 'Hidden'
:::

[d]: img/def.png
"""


def test_all_addresses_are_found_with_what_they_are_of() -> None:
    assert addresses(TEXT) == {
        "img/ring.png": True,
        "docs/my manual.pdf": False,
        "b_c.md": False,
        "https://a.example": False,
        "img/small one.png": True,
        "img/def.png": True,
        "img/hidden.png": True,
    }


def test_addresses_are_replaced_where_they_are_addresses_and_nothing_else_changes() -> None:
    written = [
        "docs/my manual.pdf",
        "b\\_c.md",
        "img/small%20one.png",
        "https://a.example",
        "img/def.png",
        "img/hidden.png",
    ]
    new = {address: f"new-{n}" for n, address in enumerate([*map(plainly, written), "img/ring.png"])}
    expected = TEXT.replace("<docs/my manual.pdf>", "docs/my manual.pdf")
    for n, address in enumerate(written):
        expected = expected.replace(address, f"new-{n}")
    for place in ('![ring](img/ring.png "', "[again](img/ring.png)", "`![x](img/ring.png)`"):  # a code span is no block
        expected = expected.replace(place, place.replace("img/ring.png", "new-6"))
    assert readdressed(TEXT, new) == expected


def plainly(address: str) -> str:
    return address.replace("\\_", "_").replace("%20", " ")


def test_without_new_addresses_a_text_stays() -> None:
    assert readdressed(TEXT, {}) == TEXT
