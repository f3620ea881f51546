import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import Invalid
from kb.media import MOST_PIXELS, read_file
from tests.pictures import PDF, SECRET, SVG, exif, gif, jpeg, png, webp

ALL = {"png": png(), "jpeg": jpeg(), "gif": gif(), "webp": webp(), "svg": SVG, "pdf": PDF}


@pytest.mark.parametrize(
    ("content", "media_type", "size"),
    [
        (png(4, 2), "image/png", (4, 2)),
        (jpeg(), "image/jpeg", (4, 2)),
        (gif(), "image/gif", (1, 1)),
        (webp(), "image/webp", (4, 2)),
        (webp((b"EXIF", b"x")), "image/webp", (4, 2)),
        (SVG, "image/svg+xml", (0, 0)),
        (b"\xef\xbb\xbf <svg/>", "image/svg+xml", (0, 0)),
        (PDF, "application/pdf", (0, 0)),
    ],
)
def test_what_a_file_is_and_how_large_is_told_from_its_bytes(
    content: bytes, media_type: str, size: tuple[int, int]
) -> None:
    found = read_file(content)
    assert (found.media_type, (found.width, found.height)) == (media_type, size)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<html><svg></svg></html>", b"<script>alert(1)</script>", b"MZ\x90\0", b"PK\x03\x04", b"\0" * 100,
     b"%PDF-1.4 without an end", b"BM" + b"\0" * 60, b"<!-- --><html>", b"GIF89", b"RIFF\0\0\0\0WAVE",
     b"<svgx>", b"\0\0\0 ftypavif", b"<!--" * 3000 + b"<svg>"],
)  # fmt: skip
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="none of them"):
        read_file(content)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
@given(data=st.data())
def test_a_picture_that_is_cut_off_or_broken_is_refused_or_read_never_an_error(kind: str, data: st.DataObject) -> None:
    whole = ALL[kind]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    with pytest.raises(Invalid):
        read_file(cut)
    with contextlib.suppress(Invalid):
        assert read_file(broken).media_type.startswith("image/")


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (png(4, 2, (b"tEXt", b"Author\0" + SECRET), (b"eXIf", SECRET), (b"iTXt", SECRET), tail=SECRET), png(4, 2)),
        (jpeg((0xE1, exif(1)), (0xED, b"Photoshop 3.0\0" + SECRET), (0xFE, SECRET), (0xE2, b"MPF\0" + SECRET),
              tail=SECRET), jpeg()),
        (gif(b"!\xfe" + bytes([len(SECRET)]) + SECRET + b"\0", b"!\xff\x0bXMP DataXMP\x04xxxx\0", tail=SECRET), gif()),
        (webp((b"EXIF", SECRET), (b"XMP ", SECRET), flags=0x0C, tail=SECRET), webp()[:0]),
    ],
    ids=["png", "jpeg", "gif", "webp"],
)  # fmt: skip
def test_what_a_picture_says_about_people_is_taken_out_and_the_picture_stays(dirty: bytes, clean: bytes) -> None:
    found = read_file(dirty)
    assert SECRET in dirty
    assert SECRET not in found.content
    assert read_file(found.content) == found, "cleaning again changes nothing"
    assert clean in (found.content, b"")


def test_colours_and_repetition_stay() -> None:
    assert b"iCCP" in read_file(png(4, 2, (b"iCCP", b"profile"))).content
    assert b"ICC_PROFILE" in read_file(jpeg((0xE2, b"ICC_PROFILE\0\1\1x"))).content
    assert b"NETSCAPE2.0" in read_file(gif(b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0")).content


def test_a_photograph_stays_as_its_camera_was_held() -> None:
    turned = read_file(jpeg((0xE1, exif(6))))
    assert SECRET not in turned.content
    assert (turned.width, turned.height) == (2, 4), "as it is shown"
    assert read_file(turned.content) == turned


@pytest.mark.parametrize("size", [(65_535, 65_535), (MOST_PIXELS + 1, 1), (0, 5)])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match="pixels"):
        read_file(png(*size))


def test_a_page_that_pretends_to_be_a_picture_is_no_picture() -> None:
    for start in (b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"):
        with pytest.raises(Invalid):
            read_file(start + b"<script>alert(1)</script>")
