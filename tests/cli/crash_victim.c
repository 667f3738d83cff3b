/* SPDX-License-Identifier: Apache-2.0
 *
 * Dies in the way that the first argument names; with a second one, in another thread. Built
 * with IS_HOST it has a memory manager and no malloc of ours.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
}

/* With its first block a thread gets the stack that handlers need where its own is full. */
static void *allocate(size_t size)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, size, eTaskCritical, &block);
	return block;
}

static void use_heap(void)
{
	void *volatile block = allocate(40);

	(void)block;
}
#else
static void open_heap(void)
{
}

static void *allocate(size_t size)
{
	return malloc(size);
}

static void use_heap(void)
{
}
#endif

/* What compilers know nothing of. */
static volatile int zero;
static volatile long wild = 0x123456789000;

struct node {
	char room[24];
	int value;
};
static struct node *volatile no_node;
static void (*volatile no_function)(void);
static const char constant[] = "constant";
static char data[16] = {(char)0xc3};

static void read_null(void)
{
	zero = no_node->value; /* null-pointer */
}

static void call_null(void)
{
	no_function(); /* null-call */
	zero = 1;
}

static void write_wild(void)
{
	*(volatile int *)wild = 1; /* wild-address */
}

#ifdef __x86_64__
static volatile long no_pointer = (long)0xdeadbeefcafe0000;

static void write_nowhere(void)
{
	*(volatile int *)no_pointer = 1; /* non-canonical */
}
#endif

/* Found by the C library itself, in what it allocates for itself and others. */
static void spoil_libc(void)
{
	void *libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
	void *(*make)(size_t) = dlsym(libc, "__libc_malloc");
	void (*release)(void *) = dlsym(libc, "__libc_free");
	char *block = make(20000);

	memset(block - sizeof(size_t), 0xff, sizeof(size_t));
	release(block); /* libc-abort */
	zero = 1;
}

/* 64 MiB before all that was ever a block, in the address space that is kept for them. */
static void write_far(void)
{
	enum { LARGE = 1 << 30 };
	uintptr_t block = (uintptr_t)allocate(100);
	uintptr_t start, end, far = 0;
	char protection[5], line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx %4s", &start, &end, protection) == 3 &&
		    strcmp(protection, "---p") == 0 && end - start > LARGE && end <= block)
			far = end - (64 << 20);
	if (far == 0)
		_exit(77);
	*(volatile char *)far = 1; /* far-address */
}

/* Memory that was the program's until it said otherwise. */
static void read_unmapped(void)
{
	volatile char *bytes =
	        mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap((void *)bytes, 8192); /* gone */
	zero = bytes[4096 + 7];      /* unmapped */
}

static void write_constant(void)
{
	*(volatile char *)(constant + zero) = 1; /* read-only */
}

static void execute_data(void)
{
	void (*volatile function)(void) = (void (*)(void))data;

	function(); /* not-executable */
	zero = 1;
}

static void execute_block(void)
{
	void (*volatile function)(void) = (void (*)(void))allocate(100);

	function(); /* block-executed */
	zero = 1;
}

static int recurse(volatile char *room)
{
	volatile char more[200];

	more[0] = room[0];
	return zero != 0 ? 0 : recurse(more) + more[0];
}

static void fill_stack(void)
{
	volatile char room[8] = "";

	zero = recurse(room);
}

static void fail_assertion(void)
{
	assert(zero == 7 && "seven"); /* abort */
}

static void divide(void)
{
	zero = 7 / zero; /* arithmetic */
}

static void trap(void)
{
	if (zero == 0)
		__builtin_trap(); /* illegal-instruction */
}

static void read_short_file(void)
{
	FILE *file = tmpfile();
	volatile char *bytes =
	        mmap(NULL, 4096, PROT_READ, MAP_SHARED, file == NULL ? -1 : fileno(file), 0);

	zero = bytes[100]; /* bus */
}

