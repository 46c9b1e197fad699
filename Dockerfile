# The frontend image. `make frontend` replaces the stage `bin` with a folder of binaries
# (--build-context bin=DIR), so nothing is pulled; otherwise they are built here.

FROM rust:1.95-slim-trixie AS bin
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl
WORKDIR /src
COPY . .
# The frontend runs on the builder's platform. The entrypoint goes into images for any platform; it is pure Rust, so
# Rust's own linker (.cargo/config.toml) can link it for every architecture.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    target="$(uname -m)-unknown-linux-musl" \
    && cargo build --locked --release -p condafront --target "$target" \
    && cp "target/$target/release/condafront" / \
    && for arch in x86_64=amd64 aarch64=arm64; do \
        target="${arch%=*}-unknown-linux-musl" \
        && cargo build --locked --profile entrypoint -p condafront-entrypoint --target "$target" \
        && cp "target/$target/entrypoint/condafront-entrypoint" "/condafront-entrypoint-${arch#*=}" \
        || exit 1; \
    done

FROM scratch
ARG VERSION
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts" \
      moby.buildkit.frontend.network.none="true" \
      org.opencontainers.image.title="condafront" \
      org.opencontainers.image.description="A BuildKit frontend that turns conda environments into container images" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=bin --chown=0:0 --chmod=0755 /condafront /condafront-entrypoint-amd64 /condafront-entrypoint-arm64 /
ENTRYPOINT ["/condafront"]
