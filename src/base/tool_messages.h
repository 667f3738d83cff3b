/* SPDX-License-Identifier: Apache-2.0
 *
 * All that the fencepost program says by itself: refusals, notes, and the answers of doctor.
 * The help is in cli/commands.c; the grammar of reports is in src/report, and
 * tests/report/golden shows each line of it. These are formats of printf;
 * tests/lint/messages.sh prints them all.
 */
#ifndef FP_BASE_TOOL_MESSAGES_H
#define FP_BASE_TOOL_MESSAGES_H

/* clang-format off */

/* ---- cli/debug ---- */
#define FP_SAY_NO_MEMORY_START "not enough memory to start"
#define FP_SAY_CANNOT_RUN_GDB "cannot run gdb: %s; install it"

/* ---- cli/diff ---- */
#define FP_SAY_DIFF_SUPPRESSIONS_TAKES \
	"diff: --suppressions takes the names of files, %zu bytes at most: write --suppressions=FILE,FILE"
#define FP_SAY_DIFF_UNKNOWN_OPTION \
	"diff: unknown option \"%s\": diff takes --json, --json=FILE, --strict and --suppressions=FILE"
#define FP_SAY_DIFF_ONE_REPORT "diff: \"%s\" is one report too many: put those of one side in a directory"
#define FP_SAY_DIFF_TWO_REPORTS "diff: two reports are needed: write fencepost diff OLD NEW"
#define FP_SAY_CANNOT_WRITE_JSON "cannot write %s: %s; name another file with --json=FILE"
#define FP_SAY_CANNOT_WRITE_STANDARD "cannot write to standard output: direct it elsewhere"
#define FP_SAY_NO_MEMORY_COMPARE_SO "not enough memory to compare so much"

/* ---- cli/doctor ---- */
#define FP_SAY_PROBLEMS_AND_WARNINGS "%zu problem%s, %zu warning%s\n"
#define FP_SAY_DOCTOR_UNKNOWN_OPTION \
	"doctor: unknown option \"%s\": doctor takes --json, and -- before a program whose name starts with -"
#define FP_SAY_DOCTOR_GIVE_ONLY "doctor: \"%s\": give only one program, without arguments"
#define FP_SAY_MACHINE "%s %s, %s, %ld processors"
#define FP_SAY_BACK_END_MOVE "back end move"
#define FP_SAY_BACK_END_GUARD "back end guard"
#define FP_SAY_BACK_END_MPROTECT "back end mprotect"
#define FP_SAY_DOCKER_RUN_SECURITY "docker run --security-opt seccomp=unconfined ..."
#define FP_SAY_PROFILE_FOR_BOTH "or give the container a profile that allows userfaultfd and madvise"
#define FP_SAY_BOOT_LINUX_NEWER "boot Linux %s or newer; this is %s"
#define FP_SAY_DOES_NOT_WORK "does not work here: %s"
#define FP_SAY_BACKEND_WORKS "works%s; %lu ns of processor time to protect and release a block"
#define FP_SAY_BACKEND_IS_USED ", and is what will be used"
#define FP_SAY_BACK_END_NONE "back end none"
#define FP_SAY_BACKEND_NONE_ONLY \
	"no other back end works, so blocks have no protection: only overwritten padding and bad frees are found"
#define FP_SAY_ONE_BACK_END "one back end that works is enough"
#define FP_SAY_SUDO_PRLIMIT_PID "sudo prlimit --pid $$ --%s=%s"
#define FP_SAY_APT_GET_INSTALL "%sapt-get install %s-dbgsym"
#define FP_SAY_DNF_DEBUGINFO_INSTALL "%sdnf debuginfo-install %s"
#define FP_SAY_MAPPINGS "%lu mappings; back end %s does not need more"
#define FP_SAY_MAPPINGS_BACK_END \
	"%lu mappings: back end mprotect guards about %lu blocks with that, and the rest is padded"
