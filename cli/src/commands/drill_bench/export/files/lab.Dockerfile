# The whole lab in one container, built from a commit.
FROM rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082
ARG REPOSITORY
ARG REVISION
ARG OPTIONS
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends ca-certificates curl git socat \
    && rm -rf /var/lib/apt/lists/* \
    && git clone --quiet "$REPOSITORY" /srv/lab \
    && git -C /srv/lab checkout --quiet --detach "$REVISION"
WORKDIR /srv/lab
# Installs what is missing and builds; starts nothing.
RUN ./lab up $OPTIONS --help > /dev/null
COPY --chmod=755 start /srv/start
CMD ["/srv/start"]
