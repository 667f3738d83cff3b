/* SPDX-License-Identifier: Apache-2.0
 *
 * Making the channel, and mapping it in a process that inherits it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/align.h"
#include "base/proc.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/vm.h"
#include "log/channel_layout.h"

enum {
	FIRST_DESCRIPTOR = 400, /* far above what programs use */
	KEPT_STEPS = 8
};

/* That this process has mapped: a limit of its address space may allow less than all. */
static _Atomic size_t mapped;
static atomic_bool is_foreign;
static uintptr_t here;    /* 0: nothing is mapped */
static uintptr_t segment; /* 0: it is a file's */

/* Pieces that are accessible. The rest is not, so that mlockall(2) does not fill it. */
static _Atomic uint32_t opened;

bool fp_channel_is(uintptr_t start, const char *path)
{
	static const char name[] = "/memfd:" FP_CHANNEL_NAME;
	size_t length = sizeof(name) - 1;

	return (strnlen(path, length) == length && memcmp(path, name, length) == 0) ||
	       (segment != 0 && start == segment);
}

size_t fp_channel_fewest_bytes(void)
{
	return FP_CHANNEL_FEWEST_BYTES;
}

size_t fp_channel_bytes(void)
{
	return sizeof(struct fp_channel);
}

void fp_channel_give_reserve_back(void)
{
	const struct fp_channel *channel = (const struct fp_channel *)here;
	uint32_t used = here == 0 ? 0 : atomic_load(&channel->pieces_used);
	uint32_t most = atomic_load(&opened);
	uint32_t pieces = (used > most ? used : most) + KEPT_STEPS * FP_CHANNEL_STEP_PIECES;
	size_t kept =
	        fp_align_up(offsetof(struct fp_channel, pieces[pieces]), fp_vm_page_size());

	/* Of a segment, too, a part may go. */
	size_t bytes = atomic_load(&mapped);
	if (here != 0 && kept < bytes && fp_vm_unmap(here + kept, bytes - kept) == 0)
		atomic_store(&mapped, kept);
}

static uint64_t find_namespace(void)
{
	struct stat status;

	return fp_sys_stat(FP_PROC_SELF "ns/pid", &status) == 0 ? status.st_ino : 0;
}

/* Whoever is the first of a new one was forked into it; so was whose parent has no number here.
 */
void fp_channel_note_child(const struct fp_channel *channel)
{
	if (channel->namespace != 0 && fp_sys(SYS_getppid) == 0)
		atomic_store(&is_foreign, true);
}

bool fp_channel_is_foreign(const struct fp_channel *channel, pid_t pid)
{
	if (pid == 1 && channel->namespace != 0)
		atomic_store(&is_foreign, true);
	return atomic_load(&is_foreign);
}

uint32_t fp_channel_rooms(void)
{
	return (uint32_t)((atomic_load(&mapped) - offsetof(struct fp_channel, pieces)) /
	                  sizeof(struct fp_channel_piece));
}

bool fp_channel_open_pieces(struct fp_channel *channel, uint32_t count)
{
	uint32_t known = atomic_load(&opened);

	if (count <= known)
		return true;
	count = (count / FP_CHANNEL_STEP_PIECES + 1) * FP_CHANNEL_STEP_PIECES;
	if (count > fp_channel_rooms())
		count = fp_channel_rooms();
	if (fp_vm_protect((uintptr_t)channel, offsetof(struct fp_channel, pieces[count]),
	                  PROT_READ | PROT_WRITE) != 0)
		return false;
	while (known < count && !atomic_compare_exchange_weak(&opened, &known, count))
		;
	return true;
}

static struct fp_channel *start(uintptr_t base, size_t bytes, int *status)
{
	struct fp_channel *channel = (struct fp_channel *)base;

	here = base;
	atomic_store(&mapped, bytes);
	atomic_store(&opened, 0);
	if (!fp_channel_open_pieces(channel, 1) ||
	    !fp_channel_open_pieces(channel, atomic_load(&channel->pieces_used) + 1))
		*status = -ENOMEM;
	return *status == 0 ? channel : NULL;
}

