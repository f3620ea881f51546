# kb as one image: `kb serve` by default, `kb worker`, `kb migrate` and all other commands by name.
# See docs/operations.md. To pin the base by content as well, append the digest your registry shows to both FROM lines.

FROM python:3.11.14-slim-bookworm AS build
# Only wheels are installed, so nothing is compiled. torch==2.13.0 is meant to be its CPU build: where the usual index
# gives the one with CUDA (several GB), name an index of CPU builds here.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all:
RUN python -m venv --without-pip /opt/kb
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY kb kb
COPY ingest ingest
RUN python -m pip --python /opt/kb/bin/python install -c constraints.txt ".[postgres,tracing]"

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="kb" \
      org.opencontainers.image.description="Knowledge management and agent-assist search for contact centres" \
      org.opencontainers.image.licenses="MIT"
# What installs software is not needed to run it.
RUN python -m pip uninstall --yes pip setuptools wheel && mkdir /var/lib/kb && chown 10001:10001 /var/lib/kb
COPY --from=build /opt/kb /opt/kb
ENV PATH=/opt/kb/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    KB_DATA_DIR=/var/lib/kb \
    KB_HOST=0.0.0.0 \
    KB_PORT=8000
# Numeric, so that an orchestrator can see that it is not root. Everything but /var/lib/kb and /tmp may be read-only.
USER 10001:10001
WORKDIR /var/lib/kb
VOLUME /var/lib/kb
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["kb"]
CMD ["serve"]
