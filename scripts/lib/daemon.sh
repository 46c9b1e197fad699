# Starts and stops engines. Each has a folder of its own below $ENGINE_HOME/run with a file `state`
# of KEY=value lines, and a short folder in /tmp for sockets (their paths have at most 107 bytes).
# shellcheck shell=bash

READY_SECONDS=60

state() { sed -n "s/^$2=//p" "$1/state" 2>/dev/null | tail -1; }

set_state() { printf '%s=%s\n' "$2" "$3" >>"$1/state"; }

new_run_dir() {
  local kind=$1 owner=$2 dir
  mkdir -p "$ENGINE_HOME/run"
  dir=$(mktemp -d "$ENGINE_HOME/run/$kind-XXXXXX")
  chmod 755 "$dir"
  set_state "$dir" KIND "$kind"
  set_state "$dir" OWNER "$owner"
  printf '%s' "$dir"
}

# A port below the range from which the kernel deals ports to clients. Whoever loses the race for it tries again.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

busybox_ip() { "$ENGINE_ROOT/usr/bin/busybox" ip "$@"; }

# A bridge of its own, so that engines run side by side. No address translation and no forwarding:
# containers reach each other, and the engine's machine through --network host.
add_bridge() {
  local dir=$1 name subnet
  name=cf${dir##*-}
  subnet=10.$((128 + RANDOM % 127)).$((RANDOM % 255))
  busybox_ip link add name "$name" type bridge || die "no network bridge can be made on this machine"
  set_state "$dir" BRIDGE "$name"
  busybox_ip addr add "$subnet.1/24" dev "$name"
  busybox_ip link set "$name" up
}

# launch DIR LOG COMMAND...: in the background, free of this script's terminal and signals, with its log in DIR.
launch() {
  local dir=$1 log=$1/$2
  shift 2
  NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}" PATH=$(engine_path) \
    setsid "$@" </dev/null >"$log" 2>&1 8>&- 9>&- &
  set_state "$dir" PID $!
  set_state "$dir" PROGRAM "$(realpath "$(PATH=$(engine_path) command -v "$1")")"
}

# wait_ready DIR CHECK...: until CHECK succeeds; 1 if the process ended before, 2 on timeout.
wait_ready() {
  local dir=$1 pid deadline=$((SECONDS + READY_SECONDS))
  shift
  pid=$(state "$dir" PID)
  until "$@" >/dev/null 2>&1; do
    alive "$pid" || return 1
    [ $SECONDS -lt $deadline ] || return 2
    sleep 0.1
  done
}

# fail_with_log DIR WHAT [LOG]
fail_with_log() {
  local dir=$1 what=$2 log=${3:-log}
  say "$what; the end of its log:"
  tail -25 "$dir/$log" >&2
  stop_dir "$dir"
  exit 1
}

# dockerd's containerd, with garbage collection all but off: while an image is unpacked it may remove
# layers that only an image's former version had (moby/buildkit issue 6521), which fails builds.
# Without the plugin `opt`, which makes a folder in /opt.
start_containerd() {
  local dir=$1 data=$2 sockets=$3
  cat >"$dir/containerd.toml" <<EOF
version = 2
root = "$data"
state = "$sockets/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
[grpc]
  address = "$sockets/containerd.sock"
[plugins."io.containerd.gc.v1.scheduler"]
  startup_delay = "24h"
  mutation_threshold = 1000000000
EOF
  launch "$dir" containerd.log containerd --config "$dir/containerd.toml"
  wait_ready "$dir" test -S "$sockets/containerd.sock" ||
    fail_with_log "$dir" "containerd did not start" containerd.log
}

