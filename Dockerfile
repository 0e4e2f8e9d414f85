# One image with every part: `coronaz` and, beside it, `coronaz-broker`. Needs BuildKit (`docker compose build` has it).
#
# The last stage takes a folder tree /programs from the stage or image named PROGRAMS and lays it on BASE. By default that is
# the build below on a small Debian; `scripts/containers.sh` fills it from a build of this machine, FROM scratch, without a registry.
ARG BASE=debian:12.11-slim
ARG PROGRAMS=build

FROM node:20.19.2-bookworm-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY web ./
RUN npm run build

FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc make zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=page /src/web/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --release --locked -p coronaz -p coronaz-broker \
 && scripts/containers.sh tree /target/release /programs

FROM ${PROGRAMS} AS programs

FROM ${BASE}
COPY --from=programs /programs/ /
# A number, so that it can be checked not to be root without a list of users.
USER 10001:10001
WORKDIR /data
EXPOSE 3000
ENTRYPOINT ["/usr/local/bin/coronaz"]
CMD ["--help"]
