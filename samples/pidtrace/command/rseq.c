// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * rseq - restartable sequences, which must not be probed
 *
 * A thread that is preempted inside a restartable sequence must find its
 * instruction pointer in there, or the kernel does not restart it. During a
 * single step out of line the pointer is elsewhere.
 *
 * The section __rseq_cs holds one descriptor for each sequence (see rseq(2)).
 * In a position independent file the start addresses in it are filled in by
 * the dynamic linker, so they are in the relocations and not in the section.
 */
#include <gelf.h>
#include <linux/rseq.h>
#include <stdlib.h>
#include <string.h>

#include "rseq.h"
#include "util.h"

static void relocate(Elf *elf, uint8_t *bytes, uint64_t addr, uint64_t size)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;
		GElf_Shdr shdr;
		GElf_Rela rela;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA ||
		    !(shdr.sh_flags & SHF_ALLOC))
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			continue;
		for (int i = 0; gelf_getrela(data, i, &rela); i++) {
			uint64_t addend = rela.r_addend;

			if (GELF_R_TYPE(rela.r_info) == R_X86_64_RELATIVE &&
			    rela.r_offset >= addr && size >= sizeof(addend) &&
			    rela.r_offset - addr <= size - sizeof(addend))
				memcpy(bytes + (rela.r_offset - addr), &addend, sizeof(addend));
		}
	}
}

static void read_section(Elf *elf, const Elf_Data *data, uint64_t addr, struct ranges *ranges)
{
	uint8_t *bytes = xmalloc(data->d_size);

	memcpy(bytes, data->d_buf, data->d_size);
	relocate(elf, bytes, addr, data->d_size);
	for (size_t at = 0; data->d_size - at >= sizeof(struct rseq_cs);
	     at += sizeof(struct rseq_cs)) {
		struct rseq_cs cs;

		memcpy(&cs, bytes + at, sizeof(cs));
		ranges_add(ranges, cs.start_ip, cs.post_commit_offset);
	}
	free(bytes);
}

void rseq_read(Elf *elf, struct ranges *ranges)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr shdr;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!name || strcmp(name, "__rseq_cs"))
			continue;
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf)
			read_section(elf, data, shdr.sh_addr, ranges);
	}
}
