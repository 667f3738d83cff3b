# SPDX-License-Identifier: Apache-2.0
#
# What code may call depends on where it runs (see "Contexts" in HACKING.md). The undefined symbols
# of each module that is loaded into the victim are held against the list of its context. What is
# not listed is not allowed; the lists are short on purpose.

# Runs inside the victim's malloc and free: nothing that allocates, locks or reads a locale. (bcmp is
# what clang makes of a memcmp that is only compared with 0.)
alloc='__errno_location abort bcmp close getauxval getrlimit madvise memchr memcmp memcpy memmove memset mmap
mprotect munmap nanosleep open prctl read strcmp strlen strnlen syscall'
# Starts and ends with the process, forks and runs the reporter; still no malloc and no stdio.
session="$alloc
__libc_single_threaded _end _exit access clone dup2 environ execve exit faccessat fcntl fstat ftruncate getcwd getpid getppid lseek on_exit pthread_atfork
readlink secure_getenv setrlimit connect geteuid getsockopt pthread_attr_destroy pthread_attr_init
pipe2 pthread_attr_setdetachstate pthread_attr_setstacksize pthread_create pthread_self pthread_setname_np sendfile setsockopt socket __sigaction sigfillset sigprocmask strcpy strcspn strerrordesc_np strncmp strrchr
strstr unlink vfork waitpid"

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
	for symbol in $(echo "$undefined" | awk '$1 == "U" { print $2 }' | sort -u); do
		# _FORTIFY_SOURCE renames, the toolchain adds: neither changes what is called.
		case $symbol in
		fp_* | IID_* | _GLOBAL_OFFSET_TABLE_ | __ehdr_start | __start_* | __stop_* | __stack_chk_* | __aarch64_*) continue ;;
		__*_chk) plain=${symbol#__} plain=${plain%_chk} ;;
		*) plain=$symbol ;;
		esac
		case " $list " in
		*" $plain "*) ;;
		*) echo "$module must not call $symbol"; bad=1 ;;
		esac
	done
}

bad=0
libs "$alloc clock_gettime getgid getuid getxattr memmem nanosleep pread setrlimit stat strcspn strncmp strstr" base
libs "$alloc" model registry options record region
# Headers of modules are read as another thread may unload them.
libs "$alloc pread" log
# (What the compiler asks about the processor.)
libs "$alloc __cpu_indicator_init __cpu_model" heap
# Searches for leaks open files below /proc and stop threads.
libs "$alloc __sigaction clock_gettime getpid pread pthread_setcancelstate sigdelset sigfillset strncmp strstr
waitpid" leak
libs "$alloc clock_gettime" timeline
libs "$alloc clock_gettime fcntl fstat poll write strchr strncmp strrchr strstr" machine
libs "$alloc _exit fcntl getrlimit ioctl strstr waitpid" guard
# Nothing that waits for the loader: a thread that is in it may wait for one that captures a stack.
# (_dl_find_object is made for unwinders: it neither locks nor allocates.)
libs "$alloc _dl_find_object memmem strncmp strstr" stack
libs "$alloc __sigaction nanosleep pthread_key_create pthread_once pthread_setspecific raise sigaddset
sigaltstack sigdelset sigfillset sigismember sigprocmask" fault
libs "$session" session
# The thread that watches memory is made when a callback is registered.
check hosting "$alloc _exit at_quick_exit sigaction fcntl raise sigaddset sigemptyset sigprocmask getpid pthread_attr_destroy pthread_attr_init pthread_attr_setdetachstate
pthread_attr_setstacksize pthread_create pthread_sigmask sigdelset sigfillset" "$FP_BUILDDIR"/src/hosting/.libs/*.o
# libc's allocator is called by address; what looks for symbols does it when the session starts or
# when memory has run out.
check preload "$alloc _exit _r_debug access
at_quick_exit dladdr1 dlopen dlsym environ fprintf getenv getpid on_exit pthread_atfork raise sigabbrev_np __sigaction sigaddset sigdelset
sigemptyset sigfillset sigismember sigprocmask sigsuspend strchr strcpy strcspn strncmp strspn" "$FP_BUILDDIR"/src/preload/.libs/*.o
exit $bad
