/* SPDX-License-Identifier: Apache-2.0
 *
 * All that the library tells people: findings, notes, refusals. The words of kinds, options and
 * reports stand in finding.def, crash.def, options.def and schema.def; what the fencepost
 * program says in tool_messages.h. These are formats of fp_text_print(): %s, %d, %u and %x,
 * with l or without. Each says what happened, where, and what to do; tests/lint/messages.sh
 * prints them all.
 */
#ifndef FP_BASE_MESSAGES_H
#define FP_BASE_MESSAGES_H

/* ---- Where an address is, and what is there ------------------------------------------------
 */

/* clang-format off */
#define FP_TELL_BEFORE "%lu byte%s before a %s of %lu byte%s"
#define FP_TELL_INSIDE "%lu byte%s inside a %s of %lu byte%s"
#define FP_TELL_PAST "%lu byte%s past the end of a %s of %lu byte%s"

/* The name of a file follows. */
#define FP_TELL_IN_CODE "code of "
#define FP_TELL_IN_GLOBAL "a global variable of "
#define FP_TELL_IN_CONSTANT "constant data of "

#define FP_TELL_IN_OWN_STACK "the stack of the calling thread"
#define FP_TELL_IN_MAIN_STACK "the stack of the main thread"
#define FP_TELL_IN_BRK "memory of the C library's malloc"
#define FP_TELL_IN_RESERVED "reserved memory without access"
#define FP_TELL_IN_MAPPED "mapped memory that is no block"
#define FP_TELL_IN_UNKNOWN "memory that is no block"
#define FP_TELL_IN_NOTHING "nothing: no memory is mapped there"
#define FP_TELL_IN_OURS "address space that Fencepost keeps for blocks, with no block near"
#define FP_TELL_IN_PAGE "a page of VirtualAlloc's with %s%s"
#define FP_TELL_OWN_PROTECTION "a protection of its own"
#define FP_TELL_GUARD_PAGE " and PAGE_GUARD, whose exception nobody handles"
#define FP_TELL_NO_POINTER "no address that a pointer can have"
#define FP_TELL_NOT_MAPPED "nothing is mapped there"

/* ---- Bad accesses: "write of 4 bytes" and what follows ------------------------------------- */

#define FP_TELL_EXECUTION "execution"
#define FP_TELL_ACCESS "access"
#define FP_TELL_OF_BYTES " of %lu byte%s"
#define FP_TELL_BY_CALL " by a call"
#define FP_TELL_AT " at %#lx"
#define FP_TELL_PART_BEFORE ", %lu of them before the block"
#define FP_TELL_PART_BEHIND ", %lu of them behind the block"
#define FP_TELL_THAT_WAS_FREED " that was freed"
#define FP_TELL_STOPPED "; the guard page stopped it %lu byte%s further"
#define FP_TELL_DOUBTFUL "; the bytes before it may have been read, too: that cannot be seen"
#define FP_TELL_OF_FORGOTTEN \
	" of a block that was freed so long ago that its record was dropped; a larger `history` keeps more"
#define FP_TELL_OF_NOBODY " that was never part of a block: a wild pointer, or an overflow from far away"
#define FP_TELL_POISONED ", where the program poisoned its memory"
#define FP_TELL_RELEASED " that was released"
#define FP_TELL_RESERVED ", in pages that were reserved and never committed"
#define FP_TELL_DECOMMITTED ", in pages that were decommitted"

/* ---- Crashes ------------------------------------------------------------------------------- */

