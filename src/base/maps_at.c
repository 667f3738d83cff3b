/* SPDX-License-Identifier: Apache-2.0
 *
 * One address looked up in /proc/thread-self/maps, read a few lines at a time and without the
 * lock of the other reader: the thread that holds that one may be stopped.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/maps.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/vm.h"

/* "55d0-55d4 r-xp 00001000 fd:01 1234   /usr/bin/true" */
enum field { START, END, ACCESS, OFFSET, DEVICE, INODE, PATH };

struct reader {
	enum field field;
	bool is_in_field; /* a character of it was seen */
	uintptr_t start;
	uintptr_t end;
	char access[4];
	unsigned access_used;
	bool is_file;
	uintptr_t reached; /* where the mapping before ended */
};

static void begin_line(struct reader *reader)
{
	*reader = (struct reader){.reached = reader->end};
}

static void take_digit(uintptr_t *number, char digit)
{
	*number = *number << 4 | (uintptr_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void take(struct reader *reader, char next)
{
	bool is_separator = next == ' ' || (next == '-' && reader->field == START);

	if (is_separator && reader->field != PATH) {
		reader->field += reader->is_in_field;
		reader->is_in_field = false;
		return;
	}
	if (reader->field == START)
		take_digit(&reader->start, next);
	else if (reader->field == END)
		take_digit(&reader->end, next);
	else if (reader->field == ACCESS && reader->access_used < sizeof(reader->access))
		reader->access[reader->access_used++] = next;
	else if (reader->field == PATH && !reader->is_in_field && next != ' ')
		reader->is_file = next == '/';
	reader->is_in_field = reader->field != PATH || next != ' ' || reader->is_in_field;
}

/* Whether the line that was read decides what is at ADDRESS. */
static bool decides(const struct reader *reader, uintptr_t address, struct fp_maps_place *place)
{
	uintptr_t user_end = fp_vm_user_end();

	if (address >= reader->end)
		return false;
	*place = (struct fp_maps_place){
	        .start = reader->start,
	        .end = reader->end,
	        .is_mapped = true,
	        .is_readable = reader->access[0] == 'r',
	        .is_writable = reader->access[1] == 'w',
	        .is_executable = reader->access[2] == 'x',
	        .is_file = reader->is_file,
	};
	if (address < reader->start)
		*place = (struct fp_maps_place){
		        .start = reader->reached,
		        /* Behind the processor's hole comes the kernel's own page. */
		        .end = reader->start < user_end ? reader->start : user_end,
		};
	return true;
}

static bool take_bytes(struct reader *reader, const char *bytes, size_t count,
                       struct fp_maps_place *place)
{
	uintptr_t address = place->start;

	for (size_t i = 0; i < count; i++) {
		if (bytes[i] != '\n') {
			take(reader, bytes[i]);
			continue;
		}
		if (decides(reader, address, place))
			return true;
		begin_line(reader);
	}
	return false;
}

int fp_maps_at(uintptr_t address, struct fp_maps_place *place)
{
	char bytes[1024];
	struct reader reader = {.field = START};
	int fd = fp_sys_open(FP_PROC_SELF "maps", O_RDONLY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return fd;
	*place = (struct fp_maps_place){.start = address};
	while ((got = fp_sys_read(fd, bytes, sizeof(bytes))) > 0 || (got == -EINTR))
		if (got > 0 && take_bytes(&reader, bytes, (size_t)got, place))
			break;
	int status = got < 0 ? (int)got : 0;
	fp_sys_close(fd);
	if (got == 0)
		*place = (struct fp_maps_place){.start = reader.reached,
		                                .end = fp_vm_user_end()};
	return status;
}
