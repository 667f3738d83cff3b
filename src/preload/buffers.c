/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of calls, by what tells their size: a number, a structure, a zero at the end. What
 * the kernel would refuse is left to it.
 */
#include <errno.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <utime.h>

#include "base/align.h"
#include "base/readable.h"
#include "base/vm.h"
#include "fault/fault.h"
#include "heap/heap.h"
#include "preload/buffers.h"
#include "preload/door.h"

struct range {
	uintptr_t start;
	size_t size;
	enum fp_access access;
	bool is_good;
};

static void check_inside(void *argument)
{
	struct range *range = argument;

	range->is_good = fp_fault_check_range(range->start, range->size, range->access);
}

/* Pointers that are none of ours, nearly all there are, cost a look at a table and no lock. */
bool fp_buffer_check(const void *address, size_t size, enum fp_access access)
{
	struct range range = {.start = (uintptr_t)address, .size = size, .access = access};

	if (size == 0 || address == NULL || !fp_heap_is_watched(address) || !fp_preload_enter())
		return true;
	int saved_errno = errno;
	/* A finding needs more of a stack than the program may have. */
	fp_room_run(check_inside, &range);
	errno = saved_errno;
	fp_preload_leave();
	return range.is_good;
}

/* The structures that tell where buffers are may be anywhere, and a call with a bad pointer to
 * one fails; it does not fault. */
static bool check_readable(const void *address, size_t size, enum fp_access access)
{
	return fp_buffer_check(address, size, access) && fp_is_readable(address, size);
}

bool fp_buffer_can_read(const void *address, size_t size)
{
	return check_readable(address, size, FP_ACCESS_READ);
}

/* More parts than the kernel takes are refused before it looks at one. */
static void check_parts(const struct iovec *parts, size_t count, enum fp_access access)
{
	if (count > IOV_MAX || !check_readable(parts, count * sizeof(*parts), FP_ACCESS_READ))
		return;
	for (size_t i = 0; i < count; i++)
		fp_buffer_check(parts[i].iov_base, parts[i].iov_len, access);
}

static void check_parts_of(const struct msghdr *message, enum fp_access access)
{
	fp_buffer_check(message->msg_name, message->msg_namelen, access);
	fp_buffer_check(message->msg_control, message->msg_controllen, access);
	check_parts(message->msg_iov, message->msg_iovlen, access);
}

static void check_message(const struct msghdr *message, enum fp_access access)
{
	if (check_readable(message, sizeof(*message), access))
		check_parts_of(message, access);
}

/* Both ways, the kernel writes how much went. */
static void check_messages(const struct mmsghdr *messages, unsigned count,
                           enum fp_access access)
{
	if (count > IOV_MAX)
		count = IOV_MAX;
	if (!check_readable(messages, count * sizeof(*messages), FP_ACCESS_WRITE))
		return;
	for (unsigned i = 0; i < count; i++)
		check_parts_of(&messages[i].msg_hdr, access);
}

/* The kernel refuses negative lengths. */
static void check_address(const void *address, const socklen_t *length)
{
	if (address == NULL || !check_readable(length, sizeof(*length), FP_ACCESS_WRITE))
		return;
	if (*length <= INT_MAX)
		fp_buffer_check(address, *length, FP_ACCESS_WRITE);
}

/* libc itself reads these two, and allocates when either is 0. */
void fp_buffer_check_line(char *const *line, const size_t *size)
{
	if (line != NULL && size != NULL)
		fp_buffer_check(*line, *size, FP_ACCESS_WRITE);
}

/* Bytes from TEXT to the end of its block, 0 when it is in no live one. Apart, as has_end is:
 * what they need of the stack is not needed while the block is checked. */
__attribute__((noinline)) static size_t rest_of_block(const char *text)
{
	uintptr_t address = (uintptr_t)text;
	struct fp_block block;

	if (!fp_heap_find(address, &block) || block.state != FP_BLOCK_LIVE ||
	    address < block.address || address - block.address >= block.size)
		return 0;
	return block.size - (address - block.address);
}

/* Whether the kernel finds an end in so many bytes: a zero, or a page that it cannot read,
 * which the program may have made one. */
__attribute__((noinline)) static bool has_end(const char *text, size_t size)
{
	size_t page = fp_vm_page_size();

	for (const char *end = text + size; text < end;) {
		size_t bytes = page - (uintptr_t)text % page;

		if (bytes > (size_t)(end - text))
			bytes = (size_t)(end - text);
		if (!fp_is_readable(text, bytes) || memchr(text, '\0', bytes) != NULL)
			return true;
		text += bytes;
	}
	return false;
}

