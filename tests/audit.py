"""Audits what kb is built on: `python tests/audit.py`, part of `make check`.

Fails when something is installed in another version than `constraints.txt` says, when a direct dependency is not
explained in `docs/dependencies.md`, when installed packages contradict each other, and when an advisory is known
for one of them. Where no database of advisories can be reached it says how many packages went unchecked: that is no
pass, and `KB_AUDIT_STRICT=1` (for a release) makes it a failure.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
ACCEPTED: dict[str, str] = {}
"""Advisories that do not concern us: id -> why."""

_OURS = {"kb", "pip", "setuptools", "wheel"}


def main() -> int:
    """The exit status."""
    installed = {_normal(each.metadata["Name"]): each.version for each in distributions()}
    wrong = [*_unpinned(installed), *_unexplained(), *_contradictions()]
    known, unchecked = _advisories(len(installed))
    wrong += known
    for each in wrong:
        print(f"audit: {each}", file=sys.stderr)
    if unchecked:
        print(f"audit: {unchecked} packages were not compared with advisories: none could be reached", file=sys.stderr)
    if not wrong and not unchecked:
        print(f"audit: {len(installed)} packages, no advisory known")
    return int(bool(wrong) or (bool(unchecked) and os.environ.get("KB_AUDIT_STRICT") == "1"))


def _unpinned(installed: dict[str, str]) -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {_normal(name): version for name, _, version in (line.partition("==") for line in lines) if version}
    return [
        f"{name} {version} is installed, constraints.txt says {pinned.get(name, 'nothing')}"
        for name, version in sorted(installed.items())
        if name not in _OURS and pinned.get(name) != version.partition("+")[0]
    ]


def _unexplained() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [each for extra in project["optional-dependencies"].values() for each in extra]
    names = {re.split(r"[\[=<>~! ]", each)[0] for each in wanted}
    explained = {
        _normal(word.rstrip(".")) for word in re.findall(r"[\w.-]+", (ROOT / "docs/dependencies.md").read_text())
    }
    return [f"docs/dependencies.md does not say why {name}" for name in sorted(names) if _normal(name) not in explained]


def _contradictions() -> list[str]:
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    return checked.stdout.splitlines() if checked.returncode else []


def _advisories(count: int) -> tuple[list[str], int]:
    """What is known against installed packages, and how many of them could not be looked up."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return [], count
    known = [
        f"{each['name']} {each['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version'}"
        for each in packages
        for found in each.get("vulns", ())
        if found["id"] not in ACCEPTED
    ]
    unchecked = sum("skip_reason" in each and _normal(each["name"]) not in _OURS for each in packages)
    return known, unchecked


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
