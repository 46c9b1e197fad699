#!/usr/bin/env bash
# rootless.sh PROGRAMS FOLDER USER COMMAND...: runs COMMAND as the user with this number, who has further numbers in a user
# namespace, as rootless Docker does. PROGRAMS has rootlesskit and what it needs; FOLDER and all that COMMAND uses belongs to
# the user. Started by root in a mount namespace of its own, so nothing that is mounted here is seen elsewhere.
set -euo pipefail
programs=$1 folder=$2 user=$3
shift 3

# newuidmap and newgidmap look the user up in these files.
own=$folder/own
mkdir "$own"
mount -t tmpfs -o mode=755,size=1m tmpfs "$own"
cp /etc/passwd /etc/group "$own"
echo "rootless:x:$user:$user::$folder:/bin/sh" >>"$own/passwd"
echo "rootless:x:$user:" >>"$own/group"
for file in subuid subgid; do echo rootless:100000:65536 >"$own/$file"; done
for file in passwd group subuid subgid; do mount --bind "$own/$file" "/etc/$file"; done
# slirp4netns needs it.
mknod -m 666 "$own/tun" c 10 200
mount --bind "$own/tun" /dev/net/tun

libraries=$(echo "$programs"/usr/lib/*-linux-gnu)
mkdir "$folder/home" "$folder/run"
chown "$user:$user" "$folder/home" "$folder/run"
# The links are of the engine that the machine may have.
# shellcheck disable=SC2016
exec setpriv --reuid "$user" --regid "$user" --clear-groups \
  env -i HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" TMPDIR="$folder/home" LD_LIBRARY_PATH="$libraries" \
  PATH="$programs/usr/bin:$PATH" \
  rootlesskit --net=slirp4netns --disable-host-loopback --mtu=65520 --port-driver=builtin --copy-up=/etc --copy-up=/run \
  --propagation=rslave --state-dir="$folder/rootlesskit" \
  sh -c 'rm -rf /run/docker /run/containerd /run/xtables.lock; exec "$@"' sh "$@"
