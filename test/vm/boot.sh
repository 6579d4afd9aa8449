#!/bin/busybox sh
# The guest's first program, in its memory disk. It makes a root of the machine's own file system, which can be
# read but not written, with a layer in memory above it that takes whatever is written, and goes on there.
set -e
/bin/busybox mkdir -p /dev /proc /sys /machine /layer /root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose machine /machine
mount -t tmpfs -o mode=755,size=75% tmpfs /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/machine,upperdir=/layer/upper,workdir=/layer/work overlay /root
for folder in dev proc sys; do mount --move "/$folder" "/root/$folder"; done
mount -t tmpfs -o mode=755 tmpfs /root/run
cp /stage.sh /command.sh /root/run/
exec switch_root /root /bin/sh /run/stage.sh
