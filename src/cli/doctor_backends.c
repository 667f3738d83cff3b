/* SPDX-License-Identifier: Apache-2.0
 *
 * Every back end of the guard module at work: probed as a program would have it, then timed.
 * Each has a child of its own, because a process has one back end, and a filter may kill it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/tool_messages.h"
#include "base/vm.h"
#include "cli/doctor.h"
#include "guard/guard.h"

enum {
	WARM_UP_ROUNDS = 200,
	ROUNDS = 50, /* between two looks at the clock */
	MEASURED_NANOSECONDS = 40000000,
	FILL = 0xcb
};

/* What a child has to say. */
struct trial {
	int status; /* 0, or a negative errno */
	uint64_t nanoseconds;
};

/* Best first, as the guard module has them. */
static const struct {
	const char *name;
	const char *check;
	const char *kernel; /* the first one that has it */
} backends[] = {
        {"move", FP_SAY_BACK_END_MOVE, "6.8"},
        {"guard", FP_SAY_BACK_END_GUARD, "6.13"},
        {"mprotect", FP_SAY_BACK_END_MPROTECT, NULL},
};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

static uint64_t processor_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* As a program that takes a block, writes to it and gives it back. */
static int churn(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct fp_slot slot = {0};
		int status = fp_guard_acquire(1, false, &slot);

		if (status != 0)
			return status;
		*(volatile char *)slot.base = 1;
		slot.is_filled = false;
		status = fp_guard_release(&slot);
		if (status != 0)
			return status;
	}
	return 0;
}

static struct trial try_out(const char *name)
{
	const struct fp_guard_config config = {.backend = name, .guard_pages = 1, .fill = FILL};
	struct trial trial = {0};
	uint64_t rounds = 0;
	const char *why;

	trial.status = fp_guard_init(&config, &why);
	if (trial.status == 0)
		trial.status = churn(WARM_UP_ROUNDS);
	uint64_t start = processor_time();
	uint64_t spent = 0;
	while (trial.status == 0 && spent < MEASURED_NANOSECONDS) {
		trial.status = churn(ROUNDS);
		rounds += ROUNDS;
		spent = processor_time() - start;
	}
	/* Address space is used once: a small limit ends the measurement, not the back end. */
	if (trial.status == -ENOMEM && rounds > ROUNDS)
		trial.status = 0;
	if (trial.status == 0)
		trial.nanoseconds = spent / rounds;
	return trial;
}

_Noreturn static void try_in_child(const char *name, int pipe_end)
{
	/* A death here is no news for a collector of core dumps. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	const struct trial trial = try_out(name);

	_exit(write(pipe_end, &trial, sizeof(trial)) != sizeof(trial));
}

static struct trial run_trial(const char *name)
{
	struct trial trial = {.status = -EPERM};
	int ends[2];

	if (pipe(ends) != 0)
		return (struct trial){.status = -errno};
	pid_t child = fork();
	if (child == 0)
		try_in_child(name, ends[1]);
	close(ends[1]);
	if (child < 0)
		trial.status = -errno;
	else if (read(ends[0], &trial, sizeof(trial)) != sizeof(trial))
		trial.status = -EPERM; /* a filter killed it */
	close(ends[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return trial;
}

/* A filter refuses, or a setting of the machine. */
static void advise_permission(struct fp_cli_check *check)
{
	if (fp_cli_seccomp_mode() != 0) {
		fp_cli_check_fix(check, FP_SAY_DOCKER_RUN_SECURITY);
		fp_cli_check_advise(check, FP_SAY_PROFILE_FOR_BOTH);
	} else {
		fp_cli_check_fix(check, "%ssysctl -w vm.unprivileged_userfaultfd=1",
		                 fp_cli_sudo());
	}
}

static void advise(struct fp_cli_check *check, size_t i, int status)
{
	struct utsname system = {.release = ""};

	uname(&system);
	switch (status) {
	case -EPERM:
		advise_permission(check);
		break;
	case -EMFILE:
		fp_cli_fix_limit(check, &fp_cli_limit_descriptors);
		break;
	case -ENFILE:
		fp_cli_check_fix(check, "%ssysctl -w fs.file-max=1000000", fp_cli_sudo());
		break;
	case -ENOMEM:
		fp_cli_fix_limit(check, &fp_cli_limit_address_space);
		break;
	default:
		if (backends[i].kernel)
			fp_cli_check_advise(check, FP_SAY_BOOT_LINUX_NEWER, backends[i].kernel,
			                    system.release);
	}
}

static void check_backend(struct fp_cli_checkup *checkup, size_t i)
{
	const char *name = backends[i].name;
	bool is_wanted = strcmp(checkup->backend, "none") == 0;
	const struct trial trial = run_trial(name);

	if (trial.status != 0) {
		struct fp_cli_check *check = fp_cli_checkup_add(
		        checkup, backends[i].check, is_wanted ? FP_CLI_WARNING : FP_CLI_OK,
		        FP_SAY_DOES_NOT_WORK, strerror(-trial.status));
		if (is_wanted)
			advise(check, i, trial.status);
		return;
	}
	if (is_wanted)
		checkup->backend = name;
	fp_cli_checkup_add(checkup, backends[i].check, FP_CLI_OK, FP_SAY_BACKEND_WORKS,
	                   is_wanted ? FP_SAY_BACKEND_IS_USED : "",
	                   (unsigned long)trial.nanoseconds)
	        ->nanoseconds = trial.nanoseconds;
}

void fp_cli_check_backends(struct fp_cli_checkup *checkup)
{
	for (size_t i = 0; i < BACKENDS; i++)
		check_backend(checkup, i);
	if (strcmp(checkup->backend, "none") != 0)
		return;
	struct fp_cli_check *check = fp_cli_checkup_add(
	        checkup, FP_SAY_BACK_END_NONE, FP_CLI_PROBLEM, FP_SAY_BACKEND_NONE_ONLY);
	/* What mends one of them. */
	for (const struct fp_cli_check *other = check; other-- != checkup->checks;)
		if (other->fix && !check->fix)
			fp_cli_check_fix(check, "%s", other->fix);
	fp_cli_check_advise(check, FP_SAY_ONE_BACK_END);
}