/* What a signal was raised for: FP_SIGNAL_CODE(signal, si_code, words). */
#define FP_SIGNAL_CODES \
	FP_SIGNAL_CODE(SIGFPE, FPE_INTDIV, "integer division by zero, or of the smallest number by -1") \
	FP_SIGNAL_CODE(SIGFPE, FPE_INTOVF, "integer overflow") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTDIV, "floating point division by zero") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTOVF, "floating point overflow") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTUND, "floating point underflow") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTRES, "floating point result that is not exact") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTINV, "invalid floating point operation") \
	FP_SIGNAL_CODE(SIGFPE, FPE_FLTSUB, "index out of range") \
	FP_SIGNAL_CODE(SIGILL, ILL_ILLOPC, "illegal instruction") \
	FP_SIGNAL_CODE(SIGILL, ILL_ILLOPN, "illegal instruction") \
	FP_SIGNAL_CODE(SIGILL, ILL_ILLADR, "illegal addressing mode") \
	FP_SIGNAL_CODE(SIGILL, ILL_ILLTRP, "illegal trap") \
	FP_SIGNAL_CODE(SIGILL, ILL_PRVOPC, "instruction that only the kernel may execute") \
	FP_SIGNAL_CODE(SIGILL, ILL_PRVREG, "register that only the kernel may use") \
	FP_SIGNAL_CODE(SIGILL, ILL_COPROC, "error of a coprocessor") \
	FP_SIGNAL_CODE(SIGILL, ILL_BADSTK, "error of the processor's internal stack") \
	FP_SIGNAL_CODE(SIGTRAP, TRAP_BRKPT, "a breakpoint that no debugger has set") \
	FP_SIGNAL_CODE(SIGTRAP, TRAP_TRACE, "a single step that no debugger has asked for") \
	FP_SIGNAL_CODE(SIGTRAP, SI_KERNEL, "a breakpoint instruction (int3) without a debugger") \
	FP_SIGNAL_CODE(SIGBUS, BUS_ADRALN, "address that is not aligned as the instruction needs it") \
	FP_SIGNAL_CODE(SIGBUS, BUS_OBJERR, "error of the device or file that is mapped there") \
	FP_SIGNAL_CODE(SIGBUS, BUS_MCEERR_AR, "memory that the hardware reports as broken") \
	FP_SIGNAL_CODE(SIGBUS, BUS_MCEERR_AO, "memory that the hardware reports as broken") \
	FP_SIGNAL_CODE(SIGXCPU, SI_KERNEL, "the program has used the processor time that RLIMIT_CPU allows")

#define FP_TELL_NO_CODE "the signal's code gives no reason"
#define FP_TELL_NULL_CALL "call of a null function pointer"
#define FP_TELL_NULL ", through a null pointer"
#define FP_TELL_NULL_BEFORE " (%lu bytes before it)"
#define FP_TELL_NULL_PAST " (%lu bytes past it: a member or an element)"
#define FP_TELL_STACK_FULL "stack overflow: all %lu%s of the thread's stack are in use"
#define FP_TELL_STACK_CALLS ", by %lu calls that have not returned"
#define FP_TELL_UNMAPPED ", which was freed and unmapped by the program"
#define FP_TELL_NEVER_MAPPED ", where nothing is mapped"
#define FP_TELL_GAP_PAST ", %lu%s past the end of "
#define FP_TELL_GAP_BEFORE ", %lu%s before "
#define FP_TELL_REFUSED_BY_CPU \
	"access that the processor refuses: the address is not aligned as the instruction needs it, or the " \
	"instruction is the kernel's"
#define FP_TELL_IMPOSSIBLE "access through %#lx, which no pointer can be: register %s has it"
#define FP_TELL_NO_ACCESS ", which may not be accessed: "
#define FP_TELL_READ_ONLY ", which may only be read: "
#define FP_TELL_NO_CODE_THERE ", which is no code: "
#define FP_TELL_FILE_SHORTER ", past the end of the mapped file, which was truncated: "
#define FP_TELL_IN_PLACE ", in "
#define FP_TELL_COMPILERS_TRAP \
	": compilers put it where the program must never get (__builtin_trap(), or undefined behaviour)"
#define FP_TELL_SENT_ITSELF "the program sent itself the signal (raise, or kill)"
#define FP_TELL_SENT_BY "the signal was sent by process %u of user %u"
#define FP_TELL_ABORT "the program called abort()"
#define FP_TELL_SYSTEM_CALL "system call %d, which a filter of system calls (seccomp) refuses"
#define FP_TELL_IN_VFORK "; it happened in a child of vfork(2), which shares the memory of its parent"
#define FP_TELL_HANDLED "; the program's handler of it then raised signal %d"

#define FP_TELL_SECOND_FAULT "a second fault happened while the first one was being reported"
#define FP_TELL_OWN_CRASH "internal error: Fencepost itself crashed at "
#define FP_TELL_OWN_CALL ", in a function that Fencepost called"
#define FP_TELL_OWN_CALL_AT " at "
#define FP_TELL_OWN_STACK ", because the stack of the thread was full"
#define FP_TELL_OWN_ADVICE \
	". This is a bug in Fencepost, not in the program: please report it. What was found before is kept"