/* Of so many bytes, where some are poisoned, those up to the end of TEXT, or to the first that
 * is: an arena has strings side by side with what it has not given out. */
static size_t cut_at_poison(const char *text, size_t size)
{
	/* A signal's handler may have interrupted us with a lock. */
	const char *poisoned = fp_lock_is_any_held() ? NULL : fp_heap_find_poisoned(text, size);

	if (poisoned == NULL)
		return size;
	size_t clean = (size_t)(poisoned - text);
	const char *end = fp_is_readable(text, clean) ? memchr(text, '\0', clean) : NULL;
	return end == NULL ? clean + 1 : (size_t)(end - text) + 1;
}

/* All that is read of a block is told at once, and of what is behind its end one byte. */
void fp_buffer_check_text(const char *text, size_t most)
{
	if (text == NULL || !fp_heap_is_watched(text))
		return;
	size_t rest = fp_heap_is_ours(text) ? rest_of_block(text) : most;
	size_t size = rest < most ? rest : most;

	fp_buffer_check(text, cut_at_poison(text, size), FP_ACCESS_READ);
	if (size < most && !has_end(text, size))
		fp_buffer_check(text, size + 1, FP_ACCESS_READ);
}

static void check_texts(char *const *texts)
{
	size_t page = fp_vm_page_size();
	uintptr_t asked = UINTPTR_MAX;

	for (;; texts++) {
		uintptr_t last = (uintptr_t)(texts + 1) - 1;

		if (!fp_buffer_check(texts, sizeof(*texts), FP_ACCESS_READ))
			return;
		if (last / page != asked && !fp_is_readable(texts, sizeof(*texts)))
			return;
		asked = last / page;
		if (*texts == NULL)
			return;
		fp_buffer_check_text(*texts, FP_ARGUMENT_BYTES);
	}
}

static size_t bytes_of_bits(size_t count)
{
	return fp_align_up(count, 8 * sizeof(long)) / 8;
}

/* ---- System calls --------------------------------------------------------------------------
 *
 * The table of system_calls.def, and what its rules mean. Arguments come as the kernel gets
 * them: of one that is an int only the lower half counts.
 */

enum kind {
	NO_RULE,
	ONE,
	MANY,
	BITS,
	NODES,
	PAGES,
	PARTS,
	TEXT,
	TEXTS,
	MESSAGE,
	MESSAGES,
	QUEUED,
	ADDRESS,
	REQUEST
};
enum width { WIDE, SIGNED_INT, UNSIGNED_INT };

struct rule {
	uint8_t kind;
	uint8_t access; /* enum fp_access */
	uint8_t at;     /* the pointer, by number */
	uint8_t count_at;
	uint8_t width; /* of the count */
	uint16_t unit; /* bytes of one */
	void (*request)(const long *arguments);
};

enum { RULES = 5 };

static size_t count_of(const struct rule *rule, const long *arguments)
{
	long count = arguments[rule->count_at];

	if (rule->width == UNSIGNED_INT)
		return (uint32_t)count;
	if (rule->width == SIGNED_INT)
		return (int)count > 0 ? (size_t)(int)count : 0;
	return (size_t)count;
}

static void check_structure(const struct rule *rule, const void *address, size_t count,
                            const long *arguments)
{
	switch (rule->kind) {
	case PARTS:
		check_parts(address, count, rule->access);
		break;
	case MESSAGE:
		check_message(address, rule->access);
		break;
	case MESSAGES:
		check_messages(address, (unsigned)count, rule->access);
		break;
	case ADDRESS:
		check_address(address, (const socklen_t *)arguments[rule->count_at]);
		break;
	case TEXTS:
		check_texts(address);
		break;
	default:
		fp_buffer_check_text(address, FP_TEXT_BYTES);
		break;
	}
}

