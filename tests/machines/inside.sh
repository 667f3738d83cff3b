#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# Inside a machine of machines.sh: its first process. Of what the machine that emulates it shares, the root of a
# system, the sources and the build directory, nothing is changed: whatever is written stays in memory. A line on
# the console that begins with "@" is for machines.sh.
export PATH=/bin:/usr/bin:/sbin:/usr/sbin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /shared /kept
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev 2>/dev/null
for module in $(cat /modules/order); do
	insmod "/modules/$module" || echo "no $module"
done
mount -t tmpfs -o size=75% tmpfs /kept

# show TAG DIRECTORY: what is shared as TAG, to be written to.
show() {
	mkdir -p "/shared/$1" "/kept/$1/upper" "/kept/$1/work" "$2"
	mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 "$1" "/shared/$1" &&
		mount -t overlay -o "lowerdir=/shared/$1,upperdir=/kept/$1/upper,workdir=/kept/$1/work" "$1" "$2"
}
. /settings
show root /system && show source "/system$top_srcdir" && show build "/system$FP_BUILDDIR" || echo '@ cannot mount'
for directory in proc sys dev tmp run; do
	mkdir -p "/system/$directory"
done
mount -t proc proc /system/proc
mount -t sysfs sys /system/sys
mount -t devtmpfs devtmpfs /system/dev
mount -t tmpfs tmpfs /system/run
test -d "/system$FP_BUILDDIR/tests" || mount -t tmpfs tmpfs /system/tmp
mkdir -p /system/dev/pts /system/dev/shm
mount -t devpts devpts /system/dev/pts
mount -t tmpfs tmpfs /system/dev/shm
ifconfig lo 127.0.0.1 up
cp /settings /system/run/settings
# The systems of other processors come as their packages have it.
test -e /system/usr/bin/awk || test -L /system/usr/bin/awk || ln -s mawk /system/usr/bin/awk
test -f /system/etc/passwd || printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >/system/etc/passwd
test -f /system/etc/group || printf 'root:x:0:\nnogroup:x:65534:\n' >/system/etc/group

cat >/system/run/tests <<'END'
. /run/settings
cd "$FP_BUILDDIR" || exit 1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8
export top_srcdir FP_BUILDDIR NM CC CXX FP_TEST_DIVISOR CK_DEFAULT_TIMEOUT
echo "@ kernel $(uname -r) $(uname -m), pages of $(getconf PAGESIZE)"
src/cli/fencepost doctor >/run/doctor 2>&1 
sed 's/^/@ doctor: /' /run/doctor
for test in $TESTS; do
	case $test in
	*.sh) set -- sh "$top_srcdir/$test" ;;
	*) set -- "./$test"; test -x "$1" || set -- sh -c 'echo "not for this processor"; exit 77' ;;
	esac
	begun=$(cut -d. -f1 /proc/uptime)
	timeout -k 10 "$FP_TEST_SECONDS" "$@" >/run/log 2>&1 </dev/null
	status=$?
	case $status in
	0) word=pass ;;
	77) word=skip ;;
	*) word=fail ;;
	esac
	echo "@ $word $test ($status, $(($(cut -d. -f1 /proc/uptime) - begun)) s)"
	test $status -eq 0 || { grep -E ':[FE]:|^[0-9]+%' /run/log || tail -n 60 /run/log; } | sed 's/^/@ | /'
done
echo '@ done'
END
chroot /system /bin/sh /run/tests
poweroff -f