# Without garbage collection of the build cache: on a disk that is four fifths full, dockerd keeps no more than 2 GB of it
# (moby builder/builder-next/worker/gc.go), so tests would find their steps gone.
start_dockerd() {
  local dir=$1 store=$2 root=$3 data=$1/data sockets port containerd=false tries
  sockets=$(state "$dir" SOCKETS)
  [ "$store" = containerd ] && containerd=true
  if [ -n "$root" ]; then
    mkdir -p "$root"
    data=$(cd "$root" && pwd)/$store
    # Held by the daemon as long as it lives.
    exec 7>"$root/$store.lock"
    flock -n 7 || die "another engine runs on $root"
  fi
  cat >"$dir/daemon.json" <<EOF
{
  "features": {"containerd-snapshotter": $containerd},
  "iptables": false, "ip6tables": false, "ip-forward": false, "ip-masq": false,
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "builder": {"gc": {"enabled": false}},
  "shutdown-timeout": 5
}
EOF
  start_containerd "$dir" "$data/containerd/daemon" "$sockets"
  add_bridge "$dir"
  for tries in 1 2 3 4 5; do
    port=$(free_port)
    launch "$dir" log dockerd --config-file "$dir/daemon.json" --data-root "$data" --exec-root "$sockets/exec" --containerd "$sockets/containerd.sock" \
      --pidfile "$sockets/pid" --bridge "$(state "$dir" BRIDGE)" \
      -H "unix://$sockets/docker.sock" -H "tcp://127.0.0.1:$port"
    wait_ready "$dir" docker_cli "tcp://127.0.0.1:$port" version && break
    if [ "$tries" = 5 ] || ! grep -q 'address already in use' "$dir/log"; then
      fail_with_log "$dir" "dockerd with the $store store did not start"
    fi
  done
  [ -z "$root" ] || exec 7>&-
  set_state "$dir" DOCKER_HOST "tcp://127.0.0.1:$port"
  set_state "$dir" DOCKER_SOCKET "unix://$sockets/docker.sock"
  docker_cli "tcp://127.0.0.1:$port" image inspect "$BASE_NAME" >/dev/null 2>&1 ||
    docker_cli "tcp://127.0.0.1:$port" load -q -i "$BASE_ARCHIVE" >/dev/null ||
    fail_with_log "$dir" "the base image could not be loaded into dockerd with the $store store"
}

# A buildkitd named by BUILDKITD. Nothing can be loaded into it: its images come from the registry
# that CONDAFRONT_TEST_REGISTRY names, which speaks plain HTTP.
start_buildkitd() {
  local dir=$1 root=$2 port data=$1/data registry=${CONDAFRONT_TEST_REGISTRY:-} tries
  [ -x "${BUILDKITD:-}" ] || die "BUILDKITD must name a buildkitd binary"
  [ -z "$root" ] || data=$(realpath -m "$root")/buildkitd
  mkdir -p "$data"
  cat >"$dir/buildkitd.toml" <<EOF
[otel]
  socketPath = "$(state "$dir" SOCKETS)/otel.sock"
[cdi]
  disabled = true
[worker.oci]
  gc = false
EOF
  [ -z "$registry" ] || cat >>"$dir/buildkitd.toml" <<EOF
[registry."$registry"]
  http = true
EOF
  for tries in 1 2 3 4 5; do
    port=$(free_port)
    launch "$dir" log "$BUILDKITD" --config "$dir/buildkitd.toml" --root "$data" --addr "tcp://127.0.0.1:$port" \
      --containerd-worker=false --oci-worker=true --oci-worker-net=host \
      --oci-worker-binary="$ENGINE_ROOT/usr/sbin/runc" --allow-insecure-entitlement=network.host
    wait_ready "$dir" grep -q 'running server on' "$dir/log" && break
    if [ "$tries" = 5 ] || ! grep -q 'address already in use' "$dir/log"; then
      fail_with_log "$dir" "buildkitd did not start"
    fi
  done
  set_state "$dir" DOCKER_HOST "tcp://127.0.0.1:$port"
}

start_registry() {
  local dir=$1 address
  cat >"$dir/registry.yml" <<EOF
version: 0.1
log: {level: info, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $dir/data}
  delete: {enabled: true}
http: {addr: "127.0.0.1:0"}
EOF
  launch "$dir" log docker-registry serve "$dir/registry.yml"
  wait_ready "$dir" grep -q 'listening on 127' "$dir/log" || fail_with_log "$dir" "the registry did not start"
  address=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$dir/log" | head -1)
  set_state "$dir" REGISTRY "$address"
}

docker_cli() {
  local host=$1
  shift
  DOCKER_CONFIG=$ENGINE_HOME/docker-config DOCKER_HOST=$host PATH=$(engine_path) docker "$@"
}

