# The frontend image. `make frontend` replaces the stage `bin` by a folder with the two binaries
# (--build-context bin=DIR), so that nothing is pulled; without that they are built here.

FROM rust:1.95-slim-trixie AS bin
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    target="$(uname -m)-unknown-linux-musl" \
    && cargo build --locked --release -p condafront --target "$target" \
    && cargo build --locked --profile entrypoint -p condafront-entrypoint --target "$target" \
    && cp "target/$target/release/condafront" "target/$target/entrypoint/condafront-entrypoint" /

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
