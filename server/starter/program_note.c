/* SPDX-License-Identifier: MIT */
#include "server/starter/program_note.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "protocol/contracts.h"

/* A program has a dozen parts, and notes of some hundred bytes: what is more is not read. */
#define PARTS_MAX 64
#define NOTES_BYTES_MAX 4096

static bool read_at(int fd, void *bytes, size_t size_bytes, uint64_t offset_bytes)
{
	return pread(fd, bytes, size_bytes, (off_t)offset_bytes) == (ssize_t)size_bytes;
}

static int compare(const uint8_t *versions, uint32_t size_bytes, struct program_difference *d)
{
	uint32_t n = size_bytes / sizeof(uint32_t);
	for (unsigned i = 0; i < CONTRACTS; i++) {
		uint32_t version = 0;
		if (i < n)
			memcpy(&version, versions + i * sizeof(version), sizeof(version));
		*d = (struct program_difference){ i, version };
		if (version != contract_version(i))
			return EPROTO;
	}
	if (n == CONTRACTS)
		return 0;
	memcpy(&d->version, versions + CONTRACTS * sizeof(d->version), sizeof(d->version));
	d->contract = CONTRACTS;
	return EPROTO;
}

static uint64_t align(uint64_t size_bytes)
{
	return (size_bytes + 3) & ~UINT64_C(3);
}

/* Returns ENODATA where none of these notes is ours. */
static int find_note(const uint8_t *bytes, size_t size_bytes, struct program_difference *d)
{
	Elf64_Nhdr note;
	while (size_bytes >= sizeof(note)) {
		memcpy(&note, bytes, sizeof(note));
		uint64_t owner_bytes = align(note.n_namesz), text_bytes = align(note.n_descsz);
		bytes += sizeof(note);
		size_bytes -= sizeof(note);
		if (owner_bytes > size_bytes || text_bytes > size_bytes - owner_bytes)
			break;
		if (note.n_type == CONTRACTS_NOTE_TYPE &&
			note.n_namesz == sizeof(CONTRACTS_NOTE_OWNER) &&
			memcmp(bytes, CONTRACTS_NOTE_OWNER, sizeof(CONTRACTS_NOTE_OWNER)) == 0)
			return compare(bytes + owner_bytes, note.n_descsz, d);
		bytes += owner_bytes + text_bytes;
		size_bytes -= owner_bytes + text_bytes;
	}
	return ENODATA;
}

int program_note_compare(int program, struct program_difference *difference)
{
	Elf64_Ehdr head;
	if (!read_at(program, &head, sizeof(head), 0) ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
		head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr))
		return ENOEXEC;
	for (unsigned i = 0; i < head.e_phnum && i < PARTS_MAX; i++) {
		Elf64_Phdr part;
		uint8_t bytes[NOTES_BYTES_MAX];
		if (!read_at(program, &part, sizeof(part), head.e_phoff + i * sizeof(part)))
			return ENOEXEC;
		if (part.p_type != PT_NOTE || part.p_filesz > sizeof(bytes) ||
			!read_at(program, bytes, part.p_filesz, part.p_offset))
			continue;
		int result = find_note(bytes, part.p_filesz, difference);
		if (result != ENODATA)
			return result;
	}
	return ENODATA;
}