# A client configuration of our own: the user's stays as it is, and ours has the buildx plugin.
prepare_docker_config() {
  local config=$1
  mkdir -p "$config/cli-plugins"
  [ -f "$config/config.json" ] || echo '{}' >"$config/config.json"
  ln -sfn "$ENGINE_ROOT/usr/libexec/docker/cli-plugins/docker-buildx" "$config/cli-plugins/docker-buildx"
}

# Prints the ids of an engine's processes: they run one of our programs and name one of its folders.
processes_of() {
  local sockets pid program launched
  sockets=$(state "$1" SOCKETS)
  launched=$(state "$1" PROGRAM)
  grep -lsF -e "$1/" -e "${sockets:-$1}/" /proc/[0-9]*/cmdline | cut -d/ -f3 | while read -r pid; do
    program=$(readlink "/proc/$pid/exe")
    case $program in "$ENGINE_ROOT"/* | "${launched:-$ENGINE_ROOT/}"*) echo "$pid" ;; esac
  done
}

# The ids of a process's children, whichever of its threads has started them.
children_of() { cat "/proc/$1/task/"*/children 2>/dev/null; }

# Kills the containers below a containerd-shim: they outlive it, and a graceful stop takes them ten seconds.
kill_containers() {
  local pid child process launched
  launched=$(state "$1" PROGRAM)
  for pid in $(processes_of "$1"); do
    case $(readlink "/proc/$pid/exe") in
      */containerd-shim*) for child in $(children_of "$pid"); do kill -KILL "$child" 2>/dev/null; done ;;
      */dockerd | "${launched:-$ENGINE_ROOT/usr/sbin/dockerd}"*)
        for child in $(children_of "$pid"); do
          case $(readlink "/proc/$child/exe") in
            */runc) for process in $(children_of "$child"); do kill -KILL "$process" 2>/dev/null; done ;;
          esac
        done
        ;;
    esac
  done
}

# A zombie has no program any more.
alive() { readlink "/proc/$1/exe" >/dev/null 2>&1; }

# Whether dockerd has done everything but wait for its containerd, which takes seconds.
has_shut_down() { grep -qs 'Daemon shutdown complete' "$1/log"; }

unmount_below() {
  local point
  awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r point; do
    case $point/ in "$1"/*) umount -l "$point" 2>/dev/null ;; esac
  done
}

# Ends the engine of a run folder and removes the folder. Never fails, so that all of a list are stopped.
stop_dir() {
  local dir pid sockets bridge deadline
  dir=$(cd "$1" 2>/dev/null && pwd) || return 0
  case $dir in "$ENGINE_HOME"/run/*) ;; *) say "not an engine's folder: $dir"; return 0 ;; esac
  pid=$(state "$dir" PID)
  sockets=$(state "$dir" SOCKETS)
  bridge=$(state "$dir" BRIDGE)
  # An id alone may since belong to another process.
  if [ -n "$pid" ] && processes_of "$dir" | grep -qx "$pid"; then
    kill_containers "$dir"
    kill -TERM "$pid" 2>/dev/null
    deadline=$((SECONDS + 20))
    while alive "$pid" && ! has_shut_down "$dir" && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  fi
  kill_containers "$dir"
  for pid in $(processes_of "$dir"); do kill -KILL "$pid" 2>/dev/null; done
  unmount_below "$dir"
  [ -z "$sockets" ] || unmount_below "$sockets"
  [ -z "$bridge" ] || busybox_ip link del "$bridge" 2>/dev/null
  [ -z "$sockets" ] || rm -rf "$sockets"
  throw_away "$dir"
  return 0
}

# Removes a folder that nothing uses any more. An engine's has so many files that this takes a minute or two: the folder is
# gone at once, and its files are removed while others go on.
throw_away() {
  local trash=$ENGINE_HOME/trash
  mkdir -p "$trash"
  mv "$1" "$trash/$(basename "$1")-$$"
  empty_trash
}

# Also what a removal that was broken off has left.
empty_trash() {
  setsid nice rm -rf "$ENGINE_HOME"/trash/* </dev/null >/dev/null 2>&1 8>&- 9>&- &
}

# Stops engines whose owner is gone (killed before it could stop them).
sweep() {
  local dir owner
  for dir in "$ENGINE_HOME"/run/*; do
    owner=$(state "$dir" OWNER)
    if [ -n "$owner" ] && ! alive "$owner"; then stop_dir "$dir"; fi
  done
  empty_trash
}
