# Shared by the scripts; sourced, never run.
# shellcheck shell=bash

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# The folder with all downloads and all running engines.
ENGINE_HOME=$(realpath -m "${CONDAFRONT_ENGINE_DIR:-$PROJECT/.engine}")
# Programs unpacked from Debian's archive.
ENGINE_ROOT=$ENGINE_HOME/root

# The engines' programs come first, so that no other docker on the machine is used by accident.
engine_path() { printf '%s/usr/bin:%s/usr/sbin:%s' "$ENGINE_ROOT" "$ENGINE_ROOT" "$PATH"; }

# The user of engines without root.
ROOTLESS_USER=54321

# Whether that user can have an engine: namespaces, and access to the engines' programs.
can_be_rootless() {
  [ -e /etc/subuid ] && [ -e /etc/subgid ] && [ -e /dev/net/tun ] &&
    setpriv --reuid "$ROOTLESS_USER" --regid "$ROOTLESS_USER" --clear-groups \
      unshare --user test -d "$ENGINE_ROOT/usr/bin" 2>/dev/null
}

need_root() {
  [ "$(id -u)" = 0 ] || die "starting a container engine needs root: run this as root (sudo make …)"
}
