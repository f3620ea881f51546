"""What a file is, told from its bytes alone, and its bytes without what they say about people.

Photographs say where and when they were taken and with which device; editors leave names and comments. All of it goes:
of PNG, JPEG, GIF and WebP only the parts that make the picture are kept, unchanged, so that no quality is lost and no
picture is ever decoded here. What follows the end of a picture goes as well: nothing is two kinds of file at once.
SVG and PDF are kept as they are.

Sources: PNG 3rd edition; ITU-T T.81 annex B and Exif 2.32; GIF89a; RFC 9649 (WebP).
"""

import re
import struct
from collections.abc import Callable, Iterator

from kb.errors import Invalid
from kb.file import File

MOST_PIXELS = 50_000_000
"""Width by height: a phone's largest photograph. A browser takes four bytes for each, however small the file is."""

_PNG_PARTS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs",
    b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip
_WEBP_PARTS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_EXIF_AND_XMP = 0x0C  # bits of VP8X that announce what is dropped here
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_PARTS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}  # of the application's own segments
_JPEG_NEXT = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # behind a scan: neither a stuffed byte nor a restart
_GIF_LOOPS = {b"NETSCAPE2.0", b"ANIMEXTS1.0"}
_SVG_SEARCHED = 4_096  # bytes: the first element stands there


def read_file(content: bytes) -> File:
    """The file in these bytes; raises Invalid where they are none of our types, damaged, or too many pixels."""
    for is_kind, read in _KINDS:
        if is_kind(content):
            try:
                return read(content)
            except (struct.error, IndexError):
                raise Invalid("the file is damaged: it ends in the middle", "file") from None
    raise Invalid("pictures are PNG, JPEG, GIF, WebP or SVG, other files PDF; this is none of them", "file")


def _picture(media_type: str, parts: list[bytes], width: int, height: int) -> File:
    if not 0 < width * height <= MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise Invalid(f"the picture has {width} x {height} pixels; at most {most} million are possible", "file")
    return File(media_type, b"".join(parts), width, height)


def _damaged() -> Invalid:
    return Invalid("the picture is damaged", "file")


def _read_png(data: bytes) -> File:
    parts, at, kind = [data[:8]], 8, b""
    if data[8:16] != b"\0\0\0\x0dIHDR":
        raise _damaged()
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _damaged()
        if kind in _PNG_PARTS:
            parts.append(data[at:end])
        at = end
    return _picture("image/png", parts, *struct.unpack_from(">II", data, 16))


def _read_jpeg(data: bytes) -> File:
    parts, at, turned = [data[:2]], 2, 1
    width = height = 0
    while True:
        at = _jpeg_marker(data, at)
        marker = data[at + 1]
        if marker == 0xD9:
            break
        end = at + 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        body = data[at + 4 : end]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", body, 1)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            turned = _orientation(body[6:]) or turned
        if marker == 0xDA:  # the scan that follows has no length of its own
            found = _JPEG_NEXT.search(data, end)
            if found is None:
                raise _damaged()
            end = found.start()
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or body.startswith(_JPEG_PARTS.get(marker, b"\0none")):
            parts.append(data[at:end])
        at = end
    if turned != 1:
        parts.insert(1, _exif_of(turned))
    shown = (height, width) if turned >= 5 else (width, height)
    return _picture("image/jpeg", [*parts, b"\xff\xd9"], *shown)


def _jpeg_marker(data: bytes, at: int) -> int:
    """Where the marker stands that begins at `at`, behind bytes that only fill."""
    if data[at] != 0xFF:
        raise _damaged()
    while data[at + 1] == 0xFF:
        at += 1
    return at


def _orientation(tiff: bytes) -> int:
    """Exif's orientation, 1 to 8: without it a photograph lies on its side. 0 where there is none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 0
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if (tag, kind) == (0x0112, 3) and 1 <= value <= 8:
                return int(value)
    except struct.error:
        pass  # Exif that is damaged says nothing; the picture may be whole
    return 0


def _exif_of(orientation: int) -> bytes:
    """A segment that says how the picture is turned and nothing else."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def _read_gif(data: bytes) -> File:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _gif_colours(flags)
    parts = [data[:at]]
    while data[at] != 0x3B:
        start = at
        if data[at] == 0x2C:
            frame_width, frame_height, frame_flags = struct.unpack_from("<HHB", data, at + 5)
            if frame_width * frame_height > MOST_PIXELS:
                raise _damaged()
            at = _gif_blocks_end(data, at + 11 + _gif_colours(frame_flags))
            keep = True
        elif data[at] == 0x21:
            label = data[at + 1]
            keep = label == 0xF9 or (label == 0xFF and data[at + 3 : at + 14] in _GIF_LOOPS)
            at = _gif_blocks_end(data, at + 2)
        else:
            raise _damaged()
        if keep:
            parts.append(data[start:at])
    return _picture("image/gif", [*parts, b";"], width, height)


def _gif_colours(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks_end(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _read_webp(data: bytes) -> File:
    chunks = list(_webp_chunks(data))
    kind, first = chunks[0]
    if kind == b"VP8X":
        width, height = (int.from_bytes(first[at : at + 3], "little") + 1 for at in (4, 7))
        chunks[0] = (kind, bytes([first[0] & ~_WEBP_EXIF_AND_XMP]) + first[1:])
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", first, 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", first, 6))
    else:
        raise _damaged()
    kept = [(kind, body) for kind, body in chunks if kind in _WEBP_PARTS]
    parts = [kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in kept]
    size = 4 + sum(map(len, parts))
    return _picture("image/webp", [b"RIFF" + struct.pack("<I", size) + b"WEBP", *parts], width, height)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    end = 8 + int(struct.unpack_from("<I", data, 4)[0])
    if end > len(data):
        raise _damaged()
    at = 12
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise _damaged()
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _is_svg(data: bytes) -> bool:
    """Whether the first element is <svg>, behind a declaration, comments and a document type."""
    text = data[:_SVG_SEARCHED].removeprefix(b"\xef\xbb\xbf").lstrip()
    for opening, closing in ((b"<?xml", b"?>"), *[(b"<!--", b"-->")] * 5, (b"<!DOCTYPE", b">"), (b"<!--", b"-->")):
        if text.startswith(opening):
            text = text.partition(closing)[2].lstrip()
    return re.match(rb"<svg[\s/>]", text) is not None


def _is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-") and b"%%EOF" in data[-2_048:]


_KINDS: list[tuple[Callable[[bytes], bool], Callable[[bytes], File]]] = [
    (lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), _read_png),
    (lambda data: data.startswith(b"\xff\xd8\xff"), _read_jpeg),
    (lambda data: data.startswith((b"GIF87a", b"GIF89a")), _read_gif),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _read_webp),
    (_is_svg, lambda data: File("image/svg+xml", data)),
    (_is_pdf, lambda data: File("application/pdf", data)),
]
