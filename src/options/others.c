/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options of Valgrind's memcheck, of the sanitizers, of Electric Fence and of
 * GWP-ASan that have a counterpart here, or of which somebody who moves has to know that there
 * is none.
 */
#include "options/others.h"

#include "options/words.h"

#define UNINITIALISED                                                                          \
	"Fencepost does not see uses of uninitialised memory; Valgrind and clang "             \
	"-fsanitize=memory do"
#define STACK                                                                                  \
	"Fencepost sees the heap, not the stack and not globals; build with "                  \
	"-fsanitize=address"
#define ALWAYS "Fencepost always does that: leave it out"
#define FILL "Fencepost fills new blocks itself, and freed ones are inaccessible: leave it out"
#define NEVER "Fencepost has nothing like it: leave it out"

static const struct fp_options_other others[] = {
        {"alignment", "Valgrind", "write --align=N"},
        {"demangle", "Valgrind", ALWAYS},
        {"expensive_definedness_checks", "Valgrind", UNINITIALISED},
        {"freelist_vol", "Valgrind",
         "freed blocks stay protected; write --history=SIZE to keep "
         "the stacks of more of them"},
        {"keep_debuginfo", "Valgrind", ALWAYS},
        {"keep_stacktraces", "Valgrind", "Fencepost always keeps both stacks: leave it out"},
        {"leak_check_heuristics", "Valgrind", ALWAYS},
        {"log_file", "Valgrind", "write --log=FILE"},
        {"num_callers", "Valgrind", "write --stack-depth=N"},
        {"read_var_info", "Valgrind", ALWAYS},
        {"redzone_size", "Valgrind", "write --guard-pages=N"},
        {"show_leak_kinds", "Valgrind",
         "lost blocks are always shown; write --show-possible=yes or --show-reachable=yes for "
         "more"},
        {"show_mismatched_frees", "Valgrind", ALWAYS},
        {"tool", "Valgrind", "Fencepost is one tool: leave it out"},
        {"track_fds", "Valgrind", "Fencepost sees the heap only; use valgrind --track-fds=yes"},
        {"track_origins", "Valgrind", UNINITIALISED},
        {"undef_value_errors", "Valgrind", UNINITIALISED},
        {"error_limit", "Valgrind", "all distinct errors are reported: leave it out"},
        {"errors_for_leak_kinds", "Valgrind",
         "write --error-exitcode=N: leaks count; --leak-check=no leaves them out"},
        {"exit_on_first_error", "Valgrind", "write --halt-on-error=yes"},
        {"free_fill", "Valgrind", FILL},
        {"fullpath_after", "Valgrind", "write --source-root=DIRECTORY"},
        {"leak_resolution", "Valgrind", "leaks are one if their stacks are: leave it out"},
        {"log_fd", "Valgrind", "write --log=FILE"},
        {"malloc_fill", "Valgrind", FILL},
        {"partial_loads_ok", "Valgrind", NEVER},
        {"read_inline_info", "Valgrind", ALWAYS},
        {"run_libc_freeres", "Valgrind", NEVER},
        {"show_below_main", "Valgrind", "write --stacks=full"},
        {"smc_check", "Valgrind", NEVER},
        {"soname_synonyms", "Valgrind",
         "a malloc that the program brings itself is not tracked: build without it"},
        {"trace_children_skip", "Valgrind",
         "write --trace-children=no, or --suppressions=FILE"},
        {"vgdb_error", "Valgrind",
         "write fencepost run --gdb PROGRAM, and there fencepost break"},
        {"vgdb", "Valgrind", "write fencepost run --gdb PROGRAM"},
        {"xml_file", "Valgrind", "write --xml=FILE"},
        {"abort_on_error", "AddressSanitizer", "write --halt-on-error=yes"},
        {"alloc_dealloc_mismatch", "AddressSanitizer", ALWAYS},
        {"allocator_may_return_null", "AddressSanitizer", ALWAYS},
        {"detect_container_overflow", "AddressSanitizer", STACK},
        {"detect_leaks", "AddressSanitizer", "write --leak-check=full or --leak-check=no"},
        {"detect_odr_violation", "AddressSanitizer", STACK},
        {"detect_stack_use_after_return", "AddressSanitizer", STACK},
        {"check_initialization_order", "AddressSanitizer", STACK},
        {"exitcode", "AddressSanitizer", "write --error-exitcode=N"},
        {"fast_unwind_on_malloc", "AddressSanitizer", NEVER},
        {"handle_segv", "AddressSanitizer", "write --fault-handler=yes or --fault-handler=no"},
        {"log_path", "AddressSanitizer", "write --log=FILE"},
        {"malloc_context_size", "AddressSanitizer", "write --stack-depth=N"},
        {"quarantine_size_mb", "AddressSanitizer",
         "freed blocks stay protected; write --history=SIZE to keep the stacks of more of "
         "them"},
        {"redzone", "AddressSanitizer", "write --guard-pages=N"},
        {"symbolize", "AddressSanitizer", ALWAYS},
        {"print_suppressions", "AddressSanitizer",
         "the report says what was suppressed; --gen-suppressions=yes writes new ones"},
        {"allow_user_poisoning", "AddressSanitizer", ALWAYS},
        {"detect_invalid_pointer_pairs", "AddressSanitizer", NEVER},
        {"disable_coredump", "AddressSanitizer",
         "core files are never turned off: leave it out"},
        {"hard_rss_limit_mb", "AddressSanitizer", "write --max-memory=SIZE"},
        {"max_free_fill_size", "AddressSanitizer", FILL},
        {"max_malloc_fill_size", "AddressSanitizer", FILL},
        {"max_redzone", "AddressSanitizer", "write --guard-pages=N"},
        {"new_delete_type_mismatch", "AddressSanitizer", ALWAYS},
        {"poison_heap", "AddressSanitizer", "write --backend=none to protect no block"},
        {"strict_string_checks", "AddressSanitizer", NEVER},
        {"strip_path_prefix", "AddressSanitizer", "write --source-root=DIRECTORY"},
        {"verbosity", "AddressSanitizer", "fencepost doctor says what Fencepost does here"},
        {"EF_ALIGNMENT", "Electric Fence", "write --align=N"},
        {"EF_ALLOW_MALLOC_0", "Electric Fence", "malloc(0) is always allowed: leave it out"},
        {"EF_FILL", "Electric Fence", NEVER},
        {"EF_PROTECT_BELOW", "Electric Fence", "write --placement=left"},
        {"EF_PROTECT_FREE", "Electric Fence", ALWAYS},
        {"MaxSimultaneousAllocations", "GWP-ASan", "write --max-memory=SIZE"},
        {"SampleRate", "GWP-ASan", "write --sample=N"},
};

const struct fp_options_other *fp_options_find_other(const char *key, size_t key_len)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (fp_words_equal(key, key_len, others[i].key))
			return &others[i];
	return NULL;
}
