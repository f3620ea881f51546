"""Static files from memory, under an address that changes with their content.

The page refers to `/static/<version>/...`, where the version is a hash over all files: browsers may keep them for
ever, ES modules find each other by relative addresses, and a new release is seen at once without a build step.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

# Not from `mimetypes`, which asks the system: some give JavaScript a type that browsers refuse for modules.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, media type and a strong entity tag."""

    body: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files of a folder by relative path. What is not in here cannot be asked for, whatever the path says."""

    files: dict[str, Asset]
    version: str

    @classmethod
    def read(cls, folder: Path) -> "Assets":
        """Every file below the folder whose type we serve."""
        files: dict[str, Asset] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in _TYPES:
                body = path.read_bytes()
                digest = hashlib.sha256(body).hexdigest()[:20]
                files[path.relative_to(folder).as_posix()] = Asset(body, _TYPES[path.suffix], f'"{digest}"')
        everything = "\n".join(f"{name} {asset.etag}" for name, asset in files.items())
        return cls(files, hashlib.sha256(everything.encode()).hexdigest()[:12])