static struct fp_channel *map(int fd, size_t bytes, int *status)
{
	uintptr_t base = 0;

	*status = fp_vm_map_shared_file(fd, bytes, &base);
	return *status == 0 ? start(base, bytes, status) : NULL;
}

/* A number that no program takes for one of its own. */
static int move_up(int fd)
{
	int high = fp_sys_fcntl(fd, F_DUPFD, FIRST_DESCRIPTOR);

	if (high < 0)
		return fd;
	fp_sys_close(fd);
	return high;
}

static int write_address(int fd, char address[FP_CHANNEL_ADDRESS_MAX])
{
	struct stat status;
	struct fp_text text;
	int result = fp_sys_fstat(fd, &status);

	fp_text_begin(&text, address, FP_CHANNEL_ADDRESS_MAX);
	fp_text_decimal(&text, (uint64_t)fd);
	fp_text_string(&text, ".");
	fp_text_decimal(&text, (uint64_t)fp_sys_getpid());
	fp_text_string(&text, ".");
	fp_text_decimal(&text, result == 0 ? status.st_ino : 0);
	return result;
}

/* Of memory that is no file, where no file may be so large (RLIMIT_FSIZE): it is gone when the
 * last process has ended. */
static struct fp_channel *attach_segment(int id, int *status)
{
	long base = fp_sys(SYS_shmat, id, NULL, 0);

	*status = base < 0 ? (int)base : 0;
	if (base < 0)
		return NULL;
	segment = (uintptr_t)base;
	fp_vm_protect(segment, sizeof(struct fp_channel), PROT_NONE);
	return start(segment, sizeof(struct fp_channel), status);
}

static struct fp_channel *make_segment(char address[FP_CHANNEL_ADDRESS_MAX], int *status)
{
	struct fp_text text;
	int id = (int)fp_sys(SYS_shmget, IPC_PRIVATE, sizeof(struct fp_channel), 0600);

	*status = id < 0 ? id : 0;
	struct fp_channel *channel = id < 0 ? NULL : attach_segment(id, status);
	if (id >= 0)
		fp_sys(SYS_shmctl, id, IPC_RMID, NULL);
	/* Standard input is no channel. */
	fp_text_begin(&text, address, FP_CHANNEL_ADDRESS_MAX);
	fp_text_string(&text, "0.0.");
	fp_text_decimal(&text, (uint64_t)(id < 0 ? 0 : id));
	return channel;
}

/* The kernel ends whoever makes a file larger than that. */
static bool is_allowed(size_t bytes)
{
	struct rlimit limit;

	return fp_sys_get_limit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= bytes;
}

static struct fp_channel *make_file(size_t size, int *fd, char address[FP_CHANNEL_ADDRESS_MAX],
                                    int *status)
{
	struct fp_channel *channel = NULL;

	*fd = is_allowed(sizeof(*channel)) ? (int)fp_sys(SYS_memfd_create, FP_CHANNEL_NAME, 0)
	                                   : -EFBIG;
	*status = *fd < 0 ? *fd : 0;
	if (*status != 0)
		return NULL;
	*fd = move_up(*fd);
	*status = (int)fp_sys(SYS_ftruncate, *fd, sizeof(*channel));
	if (*status == 0)
		*status = write_address(*fd, address);
	/* As much as a limit of the address space leaves, of a file that is as long as that. */
	bool is_made = *status == 0;
	for (size_t bytes = size < FP_CHANNEL_FEWEST_BYTES ? FP_CHANNEL_FEWEST_BYTES : size;
	     is_made && channel == NULL && bytes >= FP_CHANNEL_FEWEST_BYTES &&
	     (*status == 0 || *status == -ENOMEM);
	     bytes /= 2)
		channel = map(*fd, bytes, status);
	if (channel == NULL)
		fp_sys_close(*fd);
	return channel;
}