#define FP_TELL_PANIC "internal error: %s"
#define FP_TELL_NO_MALLOC "no library of this program has all functions of malloc"
#define FP_TELL_NO_BAD_ALLOC "operator new found no memory, and no C++ library is loaded to throw std::bad_alloc"
#define FP_TELL_LOCK_ORDER "lock taken out of rank order"
#define FP_TELL_OWN_OBJECTS "the table of Fencepost's own objects is full"

/* ---- Misuse of heaps, at a call ------------------------------------------------------------ */

#define FP_TELL_FREED_BEFORE "the block was freed before"
#define FP_TELL_FREED_LONG_AGO \
	"the block was freed so long ago that its record was dropped; a larger `history` keeps more"
#define FP_TELL_INSIDE_FREED "the pointer is %s that was freed before"
#define FP_TELL_INTERIOR "the pointer is %s, not its start"
#define FP_TELL_MEMORY_POISONED "; the program had poisoned the memory there"
#define FP_TELL_NO_BLOCK "the pointer is not a block; it points to "
#define FP_TELL_ASKED_NO_BLOCK "%s was asked about a pointer that is not a block; it points to "
#define FP_TELL_ASKED_FREED "%s was asked about a block of %lu byte%s that was freed before"
#define FP_TELL_ASKED_INSIDE "%s was asked about a pointer that is %s%s"
#define FP_TELL_ASKED_WAS_FREED " that was freed before"
#define FP_TELL_ASKED_NO_START ", not its start"
#define FP_TELL_OTHER_FAMILY "the block was made by %s (family %s) and freed by %s (family %s)"
#define FP_TELL_OTHER_SIZE " as one of %lu byte%s and not of %lu"
#define FP_TELL_OTHER_ALIGN " as one aligned to %lu and not to %lu"
#define FP_TELL_NO_ALIGN " as one aligned to %lu, but no alignment was requested"
#define FP_TELL_ALIGNED_NEW "aligned new"
#define FP_TELL_ALIGNED_DELETE "aligned delete"
#define FP_TELL_A_POOL "a pool of the program"
#define FP_TELL_THAT_POOL "that pool"
#define FP_TELL_OTHER_HEAP "the block belongs to heap %u and was passed to heap %u"
#define FP_TELL_IN_HANDLER \
	"%s was called in the handler of %s, which is not blocked while malloc runs: if the signal arrives during " \
	"malloc, the program may hang or damage its heap"
#define FP_TELL_TOO_LARGE "%lu byte%s were asked for, more than any address space holds"
#define FP_TELL_TOO_MANY "%lu times %lu byte%s were asked for, more than any address space holds"
#define FP_TELL_NEGATIVE "; as a signed number that is %ld"
#define FP_TELL_PADDING "%lu padding byte%s overwritten, %s; found %s"
#define FP_TELL_AT_FREE "when the block was freed"
#define FP_TELL_AT_CHECK "when the heap was checked"
#define FP_TELL_AT_EXIT "at exit"
#define FP_TELL_LATE_WRITE "a freed block was written to before it was protected, %s; seal_batch=1 finds who wrote"
#define FP_TELL_LATE_PADDED \
	"the memory of a freed padded block was written to, %s; found when it was to be used again"

#define FP_TELL_AFTER_RELEASE "%s was called on heap %u after its last Release"
#define FP_TELL_NOT_LOCKED "%s was called on heap %u, which nobody had locked"
#define FP_TELL_LOCKED_BY "%s was called on heap %u, which thread %u had locked"
#define FP_TELL_NOT_THREADSAFE \
	"%s was called on heap %u while thread %u was inside it; it was created without MALLOC_THREADSAFE, so its " \
	"callers have to take turns"
#define FP_TELL_LOCK_TIMEOUT \
	"%s waited for heap %u, which thread %u had locked, for %lu milliseconds (lock_timeout_ms)"
#define FP_TELL_HEAP_WENT "%s waited for heap %u until thread %u released it"
#define FP_TELL_ENDED_INSIDE "%s found heap %u in the hands of thread %u, which ended inside it"
#define FP_TELL_ENDED_LOCKING "%s found heap %u locked by thread %u, which ended without unlocking it"
#define FP_TELL_UNUSABLE "%s was called after thread %u had found that heap %u is not usable any more"
#define FP_TELL_NONE_USABLE "%s was called after thread %u had found that no heap is usable any more"
#define FP_TELL_HELD \
	"heap %u was released while it held %lu block%s (%lu byte%s), of which %lu block%s (%lu byte%s) %s " \
	"allocated like the one below"
