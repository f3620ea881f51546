"""kb: knowledge management and agent-assist search for contact centres."""

__version__ = "0.1.0"
