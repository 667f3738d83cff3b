# SPDX-License-Identifier: Apache-2.0
#
# What code may call depends on where it runs (see "Contexts" in HACKING.md). The undefined symbols
# of each module that is loaded into the victim are held against the list of its context. What is
# not listed is not allowed; the lists are short on purpose.

# Another preloaded library may have replaced these with functions that take a lock and allocate: they
# would meet themselves in our malloc. base/sys.h makes the system calls; no list may have their names.
hooked='accept accept4 access bind brk chdir clock_gettime clone close close_range connect dup dup2 dup3 execve
execv execvp execvpe faccessat fcntl fork fopen fread fstat fstatat fsync ftruncate fwrite getcwd getdents64 getegid
geteuid getgid getpeername getpid getppid getrandom getrlimit getsockname getsockopt gettid gettimeofday getuid
getxattr ioctl kill link listen lseek lstat madvise memfd_create mkdir mlock mmap mprotect mremap munmap nanosleep
open openat pipe pipe2 poll posix_spawn posix_spawnp ppoll prctl pread prlimit process_vm_readv pselect
pthread_sigmask pwrite raise read readlink readlinkat readv recv recvfrom recvmsg rename select send sendfile sendmsg
sendto setrlimit setsockopt shutdown sigaltstack sigprocmask sleep socket socketpair stat statx syscall syslog
system tgkill time timer_create timer_settime uname unlink unlinkat usleep vfork wait wait4 waitid waitpid write writev'
# Machines without inline system calls (base/sys_other.h) have to trust the C library.
case $($READELF -h "$FP_BUILDDIR/src/base/.libs/libbase.a" 2>/dev/null | sed -n 's/.*Machine: *//p' | sort -u) in
*X86-64* | *AArch64*) by_libc= ;;
*) by_libc='syscall clone' ;;
esac

# Runs inside the victim's malloc and free: nothing that allocates, locks or reads a locale. (bcmp is
# what clang makes of a memcmp that is only compared with 0.)
alloc="__errno_location abort bcmp getauxval memchr memcmp memcpy memmove memset strcmp strlen strnlen $by_libc"
# Starts and ends with the process, and runs the reporter; still no malloc and no stdio. What remains of the
# C library is at the start and the end (environment, exit, pthread_atfork), or makes the one thread that answers.
session="$alloc
__libc_single_threaded environ exit on_exit pthread_atfork secure_getenv
pthread_attr_destroy pthread_attr_init pthread_attr_setdetachstate pthread_attr_setstacksize pthread_create
pthread_self pthread_setname_np __sigaction sigfillset strcpy strcspn strerrordesc_np strncmp strrchr strstr"

libs() { # libs CONTEXT-LIST MODULE...
	list=$1
	shift
	for module; do
		check "$module" "$list" "$FP_BUILDDIR/src/$module/.libs/lib$module.a"
	done
}

check() { # check MODULE LIST FILE...
	module=$1 list=$(echo $2)
	shift 2
	for file; do
		test -f "$file" || { echo "$file: not built"; exit 99; }
	done
	undefined=$($NM -u "$@") || exit 99
	# What one file of a module needs of another is bound inside (-Bsymbolic-functions).
	own=$(echo $($NM --defined-only "$@" | awk 'NF == 3 { print $3 }'))
	for symbol in $(echo "$undefined" | awk '$1 == "U" { print $2 }' | sort -u); do
		case " $own " in
		*" $symbol "*) continue ;;
		esac
		# _FORTIFY_SOURCE renames, the toolchain adds: neither changes what is called.
		case $symbol in
		fp_* | __fencepost_* | IID_* | _GLOBAL_OFFSET_TABLE_ | __ehdr_start | __start_* | __stop_* | __stack_chk_* | __aarch64_*) continue ;;
		__*_chk) plain=${symbol#__} plain=${plain%_chk} ;;
		*) plain=$symbol ;;
		esac
		case " $hooked " in
		*" $plain "*)
			case " $by_libc " in
			*" $plain "*) ;;
			*) echo "$module must not call $symbol, which others replace: base/sys.h does it"; bad=1 ;;
			esac
			;;
		esac
		case " $list " in
		*" $plain "*) ;;
		*) echo "$module must not call $symbol"; bad=1 ;;
		esac
	done
}

bad=0
hooked=$(echo $hooked)
libs "$alloc _r_debug memmem strcspn strncmp strstr" base
libs "$alloc" model registry poison record region
libs "$alloc strcspn" options
libs "$alloc" log
# (What the compiler asks about the processor.)
libs "$alloc __cpu_indicator_init __cpu_model" heap
# Searches for leaks stop threads.
libs "$alloc __sigaction pthread_setcancelstate sigdelset sigfillset strncmp strstr" leak
libs "$alloc" timeline
libs "$alloc strchr strncmp strrchr strstr" machine
libs "$alloc strstr" guard
# Nothing that waits for the loader: a thread that is in it may wait for one that captures a stack.
# (_dl_find_object is made for unwinders: it neither locks nor allocates.)
libs "$alloc _dl_find_object memmem strncmp strstr" stack
# __sigaction is the C library's own name of sigaction(2), which needs its return from handlers.
# (strcpy and its kin are not called: their addresses are compared.)
libs "$alloc __sigaction pthread_key_create pthread_once pthread_setspecific sigaddset
mempcpy sigdelset sigfillset sigismember stpcpy stpncpy strcat strcpy strncat strncpy wcscat wcscpy
wcsncpy wmemcpy wmemmove wmemset" fault
libs "$session" session
# sigaction is called where the host's is meant, at the start and the end.
check hosting "$alloc at_quick_exit sigaction sigaddset sigemptyset sigdelset sigfillset" "$FP_BUILDDIR"/src/hosting/.libs/*.o
# libc's allocator is called by address; what looks for symbols does it when the session starts or
# when memory has run out. fprintf is for malloc_stats, vdprintf for VALGRIND_PRINTF: the program asks for it.
check preload "$alloc _r_debug __libc_stack_end fencepost_on_finding
at_quick_exit dladdr1 dlinfo dlopen dlsym environ fprintf getenv on_exit pthread_atfork sigabbrev_np __sigaction sigaddset sigdelset
sigemptyset sigfillset sigismember strchr strcpy strcspn strerrordesc_np strncmp strrchr strspn vdprintf" "$FP_BUILDDIR"/src/preload/.libs/*.o
exit $bad