#define FP_TELL_RECORD_OVERWRITTEN \
	"the record of a block was overwritten; something wrote to memory of Fencepost's own"
#define FP_TELL_HEAP_OVERWRITTEN "a heap's description was overwritten; something wrote to memory of Fencepost's own"
#define FP_TELL_PAGES_KEPT \
	"the program protected pages of the block, and the kernel refuses to undo that: mseal(2) or a seccomp " \
	"filter"
#define FP_TELL_POOL_DESTROYED "%s names a pool that was destroyed before: %#lx"
#define FP_TELL_POOL_UNKNOWN "%s names a pool that was never created: %#lx"
#define FP_TELL_POOL_OTHER "%s names a block of pool %#lx, but gives pool %#lx"
#define FP_TELL_POOL_NONE "%s names a block of pool %#lx, but gives no pool"
#define FP_TELL_POOL_OF_NONE "%s names a block that is in no pool, but gives pool %#lx"

/* ---- No memory ----------------------------------------------------------------------------- */

#define FP_TELL_NO_HEAP "no memory for a heap: "
#define FP_TELL_NO_MEMORY "no memory for %lu byte%s: "
#define FP_TELL_NO_MEMORY_LEVEL "no memory for %lu byte%s at level %s: "
#define FP_TELL_NO_LIMIT "the kernel refused; no known limit was reached"
#define FP_TELL_LIMIT "%s is %lu %s, and %lu are in use"
#define FP_TELL_LIMIT_SPACE "the address space of a process"
#define FP_TELL_LIMIT_CGROUP "the limit of the memory cgroup"
#define FP_TELL_LIMIT_MACHINE "the memory of the machine"
#define FP_TELL_EACCES \
	"the kernel forbids to make memory of the heap accessible (EACCES), and freeing memory will not help: " \
	"PR_SET_MDWE, SELinux or a seccomp filter"
#define FP_TELL_EPERM \
	"the kernel forbids to make memory of the heap accessible (EPERM), and freeing memory will not help: a " \
	"seccomp filter, or mseal(2)"

/* Why a block is not guarded: FP_REASON(CONSTANT, "name in reports", "remedy"). The remedy ends the
 * sentence of FP_TELL_NOT_GUARDED: what kept them from it, and what to do; NULL where that was asked for. */
#define FP_REASONS \
	FP_REASON(BACKEND, "backend", \
	          "because no way to protect memory was chosen or works here: run with backend=auto, on " \
	          "Linux 6.8 or newer and without a seccomp filter on userfaultfd and madvise") \
	FP_REASON(SAMPLING, "sampling", NULL) \
	FP_REASON(BUDGET, "budget", NULL) \
	FP_REASON(MEMORY, "memory", \
	          "because live ones had used up max_memory, by default half of the memory available at " \
	          "the start: raise it (max_memory=8g), or guard fewer blocks from the start (sample=10)") \
	FP_REASON(MAPPINGS, "mappings", \
	          "because mappings or address space ran out: use backend=move or backend=guard, which need " \
	          "no mapping for each block, or raise vm.max_map_count (sysctl -w " \
	          "vm.max_map_count=1048576); lift a limit on address space or data (ulimit -v unlimited, " \
	          "ulimit -d unlimited)") \
	FP_REASON(SYSTEM_CALL, "system-call", \
	          "because the kernel refused a system call that had worked at the start: the program " \
	          "locked its memory, ran out of descriptors or entered a seccomp filter; allow userfaultfd, " \
	          "ioctl and madvise there, or use backend=mprotect, which needs none of them")
#define FP_TELL_NOT_GUARDED "%lu block%s not guarded %s"

/* ---- Regions: VirtualAlloc and its like ---------------------------------------------------- */

#define FP_TELL_NO_REGION "%s: the address is in no region; it points to "
#define FP_TELL_RELEASE_SIZE "%s: a size of %lu byte%s was passed; a release takes 0"
#define FP_TELL_RELEASE_SIZE_OF \
	"%s: a size of %lu byte%s was passed; a release takes 0 and gives all of a region of %lu byte%s back"