#define FP_SAY_ADDRESS_SPACE "address space"
#define FP_SAY_NOT_LIMITED "not limited"
#define FP_SAY_SPACE_LIMITED "limited to %lu KiB: about %lu allocations are guarded, the later ones padded"
#define FP_SAY_OVERCOMMIT_FREE "address space can be reserved freely"
#define FP_SAY_OVERCOMMIT_STRICT \
	"vm.overcommit_memory=2 counts reserved address space as used: blocks are guarded until the kernel " \
	"refuses, the later ones padded"
#define FP_SAY_FEW_DESCRIPTORS "%d of %lu are free: Fencepost needs some when a program starts and ends"
#define FP_SAY_PROC_HIDDEN "/proc is hidden or not mounted, and reports need it"
#define FP_SAY_MOUNT_T_PROC "%smount -t proc proc /proc"
#define FP_SAY_NO_FILTER "no filter"
#define FP_SAY_FILTER_ALLOWS_MOVE "a filter, which allows userfaultfd"
#define FP_SAY_FILTER_MAY_STOP_MOVE \
	"this process has a filter, as in a container; back end move may not work because of it"
#define FP_SAY_PROFILE_FOR_MOVE "or give the container a profile that allows userfaultfd"
#define FP_SAY_LIBRARY_UNUSABLE "%s cannot be read, or has spaces or colons in its name: nothing can be run"
#define FP_SAY_CONFIGURE "./configure --prefix=/usr/local && make && %smake install"
#define FP_SAY_ANOTHER_PREFIX_WITHOUT "or another prefix without spaces and colons"
#define FP_SAY_TEMPORARY_DIRECTORY "temporary directory"
#define FP_SAY_TEMPORARY_UNUSABLE "%s: %s; the processes of a run leave their events there"
#define FP_SAY_DIRECTORY_NAME_PROGRAM "that is a directory: name a program"
#define FP_SAY_FENCEPOST_DOCTOR "fencepost doctor ./%s"
#define FP_SAY_GIVE_ITS_PATH "give its path, or install it"
#define FP_SAY_PROGRAM_CANNOT_RUN "cannot run %s: %s"
#define FP_SAY_COPY_PROGRAM "cp -- %s /tmp && fencepost run /tmp/%s"
#define FP_SAY_CAN_RUN "%s can run under Fencepost"
#define FP_SAY_NO_OWN_ALLOCATOR "no custom allocator is known in it"
#define FP_SAY_OWN_ALLOCATOR "has %s, whose blocks are not tracked; those of the C library's malloc are"
#define FP_SAY_RUN_POOLS_OFF_WITH "fencepost run --pools=off %s"
#define FP_SAY_BUILD_WITHOUT_ALLOCATOR "build it without, or link the parts to look at with libfencepost"
#define FP_SAY_DEBUG_INFORMATION "debug information"
#define FP_SAY_PROGRAM_ITSELF "in the program itself"
#define FP_SAY_NONE_FRAMES_HAVE "none: frames have functions, but no lines"
#define FP_SAY_STRIPPED_FRAMES_HAVE "stripped: frames have addresses, and names only where a library exports them"
#define FP_SAY_HAVE_FETCHED_FENCEPOST "or have it fetched: fencepost run --debuginfod=yes, with DEBUGINFOD_URLS"
#define FP_SAY_BUILD_WITH_DEBUG "build it with -g and do not strip it"
#define FP_SAY_BUILD_WITH_DEBUG_OR_PUT "build it with -g and do not strip it, or put its debug file into %s"
#define FP_SAY_EXECUTED "%s is executed"
#define FP_SAY_RUN_TAKES_LONG "if a run takes too long, guard part of the blocks: fencepost run --budget=25 %s"

/* ---- cli/environment ---- */
#define FP_SAY_CANNOT_USE_INSTALL \
	"cannot use %s: install it there, in a directory without spaces and colons in its name"

/* ---- cli/explain ---- */
#define FP_SAY_AS_OF_FINDING "  as of the finding: "
#define FP_SAY_EXPLAIN_NO_FINDING \
	"explain: no finding and no leak there names 0x%" PRIx64 ": ask the running program, by its process id, or " \
	"a core file of it"
