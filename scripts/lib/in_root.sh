#!/usr/bin/env bash
# in_root.sh ROOT COMMAND...: runs a program of another Debian root, as the user AS_USER (a number; root if it is not set).
# It sees this machine's network, devices and /tmp. What it has started ends with it.
set -eu
if [ "${1:-}" != --inside ]; then
  exec unshare --mount --pid --fork --kill-child --propagation private -- "${BASH_SOURCE[0]}" --inside "$@"
fi
root=$2
shift 2
here=$PWD
# A program in a mere chroot may not make the user namespaces that Apptainer and Chromium want: so this one has a root of its own.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount --bind /tmp "$root/tmp"
for file in hosts resolv.conf; do
  touch "$root/etc/$file"
  mount --bind "/etc/$file" "$root/etc/$file"
done
cd "$root"
pivot_root . mnt
umount -l /mnt
cd "$here" 2>/dev/null || cd /
PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ -n "${AS_USER:-}" ]; then
  exec setpriv --reuid "$AS_USER" --regid "$AS_USER" --clear-groups -- env HOME="/home/$AS_USER" "$@"
fi
exec env HOME=/root "$@"
