"""Options that are settings: the option wins over the environment, the environment over `.env`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import typer

from kb import logs
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


def begin(context: typer.Context, serves: bool = False, **more: Any) -> Settings:
    """The settings of a command, with logging to stderr as they say; `serves` where it runs until it is told to end."""
    options = context.obj if isinstance(context.obj, Options) else Options()
    settings = options.settings(**more)
    unattended = serves and not sys.stderr.isatty()
    logs.configure(settings.log_level, settings.log_format == "json" or (settings.log_format == "auto" and unattended))
    return settings
