/* SPDX-License-Identifier: Apache-2.0
 *
 * `fencepost run --sweep`: the same program under one layout of blocks after the other.
 *
 * Context: report.
 */
#ifndef FP_CLI_SWEEP_H
#define FP_CLI_SWEEP_H

#include "cli/cli.h"

/* One run of the program. */
struct fp_cli_trial {
	const char *placement; /* values of these options */
	const char *align;
	int input;  /* the program's standard input; -1: ours */
	int output; /* the program's standard output and error; -1: ours */
	/* Set by the run: */
	struct fp_cli_logs logs; /* of its processes */
	int status;              /* as from waitpid(2) */
};

/* Runs the program as TRIAL says. 0, or the exit status of fencepost, after saying why. */
typedef int (*fp_cli_trial_runner)(struct fp_cli_trial *trial, void *user);

struct fp_cli_sweep {
	fp_cli_trial_runner run;
	void *user;
	/* Set by fp_cli_sweep: */
	int status;               /* of the first run, as from waitpid(2) */
	struct fp_report *report; /* of all; NULL when nothing is known */
};

/*
 * Runs the program under every layout. The first run has our standard streams. The others read
 * what it read, /dev/null in place of a terminal, and what they write is dropped. A program
 * that somebody ends (SIGINT, SIGTERM, ...) is not run again. 0, or an exit status after saying
 * why.
 */
int fp_cli_sweep(struct fp_cli_sweep *sweep);

#endif
