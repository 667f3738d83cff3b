/* SPDX-License-Identifier: Apache-2.0
 *
 * one_cpu: processes whose threads free on several CPUs at once are bound to one, as long as
 * they free faster so. Each free takes a page away, and every CPU that runs the process has to
 * hear of that: dear, and much dearer on a virtual machine. Whether it is dearer than a CPU
 * less is not reckoned but tried: blocks freed in a second, with all CPUs and with one.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "cli/cli.h"
#include "log/cpus.h"

enum {
	SETTLING_TICKS = 1,
	MEASURED_TICKS = 2,
	FREES_PER_S_MIN = 20000, /* fewer cost too little to matter */
	FIRST_WAIT_MS = 1000,
	LONGEST_WAIT_MS = 60000,
	STAY_MS = 5000, /* then all CPUs are tried again */
	MS_PER_S = 1000,
	NSEC_PER_MS = 1000000,
	ROUNDS = 100 /* of a process that creates threads meanwhile */
};

/* Of one CPU: more is in use when threads run beside each other. */
static const double busy_share = 1.25;
static const double gain = 1.1;

enum phase { LOOKING, TRYING, STAYING, COMPARING };

struct pilot {
	uint32_t pid;
	enum phase phase;
	unsigned ticks; /* of the measurement */
	double rate;    /* of the latest tick, in frees per second */
	double sum;     /* of the measured ticks */
	double usual_rate;
	double bound_rate;
	uint64_t since; /* of the latest tick */
	uint64_t frees;
	uint64_t processor; /* nanoseconds that the process ran */
	bool is_busy;
	bool is_bound;
	unsigned slow_ticks;
	uint64_t next; /* when to try again */
	unsigned wait;
};

static struct pilot pilots[FP_CPUS_MAX];

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NSEC_PER_MS;
}

/* Every thread with the affinity FROM gets TO; whoever has another one keeps it. Until none is
 * left: what they create inherits theirs. */
static void rebind(pid_t pid, const uint8_t *from, const uint8_t *to)
{
	char path[64];
	bool is_done = false;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	for (int round = 0; !is_done && round < ROUNDS; round++) {
		DIR *directory = opendir(path);

		is_done = true;
		for (const struct dirent *entry; directory && (entry = readdir(directory));) {
			pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
			cpu_set_t set;

			if (thread > 0 && sched_getaffinity(thread, sizeof(set), &set) == 0 &&
			    memcmp(&set, from, sizeof(set)) == 0 &&
			    sched_setaffinity(thread, sizeof(set),
			                      (const cpu_set_t *)(const void *)to) == 0)
				is_done = false;
		}
		if (directory)
			closedir(directory);
	}
}

_Static_assert(sizeof(cpu_set_t) == FP_CPUS_BYTES, "one layout of CPUs");

/* One of those that it may use: processes are to share out all. */
static bool choose_cpu(struct fp_cpus *cpus, pid_t pid)
{
	cpu_set_t usual;
	cpu_set_t one;
	int wanted;
	int cpu = -1;

	if (sched_getaffinity(pid, sizeof(usual), &usual) != 0 || CPU_COUNT(&usual) < 2)
		return false;
	wanted = (int)(pid % CPU_COUNT(&usual)) + 1;
	while (wanted > 0)
		wanted -= CPU_ISSET(++cpu, &usual) != 0;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	memcpy(cpus->usual, &usual, sizeof(usual));
	memcpy(cpus->one, &one, sizeof(one));
	return true;
}

static bool bind(struct fp_cpus *cpus, pid_t pid)
{
	uint32_t state = FP_CPUS_USUAL;

	/* The process reads them once it is said to be bound. */
	if (atomic_load(&cpus->state) != FP_CPUS_USUAL || !choose_cpu(cpus, pid) ||
	    !atomic_compare_exchange_strong(&cpus->state, &state, FP_CPUS_BOUND))
		return false;
	rebind(pid, cpus->usual, cpus->one);
	return true;
}

static void let_go(struct fp_cpus *cpus, pid_t pid)
{
	uint32_t state = FP_CPUS_BOUND;

	rebind(pid, cpus->one, cpus->usual);
	atomic_compare_exchange_strong(&cpus->state, &state, FP_CPUS_USUAL);
}

static void begin(struct pilot *pilot, enum phase phase)
{
	pilot->phase = phase;
	pilot->ticks = 0;
	pilot->sum = 0;
	pilot->slow_ticks = 0;
}

/* Once enough ticks of the phase are measured: their mean. */
static bool has_measured(struct pilot *pilot, double *rate)
{
	if (pilot->ticks++ < SETTLING_TICKS)
		return false;
	pilot->sum += pilot->rate;
	*rate = pilot->sum / MEASURED_TICKS;
	return pilot->ticks == SETTLING_TICKS + MEASURED_TICKS;
}

static void look_again_in(struct pilot *pilot, unsigned ms)
{
	pilot->next = pilot->since + ms;
	begin(pilot, LOOKING);
}

static void look(struct pilot *pilot, struct fp_cpus *cpus)
{
	bool is_hot =
	        pilot->is_busy && pilot->rate >= FREES_PER_S_MIN && pilot->since >= pilot->next;

	if (!is_hot)
		begin(pilot, LOOKING);
	else if (has_measured(pilot, &pilot->usual_rate) && bind(cpus, (pid_t)pilot->pid))
		begin(pilot, TRYING);
}

