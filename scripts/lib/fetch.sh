# Takes the engines' programs from Debian's archive without touching the machine's packages or
# apt configuration: apt keeps its lists in the project's folder, and packages are only unpacked.
# shellcheck shell=bash

DEBIAN_MIRROR=${CONDAFRONT_DEBIAN_MIRROR:-http://deb.debian.org/debian}
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Raise this if the list of packages below changes, so that existing folders are filled again.
FETCH_VERSION=1
# The same for the programs of an engine without root.
ROOTLESS_VERSION=2
# All of these come from one suite, because dockerd, containerd and the clients must match.
ENGINE_PACKAGES="docker.io docker-cli docker-buildx containerd docker-registry"
ENGINE_SUITES=${CONDAFRONT_ENGINE_SUITES:-sid trixie}
# runc from newer suites needs a newer libc than Debian 12 has.
RUNC_SUITES="$ENGINE_SUITES bookworm"

# The folder in which apt keeps its lists: one for each architecture.
apt_folder() {
  case $1 in
    "$(dpkg --print-architecture)") printf '%s/apt' "$ENGINE_HOME" ;;
    *) printf '%s/apt-%s' "$ENGINE_HOME" "$1" ;;
  esac
}

project_apt() { apt-get -c "$ENGINE_HOME/apt/apt.conf" "$@"; }

# prepare_apt [ARCHITECTURE [SUITE]]: defaults to this machine's architecture; SUITE is read besides the usual ones.
prepare_apt() {
  local arch=${1:-$(dpkg --print-architecture)} more=${2:-trixie} apt suite
  apt=$(apt_folder "$arch")
  command -v apt-get >/dev/null || die "apt-get is missing: the engines come from Debian's archive"
  if [ ! -f "$DEBIAN_KEYRING" ]; then
    apt-get install -y -qq debian-archive-keyring >&2 ||
      die "the package debian-archive-keyring is missing and could not be installed"
  fi
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  : >"$apt/status"
  for suite in $ENGINE_SUITES trixie bookworm "$more"; do
    printf 'deb [target=Packages signed-by=%s] %s %s main\n' "$DEBIAN_KEYRING" "$DEBIAN_MIRROR" "$suite"
  done | sort -u >"$apt/sources.list"
  # The hooks in the machine's configuration are meant for the machine's own package lists.
  cat >"$apt/apt.conf" <<EOF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
EOF
  apt-get -c "$apt/apt.conf" update -qq >&2 || die "apt could not read the package lists of $DEBIAN_MIRROR"
}

# unpack SUITE DIR PACKAGE...: unpacks the packages into DIR.
unpack() {
  local suite=$1 dir=$2 debs package deb
  shift 2
  debs=$(mktemp -d "$ENGINE_HOME/apt/debs.XXXXXX")
  for package in "$@"; do set -- "$@" "$package/$suite"; shift; done
  if ! (cd "$debs" && project_apt download -qq "$@" >&2); then
    rm -rf "$debs"
    return 1
  fi
  mkdir -p "$dir"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$dir" || return 1; done
  rm -rf "$debs"
}

# debs SUITE[/ARCHITECTURE] DIR PACKAGE...: downloads the packages' archives into DIR, for callers that unpack them differently.
debs() {
  local suite=${1%/*} arch dir=$2
  arch=$(dpkg --print-architecture)
  case $1 in */*) arch=${1#*/} ;; esac
  shift 2
  mkdir -p "$ENGINE_HOME"
  (
    flock 9
    prepare_apt "$arch" "$suite"
    cd "$dir" && apt-get -c "$(apt_folder "$arch")/apt.conf" download -qq "${@/%//$suite}" >&2 ||
      die "packages of Debian $suite could not be downloaded: $*"
  ) 9>"$ENGINE_HOME/fetch.lock" || exit 1
}

runs() { "$@" --version >/dev/null 2>&1; }

fetch_programs() {
  local suite try=$ENGINE_HOME/root.new found=
  [ "$(cat "$ENGINE_ROOT/.complete" 2>/dev/null)" = "$FETCH_VERSION" ] && return
  say "downloading the container engine from Debian's archive"
  prepare_apt
  for suite in $ENGINE_SUITES; do
    rm -rf "$try"
    # shellcheck disable=SC2086
    if unpack "$suite" "$try" $ENGINE_PACKAGES && runs "$try/usr/sbin/dockerd" &&
      runs "$try/usr/bin/containerd" && runs "$try/usr/bin/docker" && runs "$try/usr/bin/docker-registry"; then
      found=$suite
      break
    fi
    say "the engine of Debian $suite does not run on this machine"
  done
  [ -n "$found" ] || die "no engine from Debian $ENGINE_SUITES runs on this machine (is its libc too old?)"
  found=
  for suite in $RUNC_SUITES; do
    rm -rf "$try.runc"
    if unpack "$suite" "$try.runc" runc && runs "$try.runc/usr/sbin/runc"; then
      found=$suite
      break
    fi
  done
  [ -n "$found" ] || die "no runc from Debian $RUNC_SUITES runs on this machine (is libseccomp2 installed?)"
  mv "$try.runc/usr/sbin/runc" "$try/usr/sbin/runc"
  rm -rf "$try.runc"
  # A static `ip` for the engines' bridges, and mmdebstrap to make the base image.
  unpack trixie "$try" busybox-static mmdebstrap || die "busybox-static and mmdebstrap could not be downloaded"
  echo "$FETCH_VERSION" >"$try/.complete"
  rm -rf "$ENGINE_ROOT"
  mv "$try" "$ENGINE_ROOT"
}

# Programs for an engine without root, and the libraries that slirp4netns needs. newuidmap from newer suites needs a newer libc
# than Debian 12 has.
fetch_rootless() {
  local folder=$ENGINE_ROOT/rootless
  (
    flock 9
    [ "$(cat "$folder/.complete" 2>/dev/null)" != "$ROOTLESS_VERSION" ] || exit 0
    say "downloading what an engine without root needs from Debian's archive"
    prepare_apt
    rm -rf "$folder.new"
    { unpack trixie "$folder.new" rootlesskit &&
      unpack bookworm "$folder.new" uidmap slirp4netns libslirp0 libglib2.0-0 libpcre2-8-0; } ||
      die "rootlesskit, uidmap and slirp4netns could not be downloaded"
    echo "$ROOTLESS_VERSION" >"$folder.new/.complete"
    rm -rf "$folder"
    mv "$folder.new" "$folder"
  ) 9>"$ENGINE_HOME/fetch.lock" || exit 1
}

fetch() {
  mkdir -p "$ENGINE_HOME"
  (
    # If two runs start at the same time, only one of them downloads.
    flock 9
    fetch_programs
    make_base_image
  ) 9>"$ENGINE_HOME/fetch.lock" || exit 1
}