static void check_rule(const struct rule *rule, const long *arguments)
{
	const void *address = (const void *)arguments[rule->at];
	size_t count = count_of(rule, arguments);
	size_t bytes;

	switch (rule->kind) {
	case ONE:
		fp_buffer_check(address, rule->unit, rule->access);
		break;
	case MANY:
		/* What the kernel would refuse is left to it. */
		if (!__builtin_mul_overflow(count, rule->unit, &bytes))
			fp_buffer_check(address, bytes, rule->access);
		break;
	case BITS:
		fp_buffer_check(address, bytes_of_bits(count), rule->access);
		break;
	case NODES: /* The kernel's count is one too large. */
		fp_buffer_check(address, count > 0 ? bytes_of_bits(count - 1) : 0,
		                rule->access);
		break;
	case PAGES:
		fp_buffer_check(address,
		                count / fp_vm_page_size() + (count % fp_vm_page_size() != 0),
		                rule->access);
		break;
	case QUEUED: /* Its type is in front of the text. */
		if (count < PTRDIFF_MAX)
			fp_buffer_check(address, sizeof(long) + count, rule->access);
		break;
	default:
		check_structure(rule, address, count, arguments);
		break;
	}
}

/* ---- The table -----------------------------------------------------------------------------
 */

#define SIZE(argument) (argument), WIDE
#define INT(argument) (argument), SIGNED_INT
#define UNSIGNED(argument) (argument), UNSIGNED_INT
#define RULE(...) {__VA_ARGS__, NULL},
#define READS_ONE(at, bytes) RULE(ONE, FP_ACCESS_READ, at, 0, 0, bytes)
#define WRITES_ONE(at, bytes) RULE(ONE, FP_ACCESS_WRITE, at, 0, 0, bytes)
#define READS_BYTES(at, count) RULE(MANY, FP_ACCESS_READ, at, count, 1)
#define WRITES_BYTES(at, count) RULE(MANY, FP_ACCESS_WRITE, at, count, 1)
#define READS_MANY(at, count, bytes) RULE(MANY, FP_ACCESS_READ, at, count, bytes)
#define WRITES_MANY(at, count, bytes) RULE(MANY, FP_ACCESS_WRITE, at, count, bytes)
#define WRITES_BITS(at, count) RULE(BITS, FP_ACCESS_WRITE, at, count, 0)
#define READS_NODES(at, count) RULE(NODES, FP_ACCESS_READ, at, count, 0)
#define WRITES_NODES(at, count) RULE(NODES, FP_ACCESS_WRITE, at, count, 0)
#define WRITES_PAGES(at, count) RULE(PAGES, FP_ACCESS_WRITE, at, count, 0)
#define READS_PARTS(at, count) RULE(PARTS, FP_ACCESS_READ, at, count, 0)
#define WRITES_PARTS(at, count) RULE(PARTS, FP_ACCESS_WRITE, at, count, 0)
#define READS_MESSAGE(at) RULE(MESSAGE, FP_ACCESS_READ, at, 0, 0, 0)
#define WRITES_MESSAGE(at) RULE(MESSAGE, FP_ACCESS_WRITE, at, 0, 0, 0)
#define READS_MESSAGES(at, count) RULE(MESSAGES, FP_ACCESS_READ, at, count, 0)
#define WRITES_MESSAGES(at, count) RULE(MESSAGES, FP_ACCESS_WRITE, at, count, 0)
#define READS_QUEUED(at, count) RULE(QUEUED, FP_ACCESS_READ, at, count, 0)
#define WRITES_QUEUED(at, count) RULE(QUEUED, FP_ACCESS_WRITE, at, count, 0)
#define WRITES_ADDRESS(at, length) RULE(ADDRESS, FP_ACCESS_WRITE, at, length, 0, 0)
#define TEXT(at) RULE(TEXT, FP_ACCESS_READ, at, 0, 0, 0)
#define TEXTS(at) RULE(TEXTS, FP_ACCESS_READ, at, 0, 0, 0)
#define BY_REQUEST(name) {.kind = REQUEST, .request = fp_request_##name},

static const struct rule table[FP_CALLS][RULES] = {
#define FP_SYSTEM_CALL(name, number, elsewhere, ...) [FP_CALL_##name] = {__VA_ARGS__},
#define FP_OLD_SYSTEM_CALL(name, number, ...) [FP_CALL_##name] = {__VA_ARGS__},
#define FP_UNCHECKED(what, why)
#include "preload/system_calls.def"
};

void fp_check_call(enum fp_call call, const long *arguments)
{
	const struct rule *rule = table[call];

	for (int i = 0; i < RULES && rule[i].kind != NO_RULE; i++) {
		if (rule[i].kind == REQUEST)
			rule[i].request(arguments);
		else if (arguments[rule[i].at] != 0)
			check_rule(&rule[i], arguments);
	}
}
