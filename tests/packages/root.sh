# SPDX-License-Identifier: Apache-2.0
#
# Systems of other distributions to try packages in, for the scripts beside this. root_make SUITE leaves one in
# $work/SUITE, with /proc in it, or says why not. FP_ROOTS may be a directory where they are kept as they were made.
test "$(id -u)" -eq 0 || { echo "debootstrap needs root"; exit 77; }
command -v debootstrap >/dev/null || { echo "no debootstrap here: apt-get install debootstrap"; exit 77; }
trap 'for mounted in "$work"/*/proc; do ! mountpoint -q "$mounted" || umount "$mounted"; done' EXIT
bad=0
complain() { echo "$*"; bad=1; }

# Ubuntu's mirror, as debootstrap has it, and Ubuntu's keys, which Debian has as a package.
root_ubuntu() {
	ubuntu_script=/usr/share/debootstrap/scripts/gutsy
	ubuntu_mirror=${FP_UBUNTU_MIRROR:-$(sed -n 's/^.*default_mirror \(.*archive.*\)$/\1/p' $ubuntu_script | head -n 1)}
	ubuntu_keys=/usr/share/keyrings/ubuntu-archive-keyring.gpg
	test ! -f $ubuntu_keys || return 0
	ubuntu_keys=$work/ubuntu.gpg
	test ! -f "$ubuntu_keys" || return 0
	root_make trixie && in_root trixie 'cd /tmp && apt-get -q update && apt-get -q download ubuntu-keyring && dpkg -x ubuntu-keyring*.deb keys' >"$work/keys.log" 2>&1 &&
		cp "$work/trixie/tmp/keys/usr/share/keyrings/ubuntu-archive-keyring.gpg" "$ubuntu_keys"
}

root_bootstrap() {
	case $1 in
	focal | jammy | noble)
		root_ubuntu && debootstrap --variant=minbase --keyring="$ubuntu_keys" "$1" "$work/$1" "$ubuntu_mirror" $ubuntu_script
		# The compilers' own libraries are elsewhere.
		echo "deb $ubuntu_mirror $1 main universe" >"$work/$1/etc/apt/sources.list"
		;;
	*) debootstrap --variant=minbase "$1" "$work/$1" $FP_MIRROR ;;
	esac
}

root_make() {
	root_kept=${FP_ROOTS:+$FP_ROOTS/$1.tar}
	test ! -d "$work/$1" || return 0
	if test -f "$root_kept"; then
		mkdir -p "$work/$1" && tar -xf "$root_kept" -C "$work/$1"
	elif root_bootstrap "$1" >"$work/$1.log" 2>&1; then
		test -z "$root_kept" || tar -cf "$root_kept" -C "$work/$1" .
	else
		complain "no $1: $(tail -n 3 "$work/$1.log")"
		return 1
	fi
	mount -t proc proc "$work/$1/proc" || { complain "cannot mount /proc"; return 1; }
}

# in_root SUITE COMMANDS
in_root() {
	chroot "$work/$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" sh -e -c "$2"
}

# root_install SUITE PACKAGE...: without recommended packages, as on a small machine.
root_install() {
	root_suite=$1
	shift
	in_root "$root_suite" "apt-get -q update && apt-get -q -y --no-install-recommends install $*" >>"$work/$root_suite.log" 2>&1 ||
		{ complain "$root_suite: not installed: $*: $(tail -n 5 "$work/$root_suite.log")"; return 1; }
}
