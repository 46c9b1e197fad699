# Starts and stops engines. Each has its own folder in $ENGINE_HOME/run with a file `state`
# of KEY=value lines, and a folder with a short path in /tmp for sockets (their paths can have at most 107 bytes).
# shellcheck shell=bash

READY_SECONDS=60

# Gigabytes of free memory with which an engine keeps its files there: two of them need some 14 for a whole test run.
PLENTY_OF_MEMORY=17

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

# Prints a port below the range that the kernel gives to clients. If another process takes it first, the caller tries again.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# in_memory DIR ALWAYS: makes DIR a file system in memory if there is plenty, because engines write many small files, or
# ALWAYS (true or false). It ends with what is mounted below the engine's folder.
in_memory() {
  local gigabytes
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  mkdir -p "$1"
  if $2; then
    mount -t tmpfs -o "mode=711,size=2g" tmpfs "$1" || die "this machine cannot make a file system in memory"
  elif [ "${gigabytes:-0}" -ge "$PLENTY_OF_MEMORY" ]; then
    mount -t tmpfs -o "mode=711,size=$((gigabytes * 3 / 4))g" tmpfs "$1" 2>/dev/null || true
  fi
}

busybox_ip() { "$ENGINE_ROOT/usr/bin/busybox" ip "$@"; }

# Gives each engine its own bridge, so that engines can run side by side. There is no address translation and no forwarding:
# containers reach each other, and the engine's machine with --network host.
add_bridge() {
  local dir=$1 name subnet
  name=cf${dir##*-}
  subnet=10.$((128 + RANDOM % 127)).$((RANDOM % 255))
  busybox_ip link add name "$name" type bridge || die "this machine cannot create a network bridge"
  set_state "$dir" BRIDGE "$name"
  busybox_ip addr add "$subnet.1/24" dev "$name"
  busybox_ip link set "$name" up
}

# launch DIR LOG COMMAND...: runs COMMAND in the background, detached from this script's terminal and signals, logging to DIR/LOG.
launch() {
  local dir=$1 log=$1/$2
  shift 2
  # An engine that is killed leaves temporary mounts, which are found there when it is stopped.
  mkdir -p "$dir/tmp"
  # With more memory, programs in Go collect garbage less often.
  NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}" PATH=$(engine_path) GOGC=400 TMPDIR=$dir/tmp \
    setsid "$@" </dev/null >>"$log" 2>&1 8>&- 9>&- &
  set_state "$dir" PID $!
  set_state "$dir" PROGRAM "$(realpath "$(PATH=$(engine_path) command -v "$1")")"
}

# wait_ready DIR CHECK...: waits until CHECK succeeds; returns 1 if the process ends first, 2 on timeout.
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