static void stay(struct pilot *pilot)
{
	pilot->next = pilot->since + STAY_MS;
	pilot->wait = FIRST_WAIT_MS;
	begin(pilot, STAYING);
}

static void try(struct pilot *pilot, struct fp_cpus *cpus)
{
	if (!has_measured(pilot, &pilot->bound_rate))
		return;
	if (pilot->bound_rate > gain * pilot->usual_rate) {
		stay(pilot);
		return;
	}
	let_go(cpus, (pid_t)pilot->pid);
	look_again_in(pilot, pilot->wait);
	pilot->wait = 2 * pilot->wait < LONGEST_WAIT_MS ? 2 * pilot->wait : LONGEST_WAIT_MS;
}

/* What frees less than with all CPUs does something else by now. */
static void watch(struct pilot *pilot, struct fp_cpus *cpus)
{
	pilot->slow_ticks = pilot->rate < pilot->usual_rate ? pilot->slow_ticks + 1 : 0;
	if (pilot->slow_ticks == MEASURED_TICKS) {
		let_go(cpus, (pid_t)pilot->pid);
		look_again_in(pilot, FIRST_WAIT_MS);
	} else if (pilot->since >= pilot->next) {
		let_go(cpus, (pid_t)pilot->pid);
		begin(pilot, COMPARING);
	}
}

static void compare(struct pilot *pilot, struct fp_cpus *cpus)
{
	if (!has_measured(pilot, &pilot->usual_rate))
		return;
	if (pilot->is_busy && pilot->bound_rate > gain * pilot->usual_rate &&
	    bind(cpus, (pid_t)pilot->pid))
		stay(pilot);
	else
		look_again_in(pilot, FIRST_WAIT_MS);
}

static bool read_frees(pid_t pid, uint64_t address, uint64_t *frees)
{
	const struct iovec here = {frees, sizeof(*frees)};
	const struct iovec there = {(void *)(uintptr_t)address, sizeof(*frees)};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(*frees);
}

static uint64_t processor_time(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
		return 0;
	return (uint64_t)time.tv_sec * MS_PER_S * NSEC_PER_MS + (uint64_t)time.tv_nsec;
}

/* What the report tells. Also less than a millisecond is told. */
static void account(const struct pilot *pilot, struct fp_cpus *cpus, uint64_t now)
{
	atomic_fetch_add(&cpus->bound_ms, now > pilot->since ? now - pilot->since : 1);
	atomic_store(&cpus->bound_rate, (uint64_t)pilot->bound_rate);
	atomic_store(&cpus->usual_rate, (uint64_t)pilot->usual_rate);
}

/* False: nothing can be measured. */
static bool measure(struct pilot *pilot, struct fp_cpus *cpus)
{
	uint64_t now = milliseconds();
	uint64_t processor = processor_time((pid_t)pilot->pid);
	double ms = (double)(now - pilot->since);
	uint64_t frees;

	if (!read_frees((pid_t)pilot->pid, atomic_load(&cpus->frees), &frees))
		return false;
	if (now == pilot->since)
		return true;
	pilot->rate = (double)(frees - pilot->frees) * MS_PER_S / ms;
	pilot->is_busy = (double)(processor - pilot->processor) > busy_share * ms * NSEC_PER_MS;
	if (atomic_load(&cpus->state) == FP_CPUS_BOUND)
		account(pilot, cpus, now);
	pilot->since = now;
	pilot->frees = frees;
	pilot->processor = processor;
	return true;
}

static void (*const steps[])(struct pilot *, struct fp_cpus *) = {
        [LOOKING] = look, [TRYING] = try, [STAYING] = watch, [COMPARING] = compare};

/* Whether there is a process to look at again. */
static bool serve(struct pilot *pilot, struct fp_cpus *cpus, bool is_always)
{
	uint32_t pid = atomic_load(&cpus->pid);

	if (pid == 0)
		return false;
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
		atomic_store(&cpus->pid, 0);
		return false;
	}
	if (pilot->pid != pid)
		*pilot = (struct pilot){
		        .pid = pid, .since = milliseconds(), .wait = FIRST_WAIT_MS};
	if (atomic_load(&cpus->state) == FP_CPUS_REFUSED) {
		rebind((pid_t)pid, cpus->one, cpus->usual);
		if (pilot->is_bound)
			account(pilot, cpus, milliseconds());
		atomic_store(&cpus->state, FP_CPUS_LEFT);
		fp_channel_wake_cpus(cpus);
	}
	if (atomic_load(&cpus->state) == FP_CPUS_LEFT)
		return false;
	if (is_always)
		bind(cpus, (pid_t)pid);
	if (measure(pilot, cpus) && !is_always)
		steps[pilot->phase](pilot, cpus);
	pilot->is_bound = atomic_load(&cpus->state) == FP_CPUS_BOUND;
	return true;
}

bool fp_cli_steer_cpus(struct fp_channel *channel, bool is_always)
{
	struct fp_cpus *cpus;
	bool has_any = false;

	for (size_t i = 0; (cpus = fp_channel_cpus_at(channel, i)); i++)
		has_any |= serve(&pilots[i], cpus, is_always);
	return has_any;
}