#define FP_SAY_EXPLAIN_NO_ADDRESS \
	"explain: no address: write fencepost explain 0x7f0012345678 PID|CORE|EVENT-LOG|REPORT.json"
#define FP_SAY_EXPLAIN_NOT_ADDRESS \
	"explain: %s is not an address: write fencepost explain 0x7f0012345678 PID|CORE|EVENT-LOG|REPORT.json"
#define FP_SAY_EXPLAIN_WHERE_NAME \
	"explain: only an address: name a process id, a core file, an event log or a JSON report after it"

/* ---- cli/harvest ---- */
#define FP_SAY_CANNOT_FIND_END "cannot find out how %s ended: %s"
#define FP_SAY_CANNOT_MAKE_MEMORY "cannot make memory to share with the program: %s; %s"
#define FP_SAY_RAISE_LIMIT_FILES "raise the limit of files (ulimit -f)"
#define FP_SAY_RAISE_LIMIT_MEMORY "raise the limit of memory (ulimit -v)"
#define FP_SAY_ALLOW_MEMFD_CREATE "allow memfd_create"
#define FP_SAY_NO_MEMORY_EVENTS_PROCESS "not enough memory for the events of process %ld"
#define FP_SAY_NO_MEMORY_REPORTS "not enough memory for the reports of this run"

/* ---- cli/image ---- */
#define FP_SAY_HEAP_GO "the heap of Go"
#define FP_SAY_CLR_GARBAGE_COLLECTED "the CLR's garbage-collected heap"
#define FP_SAY_MONO_GARBAGE_COLLECTED "Mono's garbage-collected heap"
#define FP_SAY_V_GARBAGE_COLLECTED "V8's garbage-collected heap"
#define FP_SAY_JAVA_HEAP "the Java heap"
#define FP_SAY_JEMALLOC_OTHER_FUNCTIONS "jemalloc's other functions (mallocx and its like)"
#define FP_SAY_TCMALLOC_OTHER_FUNCTIONS "tcmalloc's other functions (tc_malloc and its like)"
#define FP_SAY_MIMALLOC_OTHER_FUNCTIONS "mimalloc's other functions (mi_malloc and its like)"

/* ---- cli/inputs ---- */
#define FP_SAY_NO_MEMORY_SO_MANY "not enough memory for so many reports: merge them in parts"
#define FP_SAY_CANNOT_READ_DIRECTORY "cannot read %s: %s; name the files in it"
#define FP_SAY_NO_EVENT_LOG "no event log and no JSON report is in %s: name another directory, or files"
#define FP_SAY_CANNOT_READ_LIST "cannot read the list %s: %s; name a file with a path on each line"
#define FP_SAY_CANNOT_READ_LIST_NAME "cannot read the list %s: name a file with a path on each line"
#define FP_SAY_NOT_READ_TO_END "%s could not be read to its end: this report lacks the rest"

/* ---- cli/leaks ---- */
#define FP_SAY_NOT_SECONDS "%s: %s: give a number of seconds"
#define FP_SAY_TOO_MANY_OPTIONS "%s: too many options"
#define FP_SAY_ONE_PROCESS_ONLY "%s: one process at a time; leave out %s"
#define FP_SAY_NO_PROCESS_ID "%s: %s is no process id, and no core file: ps -e lists processes"
#define FP_SAY_PROCESS_BELONGS_USER "%s: process %ld belongs to user %lu: ask as that user, or as root"
#define FP_SAY_NOT_UNDER_US_MAPS \
	"%s: process %ld does not run under Fencepost, as far as this user may see: %s/maps: %s"
#define FP_SAY_NO_PROCESS_PS "%s: no process %ld: ps -e lists those there are"
#define FP_SAY_PROCESS_HAS_ENDED "%s: process %ld has ended"
#define FP_SAY_TOO_MANY_ASK "%s: too many ask at the same time: try again"
#define FP_SAY_PROCESS_CANNOT_ASKED "%s: process %ld cannot be asked: %s; ask as its user, or as root"
#define FP_SAY_ENDED_BEFORE_ANSWER "%s: process %ld ended before it answered; see the report that it made at its end"
#define FP_SAY_SYSTEM_NO_RANDOM "%s: the system has no random numbers yet: try again"
#define FP_SAY_NO_SOCKET_CAN "%s: no socket can be made: %s; close some files"
#define FP_SAY_PROCESS_GAVE_NO \
	"%s: process %ld gave no answer in %ld s: is it stopped, or in another network namespace? Ask from there, " \
	"or wait longer with --timeout=SECONDS"
