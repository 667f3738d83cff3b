# SPDX-License-Identifier: Apache-2.0
#
# "make check-machines": the tests on other kernels, other sizes of pages and another processor, each a machine
# that QEMU emulates with a kernel of Debian's. MACHINES="x86-5.10 arm-6.12" chooses, MACHINE_TESTS="tests/heap/test_heap"
# says what runs there. A machine of this processor has this system's files, one of the other kind those of
# packages of Debian 12, and Fencepost as it is built here, and there by Debian's cross compiler. The files are shared
# as they are, and what a test writes stays in the machine's memory. All that is fetched and built is below
# $FP_BUILDDIR/tests/machines/machines.work; apt has lists of its own there.
#
# name  architecture  suite  package of the kernel  processor
machines='x86-5.10 amd64 bullseye linux-image-amd64 max
x86-6.1 amd64 bookworm linux-image-amd64 max
x86-6.12 amd64 trixie linux-image-amd64 max
x86-newest amd64 trixie-backports linux-image-amd64 max
arm-6.1 arm64 bookworm linux-image-arm64 cortex-a57
arm-6.12 arm64 trixie linux-image-arm64 max,pauth-impdef=on
arm-6.12-a57 arm64 trixie linux-image-arm64 cortex-a57
arm-6.12-16k arm64 trixie linux-image-arm64-16k max,pauth-impdef=on
arm-newest arm64 trixie-backports linux-image-arm64 max,pauth-impdef=on'
# What a test of the other system needs: the libraries to build with, and what the scripts call.
packages='bash binutils coreutils dash diffutils findutils gcc grep gzip hostname libc-bin mawk mount procps python3 sed
	strace tar util-linux check libc6-dev libdw-dev libelf-dev libiberty-dev libjansson-dev liblua5.4-dev libsqlite3-dev
	libstdc++-12-dev libunwind-dev uthash-dev zlib1g-dev'
work=$FP_BUILDDIR/tests/machines/machines.work
here=$(cd "$top_srcdir/tests/machines" && pwd)
top_srcdir=$(cd "$top_srcdir" && pwd)
mkdir -p "$work" && cd "$work" || exit 99
say() { echo "$name: $*"; }