static void call_refused(void)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {COUNT(code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		_exit(77);
	syscall(SYS_getppid); /* system-call */
	zero = 1;
}

static void use_time_up(void)
{
	const struct rlimit limit = {1, 9};

	setrlimit(RLIMIT_CPU, &limit);
	while ((zero++ | 1) != 0) /* time */
		;
}

static void run_into_breakpoint(void)
{
	raise(SIGTRAP); /* breakpoint */
	zero = 1;
}

/* A handler that cleans up and dies as it would have. */
static void die_again(int signal)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	sigaction(SIGABRT, &action, NULL);
	(void)signal;
	abort();
}

static void handle_and_die(void)
{
	signal(SIGSEGV, die_again);
	zero = no_node->value; /* handled */
}

#if defined(__x86_64__)
/* As .NET's handler does it: it leaves the signal's stack and goes on behind the red zone of
 * the one that was interrupted, in a function whose caller is that code. */
__asm__(".text\n"
        "die_below_16:\n"
        "	.cfi_startproc\n"
        "	.cfi_def_cfa_offset 136\n"
        "	.cfi_offset rip, -136\n"
        "	call abort\n"
        "	.cfi_endproc\n"
        "die_below_8:\n"
        "	.cfi_startproc\n"
        "	.cfi_def_cfa_offset 144\n"
        "	.cfi_offset rip, -144\n"
        "	call abort\n"
        "	.cfi_endproc\n");
extern const char die_below_16[] __attribute__((visibility("hidden")));
extern const char die_below_8[] __attribute__((visibility("hidden")));

static void go_on_elsewhere(int signal, siginfo_t *info, void *context)
{
	const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t sp = (uintptr_t)registers[REG_RSP] - 128;
	const char *next = sp % 16 == 0 ? die_below_16 : die_below_8;

	(void)signal;
	(void)info;
	sp = sp / 16 * 16 - 8;
	*(uintptr_t *)sp = (uintptr_t)registers[REG_RIP];
	__asm__ volatile("mov %0, %%rsp\n\tjmp *%1" : : "r"(sp), "r"(next) : "memory");
	__builtin_unreachable();
}

static void handle_elsewhere(void)
{
	const struct sigaction action = {.sa_sigaction = go_on_elsewhere,
	                                 .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &action, NULL);
	zero = no_node->value; /* elsewhere-handled */
}

static void handle_freed_elsewhere(void)
{
	const struct sigaction action = {.sa_sigaction = go_on_elsewhere,
	                                 .sa_flags = SA_SIGINFO | SA_ONSTACK};
	volatile int *volatile block = malloc(40);

	sigaction(SIGSEGV, &action, NULL);
	free((void *)block);
	zero = block[1]; /* freed-handled */
}
#else
#define handle_elsewhere handle_and_die
#define handle_freed_elsewhere handle_and_die
#endif

static void come_back(int signal)
{
	(void)signal;
}

/* abort() goes on to end the process. */
static void handle_abort(void)
{
	signal(SIGABRT, come_back);
	abort(); /* abort-handled */
}

/* The last call that there is room for is one of ours. */
static int allocate_and_recurse(int depth)
{
	char *block = malloc(10);
	int sum = zero != 0 ? 0 : allocate_and_recurse(depth + 1) + block[0];

	free(block);
	return sum;
}

static void fill_stack_with_calls(void)
{
	zero = allocate_and_recurse(0);
}

/* What abort() does then it does by itself. */
static void ignore_abort(void)
{
	signal(SIGABRT, SIG_IGN);
	abort();
}