#define FP_SAY_LEAKS_NO_MEMORY "%s: not enough memory for the answer"
#define FP_SAY_PROCESS_FENCEPOST_RUN \
	"%s: process %ld is fencepost run itself: ask the program that it runs; ps --ppid %ld shows its number"
#define FP_SAY_PROCESS_RUNS_WITHOUT \
	"%s: process %ld runs without leak_signal: start it with FENCEPOST_OPTIONS=leak_signal=USR2"
#define FP_SAY_NOT_UNDER_US \
	"%s: process %ld does not run under Fencepost: start it with fencepost run --leak-signal=USR2"
#define FP_SAY_NO_MEMORY_EVENTS "%s: not enough memory for the events"
#define FP_SAY_NO_PROCESS_WRITE "%s: no process: write fencepost %s PID"

/* ---- cli/lines ---- */
#define FP_SAY_NDJSON_NAMES_NO \
	"--ndjson names no receiver: write FILE, -, unix:PATH, udp:HOST:PORT, journal:, syslog: or " \
	"otlp:http://HOST:4318/v1/logs"
#define FP_SAY_LABEL_WRITE_KEY "--label: write KEY=VALUE, and %d at most, with commas between them"
#define FP_SAY_CANNOT_WRITE_LINES "cannot write %s: %s; name another file with --ndjson=FILE"
#define FP_SAY_LINE_OF_LEAK "%s: %lld bytes in %lld blocks"
#define FP_SAY_LINE_OF_SUMMARY "%lld errors, %lld leaked blocks"
#define FP_SAY_RECEIVER_DID_NOT "the receiver did not take them"
#define FP_SAY_RUN_SENDS_NO "a run sends no more than 10,000"
#define FP_SAY_ITS_HOST_NOT "its host is not known, or cannot be reached"
#define FP_SAY_NO_MEMORY_LINES_NDJSON "not enough memory for the lines of --ndjson"
#define FP_SAY_NOTE_LINE_NOT "note: %llu line%s could not be sent to %s: %s"

/* ---- cli/live ---- */
#define FP_SAY_PROGRESS "\rfencepost: reading events and symbols %c"
#define FP_SAY_NOTE "fencepost: note: %s\n"

/* ---- cli/logs ---- */
#define FP_SAY_STANDARD_INPUT "standard input"
#define FP_SAY_CANNOT_READ_LOG "cannot read %s: %s; name an event log, a JSON report or a core file"
#define FP_SAY_NEITHER_EVENT_LOG \
	"%s is no event log, JSON report or core file: name a file that --events=FILE or --json=FILE wrote, or a " \
	"core file of a program under Fencepost"
#define FP_SAY_EVENT_LOG_ANOTHER \
	"%s is an event log of another version of Fencepost: use the fencepost program of that version"
#define FP_SAY_NO_MEMORY_FOR_FILE "not enough memory for %s: report it on a larger machine"
#define FP_SAY_EVENTS_OF_PROCESS "the events of a process"

/* ---- cli/main ---- */
#define FP_SAY_OPTION_WITHOUT_COMMAND \
	"unknown option \"%s\": options follow a command, as in fencepost run --quiet PROGRAM"
#define FP_SAY_NO_COMMAND_FENCEPOST "\"%s\" is no command of Fencepost: write fencepost run %s"
#define FP_SAY_UNKNOWN_COMMAND_NEAREST "unknown command \"%s\"; the nearest one is \"%s\""
#define FP_SAY_UNKNOWN_COMMAND_FENCEPOST "unknown command \"%s\"; fencepost --help lists them"
#define FP_SAY_NO_COMMAND_WRITE "no command: write fencepost run PROGRAM, or fencepost --help"