#define FP_TELL_REGION_INTERIOR "%s: the address is %s, not its start"
#define FP_TELL_REGION_INSIDE "%s: the address is %s that was released before"
#define FP_TELL_REGION_RELEASED "%s: the region was released before"
#define FP_TELL_REGION_BEYOND "%s: %lu byte%s from %s are not all in it"
#define FP_TELL_PAGE_DECOMMITTED "%s: the page %s was decommitted"
#define FP_TELL_PAGE_RESERVED "%s: the page %s is reserved but not committed"
#define FP_TELL_FREE_TYPE "%s: the type is neither MEM_DECOMMIT nor MEM_RELEASE alone, so nothing was freed"
#define FP_TELL_RUNTIME_MAPPINGS \
	"the runtime told the host of %lu mapping%s that it made itself (%lu byte%s); %lu of them (%lu byte%s) " \
	"were not given back"
#define FP_TELL_RUNTIME_RELEASES ", and of %lu release%s of memory that it had not announced"
#define FP_TELL_RUNTIME_NEEDS \
	"the runtime lacked address space %lu time%s; that of released regions was given to it %lu time%s"
#define FP_TELL_UNGUARDED_ENDS \
	"%lu end%s of regions reserved by address had no room for a guard: %lu beside another region, %lu beside " \
	"memory of others; the first was at the region of %lu byte%s at %#lx; reserve without an address, or leave " \
	"64 KiB between"

/* ---- Notes: what was lost or degraded, and how to get it back ------------------------------- */

#define FP_TELL_STACKS_CUT \
	"%lu call stack%s could not be followed to the end: code on the way has no unwind information; build it " \
	"with -fasynchronous-unwind-tables"
#define FP_TELL_REFUSED_CALL "the kernel refused %s (%s) for the first time %lu ms after the start"
#define FP_TELL_ALIGNED_SITES \
	"align=auto: call stacks that get blocks aligned to 16 bytes from now on: %lu; instructions that need such " \
	"blocks and were emulated: %lu"
#define FP_TELL_MOVE_LOST \
	"the program closed the descriptor of the move back end, or entered a seccomp filter that refuses it, and " \
	"could not open it again, so some accesses outside of live blocks may have gone unseen; leave one free " \
	"(ulimit -n) and allow userfaultfd, or use backend=guard or backend=mprotect"
#define FP_TELL_NOT_SEALED \
	"the system refused to make some freed blocks inaccessible, so a use of those after free goes unseen; " \
	"raise vm.max_map_count, or use backend=move"
#define FP_TELL_SEAL_BATCH \
	"with seal_batch a freed block stays accessible for a while: reads of it are missed, and writes are found " \
	"without their stack; seal_batch=1 finds both"
#define FP_TELL_NOT_POISONED \
	"the system refused to make some poisoned pages inaccessible, so an access to those goes unseen; raise " \
	"vm.max_map_count"
#define FP_TELL_RECORDS_DROPPED \
	"records of the oldest freed blocks were dropped, so findings on them have no allocation and free stacks; " \
	"a larger `history` keeps more"
#define FP_TELL_CHILD_UNPROTECTED \
	"this process was forked and could not renew the protection of the memory it inherited, so uses of blocks " \
	"that were freed before go unseen; leave a descriptor free (ulimit -n) and allow userfaultfd, or use " \
	"backend=guard or backend=mprotect"
#define FP_TELL_MODULES_UNREAD \
	"the list of loaded modules could not be read from /proc/thread-self/maps, so some addresses stay without " \
	"names"
#define FP_TELL_BEYOND "%lu findings beyond the first %lu distinct ones were only counted; mend those and run again"
#define FP_TELL_ALIGN_CRASH \
	"align made blocks less aligned than malloc promises, and some programs need that: run this one again " \
	"without align; if it does not crash then, the crash is not its mistake"
#define FP_TELL_STRICT_SECCOMP \
	"a thread entered seccomp's strict mode: no block that it has allocated or freed since then is guarded"
#define FP_TELL_OWN_MALLOC \
	"the program brings its own malloc: its blocks are tracked only if it takes them from the C library; " \
	"to track all, build the program without that malloc"
#define FP_TELL_VALGRIND_H \
	"the system forbids to change code, so Fencepost cannot answer what some modules ask Valgrind " \
	"(valgrind.h): their pools are not tracked"
#define FP_TELL_DEEPBIND \
	"modules that are loaded with RTLD_DEEPBIND use the C library's malloc, because its symbol table cannot be " \
	"written to; their blocks are not tracked"
