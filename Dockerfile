# One image for a Ray head, its workers and whoever submits to them: gandist, Ray and TensorFlow in a virtual environment.
#
#   make image                      BUILDER=podman or buildah, IMAGE=name:tag
#   make image EXTRAS=gpu           with the CUDA libraries; the driver is the host's
#   make image BASE=NAME@sha256:... the base pinned to the byte; what is installed goes by constraints.txt
#
# It needs no right to write but in /tmp and where --storage points. Docker would make a missing runs/ root's own:
#
#   mkdir -p runs
#   docker run --rm --read-only --tmpfs /tmp --shm-size 2g --user "$(id -u):$(id -g)" -v "$PWD/runs:/storage" \
#     gandist gandist run jobs/quickstart.yaml --storage /storage
#
# Behind a proxy or a package index of one's own, two secrets reach the build and leave no trace in the image: `pip`, a
# pip.conf, and `ca`, a bundle of certificates (`cert = /run/secrets/ca` in that pip.conf makes use of it).

ARG BASE=python:3.12-slim-trixie

# What gandist depends on: a layer of its own, which changes only when pyproject.toml or constraints.txt do.
FROM ${BASE} AS dependencies
ARG PYTHON=python3
ARG EXTRAS=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ${PYTHON} -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
    || { echo "gandist needs a base with Python 3.11, 3.12 or 3.13" >&2; exit 1; }
RUN ${PYTHON} -m venv /opt/gandist/venv
ENV PATH=/opt/gandist/venv/bin:${PATH}
WORKDIR /stand-in
COPY pyproject.toml constraints.txt ./
# Installed as the Makefile does: wheels only, setuptools first and pinned. An empty package stands in for gandist.
# The headers are for building extensions, and a quarter of TensorFlow. Unchecked .pyc files stay valid whatever times
# the files get when the image is packed; at run time none could be written.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    mkdir gandist && touch gandist/__init__.py README.md LICENSE \
    && python -m pip install --quiet --no-compile --constraint constraints.txt setuptools wheel \
    && python -m pip install --quiet --no-compile --constraint constraints.txt --only-binary :all: \
        --no-build-isolation ".${EXTRAS:+[${EXTRAS}]}" \
    && python -m pip uninstall --quiet --yes gandist \
    && rm -rf /opt/gandist/venv/lib/python3*/site-packages/tensorflow/include \
    && python -m compileall -q -f --invalidation-mode unchecked-hash /opt/gandist/venv/lib

# gandist itself, under /staged, so that the last stage can lay it over the dependencies as a small layer.
FROM dependencies AS package
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY gandist gandist
RUN python -m pip install --quiet --no-compile --no-index --no-deps --no-build-isolation --no-warn-script-location \
        --root /staged . \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /staged /staged

FROM ${BASE}
ARG PYTHON=python3
LABEL org.opencontainers.image.title="gandist" \
      org.opencontainers.image.description="Train small-image GANs as jobs of configurations x seeds on Ray" \
      org.opencontainers.image.licenses="Apache-2.0"

# The user has a name for the sake of ls and logs; any other uid works too. Slim bases come without the .pyc files of
# the standard library. Only /tmp stays open to all.
RUN groupadd --gid 10001 gandist \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin gandist \
    && ${PYTHON} -m compileall -q -x '/tests?/' --invalidation-mode unchecked-hash \
        "$(${PYTHON} -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && find / -xdev -type d -perm -0002 ! -path /tmp -exec chmod o-w {} +

COPY --from=dependencies /opt/gandist/venv /opt/gandist/venv
COPY --from=package /staged/opt/gandist/venv /opt/gandist/venv
WORKDIR /opt/gandist
COPY LICENSE ./
COPY jobs jobs

# What is cached or logged goes to /tmp, whoever runs it.
ENV PATH=/opt/gandist/venv/bin:${PATH} \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME /tmp

# By number: Kubernetes' runAsNonRoot cannot judge a name.
USER 10001:10001

# No entry point: KubeRay starts Ray by a command of its own.
CMD ["gandist", "--help"]
