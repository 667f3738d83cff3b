/* SPDX-License-Identifier: Apache-2.0
 *
 * A host with handlers of its own for SIGSEGV and SIGBUS, which expects of them what it would
 * without Fencepost. The argument says which host; the table at the end has them all.
 */
#include "victim.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, TIMES = 100, ERRNO = 4444 };

static sigjmp_buf escape;
static volatile sig_atomic_t calls;
static volatile sig_atomic_t number_seen;
static siginfo_t info_seen;
static ucontext_t context_seen;
static sigset_t mask_seen;
static char *volatile guarded; /* what the handler makes accessible */
static volatile char result;

static void note(int number, siginfo_t *info, void *context)
{
	calls++;
	number_seen = number;
	info_seen = *info;
	memcpy(&context_seen, context, sizeof(context_seen));
	sigprocmask(SIG_BLOCK, NULL, &mask_seen);
	siglongjmp(escape, 1);
}

static void note_plain(int number)
{
	calls++;
	number_seen = number;
	sigprocmask(SIG_BLOCK, NULL, &mask_seen);
	siglongjmp(escape, 1);
}

static void mend(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	calls++;
	mprotect(guarded, PAGE, PROT_READ | PROT_WRITE);
}

static void remember(int number, siginfo_t *info, void *context)
{
	(void)context;
	calls++;
	number_seen = number;
	info_seen = *info;
}

typedef void (*full_handler)(int, siginfo_t *, void *);

static void handle_with(full_handler handler, int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	sigaddset(&action.sa_mask, SIGUSR2);
	EXPECT(sigaction(SIGSEGV, &action, NULL) == 0);
	EXPECT(sigaction(SIGBUS, &action, NULL) == 0);
}

static void handle_plain(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	EXPECT(sigaction(SIGSEGV, &action, NULL) == 0);
	EXPECT(sigaction(SIGBUS, &action, NULL) == 0);
}

static char touch(volatile char *address)
{
	return *address; /* plant: access */
}

static bool is_fault(volatile char *address)
{
	if (sigsetjmp(escape, 1) != 0)
		return true;
	result = touch(address);
	return false;
}

static char *freed_block(IHostMalloc *heap)
{
	void *block = NULL;

	IHostMalloc_Alloc(heap, 1000, eTaskCritical, &block); /* plant: allocation */
	IHostMalloc_Free(heap, block);                        /* plant: free */
	return block;
}

static void *page_without_access(void)
{
	void *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(page != MAP_FAILED);
	return page;
}

/* What the kernel says of the access, it says to the host. */
static void expect_original(const volatile char *address)
{
	EXPECT(info_seen.si_signo == number_seen);
	EXPECT(number_seen == SIGSEGV);
	EXPECT(info_seen.si_code == SEGV_MAPERR || info_seen.si_code == SEGV_ACCERR);
	EXPECT(info_seen.si_addr == address);
	EXPECT(sigismember(&context_seen.uc_sigmask, SIGUSR1) == 1);
	EXPECT(sigismember(&context_seen.uc_sigmask, SIGUSR2) == 0);
#ifdef __x86_64__
	EXPECT((uintptr_t)context_seen.uc_mcontext.gregs[REG_RIP] - (uintptr_t)touch < 200);
	EXPECT(context_seen.uc_mcontext.gregs[REG_TRAPNO] == 14);
#endif
	/* The handler's own mask: the signal itself, its sa_mask, and what was blocked. */
	EXPECT(sigismember(&mask_seen, number_seen) == 1);
	EXPECT(sigismember(&mask_seen, SIGUSR1) == 1);
	EXPECT(sigismember(&mask_seen, SIGUSR2) == 1);
	EXPECT(sigismember(&mask_seen, SIGTERM) == 0);
}

static void expect_recovery(IHostMalloc *heap)
{
	char *block = freed_block(heap);
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	for (int i = 0; i < TIMES; i++) {
		sigset_t mask;

		EXPECT(is_fault(block + i));
		EXPECT(calls == i + 1);
		expect_original(block + i);
		/* As it was before the fault. */
		sigprocmask(SIG_BLOCK, NULL, &mask);
		EXPECT(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGSEGV) == 0 &&
		       sigismember(&mask, SIGUSR2) == 0);
	}
	EXPECT(fp_finding_count() == 1);
}

static void recover(void)
{
	handle_with(note, 0);
	expect_recovery(victim_heap());
}

static void recover_later(void)
{
	IHostMalloc *heap = victim_heap();

	handle_with(note, 0);
	EXPECT(fp_install_fault_handler() == 0);
	EXPECT(fp_install_fault_handler() == 0);
	expect_recovery(heap);
}

/* Handlers at both times: the later one counts. */
static void recover_replaced(void)
{
	handle_plain(SIG_IGN, 0);
	IHostMalloc *heap = victim_heap();
	handle_with(note, SA_ONSTACK);
	EXPECT(fp_install_fault_handler() == 0);
	expect_recovery(heap);
}

static void recover_plain(void)
{
	handle_plain(note_plain, 0);
	char *block = freed_block(victim_heap());
	for (int i = 0; i < TIMES; i++) {
		EXPECT(is_fault(block));
		EXPECT(sigismember(&mask_seen, number_seen) == 1);
	}
	EXPECT(calls == TIMES);
}

