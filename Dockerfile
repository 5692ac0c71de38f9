# The service as one image: no compiler, no weights, a user without rights, a root file system that may be read-only.
#   docker build -t idverify .
#   docker run --read-only --tmpfs /tmp -v idverify-data:/data -p 8080:8080 idverify
# First use of a data volume (each runs in the same image):
#   … idverify python -m idverify models pull
#   … idverify python -m idverify keys new
# requirements.lock: what the library and the extra `service` need; our own packages are copied from the checkout.
FROM python:3.11-slim AS build
COPY requirements.lock /build/requirements.lock
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/requirements.lock

FROM python:3.11-slim
# What WeasyPrint draws reports with.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin idverify \
 && install -d -o idverify -g idverify -m 0700 /data
COPY --from=build /opt/venv /opt/venv
COPY LICENSE /srv/LICENSE
COPY models/manifest.toml /srv/models/manifest.toml
COPY models/builtin /srv/models/builtin
COPY idverify_receipts /srv/idverify_receipts
COPY idverify /srv/idverify
COPY staff /srv/staff
COPY pages /srv/pages
COPY enrolment /srv/enrolment
COPY analysis /srv/analysis
COPY api /srv/api
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/srv \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    IDVERIFY_DATA_DIR=/data \
    IDVERIFY_MODEL_CACHE_DIR=/data/models \
    IDVERIFY_HOST=0.0.0.0 \
    IDVERIFY_PORT=8080
WORKDIR /srv
USER idverify
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["python", "-m", "api"]
