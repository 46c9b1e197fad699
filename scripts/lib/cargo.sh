# How everything here is compiled; sourced after common.sh, never run.
#
# The demo, the tests and the frontend image that they use share every crate: one target, one profile, and the features of
# the whole workspace. So every cargo command that compiles takes `--workspace`; with `-p`, common crates would have other
# features and be compiled again.
# shellcheck shell=bash

# Static programs: the frontend image has nothing else in it.
MUSL=$(uname -m)-unknown-linux-musl
# Images for other platforms get an entrypoint too: <Rust's name>=<Docker's name>.
ENTRYPOINTS="x86_64=amd64 aarch64=arm64"
TARGET_DIR=${CARGO_TARGET_DIR:-$PROJECT/target}
# Where programs and examples are after compiling with the test profile.
# shellcheck disable=SC2034  # for those who source this
BUILT=$TARGET_DIR/$MUSL/debug
export CARGO_BUILD_TARGET=$MUSL

# add_target TARGET: installs Rust's standard library for TARGET.
add_target() {
  [ ! -d "$(rustc --print sysroot)/lib/rustlib/$1" ] || return 0
  command -v rustup >/dev/null || die "the Rust target $1 is missing, and so is rustup, which could add it"
  rustup target add "$1" >&2 || die "the Rust target $1 could not be added"
}

# Installs what a static build needs besides cargo: the targets' standard libraries, and a C compiler for zstd.
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

# Compiles the workspace's programs and examples. Examples make cargo unify the features with those of tests.
compile_programs() { cargo build --locked --workspace --bins --examples; }
