"""Settings: environment variables `KB_...`, a `.env` file, or options of the `kb` command. Read nowhere else."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict

from kb.audience import Audience
from kb.errors import Invalid
from kb.person import Role

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")  # user:password@ in a URL


class RoleGrant(BaseModel):
    """What a value of `oidc_roles_claim` gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier: Literal[Audience.CUSTOMER, Audience.PARTNER, Audience.INTERNAL]
    roles: list[Role] = []
    groups: list[str] = []


class Settings(BaseSettings):
    """Everything an operator can set. Each field `x` is the variable `KB_X`."""

    model_config = SettingsConfigDict(env_prefix="KB_", env_file=".env", extra="ignore")

    data_dir: Path = Field(Path("data"), description="Folder for the database, the embedded index and caches.")
    database_url: str = Field(
        "",
        description="SQLAlchemy URL of the record: sqlite:///... or postgresql://... Empty: kb.db in the data folder.",
    )
    qdrant_url: str = Field("", description="URL of a Qdrant server or cluster. Empty: the embedded engine.")
    qdrant_api_key: SecretStr = Field(SecretStr(""), description="API key of the Qdrant server.")
    qdrant_alias: str = Field("kb", description="Name of our collections on the Qdrant server.")
    qdrant_shards: Annotated[int, Field(ge=1)] = Field(1, description="Shards of a new collection.")
    qdrant_replicas: Annotated[int, Field(ge=1)] = Field(1, description="Replicas of a new collection.")
    qdrant_timeout_s: Annotated[float, Field(gt=0)] = Field(
        2.0, description="Seconds to wait for the Qdrant server; a search waits 1 s at most."
    )
    disk_reserve_mb: Annotated[int, Field(ge=0)] = Field(
        256,
        description="Free space, in MB, below which the embedded index is not written to (at most a tenth of the "
        "disk): indexing pauses and goes on by itself.",
    )
    drift_every_s: Annotated[float, Field(gt=0)] = Field(
        600.0, description="Seconds between two looks whether the index holds what the database says."
    )
    calibrate: Literal["auto", "off"] = Field(
        "auto",
        description="auto: an index of 1,000 passages or more is calibrated after it was built (kb calibrate), in a "
        "process of its own. off: only when asked.",
    )
    embedding_model: str = Field(
        "", description="sentence-transformers model by name or folder. Empty: the packaged all-MiniLM-L6-v2."
    )
    encoder_backend: Literal["auto", "onnx", "torch"] = Field(
        "auto",
        description="What runs the encoder: ONNX Runtime, PyTorch, or (auto) ONNX Runtime where the model can be "
        "exported to it.",
    )
    encoder_queries: Literal["auto", "exact"] = Field(
        "auto",
        description="auto: ONNX Runtime encodes queries with weights in 8 bits where that was measured to be faster. "
        "exact: as passages.",
    )
    rerank_model: str = Field(
        "",
        description="sentence-transformers cross-encoder, by name or folder, that looks at the best hits again. "
        "Empty: none.",
    )
    rerank_budget_ms: Annotated[float, Field(gt=0)] = Field(
        200.0, description="Milliseconds that a search waits for it; it is skipped where that would not do."
    )
    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to serve on.")
    index_in_process: bool | None = Field(
        None,
        description="Whether `kb serve` also indexes. Empty: yes with the embedded engine, no with a Qdrant server.",
    )
    rate_per_key: Annotated[float, Field(gt=0)] = Field(
        12.0, description="Requests a second that one key may send: a request for each keystroke of a fast typist."
    )
    rate_per_address: Annotated[float, Field(gt=0)] = Field(
        200.0, description="Requests a second from one address by those without a key that is known to be good."
    )
    rate_burst_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Seconds' worth of requests that may come at once after a pause."
    )
    max_in_flight: Annotated[int, Field(ge=2)] = Field(
        256, description="Requests worked on or waiting at once; more are answered with 503 at once."
    )
    public_url: str = Field(
        "",
        description="Where people reach this service, such as https://kb.example, if that is not the address it is "
        "asked under. Empty: that address; signing in then needs https, or this machine.",
    )
    session_idle_s: Annotated[int, Field(ge=60)] = Field(
        28_800, description="Seconds after which somebody who does nothing has to sign in again."
    )
    session_max_s: Annotated[int, Field(ge=60)] = Field(
        43_200, description="Seconds after which everybody has to sign in again."
    )
    oidc_issuer: str = Field(
        "", description="OpenID provider that people sign in with, such as https://login.example. Empty: none."
    )
    oidc_client_id: str = Field("", description="How the OpenID provider knows us.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Our secret with the OpenID provider.")
    oidc_scopes: str = Field("openid profile", description="Scopes asked of the OpenID provider.")
    oidc_roles_claim: str = Field(
        "groups", description="Claim of the ID token that decides what somebody may; dots lead deeper."
    )
    oidc_roles: Annotated[dict[str, RoleGrant], NoDecode] = Field(
        {},
        description="What each value of that claim gives, as JSON; who has none of them is not let in.",
    )
    remind_before_days: Annotated[float, Field(gt=0, le=3_650)] = Field(
        30.0,
        description="Days before its end from which on an article is listed, and its owner told once; "
        "told again when it has ended.",
    )
    stale_after_days: Annotated[float, Field(gt=0, le=3_650)] = Field(
        180.0, description="Days after which an article that nobody has published or confirmed is listed for its owner."
    )
    file_limit_mb: Annotated[float, Field(gt=0, le=100)] = Field(
        5.0, description="Size, in MB, that a picture or file of an article may have."
    )
    case_owner: str = Field(
        "",
        description="Id of the person who owns the cases that neither an article nor a domain has an owner for. "
        "Empty: the first coach by name, else publisher, else admin.",
    )
    case_not_helpful: Annotated[int, Field(ge=1)] = Field(
        5, description="How many customers have to say within 30 days that something did not help to open a case."
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed, with commas."
    )
    fetch_allow: str = Field(
        "", description="Hosts or networks of our own that may be fetched from although private, with commas."
    )
    webhook_allow: str = Field(
        "",
        description="Hosts or networks of our own that webhooks may go to although private, or by http, with commas.",
    )
    worker_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="Port on which `kb worker` tells how it is (/healthz, /readyz, /metrics). 0: any that is free."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of log lines. auto: json for `kb serve` and `kb worker`, except on a terminal."
    )
    otel_endpoint: str = Field(
        "",
        description="Address of an OpenTelemetry collector (OTLP over HTTP) that takes traces, such as "
        "http://collector:4318; needs the extra `tracing`. Empty: no traces.",
    )

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        return json.loads(value or "{}") if isinstance(value, str) else value

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not (value.startswith(("https://", "http://")) and value.isprintable() and " " not in value):
            raise ValueError("an address begins with https:// (or http://)")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            ipaddress.ip_network(each)  # uvicorn would take a slip of the pen for a name and believe nobody
        return value

    @field_validator("index_in_process", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def database(self) -> str:
        """The URL of the record."""
        return self.database_url or f"sqlite:///{self.data_dir / 'kb.db'}"

    @property
    def file_limit(self) -> int:
        """`file_limit_mb` in bytes."""
        return int(self.file_limit_mb * 1_000_000)

    @property
    def embedded(self) -> bool:
        """Whether the index lives in this process."""
        return not self.qdrant_url

    @property
    def indexes_here(self) -> bool:
        """Whether `kb serve` runs the indexer. The embedded engine leaves no choice: one process holds the folder."""
        return self.embedded or bool(self.index_in_process)


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting: its value fit to be shown, and where it came from ("option", "environment", ".env", "default")."""

    name: str
    value: str
    source: str
    variable: str
    description: str


def read_settings(options: Mapping[str, Any]) -> Settings:
    """The settings, where options that are not None win; raises Invalid naming the variable that is wrong."""
    try:
        return Settings(**_given(options))
    except ValidationError as error:
        wrong = [f"{variable_of(str(each['loc'][0]))}: {each['msg']}" for each in error.errors()]
        raise Invalid("; ".join(wrong), "settings") from error


def explain(settings: Settings, options: Mapping[str, Any]) -> list[Explained]:
    """Every setting with its value, secrets masked, and its source."""
    sources = {
        **dict.fromkeys(DotEnvSettingsSource(Settings)(), ".env"),
        **dict.fromkeys(EnvSettingsSource(Settings)(), "environment"),
        **dict.fromkeys(_given(options), "option"),
    }
    return [
        Explained(
            name=name,
            value=_shown(getattr(settings, name)),
            source=sources.get(name, "default"),
            variable=variable_of(name),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def variable_of(name: str) -> str:
    """The environment variable of a setting: "data_dir" gives "KB_DATA_DIR"."""
    return f"KB_{name.upper()}"


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _shown(value: object) -> str:
    """A value as text: secrets and passwords in URLs masked, nothing where nothing is set."""
    return "" if value is None else _PASSWORD.sub(r"\1:***@", str(value))
