"""The command `kb`: serve, index, people, doctor, measure.

Commands import what they need when they run: `kb --help` should not wait for SQLAlchemy, Qdrant or uvicorn.
"""

import sys

from kb.cli.app import app
from kb.errors import KbError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; what goes wrong on purpose is one line on stderr and exit code 1."""
    try:
        app()
    except KbError as error:
        print(f"kb: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)