# apt ARCHITECTURE SUITE: the options for apt of another system that has nothing installed, in $apt.
apt() {
	apt=$work/apt-$1-$2
	test ! -f "$apt/conf" || return 0
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" && : >"$apt/status" || return 1
	for suite in $2 $(echo "$2" | sed -n 's/-backports$//p'); do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main"
	done >"$apt/list"
	cat >"$apt/new" <<END
APT::Architecture "$1";
APT::Architectures { "$1"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::sourcelist "$apt/list";
Dir::Etc::sourceparts "-";
Dir::State::status "$apt/status";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/archives";
Dir::Cache::archives "$apt/archives";
END
	apt-get -q -c "$apt/new" update >"$apt/log" 2>&1 && mv "$apt/new" "$apt/conf" ||
		{ say "no packages of $2: $(tail -n 2 "$apt/log")"; return 1; }
}

unpack() { # unpack FILE DIRECTORY
	dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2" -f -
}

# Packages that have a kernel and its modules in them; newer ones are in parts.
kernel() { # kernel ARCHITECTURE SUITE PACKAGE: in $kernel
	kernel=$work/kernel-$2-$3
	test ! -f "$kernel/image" || return 0
	apt "$1" "$2" && mkdir -p "$kernel" || return 1
	test "$2" = "${2%-backports}" || release="-t $2"
	# shellcheck disable=SC2086  # no word or two
	parts=$(apt-get -s -q -c "$apt/conf" ${release:-} --no-install-recommends install "$3" |
		sed -n 's/^Inst \(linux-\(image\|binary\|modules\)-[^ ]*[0-9][^ ]*\) .*/\1/p')
	for part in $parts; do
		(cd "$apt/archives" && apt-get -q -c "$apt/conf" download "$part") >"$apt/log" 2>&1 &&
			unpack "$(find "$apt/archives" -name "${part}_*")" "$kernel" || { say "no $part: $(tail -n 1 "$apt/log")"; return 1; }
	done
	find "$kernel" -name 'vmlinuz*' | head -n 1 | xargs -I '{}' cp '{}' "$kernel/image"
	test -s "$kernel/image" || { say "no kernel in $3 of $2"; return 1; }
}

# The root of a system of Debian 12 that nobody has configured, in $root.
system() { # system ARCHITECTURE
	root=$work/root-$1
	test ! -f "$root/complete" || return 0
	apt "$1" bookworm || return 1
	# shellcheck disable=SC2086  # a list
	apt-get -q -y -c "$apt/conf" --no-install-recommends --download-only install $packages >"$apt/log" 2>&1 ||
		{ say "no packages: $(tail -n 2 "$apt/log")"; return 1; }
	for directory in bin sbin lib; do
		mkdir -p "$root/usr/$directory" && ln -sfn usr/$directory "$root/$directory" || return 1
	done
	for package in "$apt"/archives/*.deb; do
		unpack "$package" "$root" || return 1
	done
	: >"$root/complete"
}

# Fencepost for aarch64, in $build.
cross() {
	build=$work/build-arm64
	command -v aarch64-linux-gnu-g++ >/dev/null || { say 'no cross compiler: apt-get install g++-aarch64-linux-gnu'; return 1; }
	PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig
	export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
	mkdir -p "$build" && (
		cd "$build" || exit
		test -f Makefile || "$top_srcdir/configure" --host=aarch64-linux-gnu CC="aarch64-linux-gnu-gcc --sysroot=$root" \
			CXX="aarch64-linux-gnu-g++ --sysroot=$root" || exit
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j"${JOBS:-$(nproc)}" all check TESTS=
	) >"$build.log" 2>&1 || { say "not built: $(grep -i -m 1 'error' "$build.log") ($build.log)"; return 1; }
	! grep -q ' warning: ' "$build.log" || { say "built with warnings: $(grep -m 1 ' warning: ' "$build.log")"; return 1; }
}

# The first files that the machine has: a shell, the modules that it needs to see the others, inside.sh.
first_files() { # first_files ARCHITECTURE FILE
	first=$work/first-$name
	apt "$1" bookworm || return 1
	test -n "$(find "$apt/archives" -name 'busybox-static_*')" ||
		(cd "$apt/archives" && apt-get -q -c "$apt/conf" download busybox-static) >"$apt/log" 2>&1 || return 1
	rm -rf "$first" && mkdir -p "$first/bin" "$first/dev" "$first/modules" && mkdir -p "$work/busybox-$1" &&
		unpack "$(find "$apt/archives" -name 'busybox-static_*')" "$work/busybox-$1" &&
		cp "$work/busybox-$1/bin/busybox" "$first/bin" && cp "$here/inside.sh" "$first/init" && chmod +x "$first/init" || return 1
	: >"$first/modules/order"
	for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet \
		9pnet_virtio 9p overlay; do
		file=$(find "$kernel" -name "$module.ko*" | head -n 1)
		case $file in
		'') continue ;; # it is in the kernel, or there is no such module in this version
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$first/modules/$module.ko"
		echo "$module.ko" >>"$first/modules/order"
	done
	cat >"$first/settings" <<END
top_srcdir='$top_srcdir' FP_BUILDDIR='$build' NM=nm CC=gcc CXX=g++ FP_TEST_DIVISOR=${MACHINE_DIVISOR:-1000} CK_DEFAULT_TIMEOUT=1800
FP_TEST_SECONDS=${MACHINE_SECONDS:-900} TESTS='$MACHINE_TESTS'
END
	(cd "$first" && find . | cpio -o -H newc --quiet) | gzip -1 >"$2" && rm -rf "$first"
}

share() { # share TAG DIRECTORY: the options that do
	echo "-fsdev local,id=$1,path=$2,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

run_machine() { # run_machine NAME ARCHITECTURE SUITE PACKAGE PROCESSOR
	name=$1
	case $2 in
	amd64) qemu=qemu-system-x86_64 options='-machine q35' console=ttyS0 ;;
	arm64) qemu=qemu-system-aarch64 options='-machine virt' console=ttyAMA0 ;;
	esac
	command -v $qemu >/dev/null || { say "no $qemu here"; return 1; }
	kernel "$2" "$3" "$4" || return 1
	if test "$2" = "$(dpkg --print-architecture)"; then
		root=/ build=$FP_BUILDDIR
	else
		system "$2" && cross || return 1
	fi
	first_files "$2" "$work/$name.cpio.gz" || { say 'no first files'; return 1; }
	# no_timer_check: on a busy machine the emulated clock comes too late for the kernel's test of it.
	# shellcheck disable=SC2046,SC2086  # options
	timeout "${MACHINE_TIMEOUT:-7200}" $qemu $options -cpu "$5" -accel tcg,thread=multi -smp 1 -m 3072 -nodefaults -display none \
		-no-reboot -serial stdio -kernel "$kernel/image" -initrd "$work/$name.cpio.gz" \
		-append "console=$console panic=-1 quiet no_timer_check" \
		$(share root "$root") $(share source "$top_srcdir") $(share build "$build") </dev/null 2>&1 |
		tr -d '\r' | sed 's/.*@ /@ /' >"$work/$name.log"
	rm -f "$work/$name.cpio.gz"
	grep '^@ \(fail\||\)' "$work/$name.log" | sed "s/^@/$name:/"
	grep -q '^@ done' "$work/$name.log" || { say "ended early: $(tail -n 3 "$work/$name.log")"; return 1; }
	awk -v name="$name" -v cpu="$5" '/^@ kernel/ { kernel = $3; pages = $NF }
		/^@ doctor: .* back end .*will be used/ { for (i = 1; i < NF; i++) if ($i == "end") end = $(i + 1) }
		/^@ (pass|skip|fail)/ { count[$2]++ }
		END { sub(/:$/, "", end); printf "| %s | %s | %s | %d | %s | %d | %d | %d |\n", name, kernel, cpu, pages, end,
			count["pass"], count["skip"], count["fail"] }' "$work/$name.log" >>"$work/table"
	! grep -q '^@ fail' "$work/$name.log"
}

bad=0
printf '| machine | kernel | processor | page | back end | pass | skip | fail |\n|---|---|---|---|---|---|---|---|\n' >table
while read -r machine; do
	case " ${MACHINES:-${machine%% *}} " in
	*" ${machine%% *} "*)
		# shellcheck disable=SC2086  # the columns
		run_machine $machine </dev/null || bad=1
		;;
	esac
done <<END
$machines
END
cat table
exit $bad
