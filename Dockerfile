# The bot and its engine in one small container, without root, with its data in a volume.
#
#   docker build -t pixel-bot .
#   docker run -d --env-file .env -v pixel-data:/data pixel-bot
#
# For a GPU the same image is run with one more option: docker run --gpus all …
# For Prometheus: -e PIXEL_HTTP=0.0.0.0:8780 -p 127.0.0.1:8780:8780

FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /build
COPY . .
RUN uv sync --no-editable --no-cache

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 pixel && install -d -o pixel -g pixel /data
COPY --from=build /build/.venv /build/.venv
ENV PATH=/build/.venv/bin:$PATH \
    PIXEL_DATA=/data \
    PYTHONUNBUFFERED=1
USER pixel
WORKDIR /data
VOLUME /data
# Healthy means: connected to Discord, and the engine process answers; /healthz says what is wrong.
# Three failures in a row leave an engine that died the time to be up again.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["pixel", "health"]
CMD ["pixel", "run"]
