/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call is of, by its code and by the relocation of the slot that it goes through: "call
 * STUB", where the stub is "jmp *SLOT", or "call *SLOT". The loader has put the address of one
 * of many variants into the slot, the relocation has the name that the program knows.
 */
#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "base/instruction_x86_64.h"
#include "symbol/callee.h"

/* BYTES at ADDRESS as they are in the file, or NULL. */
static const uint8_t *code_at(Elf *elf, uint64_t address, size_t bytes)
{
	size_t size;
	const char *file = elf_rawfile(elf, &size);
	size_t count;

	if (!file || elf_getphdrnum(elf, &count) != 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    address < segment.p_vaddr || address - segment.p_vaddr > segment.p_filesz ||
		    segment.p_filesz - (address - segment.p_vaddr) < bytes)
			continue;
		uint64_t at = segment.p_offset + (address - segment.p_vaddr);
		return at <= size && size - at >= bytes ? (const uint8_t *)file + at : NULL;
	}
	return NULL;
}

/* Where the pointer stands that the call goes through, by itself or by its stub; 0: nowhere. */
static uint64_t slot_of_call(Elf *elf, uint64_t return_address)
{
	const uint8_t *code = code_at(elf, return_address - FP_CALL_BYTES, FP_CALL_BYTES);
	bool is_through_slot = false;
	uint64_t target =
	        code ? fp_instruction_callee(code, return_address, &is_through_slot) : 0;

	if (is_through_slot || target == 0)
		return target;
	const uint8_t *stub = code_at(elf, target, FP_STUB_BYTES);
	return stub ? fp_instruction_slot_of_stub(stub, target) : 0;
}

static const char *name_of(Elf *elf, const GElf_Shdr *relocations, uint64_t index)
{
	Elf_Scn *symbols = elf_getscn(elf, relocations->sh_link);
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!symbols || !gelf_getshdr(symbols, &header) ||
	    !gelf_getsym(elf_getdata(symbols, NULL), (int)index, &symbol))
		return NULL;
	return elf_strptr(elf, header.sh_link, symbol.st_name);
}

static const char *name_of_slot(Elf *elf, uint64_t slot)
{
	for (Elf_Scn *section = elf_nextscn(elf, NULL); section;
	     section = elf_nextscn(elf, section)) {
		GElf_Shdr header;
		GElf_Rela relocation;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (int i = 0; data && gelf_getrela(data, i, &relocation); i++)
			if (relocation.r_offset == slot && GELF_R_SYM(relocation.r_info) != 0)
				return name_of(elf, &header, GELF_R_SYM(relocation.r_info));
	}
	return NULL;
}

const char *fp_symbol_callee_find(Dwfl_Module *module, uint64_t return_address)
{
	GElf_Addr bias;
	GElf_Ehdr header;
	Elf *elf = dwfl_module_getelf(module, &bias);

	if (!elf || !gelf_getehdr(elf, &header) || header.e_machine != EM_X86_64)
		return NULL;
	uint64_t slot = slot_of_call(elf, return_address);
	return slot != 0 ? name_of_slot(elf, slot) : NULL;
}