static void recover_without_mask(void)
{
	handle_plain(note_plain, SA_NODEFER);
	char *block = freed_block(victim_heap());
	for (int i = 0; i < TIMES; i++) {
		EXPECT(is_fault(block));
		EXPECT(sigismember(&mask_seen, SIGSEGV) == 0);
		EXPECT(sigismember(&mask_seen, SIGBUS) == 0);
	}
	EXPECT(calls == TIMES);
}

/* Once, then the default action. */
static void recover_once(void)
{
	handle_plain(note_plain, SA_RESETHAND);
	char *block = freed_block(victim_heap());
	while (is_fault(block))
		EXPECT(calls == 1);
}

/* A fault cannot be ignored. */
static void ignore(void)
{
	handle_plain(SIG_IGN, 0);
	is_fault(freed_block(victim_heap()));
}

/* The signal of no bad access, whatever the back end. */
static void bus_only(void)
{
	const struct sigaction action = {.sa_handler = note_plain};

	EXPECT(sigaction(SIGBUS, &action, NULL) == 0);
	is_fault(freed_block(victim_heap()));
	EXPECT(calls == 0);
}

/* A handler in our place that passes on to us what it does not want. */
static struct sigaction displaced;

static void pass_on(int number, siginfo_t *info, void *context)
{
	calls++;
	EXPECT(calls == 1 && number == SIGSEGV && info->si_signo == SIGSEGV);
	displaced.sa_sigaction(number, info, context);
}

static void pass_back(void)
{
	IHostMalloc *heap = victim_heap();
	struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO};

	EXPECT(sigaction(SIGSEGV, &action, &displaced) == 0);
	touch(freed_block(heap));
}

/* Faults that are no business of Fencepost's. */
static void foreign(void)
{
	handle_with(note, 0);
	IHostMalloc_Release(victim_heap());
	char *page = page_without_access();
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	EXPECT(is_fault(NULL));
	expect_original(NULL);
	EXPECT(number_seen == SIGSEGV && info_seen.si_code == SEGV_MAPERR);
	EXPECT(is_fault(page + 77));
	expect_original(page + 77);
	EXPECT(number_seen == SIGSEGV && info_seen.si_code == SEGV_ACCERR);
	/* A non-canonical address: the kernel does not tell it. */
	EXPECT(is_fault((char *)0x4141414141414141));
	EXPECT(info_seen.si_code == SI_KERNEL && info_seen.si_addr == NULL);
	EXPECT(calls == 3);
	EXPECT(fp_finding_count() == 0);
}

/* As garbage collectors and lazy loaders do: the handler returns, and it goes on. */
static void foreign_mended(void)
{
	handle_with(mend, 0);
	IHostMalloc_Release(victim_heap());
	for (int i = 0; i < TIMES; i++) {
		guarded = page_without_access();
		errno = ERRNO;
		EXPECT(touch(guarded) == 0);
		EXPECT(errno == ERRNO);
	}
	EXPECT(calls == TIMES);
	EXPECT(fp_finding_count() == 0);
}

static void foreign_fatal(void)
{
	IHostMalloc *heap = victim_heap();
	void *block = freed_block(heap);

	REFUSED(IHostMalloc_Free(heap, block)); /* plant: second free */
	touch(NULL);
}

static void sent(void)
{
	IHostMalloc_Release(victim_heap());
	kill(getpid(), SIGSEGV);
}

static void sent_and_handled(void)
{
	handle_with(remember, 0);
	IHostMalloc_Release(victim_heap());
	kill(getpid(), SIGSEGV);
	EXPECT(calls == 1 && number_seen == SIGSEGV);
	EXPECT(info_seen.si_code == SI_USER && info_seen.si_pid == getpid());
	raise(SIGBUS);
	EXPECT(calls == 2 && number_seen == SIGBUS && info_seen.si_code == SI_TKILL);
	EXPECT(fp_finding_count() == 0);
}

static void sent_and_ignored(void)
{
	handle_plain(SIG_IGN, 0);
	IHostMalloc_Release(victim_heap());
	kill(getpid(), SIGSEGV);
	raise(SIGBUS);
}

/* A deep handler without a stack of its own has the thread's. */
static void dig(int number, siginfo_t *info, void *context)
{
	volatile char deep[200 << 10];

	for (size_t i = 0; i < sizeof(deep); i += PAGE)
		deep[i] = 1;
	note(number, info, context);
}

static void recover_deep(void)
{
	handle_with(dig, 0);
	expect_recovery(victim_heap());
}

static const struct {
	const char *name;
	void (*run)(void);
} hosts[] = {
        {"recover", recover},
        {"recover-later", recover_later},
        {"recover-replaced", recover_replaced},
        {"recover-plain", recover_plain},
        {"recover-without-mask", recover_without_mask},
        {"recover-once", recover_once},
        {"recover-deep", recover_deep},
        {"ignore", ignore},
        {"bus-only", bus_only},
        {"pass-back", pass_back},
        {"foreign", foreign},
        {"foreign-mended", foreign_mended},
        {"foreign-fatal", foreign_fatal},
        {"sent", sent},
        {"sent-and-handled", sent_and_handled},
        {"sent-and-ignored", sent_and_ignored},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (argc == 2 && strcmp(hosts[i].name, argv[1]) == 0) {
			hosts[i].run();
			return 0;
		}
	}
	return 1;
}
