# How everything here is compiled; sourced after common.sh, never run.
#
# The demo, the tests and the frontend image that they use share every crate: one target, one profile, and the features of
# the whole workspace. So a command of cargo that compiles is given `--workspace`; `-p` would choose other features of common
# crates, and they would be compiled again.
# shellcheck shell=bash

# Static programs: the frontend image has nothing else in it.
MUSL=$(uname -m)-unknown-linux-musl
# Images for other platforms than this one get an entrypoint, too: <Rust's name>=<Docker's name>.
ENTRYPOINTS="x86_64=amd64 aarch64=arm64"
TARGET_DIR=${CARGO_TARGET_DIR:-$PROJECT/target}
# Where programs and examples are after compiling with the profile of tests.
# shellcheck disable=SC2034  # for those who source this
BUILT=$TARGET_DIR/$MUSL/debug
export CARGO_BUILD_TARGET=$MUSL
# Rust's own linker: it is quick, and links for every architecture.
for arch in $ENTRYPOINTS; do
  declare -x "CARGO_TARGET_$(tr '[:lower:]' '[:upper:]' <<<"${arch%=*}")_UNKNOWN_LINUX_MUSL_LINKER=rust-lld"
done

# add_target TARGET: Rust's standard library for it.
add_target() {
  [ ! -d "$(rustc --print sysroot)/lib/rustlib/$1" ] || return 0
  command -v rustup >/dev/null || die "the Rust target $1 is missing, and rustup, which would add it, too"
  rustup target add "$1" >&2 || die "the Rust target $1 could not be added"
}

# What a static build needs beside cargo: the targets' standard libraries, and a C compiler for zstd.
prepare_toolchain() {
  local arch
  command -v cargo >/dev/null || die "cargo is missing: install Rust (https://rustup.rs)"
  add_target "$MUSL"
  for arch in $ENTRYPOINTS; do add_target "${arch%=*}-unknown-linux-musl"; done
  if ! command -v musl-gcc >/dev/null; then
    { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || die "musl-gcc is missing: install musl-tools"
    say "installing musl-tools"
    { apt-get install -y -qq --no-install-recommends musl-tools ||
      { apt-get update -qq && apt-get install -y -qq --no-install-recommends musl-tools; }; } >&2 ||
      die "musl-tools could not be installed"
  fi
}

# The programs and examples of the workspace. Examples make cargo unify the features of tests as well.
compile_programs() { cargo build --locked --workspace --bins --examples; }
