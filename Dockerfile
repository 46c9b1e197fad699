# The frontend image. `make frontend` replaces the stage `bin` with a folder of binaries
# (--build-context bin=DIR), so nothing is pulled; otherwise they are built here, for any platform on any builder.

FROM --platform=$BUILDPLATFORM rust:1.95-slim-trixie AS bin
# The programs have no list of their crates; this stage has the lock, so the inventory is also of it.
ARG BUILDKIT_SBOM_SCAN_STAGE=true
ARG BUILDARCH
ARG TARGETARCH
# C code (zstd, ring) is compiled with musl's headers; Rust's own linker (.cargo/config.toml) links for every architecture.
RUN if [ "$TARGETARCH" != "$BUILDARCH" ]; then dpkg --add-architecture "$TARGETARCH"; fi \
    && case $TARGETARCH in amd64) cross=gcc-x86-64-linux-gnu ;; *) cross=gcc-aarch64-linux-gnu ;; esac \
    && apt-get update \
    && apt-get install -y --no-install-recommends musl-tools "musl-dev:$TARGETARCH" \
        $([ "$TARGETARCH" = "$BUILDARCH" ] || echo "$cross") \
    && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl
WORKDIR /src
COPY . .
# The frontend runs on its own platform. The entrypoint goes into images for any platform; it is pure Rust.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    scripts/release-binaries "$TARGETARCH" /

FROM scratch
ARG VERSION
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring" \
      moby.buildkit.frontend.network.none="true" \
      org.opencontainers.image.title="condafront" \
      org.opencontainers.image.description="A BuildKit frontend that turns conda environments into container images" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=bin --chown=0:0 --chmod=0755 /condafront /condafront-entrypoint-amd64 /condafront-entrypoint-arm64 /
ENTRYPOINT ["/condafront"]
