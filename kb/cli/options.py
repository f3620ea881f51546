"""Options that are settings: the option wins over the environment, the environment over `.env`."""

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import typer

from kb.settings import Settings, read_settings, variable_of


@dataclass(frozen=True, slots=True)
class Options:
    """The settings named on the command line; None for those that were not."""

    given: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, **more: Any) -> Settings:
        """The settings with these and `more` options taken into account; raises Invalid."""
        return read_settings({**self.given, **more})


def setting(name: str) -> Any:
    """The option for a setting: "data_dir" is --data-dir, described as the setting is."""
    described = Settings.model_fields[name].description
    # The variable is read by Settings, which knows `.env` too; typer only shows it.
    return typer.Option(
        f"--{name.replace('_', '-')}", help=f"{described} [env: {variable_of(name)}]", allow_from_autoenv=False
    )


def begin(context: typer.Context, **more: Any) -> Settings:
    """The settings of a command, with logging to stderr as they say."""
    options = context.obj if isinstance(context.obj, Options) else Options()
    settings = options.settings(**more)
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "alembic", "uvicorn", "sentence_transformers"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return settings
