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

# Whether that user can have an engine: access to the engines' programs, what rootlesskit runs besides those that
# fetch_rootless downloads, and namespaces in which file systems can be mounted.
can_be_rootless() {
  [ -e /etc/subuid ] && [ -e /etc/subgid ] && [ -e /dev/net/tun ] &&
    PATH=$(engine_path) setpriv --reuid "$ROOTLESS_USER" --regid "$ROOTLESS_USER" --clear-groups \
      unshare --user --map-root-user --mount \
      sh -c "[ -d '$ENGINE_ROOT/usr/bin' ] && command -v ip && command -v nsenter && mount -t tmpfs tmpfs /mnt" \
      >/dev/null 2>&1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "starting a container engine needs root: run this as root (sudo make …)"
}