# Starts dockerd's containerd with garbage collection practically off: while an image is unpacked, it may remove
# layers that only the image's previous version had (moby/buildkit issue 6521), and builds fail.
# The plugin `opt` is disabled because it creates a folder in /opt.
start_containerd() {
  local dir=$1 data=$2 sockets=$3
  # Of one that was killed.
  rm -f "$sockets/containerd.sock"
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

# run_dockerd DIR DATA PORT: runs dockerd on the images and the cache in DATA. It has been configured, and its containerd runs.
run_dockerd() {
  local dir=$1 data=$2 port=$3 sockets
  sockets=$(state "$dir" SOCKETS)
  launch "$dir" log dockerd --config-file "$dir/daemon.json" --data-root "$data" --exec-root "$sockets/exec" --containerd "$sockets/containerd.sock" \
    --pidfile "$sockets/pid" --bridge "$(state "$dir" BRIDGE)" \
    -H "unix://$sockets/docker.sock" -H "tcp://127.0.0.1:$port"
  wait_ready "$dir" docker_cli "tcp://127.0.0.1:$port" version
}

# start_dockerd DIR STORE ROOT MEMORY
# Garbage collection of the build cache is off: on a disk that is 80 % full, dockerd keeps at most 2 GB of it
# (moby builder/builder-next/worker/gc.go), and tests would lose their steps.
start_dockerd() {
  local dir=$1 store=$2 root=$3 memory=$4 data=$1/data sockets port containerd=false tries
  sockets=$(state "$dir" SOCKETS)
  [ "$store" = containerd ] && containerd=true
  if [ -n "$root" ]; then
    mkdir -p "$root"
    data=$(cd "$root" && pwd)/$store
    # The daemon holds the lock until it ends.
    exec 7>"$root/$store.lock"
    flock -n 7 || die "another engine is using $root"
  else
    in_memory "$data" "$memory"
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
    run_dockerd "$dir" "$data" "$port" && break
    if [ "$tries" = 5 ] || ! grep -q 'address already in use' "$dir/log"; then
      fail_with_log "$dir" "dockerd with the $store store did not start"
    fi
  done
  [ -z "$root" ] || exec 7>&-
  set_state "$dir" DATA "$data"
  set_state "$dir" DOCKER_HOST "tcp://127.0.0.1:$port"
  set_state "$dir" DOCKER_SOCKET "unix://$sockets/docker.sock"
  docker_cli "tcp://127.0.0.1:$port" image inspect "$BASE_NAME" >/dev/null 2>&1 ||
    docker_cli "tcp://127.0.0.1:$port" load -q -i "$BASE_ARCHIVE" >/dev/null ||
    fail_with_log "$dir" "the base image could not be loaded into dockerd with the $store store"
}

# Starts a dockerd that has no root, with the containerd store. Its containers have no network but their own. It reaches this
# machine's network, but not its loopback, where the servers of the tests are.
start_rootless() {
  local dir=$1 sockets
  can_be_rootless || die "the user $ROOTLESS_USER cannot have an engine on this machine: it needs user namespaces, /etc/subuid, /etc/subgid, /dev/net/tun, ip, nsenter, and access to $ENGINE_ROOT"
  fetch_rootless
  sockets=$(state "$dir" SOCKETS)
  mkdir "$dir/data"
  chown "$ROOTLESS_USER:$ROOTLESS_USER" "$dir/data" "$sockets"
  echo '{"features": {"containerd-snapshotter": true}, "builder": {"gc": {"enabled": false}}, "shutdown-timeout": 5}' \
    >"$dir/daemon.json"
  launch "$dir" log unshare --mount --propagation private \
    bash "$PROJECT/scripts/lib/rootless.sh" "$ENGINE_ROOT/rootless" "$sockets" "$ROOTLESS_USER" \
    dockerd --rootless --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$sockets/exec" \
    --pidfile "$sockets/pid" --iptables=false --ip6tables=false --bridge=none -H "unix://$sockets/docker.sock"
  wait_ready "$dir" docker_cli "unix://$sockets/docker.sock" version ||
    fail_with_log "$dir" "the dockerd without root did not start"
  set_state "$dir" DOCKER_HOST "unix://$sockets/docker.sock"
  set_state "$dir" DOCKER_SOCKET "unix://$sockets/docker.sock"
  docker_cli "unix://$sockets/docker.sock" load -q -i "$BASE_ARCHIVE" >/dev/null ||
    fail_with_log "$dir" "the base image could not be loaded into the dockerd without root"
}

# restart_dockerd DIR: ends dockerd and all its processes at once, as a crash does, and starts it again at the same address
# with the files that it has left.
restart_dockerd() {
  local dir data host pid deadline=$((SECONDS + 20))
  dir=$(cd "$1" && pwd) || die "no engine is in $1"
  data=$(state "$dir" DATA)
  host=$(state "$dir" DOCKER_HOST)
  [ -n "$data" ] || die "$dir is not the folder of a dockerd"
  kill_containers "$dir"
  for pid in $(processes_of "$dir"); do kill -KILL "$pid" 2>/dev/null; done
  while [ -n "$(processes_of "$dir")" ]; do
    [ $SECONDS -lt $deadline ] || die "the engine in $dir does not end"
    sleep 0.05
  done
  # A process that nobody has waited for still has its id.
  rm -f "$(state "$dir" SOCKETS)/pid"
  start_containerd "$dir" "$data/containerd/daemon" "$(state "$dir" SOCKETS)"
  run_dockerd "$dir" "$data" "${host##*:}" || fail_with_log "$dir" "dockerd did not start again"
}

# Starts the buildkitd in BUILDKITD. It cannot load images: they come from the registry in
# CONDAFRONT_TEST_REGISTRY, which speaks plain HTTP.
start_buildkitd() {
  local dir=$1 root=$2 port data=$1/data registry=${CONDAFRONT_TEST_REGISTRY:-} tries
  [ -x "${BUILDKITD:-}" ] || die "BUILDKITD must be the path of a buildkitd binary"
  if [ -n "$root" ]; then
    data=$(realpath -m "$root")/buildkitd
    mkdir -p "$data"
  else
    in_memory "$data" false
  fi
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

# Makes a separate client configuration with the buildx plugin; the user's own stays as it is.
prepare_docker_config() {
  local config=$1
  mkdir -p "$config/cli-plugins"
  [ -f "$config/config.json" ] || echo '{}' >"$config/config.json"
  ln -sfn "$ENGINE_ROOT/usr/libexec/docker/cli-plugins/docker-buildx" "$config/cli-plugins/docker-buildx"
}

# Prints the ids of an engine's processes: they run one of our programs and have one of the engine's folders in their command line.
processes_of() {
  local sockets pid program launched
  sockets=$(state "$1" SOCKETS)
  launched=$(state "$1" PROGRAM)
  grep -lsF -e "$1/" -e "${sockets:-$1}/" /proc/[0-9]*/cmdline | cut -d/ -f3 | while read -r pid; do
    program=$(readlink "/proc/$pid/exe")
    case $program in "$ENGINE_ROOT"/* | "${launched:-$ENGINE_ROOT/}"*) echo "$pid" ;; esac
  done
}

# Prints the ids of a process's children, whichever thread has started them.
children_of() { cat "/proc/$1/task/"*/children 2>/dev/null; }

# Kills an engine's containers: they would outlive their containerd-shim, and stopping them gracefully takes ten seconds.
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

# A zombie has no program, so it does not count as alive.
alive() { readlink "/proc/$1/exe" >/dev/null 2>&1; }

# Whether dockerd has done everything except wait for its containerd, which takes seconds.
has_shut_down() { grep -qs 'Daemon shutdown complete' "$1/log"; }

unmount_below() {
  local point
  awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r point; do
    case $point/ in "$1"/*) umount -l "$point" 2>/dev/null ;; esac
  done
}

# Stops the engine of a run folder and removes the folder. Never fails, so that every engine in a list is stopped.
stop_dir() {
  local dir pid sockets bridge deadline
  dir=$(cd "$1" 2>/dev/null && pwd) || return 0
  case $dir in "$ENGINE_HOME"/run/*) ;; *) say "$dir is not an engine's folder"; return 0 ;; esac
  pid=$(state "$dir" PID)
  sockets=$(state "$dir" SOCKETS)
  bridge=$(state "$dir" BRIDGE)
  # The id alone is not enough: it may belong to another process by now.
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

# Removes an unused folder. An engine's folder has so many files that this takes a minute or two, so it is moved away at
# once and its files are removed in the background.
throw_away() {
  local trash=$ENGINE_HOME/trash
  mkdir -p "$trash"
  mv "$1" "$trash/$(basename "$1")-$$"
  empty_trash
}

# Also removes what an interrupted removal has left.
empty_trash() {
  setsid nice rm -rf "$ENGINE_HOME"/trash/* </dev/null >/dev/null 2>&1 8>&- 9>&- &
}

# Stops engines whose owner has ended without stopping them.
sweep() {
  local dir owner
  for dir in "$ENGINE_HOME"/run/*; do
    owner=$(state "$dir" OWNER)
    if [ -n "$owner" ] && ! alive "$owner"; then stop_dir "$dir"; fi
  done
  empty_trash
}