/* ---- cli/obituary ---- */
#define FP_SAY_PROCESS_LEFT_NO "this process left no events: it was killed at its start, or "
#define FP_SAY_NOT_LOADED_ITS " could not be loaded; its allocations were not counted"
#define FP_SAY_PROCESS_WAS_KILLED \
	"this process was killed before it left any events; how it ended is known from process %ld, which waited " \
	"for it"
#define FP_SAY_NO_MEMORY_END_PROCESS "not enough memory for the end of process %ld"

/* ---- cli/obstacle ---- */
#define FP_SAY_GAINS_PRIVILEGES_WHEN "gains privileges when executed, so the loader refuses Fencepost's library"
#define FP_SAY_RUN_COPY_WITHOUT "run a copy of it without the privileges"
#define FP_SAY_ANOTHER_ARCHITECTURE_THAN "is for another architecture than this fencepost"
#define FP_SAY_USE_FENCEPOST_BUILT "use a fencepost built for that one"
#define FP_SAY_STATICALLY_LINKED_SO "is statically linked, so no library can be put under it"
#define FP_SAY_LINK_DYNAMICALLY_LIBFENCEPOST "link it dynamically, or with libfencepost"
#define FP_SAY_LINKED_MUSL_FENCEPOST "is linked with musl and this fencepost with glibc"
#define FP_SAY_LINK_LIBFENCEPOST_USE "build it with glibc, or use the heaps of a libfencepost that is built with musl"
#define FP_SAY_WHICH_ALLOCATOR_ITS "which has an allocator of its own"
#define FP_SAY_BUILD_WITHOUT_SANITIZER "build it without -fsanitize"
#define FP_SAY_SANITIZED_LINE "%s is linked with %s, %s"

/* ---- cli/orphans ---- */
#define FP_SAY_ORPHAN_RUNS \
	"fencepost run (process %ld) was killed, and %s still runs: fencepost snapshot %ld shows what was found so " \
	"far"
#define FP_SAY_ORPHAN_ENDED "a process ended after its fencepost run was killed: fencepost report %s"
#define FP_SAY_ORPHANS_MORE "and %zu more: fencepost report %s/fencepost.*.orphan"

/* ---- cli/pools ---- */
#define FP_SAY_RUN_POOLS_OFF "fencepost run --pools=off"
#define FP_SAY_NOTE_CUSTOM_ALLOCATOR \
	"note: %s in %s: a custom allocator, whose blocks are not tracked; to track them: %s"

/* ---- cli/profile ---- */
#define FP_SAY_CANNOT_KEEP_ALIGN \
	"cannot keep what align=auto learned in %s: %s; name a file with --align-profile=FILE"

/* ---- cli/render ---- */
#define FP_SAY_CANNOT_WRITE_OUTPUT "cannot write %s: %s; name another file with --%s=FILE"
#define FP_SAY_LABEL_DOES_NOTHING "--label does nothing alone: it marks lines; add --ndjson=FILE"
#define FP_SAY_REDACT_DOES_NOTHING "--redact does nothing alone: it cuts lines; add --ndjson=FILE"
#define FP_SAY_SEED_DOES_NOTHING "--seed does nothing alone: it chooses blocks; add --sample=N or --budget=PERCENT"
#define FP_SAY_ALIGN_PROFILE_DOES \
	"--align-profile does nothing alone: it keeps alignments that were learned; add --align=auto"
#define FP_SAY_JSON_REPORT_ONE \
	"a JSON report, or one that several were merged into, has no event log: leave --events out"
#define FP_SAY_NO_MEMORY_FILES "not enough memory for the files of --%s"
#define FP_SAY_NO_MEMORY_TEXT_REPORT "not enough memory for the text of the report"
#define FP_SAY_NO_MEMORY_REPORT "not enough memory for the report"