/* As programs do that bring their own C library: no function is called. */
static void reset(int signal, const void *action)
{
#ifdef __x86_64__
	register long bytes __asm__("r10") = 8;
	long status = SYS_rt_sigaction;

	__asm__ volatile("syscall"
	                 : "+a"(status)
	                 : "D"(signal), "S"(action), "d"(0), "r"(bytes)
	                 : "rcx", "r11", "memory");
#else
	register long number __asm__("x8") = SYS_rt_sigaction;
	register long status __asm__("x0") = signal;
	register const void *wanted __asm__("x1") = action;
	register long old __asm__("x2") = 0;
	register long bytes __asm__("x3") = 8;

	__asm__ volatile("svc 0"
	                 : "+r"(status)
	                 : "r"(number), "r"(wanted), "r"(old), "r"(bytes)
	                 : "memory");
#endif
}

static void reset_and_raise(void)
{
	const struct {
		void *handler;
		unsigned long words[3];
	} action = {SIG_DFL, {0}};

	reset(SIGFPE, &action);
	zero = 7 / zero;
}

static void await(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) == child)
		exit(WIFSIGNALED(status) ? 11 : 12);
}

/* A child that has this process' memory dies for itself. */
static void let_child_die(void)
{
	pid_t child = vfork();

	if (child == 0)
		zero = no_node->value; /* child */
	await(child);
}

/* No handler of ours sees that, and the process has told nothing yet. */
static void let_child_abort_unseen(void)
{
	pid_t child = fork();

	if (child == 0)
		ignore_abort();
	await(child);
}

static void let_child_abort(void)
{
	pid_t child = vfork();

	if (child == 0)
		raise(SIGABRT); /* child-abort */
	await(child);
}

static void handle_and_return(void)
{
	signal(SIGSEGV, SIG_IGN);
	signal(SIGSEGV, exit);
	zero = no_node->value;
}

/* The nearest page before a block that was freed where nothing is mapped: the address space has
 * to be limited, or all around it is reserved. */
static void read_near_freed(void)
{
	enum { PAGE = 4096, PAGES = 4096 };
	unsigned char is_there;
	char *kept = malloc(100);
	char *freed = malloc(3000000); /* made */
	uintptr_t page = (uintptr_t)freed & -(uintptr_t)PAGE;

	free(freed); /* let go */
	for (int i = 0; i < PAGES; i++, page -= PAGE)
		if (mincore((void *)page, 1, &is_there) != 0)
			zero = *(volatile char *)page + kept[0]; /* near-freed */
	_exit(77);
}

static const struct {
	const char *name;
	void (*die)(void);
} ways[] = {
        {"null-pointer", read_null},
        {"null-call", call_null},
        {"wild-address", write_wild},
        {"far-address", write_far},
        {"libc-abort", spoil_libc},
#ifdef __x86_64__
        {"non-canonical", write_nowhere},
#endif
        {"unmapped", read_unmapped},
        {"read-only", write_constant},
        {"not-executable", execute_data},
        {"block-executed", execute_block},
        {"stack-overflow", fill_stack},
        {"abort", fail_assertion},
        {"arithmetic", divide},
        {"illegal-instruction", trap},
        {"bus", read_short_file},
        {"system-call", call_refused},
        {"time", use_time_up},
        {"breakpoint", run_into_breakpoint},
        {"handled", handle_and_die},
        {"elsewhere-handled", handle_elsewhere},
        {"freed-handled", handle_freed_elsewhere},
        {"abort-handled", handle_abort},
        {"stack-overflow-in-malloc", fill_stack_with_calls},
        {"ignored", ignore_abort},
        {"reset", reset_and_raise},
        {"near-freed", read_near_freed},
        {"child", let_child_die},
        {"child-abort", let_child_abort},
        {"child-unseen", let_child_abort_unseen},
        {"exits", handle_and_return},
};

static void die(const char *name)
{
	for (size_t i = 0; i < COUNT(ways); i++)
		if (strcmp(ways[i].name, name) == 0)
			ways[i].die();
	zero = 1;
}

static void *start(void *name)
{
	use_heap();
	die(name);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	open_heap();
	use_heap();
	if (argc == 2)
		die(argv[1]);
	else if (argc == 3 && pthread_create(&thread, NULL, start, argv[1]) == 0)
		pthread_join(thread, NULL);
	return 99;
}
