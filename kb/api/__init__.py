"""HTTP in, JSON out: `/api/v1`, health and metrics."""
