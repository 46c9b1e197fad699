# The frontend image. `make frontend` replaces the stage `bin` by a folder with the two binaries
# (--build-context bin=DIR), so that nothing is pulled; without that they are built here.

FROM rust:1.95-slim-trixie AS bin
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bins --target "$(uname -m)-unknown-linux-musl" \
    && cp target/*-unknown-linux-musl/release/condafront target/*-unknown-linux-musl/release/condafront-entrypoint /

FROM scratch
ARG VERSION
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts" \
      moby.buildkit.frontend.network.none="true" \
      org.opencontainers.image.title="condafront" \
      org.opencontainers.image.description="A BuildKit frontend that turns conda environments into container images" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=bin --chown=0:0 --chmod=0755 /condafront /condafront-entrypoint /
ENTRYPOINT ["/condafront"]
