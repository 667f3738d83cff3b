/* SPDX-License-Identifier: Apache-2.0
 *
 * What a call is of, by its code and by the relocation of the slot that it goes through: "call
 * STUB", where the stub is "jmp *SLOT", or "call *SLOT". The loader has put the address of one
 * of many variants into the slot, the relocation has the name that the program knows.
 */
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <string.h>

#include "symbol/callee.h"

enum { CALL_BYTES = 5, SLOT_CALL_BYTES = 6, STUB_BYTES = 12 };

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

/* The address that stands at CODE as a distance from what follows it. */
static uint64_t target_of(const uint8_t *code, uint64_t following)
{
	int32_t distance;

	memcpy(&distance, code, sizeof(distance));
	return following + (uint64_t)(int64_t)distance;
}

/* Where the pointer stands that the stub at ADDRESS jumps through; 0: it is none. */
static uint64_t slot_of_stub(Elf *elf, uint64_t address)
{
	static const uint8_t permit[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	const uint8_t *code = code_at(elf, address, STUB_BYTES);
	size_t at = 0;

	if (!code)
		return 0;
	if (memcmp(code, permit, sizeof(permit)) == 0)
		at = sizeof(permit);
	at += code[at] == 0xf2; /* bnd */
	if (code[at] != 0xff || code[at + 1] != 0x25)
		return 0;
	return target_of(code + at + 2, address + at + SLOT_CALL_BYTES);
}

static uint64_t slot_of_call(Elf *elf, uint64_t return_address)
{
	const uint8_t *code = code_at(elf, return_address - SLOT_CALL_BYTES, SLOT_CALL_BYTES);

	if (!code)
		return 0;
	if (code[0] == 0xff && code[1] == 0x15)
		return target_of(code + 2, return_address);
	return code[1] == 0xe8 ? slot_of_stub(elf, target_of(code + 2, return_address)) : 0;
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