#define FP_TELL_NAMESPACE \
	"modules were loaded into a namespace of their own (dlmopen): what their constructors allocated is not " \
	"tracked"
#define FP_TELL_NAMESPACE_MALLOC \
	"modules were loaded into a namespace of their own (dlmopen) and use the malloc of a C library of their " \
	"own; its blocks are not tracked"
#define FP_TELL_FAIL_ALLOC \
	"fail_alloc: no symbol table has a function %s; give its name as nm shows it (C++ names are mangled), and " \
	"do not strip the program"
#define FP_TELL_RECORDS_GUARDED \
	"with sample=N or budget=PERCENT a recording has the guarded blocks only; without both it has all"
#define FP_TELL_NO_RECORDING "there was no memory for the recording"
#define FP_TELL_RECORDING_ENDS \
	"the recording in %s ends early: %s; you can replay what it has; name a file with more room with " \
	"record=FILE"
/* A note that `fencepost run` shows at once. */
#define FP_TELL_SUGGESTION \
	"more than 95 % of the time goes into guarding blocks: --budget=25 guards as many as fit into a quarter " \
	"more than the program takes by itself"

/* ---- Leaks --------------------------------------------------------------------------------- */

#define FP_TELL_LEAKS_FAILED "the search for leaks failed: %s"
#define FP_TELL_THREADS_RAN \
	"%lu thread%s did not stop for the search for leaks, because all signals are blocked or a system call does " \
	"not return: its whole stack was searched, where old pointers may hide leaks; and a block that only its " \
	"registers point to is reported as lost"
#define FP_TELL_LEAKS_BLIND \
	"leaks could not be told from blocks in use, because the memory of the process could not be read: all live " \
	"blocks are listed as possible leaks"
#define FP_TELL_LEAKS_PARTIAL "memory ran out while leaks were grouped; some are missing"
#define FP_TELL_NO_SNAPSHOT \
	"leak_snapshot: the system refused a copy of the process, so the process stood still during the search for " \
	"leaks"
#define FP_TELL_ROOTS_FULL \
	"more than 1024 root regions were registered: the search for leaks left out the last ones, so blocks that " \
	"only they point to are reported as lost"
#define FP_TELL_SIGNAL_TAKEN \
	"leak_signal: the program took that signal for itself, so nobody could ask for leaks from then on; choose " \
	"another"
#define FP_TELL_NO_THREAD "leak_signal: no thread could be made that answers; allow one more (ulimit -u)"
#define FP_TELL_GROWTH_YOUNG \
	"leak_growth: the process ended too early to tell: that takes 8 snapshots of the heap, about a second"
#define FP_TELL_GROWTH_LOSSY \
	"leak_growth: there were too many allocation stacks, or too little memory, to follow all of them"
#define FP_TELL_UNNAMED_LEAKS \
	"%lu block%s lost, and the fencepost program could not say which (%s); see the option reporter\n"

/* Why holders were not searched, or not all. */
#define FP_TELL_HOLDERS_BUSY "the heap was busy all the time"
#define FP_TELL_HOLDERS_THREADS "not all threads could be stopped"
#define FP_TELL_HOLDERS_LEAKS "leaks were being looked for"
#define FP_TELL_HOLDERS_MEMORY "there was no memory for it"
#define FP_TELL_HOLDERS_TIME "time was up (the option holders gives more)"
#define FP_TELL_HOLDERS_PROC "/proc is out of reach"
#define FP_TELL_HOLDERS_HEAP "the bad access came from inside Fencepost's heap"
#define FP_TELL_HOLDERS_SECCOMP "the program restricts its system calls (seccomp)"

/* ---- Programs that are not seen, and processes that report by themselves ------------------- */

#define FP_TELL_NOT_SEEN "not watched: %s"
#define FP_TELL_PRIVILEGED "gains privileges when executed"
#define FP_TELL_FOREIGN "for another architecture"
#define FP_TELL_STATIC "statically linked"
#define FP_TELL_MUSL "linked with musl"
#define FP_TELL_SANITIZED "linked with a sanitizer"
#define FP_TELL_NOT_PRELOADED "executed without LD_PRELOAD in its environment"
#define FP_TELL_CHANNEL_FULL \
	"process %u found more than the shared memory has room for; it reports by itself when it ends, as text"