/* ---- cli/report ---- */
#define FP_SAY_REPORT_MERGE_USE "report: merge%s: use yes or no"
#define FP_SAY_BELONGS_TO_RUN "--%.*s belongs to the run that was recorded: set it there, FENCEPOST_OPTIONS=%s=%s"
#define FP_SAY_NO_VALUE "--%s has no value: write --%s=%s"
#define FP_SAY_OPTIONS_ARE_WRITTEN "unknown option \"%s\": options are written --key=value"
#define FP_SAY_NO_EVENT_LOG_WRITE "no event log: write fencepost report EVENT-LOG, or - for standard input"

/* ---- cli/run ---- */
#define FP_SAY_USE_NAME_WITHOUT "--%s=%s: use a name without one of the two quotes"
#define FP_SAY_SWEEP_SETS_ALIGN "--sweep sets --align and --placement: leave them out"
#define FP_SAY_SWEEP_MAKES_ONE \
	"--sweep merges several runs into one report, which has no event log: leave --events out"
#define FP_SAY_NO_PROGRAM_WRITE "no program: write fencepost run PROGRAM, followed by its arguments"
#define FP_SAY_CANNOT_RUN_DO "cannot run %s: %s; %s"
#define FP_SAY_FILE_YOU_MAY "name a file that you may execute"
#define FP_SAY_RUN_WOULD_WATCH \
	"run: that would watch the debugger and not the program: write fencepost run --gdb PROGRAM, or --force to " \
	"watch the debugger"
#define FP_SAY_OR_FORCE "%s: %s, or --force to try"
#define FP_SAY_CANNOT_FIND_OUT "cannot find out which program is executed: mount /proc"
#define FP_SAY_NEEDS_PROGRAM "it has to be a program of this system"
#define FP_SAY_NEEDS_PROCESS "end other processes, or lift the limit on them (ulimit -u unlimited)"
#define FP_SAY_NEEDS_SHORTER "give it fewer arguments, or a smaller environment"
#define FP_SAY_NEEDS_INTERPRETER "its first line or its loader names a file that does not exist"
#define FP_SAY_LEFT_NO_REPORT \
	"%s left no report: it was killed at its start, does not use the C library (Go programs do not), or cannot " \
	"load %s"

/* ---- cli/suppressions ---- */
#define FP_SAY_NO_MEMORY_SUPPRESSIONS_OF "not enough memory for the suppressions of %s"
#define FP_SAY_CANNOT_READ_SUPPRESSIONS "cannot read %s: %s; name a file with --suppressions=FILE,FILE"
#define FP_SAY_NO_MEMORY_SUPPRESSIONS "not enough memory for the suppressions"

/* ---- cli/sweep ---- */
#define FP_SAY_CANNOT_KEEP_STANDARD \
	"cannot keep standard input for every run: %s; give it as a file, or name a directory with TMPDIR"
#define FP_SAY_PROGRAM_DIED_SIG \
	"with %s the program died of SIG%s, which is no finding: it may need blocks that are aligned to 16 bytes"
#define FP_SAY_RUN_LEFT_NO "the run with %s left no report"
#define FP_SAY_NO_MEMORY_SWEEP "not enough memory for the reports of this sweep"

/* ---- cli/symbolize ---- */
#define FP_SAY_CANNOT_READ_LINES "cannot read %s: %s; name a file that --ndjson=FILE wrote"
#define FP_SAY_NO_MEMORY_LINES_OF "not enough memory for the lines of %s"
#define FP_SAY_SYMBOLIZE_UNKNOWN_OPTION \
	"symbolize: unknown option \"%s\": write --debug-dir=DIRECTORY or --debuginfod=yes"
#define FP_SAY_NO_MEMORY_LOOK_NAMES "not enough memory to look for names"
#define FP_SAY_NOTE_FRAMES_STILL \
	"note: %llu frames still have no name: no debug file has their build-id; name another --debug-dir, or ask " \
	"a server with --debuginfod=yes"

