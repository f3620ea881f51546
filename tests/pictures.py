"""Small real pictures, and the same with what cameras and editors write into them."""

import base64
import struct
import zlib

SECRET = b"GPS 48.8584 N 2.2945 E, Ana Ruiz"
"""What must not stay in any picture."""

_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8"
    "ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAAR"
    "CAACAAQDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAA"
    "BAb/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCAANSP/9k="
)
_VP8 = base64.b64decode("kAEAnQEqBAACAAQAaCWgAnS6AAOYAP7rNv+hNj2or/9CT/4mz/ibPgAAAAA=")


def png(width: int = 4, height: int = 2, *more: tuple[bytes, bytes], shade: int = 200, tail: bytes = b"") -> bytes:
    """A grey PNG with further chunks behind its header."""
    rows = b"".join(b"\0" + bytes([shade]) * min(width, 4_000) for _ in range(min(height, 4_000)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    made = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + made + tail


def jpeg(*segments: tuple[int, bytes], tail: bytes = b"") -> bytes:
    """A red JPEG of 4 by 2 pixels with further segments behind its first."""
    made = b"".join(bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return _JPEG[:20] + made + _JPEG[20:] + tail


def exif(orientation: int) -> bytes:
    """An Exif segment: a place, and how the camera was held."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0) + SECRET
    return b"Exif\0\0" + tiff


def gif(*extensions: bytes, tail: bytes = b"") -> bytes:
    """A GIF of one pixel with further extensions before its picture."""
    picture = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\0\0\0" + b"".join(extensions) + picture + b";" + tail


def webp(*chunks: tuple[bytes, bytes], flags: int = 0, tail: bytes = b"") -> bytes:
    """A red WebP of 4 by 2 pixels; extended if there are further chunks."""
    head = [(b"VP8X", bytes([flags, 0, 0, 0, 3, 0, 0, 1, 0, 0]))] if chunks else []
    parts = [kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
             for kind, body in [*head, (b"VP8 ", _VP8), *chunks]]  # fmt: skip
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, parts))) + b"WEBP" + b"".join(parts) + tail


SVG = b'<?xml version="1.0"?>\n<!-- a ring -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
