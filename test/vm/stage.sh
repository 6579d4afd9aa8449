# The guest's process 1 on its lasting root: mounts what programs expect of a machine, runs the command on the
# first serial line, writes its exit status to the second, which is the kernel's console too, and turns the power
# off. command.sh says what and where.
set -u
. /run/command.sh
mkdir -p /dev/pts /dev/shm /lib/modules "$TMPDIR"
# What udev makes on a machine.
ln -s /proc/self/fd /dev/fd
for stream in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/${stream#*:}" "/dev/${stream%:*}"; done
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=1777 tmpfs "$TMPDIR"
mount --bind "$MODULES" /lib/modules
# The one module that nothing loads by itself when it is needed.
modprobe br_netfilter
# As systemd lets every process have them; the kernel's own 4,096 are fewer than tests need.
ulimit -H -n 524288
stty -F /dev/ttyS0 -opost
hostname guest
ip link set lo up
(run_command </dev/null >/dev/ttyS0 2>&1)
echo "status $?" >/dev/ttyS1
# Setting a line waits until it has sent all.
for line in /dev/ttyS0 /dev/ttyS1; do stty -F "$line" -opost; done
echo o >/proc/sysrq-trigger
while :; do :; done
