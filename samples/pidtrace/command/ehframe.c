// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ehframe - where functions start and end, from .eh_frame
 *
 * libdw splits the section into entries. What an entry covers is left to us:
 * each FDE starts with the address and the length of its code, both encoded as
 * the 'R' letter in the augmentation string of its CIE says. Only the encodings
 * that linkers write on x86-64 are understood; an entry with another is left
 * out.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>

#include "ehframe.h"

struct section {
	const unsigned char *ident;
	Elf_Data *data;
	uint64_t addr;
};

/* Size of an encoded number of fixed width, or 0. */
static size_t width(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return 8;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		return 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		return 2;
	}
	return 0;
}

static uint64_t fetch(const uint8_t *p, uint8_t encoding)
{
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (width(encoding)) {
	case 8:
		memcpy(&u64, p, 8);
		return u64;
	case 4:
		memcpy(&u32, p, 4);
		return encoding & DW_EH_PE_signed ? (uint64_t)(int32_t)u32 : u32;
	default:
		memcpy(&u16, p, 2);
		return encoding & DW_EH_PE_signed ? (uint64_t)(int16_t)u16 : u16;
	}
}

/* How the addresses of the FDEs of @cie are encoded; false: unknown. */
static bool pointer_encoding(const Dwarf_CIE *cie, uint8_t *encoding)
{
	const uint8_t *p = cie->augmentation_data;
	const uint8_t *end = p + cie->augmentation_data_size;
	const char *a = cie->augmentation;

	*encoding = DW_EH_PE_absptr;
	if (!a || *a != 'z')
		return a && !*a;
	for (a++; *a; a++) {
		switch (*a) {
		case 'R':
			if (!p || p >= end)
				return false;
			*encoding = *p;
			return true;
		case 'L':
			p++;
			break;
		case 'P':
			if (!p || p >= end || !width(*p))
				return false;
			p += 1 + width(*p);
			break;
		case 'S':
		case 'B':
			break;
		default:
			return false;
		}
	}
	return true;
}

static void read_fde(const struct section *s, const Dwarf_FDE *fde, uint8_t encoding,
		     struct ranges *ranges)
{
	const uint8_t *base = s->data->d_buf;
	uint64_t start;
	size_t w;

	if (encoding & DW_EH_PE_indirect)
		return;
	w = width(encoding);
	if (!w || (size_t)(fde->end - fde->start) < 2 * w)
		return;
	start = fetch(fde->start, encoding);
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		break;
	case DW_EH_PE_pcrel:
		start += s->addr + (fde->start - base);
		break;
	default:
		return;
	}
	/* A length has the width of the address, but no sign and no base. */
	ranges_add(ranges, start, fetch(fde->start + w, encoding & 0x07));
}

static void read_section(const struct section *s, struct ranges *ranges)
{
	Dwarf_Off off = 0, next = 0, last_cie = -1;
	Dwarf_CFI_Entry entry, cie;
	uint8_t encoding = 0;
	bool known = false;
	int result;

	for (; ; off = next) {
		result = dwarf_next_cfi(s->ident, s->data, true, off, &next, &entry);
		if (result > 0 || next <= off)
			return;
		if (result < 0 || dwarf_cfi_cie_p(&entry))
			continue;
		if (entry.fde.CIE_pointer != last_cie) {
			Dwarf_Off unused;

			last_cie = entry.fde.CIE_pointer;
			known = last_cie < off &&
				!dwarf_next_cfi(s->ident, s->data, true, last_cie, &unused, &cie) &&
				dwarf_cfi_cie_p(&cie) && pointer_encoding(&cie.cie, &encoding);
		}
		if (known)
			read_fde(s, &entry.fde, encoding, ranges);
	}
}

void ehframe_read(Elf *elf, struct ranges *ranges)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		struct section s;
		const char *name;
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!name || strcmp(name, ".eh_frame"))
			continue;
		s.ident = (const unsigned char *)elf_getident(elf, NULL);
		s.data = elf_rawdata(scn, NULL);
		s.addr = shdr.sh_addr;
		if (s.ident && s.data && s.data->d_buf)
			read_section(&s, ranges);
	}
}
