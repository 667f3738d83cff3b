/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of system_calls.def, and what its rules mean. Arguments come as the kernel gets
 * them: of one that is an int only the lower half counts.
 */
#include "preload/arguments.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <mqueue.h>
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

#include "base/vm.h"
#include "preload/buffers.h"
#include "preload/requests.h"

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

/* What the kernel would refuse is left to it. */
static void check_many(const void *address, size_t count, const struct rule *rule)
{
	size_t bytes;

	if (!__builtin_mul_overflow(count, rule->unit, &bytes))
		fp_buffer_check(address, bytes, rule->access);
}

static size_t page_count(size_t bytes)
{
	return bytes / fp_vm_page_size() + (bytes % fp_vm_page_size() != 0);
}

static void check_structure(const struct rule *rule, const void *address, size_t count,
                            const long *arguments)
{
	switch (rule->kind) {
	case PARTS:
		fp_buffer_check_parts(address, count, rule->access);
		break;
	case MESSAGE:
		fp_buffer_check_message(address, rule->access);
		break;
	case MESSAGES:
		fp_buffer_check_messages(address, (unsigned)count, rule->access);
		break;
	case ADDRESS:
		fp_buffer_check_address(address, (const socklen_t *)arguments[rule->count_at]);
		break;
	case TEXTS:
		fp_buffer_check_texts(address);
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

	switch (rule->kind) {
	case ONE:
		fp_buffer_check(address, rule->unit, rule->access);
		break;
	case MANY:
		check_many(address, count, rule);
		break;
	case BITS:
		fp_buffer_check(address, fp_buffer_bits(count), rule->access);
		break;
	case NODES: /* The kernel's count is one too large. */
		fp_buffer_check(address, count > 0 ? fp_buffer_bits(count - 1) : 0,
		                rule->access);
		break;
	case PAGES:
		fp_buffer_check(address, page_count(count), rule->access);
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