struct fp_channel *fp_channel_make(size_t size, int *fd, char address[FP_CHANNEL_ADDRESS_MAX],
                                   int *status)
{
	struct fp_channel *channel = make_file(size, fd, address, status);

	if (channel == NULL) {
		int reason = *status;

		*fd = -1;
		channel = make_segment(address, status);
		*status = channel == NULL ? reason : 0;
	}
	if (channel != NULL) {
		memcpy(channel->magic, FP_CHANNEL_MAGIC, sizeof(FP_CHANNEL_MAGIC));
		/* As the first process of one it has that number itself. */
		channel->namespace = fp_sys_getpid() == 1 ? 0 : find_namespace();
		fp_channel_set_reader(channel, fp_sys_getpid());
	}
	return channel;
}

void fp_channel_drop(struct fp_channel *channel, int fd)
{
	if (fd < 0) {
		fp_sys(SYS_shmdt, channel);
		return;
	}
	fp_vm_unmap((uintptr_t)channel, atomic_load(&mapped));
	fp_sys_close(fd);
}

static uint64_t take_number(const char **text)
{
	uint64_t number = 0;

	while (**text >= '0' && **text <= '9')
		number = 10 * number + (uint64_t)(*(*text)++ - '0');
	*text += **text == '.';
	return number;
}

static bool is_channel(int fd, uint64_t inode)
{
	struct stat status;

	return fp_sys_fstat(fd, &status) == 0 && status.st_ino == inode &&
	       status.st_size >= (off_t)sizeof(struct fp_channel);
}

/* Through the process that made it, where somebody closed what was inherited. */
static int open_of(uint64_t pid, uint64_t number)
{
	char path[64];
	struct fp_text text;

	fp_text_begin(&text, path, sizeof(path));
	fp_text_string(&text, "/proc/");
	fp_text_decimal(&text, pid);
	fp_text_string(&text, "/fd/");
	fp_text_decimal(&text, number);
	return fp_sys_open(path, O_RDWR | O_CLOEXEC, 0);
}

/* What this process executes is to inherit it again, unless the number is in use. */
static void hand_on(int fd, int number)
{
	if (fp_sys_fcntl(number, F_GETFD, 0) == -EBADF)
		fp_sys_dup_to(fd, number);
}

/* Whether CHANNEL is of this version of Fencepost; else it is unmapped. */
static bool join(const struct fp_channel *channel)
{
	uint64_t own = find_namespace();

	if (memcmp(channel->magic, FP_CHANNEL_MAGIC, sizeof(FP_CHANNEL_MAGIC)) != 0) {
		fp_vm_unmap((uintptr_t)channel, atomic_load(&mapped));
		here = 0;
		return false;
	}
	atomic_store(&is_foreign,
	             channel->namespace != 0 && own != 0 && own != channel->namespace);
	return true;
}

struct fp_channel *fp_channel_attach(const char *address, size_t size, int *status)
{
	int number = (int)take_number(&address);
	uint64_t pid = take_number(&address);
	uint64_t inode = take_number(&address);
	int fd = number;

	if (number == 0)
		return attach_segment((int)inode, status);
	if (!is_channel(fd, inode)) {
		fd = open_of(pid, (uint64_t)number);
		*status = fd < 0 ? fd : is_channel(fd, inode) ? 0 : -ENXIO;
	} else {
		*status = 0;
	}
	struct fp_channel *channel =
	        *status == 0
	                ? map(fd,
	                      size < FP_CHANNEL_FEWEST_BYTES ? FP_CHANNEL_FEWEST_BYTES : size,
	                      status)
	                : NULL;
	if (channel != NULL && !join(channel)) {
		channel = NULL;
		*status = -ENXIO;
	}
	if (fd != number && fd >= 0) {
		if (channel != NULL)
			hand_on(fd, number);
		fp_sys_close(fd);
	}
	return channel;
}