/* ---- cli/unseen ---- */
#define FP_SAY_NOT_SEEN_TIMES "not watched: %s, executed %zu times"
#define FP_SAY_NOT_SEEN "not watched: %s"
#define FP_SAY_OTHER_PROGRAMS_WERE "and %zu other programs were not watched"
#define FP_SAY_CUSTOM_ALLOCATORS_THEIR "%s in %s are custom allocators; their blocks are not tracked"
#define FP_SAY_CUSTOM_ALLOCATOR_ITS "%s in %s is a custom allocator; its blocks are not tracked"

/* ---- cli/watch ---- */
#define FP_SAY_WATCH_STARTED_PROGRAMS \
	"watch is started by programs that are linked with Fencepost: write fencepost run PROGRAM"
#define FP_SAY_CANNOT_MAP_MEMORY "cannot map the memory that the host shares: %s"

/* ---- remains/file ---- */
#define FP_SAY_CUT_OFF_BYTES \
	"is cut off: %llu bytes are missing; give it more room (ulimit -c unlimited, or the size limits of whoever " \
	"stores it)"
#define FP_SAY_DAMAGED_ITS_TABLE "is damaged: its table of segments cannot be read"
#define FP_SAY_DAMAGED_NO_THREADS "is damaged: it has no threads that can be read"
#define FP_SAY_CANNOT_READ "cannot be read: %s"
#define FP_SAY_NO_CORE_FILE "is no core file"
#define FP_SAY_ANOTHER_KIND_PROCESSOR \
	"is of another kind of processor than this fencepost program: use that of the machine that made it"
#define FP_SAY_DAMAGED_FENCEPOST_DATA "is damaged: Fencepost's data is not whole"
#define FP_SAY_FENCEPOST_ANOTHER_USE \
	"is of Fencepost %s, and this is %s: use the fencepost program that the process ran under"
#define FP_SAY_MORE_BLOCKS_THAN "has more blocks than this machine has memory for: use a larger one"
#define FP_SAY_NOTHING_FENCEPOST_PROGRAM \
	"has no data of Fencepost: the program ran without it, or the file was made without that memory " \
	"(coredump_filter)"
#define FP_SAY_CANNOT_TELL_LEAKS "cannot tell leaks: %s"
#define FP_SAY_DAMAGED_ITS_EVENTS "is damaged: its events cannot be read"
#define FP_SAY_NEEDS_MORE_MEMORY "needs more memory than there is: use a larger machine"
#define FP_SAY_FILE_LACKS_BLOCKS \
	"the file lacks the contents of blocks, as files of gcore do: let the kernel make one (kill -ABRT), or use " \
	"fencepost gcore in gdb"

/* ---- symbol/separate ---- */
#define FP_SAY_DEBUGINFOD_URLS_NAMES_NO "DEBUGINFOD_URLS names no server to ask: set it to the address of one"
#define FP_SAY_LIBDEBUGINFOD_SO_CANNOT "libdebuginfod.so.1 cannot be loaded: install libdebuginfod"

/* ---- report/suppress/parse ---- */
#define FP_SAY_NO_NUMBER_WRITE "\"%.*s\" has no number; write max=10"
#define FP_SAY_NO_DATE_WRITE "\"%.*s\" has no date; write until=2026-12-31"
#define FP_SAY_NO_SUPPRESSION_WRITE \
	"\"%.*s\" is no suppression; write leak:PATTERN, a kind of finding like double-free:PATTERN, or a block of " \
	"Valgrind's in { and }"
#define FP_SAY_NO_PATTERN_ANY "\"%.*s\" has no pattern; write * for any"
#define FP_SAY_BLOCK_BEGAN_ABOVE "the block that began above does not end; write }"
#define FP_SAY_MEMCHECK_NO_KIND "Memcheck has no kind \"%.*s\"; write Memcheck:Leak, Memcheck:Free or Memcheck:Addr4"
#define FP_SAY_FENCEPOST_NO_KIND "Fencepost has no kind \"%.*s\"; write Fencepost:Leak or Fencepost:double-free"
#define FP_SAY_NAMES_NO_TOOL "\"%.*s\" names no tool and kind; write Memcheck:Leak or Fencepost:Leak"
#define FP_SAY_NO_KINDS_LEAKS \
	"\"%.*s\" are no kinds of leaks; write definite, indirect, possible, reachable, all or none"
