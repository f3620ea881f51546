import hashlib

import pytest

from kb.file import File, Named, clean_name, markdown_for, reference, references

HASH = hashlib.sha256(b"x").hexdigest()
RING = File("image/png", b"x", 640, 480)


def test_a_reference_leads_back_to_the_file() -> None:
    found = reference(RING.reference)
    assert found is not None
    assert (RING.reference, found.hash) == (f"files/{HASH}.png#640x480", RING.hash)
    assert (found.is_picture, found.width, found.height) == (True, 640, 480)
    manual = reference(File("application/pdf", b"x").reference)
    assert manual is not None
    assert not manual.is_picture


@pytest.mark.parametrize(
    "address",
    ["", "files/", "files/abc.png", f"files/{HASH}", f"files/{HASH}.exe", f"files/{HASH.upper()}.png",
     f"/files/{HASH}.png", f"files/{HASH}.png?x", f"files/{HASH}.png#x", f"x/files/{HASH}.png",
     f"files/{HASH}.png#1x2x3", "https://a.example"],
)  # fmt: skip
def test_any_other_address_names_no_file(address: str) -> None:
    assert reference(address) is None


def test_a_text_names_files_wherever_they_stand() -> None:
    other = "0" * 64
    text = f"![a](files/{HASH}.png) [b][c] `files/{other}.pdf`\n\n[c]: files/{HASH}.png#1x1"
    assert references(text) == {HASH, other}
    assert references("files/ and a picture") == set()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("ring.png", "ring.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\temp\\evil.exe", "evil.png"),
        ("a\r\nSet-Cookie: x=1.png", "a Set-Cookie_ x=1.png"),
        ("invoice\u202egnp.exe", "invoice gnp.png"),
        ("", "file.png"),
        ("...", "file.png"),
        (".png", "png.png"),
        ("路由器 灯.PNG", "路由器 灯.png"),
        ('"quoted"<b>.png', "_quoted__b_.png"),
        ("x" * 500 + ".png", "x" * 100 + ".png"),
    ],
)
def test_a_name_has_no_folders_nothing_unprintable_and_the_extension_of_what_is_inside(given: str, name: str) -> None:
    assert clean_name(given, "image/png") == name


def test_what_to_paste_shows_a_picture_and_says_the_size_of_anything_else() -> None:
    assert markdown_for(Named("ring [1].png", RING)) == rf"![ring \[1\]]({RING.reference})"
    manual = File("application/pdf", b"x" * 1_234_567)
    assert markdown_for(Named("a_b.pdf", manual)) == rf"[a\_b.pdf (1.2 MB)]({manual.reference})"
