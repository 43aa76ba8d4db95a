#!/usr/bin/env bash
# Run a command in an unpacked image the way a strict container runtime does: its root file system read-only, its user
# without capabilities, and no network but its own loopback.
#
#   unshare --mount --pid --fork --kill-child --net --ipc --uts -- bash run_read_only.sh ROOT STORAGE USER COMMAND...
#
# USER is uid:gid. STORAGE is mounted on /storage; it, /tmp and /dev/shm are all that can be written. The environment is
# kept: start this with the image's own. The mounts end with the namespaces.
set -euo pipefail
root=$1 storage=$2 user=$3
shift 3

mount --bind "$root" "$root" # what is bound can be made read-only, and only in here
mkdir -p "$root/storage"
mount --bind "$storage" "$root/storage"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=1777,noexec,nosuid,nodev tmpfs "$root/tmp" # as `docker run --tmpfs` does
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777,noexec,nosuid,nodev tmpfs "$root/dev/shm"
mount -o remount,bind,ro "$root/dev"
mount -o remount,bind,ro "$root"
ip link set lo up

# Nobody can write there now, not even root, whom no permission stops.
for place in "$root" "$root/opt" "$root/var/tmp" "$root/dev"; do
    if touch "$place/written" 2>/dev/null; then
        echo "$place can be written" >&2
        exit 99
    fi
done

exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
