/* SPDX-License-Identifier: Apache-2.0
 *
 * Restricts itself, or is ended, in the way that the first argument names, and makes the
 * mistake that the second does: "double-free", "use-after-free" or "leak". Built with IS_HOST
 * it makes them with an IHostMalloc, and has blocks of malloc beside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOT_POSSIBLE = 77, MILLISECOND = 1000, LANDLOCK_ALL = 0x1fff };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void possible(int result)
{
	if (result < 0)
		_exit(NOT_POSSIBLE);
}

#ifdef IS_HOST
#define COBJMACROS
#include <fencepost/fencepost.h>

static IHostMalloc *heap;

static void open_heap(void)
{
	IHostMemoryManager *manager;

	if (fp_create_memory_manager(NULL, &manager) != S_OK ||
	    IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &heap) != S_OK)
		exit(1);
	free(malloc(10));
}

static void *take(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}

#define give(block) IHostMalloc_Free(heap, block)
#else
#define open_heap()
#define take(size) malloc(size)
#define give(block) free(block)
#endif

/* ---- Restrictions ---------------------------------------------------------------------------
 */

static void nothing(void)
{
}

static void change_root(void)
{
	possible(chroot("/sys"));
	possible(chdir("/"));
}

static void hide_temporary_files(void)
{
	possible(unshare(CLONE_NEWNS));
	possible(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	possible(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static void become_nobody(void)
{
	possible(setgid(65534));
	possible(setuid(65534));
}

static void lock_files(void)
{
	struct {
		unsigned long long handled;
	} rules = {LANDLOCK_ALL};
	long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	possible((int)fd);
	possible(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	possible((int)syscall(SYS_landlock_restrict_self, fd, 0));
	close((int)fd);
}

enum { CALLS_MAX = 16 };

/* The filter answers the COUNT calls that are LISTED with one action, and all others with
 * another. BY_NUMBER: asked for with syscall(2), as libseccomp does. */
static void install(const unsigned *listed, size_t count, unsigned action, unsigned otherwise,
                    bool by_number)
{
	struct sock_filter code[2 * CALLS_MAX + 2];
	size_t used = 0;

	code[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                            offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count && i < CALLS_MAX; i++) {
		code[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		                                            listed[i], 0, 1);
		code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	}
	code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
	const struct sock_fprog program = {(unsigned short)used, code};
	possible(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (by_number)
		possible((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	else
		possible(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

/* What opens, connects or executes something is refused. */
static void filter_calls(void)
{
	static const unsigned refused[] = {SYS_openat,  SYS_socket,       SYS_connect,
	                                   SYS_execve,  SYS_memfd_create, SYS_unlinkat,
	                                   SYS_execveat};

	install(refused, COUNT(refused), SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW, false);
}

/* Whoever asks for more than a program with blocks does is not refused it, but ACTION. */
static void allow_little(unsigned action)
{
	static const unsigned allowed[] = {
	        SYS_read,  SYS_write,      SYS_exit,         SYS_exit_group,     SYS_futex,
	        SYS_brk,   SYS_mmap,       SYS_munmap,       SYS_mprotect,       SYS_madvise,
	        SYS_fstat, SYS_newfstatat, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_close,
	};

	install(allowed, COUNT(allowed), SECCOMP_RET_ALLOW, action, action == SECCOMP_RET_TRAP);
}

static void allow_little_or_kill(void)
{
	allow_little(SECCOMP_RET_KILL_PROCESS);
}

static void refuse_trapped(int signal)
{
	(void)signal;
	_exit(98);
}

static void allow_little_or_trap(void)
{
	signal(SIGSYS, refuse_trapped);
	allow_little(SECCOMP_RET_TRAP);
}

/* Past every library. */
static int raw_prctl(long option, long argument, const void *pointer)
{
#ifdef __x86_64__
	long result = SYS_prctl;

	__asm__ volatile("syscall"
	                 : "+a"(result)
	                 : "D"(option), "S"(argument), "d"(pointer)
	                 : "rcx", "r11", "memory");
	return (int)result;
#else
	return prctl((int)option, argument, pointer, 0, 0);
#endif
}

/* Who starts a program is killed. FILTER: whether the C library is asked for it. */
static void install_deadly_filter(bool by_library)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {COUNT(code), code};

	possible(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (by_library)
		possible(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
	else
		possible(raw_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void kill_starters(void)
{
	install_deadly_filter(true);
}

static void kill_starters_unseen(void)
{
	install_deadly_filter(false);
}

/* Nothing is allowed but to read, to write and to end. */
static void allow_nothing(void)
{
	possible(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
}

/* Of a group that the caller has made, with a limit that is met soon. */
static void limit_memory(void)
{
	const char *group = getenv("RESTRICTED_GROUP");
	int fd = group == NULL ? -1 : open(group, O_WRONLY | O_CLOEXEC);

	possible(fd);
	possible((int)write(fd, "0", 1));
	close(fd);
}

static void use_up_descriptors(void)
{
	const struct rlimit limit = {64, 64};

	possible(setrlimit(RLIMIT_NOFILE, &limit));
	while (dup(2) >= 0)
		;
}

/* What reads the processor's counter is a bad access from then on: the C library's clocks. */
static void deny_counter(void)
{
	possible(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
}

static void close_descriptors(void)
{
	possible((int)syscall(SYS_close_range, 3, ~0U, 0));
}

static void limit_files(void)
{
	const struct rlimit limit = {0, 0};

	possible(setrlimit(RLIMIT_FSIZE, &limit));
}

/* ---- Ends -----------------------------------------------------------------------------------
 */

static void by_return(void)
{
}

static void by_kill(void)
{
	kill(getpid(), SIGKILL);
}

static void by_system_call(void)
{
	syscall(SYS_exit_group, 5);
}

static void *leave(void *unused)
{
	(void)unused;
	_exit(5);
}

/* While main ends, too. */
static void by_two_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, leave, NULL);
	exit(5);
}

static void *terminate(void *unused)
{
	(void)unused;
	kill(getpid(), SIGTERM);
	return NULL;
}

static void by_two_signals(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, terminate, NULL);
	for (;;)
		pause();
}

/* ---- Mistakes -------------------------------------------------------------------------------
 */

__attribute__((noinline)) static void free_twice(void)
{
	char *volatile block = take(48);

	give(block);
	give(block); /* plant: double-free */
	block = NULL;
}

__attribute__((noinline)) static void write_freed(void)
{
	volatile char *volatile block = take(48);

	give((void *)block);
	block[3] = 1; /* plant: use-after-free */
}

__attribute__((noinline)) static void lose(void)
{
	volatile char *volatile block = take(123); /* plant: leak */

	block[0] = 1;
	block = NULL;
}

__attribute__((noinline)) static void wipe_stack(void)
{
	volatile char bytes[8192];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

static void by_thread_end(void)
{
	syscall(SYS_exit, 5);
}

/* The kernel kills who takes too much. */
static void by_memory(void)
{
	enum { STEP = 1 << 20, MOST = 1 << 10 };

	for (int i = 0; i < MOST; i++) {
		void *more = mmap(NULL, STEP, PROT_READ | PROT_WRITE,
		                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (more != MAP_FAILED)
			memset(more, 1, STEP);
	}
	_exit(NOT_POSSIBLE);
}

static const struct {
	const char *name;
	void (*restrict_it)(void);
	void (*end)(void);
} ways[] = {
        {"plain", nothing, by_return},
        {"chroot", change_root, by_return},
        {"private-tmp", hide_temporary_files, by_return},
        {"setuid", become_nobody, by_return},
        {"landlock", lock_files, by_return},
        {"seccomp", filter_calls, by_return},
        {"sandbox", allow_little_or_kill, by_return},
        {"sandbox-traps", allow_little_or_trap, by_return},
        {"deadly-filter", kill_starters, by_system_call},
        {"deadly-filter-unseen", kill_starters_unseen, by_system_call},
        {"strict", allow_nothing, by_thread_end},
        {"out-of-memory", limit_memory, by_memory},
        {"no-descriptors", use_up_descriptors, by_return},
        {"closed", close_descriptors, by_return},
        {"no-counter", deny_counter, by_return},
        {"file-size", limit_files, by_return},
        {"killed", nothing, by_kill},
        {"raw-exit", nothing, by_system_call},
        {"two-ends", nothing, by_two_threads},
        {"two-signals", nothing, by_two_signals},
};

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
        {"double-free", free_twice},
        {"use-after-free", write_freed},
        {"leak", lose},
};

int main(int argc, char **argv)
{
	void (*end)(void) = NULL;

	open_heap();
	for (size_t i = 0; argc == 3 && i < COUNT(ways); i++)
		if (strcmp(ways[i].name, argv[1]) == 0) {
			ways[i].restrict_it();
			end = ways[i].end;
		}
	for (size_t i = 0; end != NULL && i < COUNT(mistakes); i++)
		if (strcmp(mistakes[i].name, argv[2]) == 0)
			mistakes[i].make();
	wipe_stack();
	if (end == NULL)
		return 99;
	end();
	return 5;
}