#define FP_TELL_PARENT_ENDED \
	"process %u was still running when the process that forked it ended; it reports by itself when it ends, as " \
	"text"
#define FP_TELL_RUN_ENDED \
	"process %u was still running when fencepost run ended; it reports by itself when it ends, as text"
#define FP_TELL_RUN_DIED \
	"process %u was still running when fencepost run was killed; it reports by itself when it ends, as text"
#define FP_TELL_CHANNEL_LOST \
	"process %u cannot reach fencepost run: the descriptor that it inherits was closed, and /proc does not " \
	"show that program; it reports by itself when it ends, as text"
#define FP_TELL_RUN_KILLED "fencepost run was killed"
#define FP_TELL_NO_REPORT "%s could not make the report (%s)"
#define FP_TELL_REPORTER_SAID "its message is above"
#define FP_TELL_REPORTER_DIED "a signal killed it"
#define FP_TELL_EVENTS_KEPT "%s; the event log is kept: fencepost report %s"
#define FP_TELL_EVENTS_LOST "%s, and the event log could not be kept in %s"
#define FP_TELL_MALLOC_STATS "malloc_stats: bytes in use %lu, at most %lu; blocks in use %lu, at most %lu"

/* ---- Options ------------------------------------------------------------------------------- */

/* The source of the option stands before: FENCEPOST_OPTIONS. */
#define FP_TELL_OF_HOST "options of the host"
#define FP_TELL_UNKNOWN_OPTION "%s: unknown option \"%s\"; fencepost --help=all lists them"
#define FP_TELL_NEAREST_OPTION "%s: unknown option \"%s\"; the nearest one is \"%s\""
#define FP_TELL_OTHERS_OPTION "%s: \"%s\" is an option of %s: %s"
#define FP_TELL_BAD_VALUE "%s: %s=%s: "
#define FP_TELL_NO_VALUE "%s: %s has no value; write %s=%s"
#define FP_TELL_OPEN_QUOTE "%s: %s=%s: the quote is not closed; end the value with it"
#define FP_TELL_BEHIND_QUOTE "%s: %s=%s: write ':' between the closing quote and the next item"
#define FP_TELL_USE_RANGE "use a whole number from %lu to %lu"
#define FP_TELL_USE_SIZE "use a number of bytes below 2^64, or one with k, m, g or t"
#define FP_TELL_USE_FILE "use a file name shorter than %u bytes"
#define FP_TELL_USE_FILE_YES "use a file name shorter than %u bytes, and ./yes for one that is called yes"
#define FP_TELL_USE_RULE \
	"use at:N, every:N, probability:P or probability:P,SEED with P from 0 to 1, level:task, level:appdomain, " \
	"level:process, or stack:FUNCTION"
#define FP_TELL_CANNOT_WRITE \
	"%s=%s: cannot write there: %s; name a file in a directory that exists and that you may write to"
#define FP_TELL_NOT_WATCHED "this process is not watched: %s"
#define FP_TELL_NO_REPORTER "reporter: %s is not a program that can be run"
#define FP_TELL_NO_BACKEND \
	"backend=%s does not work here (%s): it needs %s; backend=auto takes the best one that works"
#define FP_TELL_NEEDS_GUARD "madvise(MADV_GUARD_INSTALL): Linux 6.13 or newer, not refused by a seccomp filter"
#define FP_TELL_NEEDS_MOVE \
	"userfaultfd with UFFDIO_MOVE: Linux 6.8 or newer, not refused by a seccomp filter (Docker's default " \
	"refuses it) or by vm.unprivileged_userfaultfd, and a free descriptor"
#define FP_TELL_NEEDS_MPROTECT "mprotect(2) and room under vm.max_map_count"
#define FP_TELL_NEEDS_NOTHING "nothing"
#define FP_TELL_NEEDS_NAME "one of auto, move, guard, mprotect and none"
#define FP_TELL_NO_CONTINUE "continue=yes: this machine's processor is not supported; leave it out"
#define FP_TELL_HOST_IGNORED \
	"fencepost run started this process, so the host's own options are ignored; give them to fencepost run"
#define FP_TELL_OPTIONS_FIXED \
	"the session's options are fixed by the first manager: pass NULL or the same text to later ones"
#define FP_TELL_OPTIONS_LONG "options of the host: longer than 2047 bytes; use FENCEPOST_OPTIONS for the rest"
/* clang-format on */

#endif
