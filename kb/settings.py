"""Settings: environment variables `KB_...`, a `.env` file, or options of the `kb` command. Read nowhere else."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    qdrant_timeout_s: Annotated[float, Field(gt=0)] = Field(2.0, description="Seconds to wait for the Qdrant server.")
    embedding_model: str = Field(
        "", description="sentence-transformers model by name or folder. Empty: the packaged all-MiniLM-L6-v2."
    )
    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to serve on.")
    index_in_process: bool | None = Field(
        None,
        description="Whether `kb serve` also indexes. Empty: yes with the embedded engine, no with a Qdrant server.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    @field_validator("index_in_process", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def database(self) -> str:
        """The URL of the record."""
        return self.database_url or f"sqlite:///{self.data_dir / 'kb.db'}"

    @property
    def embedded(self) -> bool:
        """Whether the index lives in this process."""
        return not self.qdrant_url

    @property
    def indexes_here(self) -> bool:
        """Whether `kb serve` runs the indexer. The embedded engine leaves no choice: one process holds the folder."""
        return self.embedded or bool(self.index_in_process)