#define FP_SAY_MORE_THAN_FRAMES "more than %d frames; leave some out"
#define FP_SAY_NO_FRAME_WRITE "\"%.*s\" is no frame; write fun:NAME, obj:FILE, src:FILE:LINE or ..."
#define FP_SAY_BLOCK_NO_FRAME "the block has no frame; write ..."
#define FP_SAY_SUPPRESSED " suppressed by "
#define FP_SAY_NOTE_SUPPRESSION "fencepost: note: the suppression "
#define FP_SAY_EXPIRED_AFTER " expired after %s"
#define FP_SAY_ALLOWS_MAX " allows max=%" PRIu64
#define FP_SAY_MATCHES_REPORTED " that it matches are reported\n"
#define FP_SAY_NEVER_USED "fencepost: note: never used: "
#define FP_SAY_MORE_UNUSED " and %s more"

/* ---- report/json/documents ---- */
#define FP_SAY_JSON_WITHOUT_REPORT "is JSON without a report in it"
#define FP_SAY_DAMAGED_JSON_AT "is damaged JSON at line %zu, column %d"
#define FP_SAY_FINDING_KINDS_VERSION "%zu finding%s of kinds that this version does not know %s left out"
#define FP_SAY_DAMAGED_JSON_REPORT "is a damaged JSON report: a value of \"%s\" cannot be right"
#define FP_SAY_JSON_BUT_NO "is JSON, but no report of schema %s: name a file that --json=FILE wrote"

/* ---- report/log/read ---- */
#define FP_SAY_EVENT_LOG_CUT "the event log is cut off or damaged at byte %zu of %zu; what came after is missing here"
#define FP_SAY_EVENT_LOG_ENDS \
	"the event log ends early: the process was killed, executed another program, or the disk was full; what " \
	"came after is missing here"
#define FP_SAY_ENDED_UNSEEN \
	"the process ended by a system call that Fencepost does not see (daemon(3) ends so, and raw exit_group); its " \
	"leaks are not known"
#define FP_SAY_KILLED_UNSEEN "the process was killed; what it had not told by then is missing here"
#define FP_SAY_DAMAGED_NEWER_RECORDS "%zu damaged or newer records of the event log were left out"

/* ---- report/merge/merge ---- */
#define FP_SAY_OTHER_REASONS "other reasons"
#define FP_SAY_AND_MORE "%.*s (%.*s and %u more)"
#define FP_SAY_MORE_NOTES_WERE "%zu more notes were left out"

/* ---- report/resolve ---- */
#define FP_SAY_CANNOT_READ_ANY "%.*s cannot be read any more: its frames have no names"
#define FP_SAY_NOT_FILE_RAN "%.*s is not the file that ran (its build-id differs): its frames have no names"
#define FP_SAY_CALLERS_UNKNOWN_CODE "[callers unknown: this code has no unwind information]"
#define FP_SAY_FRAMES_LEFT_OUT "[frames left out]"
#define FP_SAY_NO_FUNCTION "no function"
#define FP_SAY_SMALLER_LEAKS_NOT \
	"%" PRIu64 " smaller leaks are not listed, only counted; use --max-leaks=N to list N, or --max-leaks=0 to " \
	"list all"

/* ---- report/sarif/sarif ---- */
#define FP_SAY_DEFINITE_LEAK "memory that was never freed and that nothing points to"
#define FP_SAY_INDIRECT_LEAK "memory that was never freed and that only lost memory points to"
#define FP_SAY_POSSIBLE_LEAK "memory that was never freed and that is pointed into, not to"
#define FP_SAY_REACHABLE "memory that was still in use when the process ended"
#define FP_SAY_CWE_SEEN_WHILE "%s: %s (CWE-%d). Seen while the program ran; the stacks of the result lead there."
#define FP_SAY_RESULTS_LEFT_OUT \
	"%zu results are left out, the least important ones: code scanning takes no more than %d, and no more than " \
	"10 MB of gzip"
/* clang-format on */

#endif
