/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the threads stood, by libdwfl, out of the core file and the files that it names. Asked
 * for only when somebody's stack has what is looked for. Nothing is fetched from servers.
 */
#include <elfutils/libdwfl.h>
#include <libelf.h>

#include "remains/file.h"

enum { STACK_POINTER = 7 }; /* in DWARF, of x86-64 */

struct walk {
	uintptr_t *frames;
	uintptr_t *stacks;
	unsigned count;
	unsigned max;
};

static int find_no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                       char **path, Elf **elf)
{
	(void)module;
	(void)user;
	(void)name;
	(void)base;
	(void)path;
	(void)elf;
	return -1;
}

#ifdef FP_OLD_LIBDW
/* Before elfutils 0.188: no frames are told from each other, then. */
static int dwfl_frame_reg(Dwfl_Frame *frame, unsigned number, Dwarf_Word *value)
{
	(void)frame;
	(void)number;
	(void)value;
	return -1;
}
#endif

static int find_no_debug(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                         const char *file, const char *link, GElf_Word sum, char **path)
{
	(void)module;
	(void)user;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)sum;
	(void)path;
	return -1;
}

static int see_frame(Dwfl_Frame *frame, void *user)
{
	struct walk *walk = user;
	bool is_interrupted;
	Dwarf_Addr pc;
	Dwarf_Word stack;

	if (walk->count == walk->max || !dwfl_frame_pc(frame, &pc, &is_interrupted) ||
	    dwfl_frame_reg(frame, STACK_POINTER, &stack) != 0)
		return DWARF_CB_ABORT;
	/* As return addresses are: behind the instruction that is meant. */
	walk->frames[walk->count] = pc + is_interrupted;
	walk->stacks[walk->count++] = stack;
	return DWARF_CB_OK;
}

static Elf *elf;
static Dwfl *dwfl;

/* Whether there is a DWFL, which is made once for a file. */
static bool open_dwfl(void)
{
	static const Dwfl_Callbacks callbacks = {.find_elf = find_no_elf,
	                                         .find_debuginfo = find_no_debug};

	if (elf)
		return dwfl != NULL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fp_remains_file.fd, ELF_C_READ_MMAP, NULL);
	dwfl = elf ? dwfl_begin(&callbacks) : NULL;
	if (dwfl && dwfl_core_file_report(dwfl, elf, NULL) >= 0 &&
	    dwfl_report_end(dwfl, NULL, NULL) == 0 && dwfl_core_file_attach(dwfl, elf) >= 0)
		return true;
	dwfl_end(dwfl);
	dwfl = NULL;
	return false;
}

unsigned fp_remains_frames(const void *context, uintptr_t *frames, uintptr_t *stacks,
                           unsigned max)
{
	static const void *known; /* whose frames there are already */
	static const uintptr_t *known_frames;
	static unsigned known_count;
	struct walk walk = {.frames = frames, .stacks = stacks, .max = max};

	if (elf && context == known && frames == known_frames)
		return known_count;
	for (size_t i = 0; open_dwfl() && i < fp_remains_file.thread_count; i++)
		if (fp_remains_file.threads[i].context == context)
			dwfl_getthread_frames(dwfl, fp_remains_file.threads[i].id, see_frame,
			                      &walk);
	known = context;
	known_frames = frames;
	known_count = walk.count;
	return walk.count;
}

void fp_remains_forget_frames(void)
{
	dwfl_end(dwfl);
	elf_end(elf);
	dwfl = NULL;
	elf = NULL;
}
