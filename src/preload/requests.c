/* SPDX-License-Identifier: Apache-2.0
 *
 * What the declarations of system calls cannot say. A request that is not here has no pointer,
 * or one that is not checked; what the kernel would refuse is left to it.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

#include "base/sys.h"
#include "preload/buffers.h"
#include "preload/next.h"
#include "session/session.h"

enum { INT_BYTES = sizeof(int), LONG_BYTES = sizeof(long) };

/* Sorted by nothing; the tables are short. */
struct request {
	unsigned request;
	unsigned bytes;
	enum fp_access access;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_request(const struct request *requests, size_t count, long request,
                          const long address)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].request == (unsigned)request)
			fp_buffer_check((const void *)address, requests[i].bytes,
			                requests[i].access);
}

/* A call that has nothing but requests. */
#define REQUESTS(name, request_at, pointer_at, ...)                                            \
	void fp_request_##name(const long *arguments)                                          \
	{                                                                                      \
		static const struct request requests[] = {__VA_ARGS__};                        \
                                                                                               \
		check_request(requests, COUNT(requests), arguments[request_at],                \
		              arguments[pointer_at]);                                          \
	}

/* A word that tells how much follows. */
static bool read_word(long address, unsigned *word)
{
	if (!fp_buffer_can_read((const void *)address, sizeof(*word)))
		return false;
	*word = *(const unsigned *)address;
	return true;
}

/* ---- Files ---------------------------------------------------------------------------------
 */

enum { OWNER_UIDS = 17, GET_HINT = 1035, SET_FILE_HINT = 1038 };

REQUESTS(fcntl, 1, 2, {F_GETLK, sizeof(struct flock), FP_ACCESS_WRITE},
         {F_SETLK, sizeof(struct flock), FP_ACCESS_READ},
         {F_SETLKW, sizeof(struct flock), FP_ACCESS_READ},
         {F_OFD_GETLK, sizeof(struct flock), FP_ACCESS_WRITE},
         {F_OFD_SETLK, sizeof(struct flock), FP_ACCESS_READ},
         {F_OFD_SETLKW, sizeof(struct flock), FP_ACCESS_READ},
         {F_GETOWN_EX, sizeof(struct f_owner_ex), FP_ACCESS_WRITE},
         {F_SETOWN_EX, sizeof(struct f_owner_ex), FP_ACCESS_READ},
         {OWNER_UIDS, 2 * sizeof(uid_t), FP_ACCESS_WRITE},
         {GET_HINT, sizeof(uint64_t), FP_ACCESS_WRITE},
         {GET_HINT + 1, sizeof(uint64_t), FP_ACCESS_READ},
         {SET_FILE_HINT - 1, sizeof(uint64_t), FP_ACCESS_WRITE},
         {SET_FILE_HINT, sizeof(uint64_t), FP_ACCESS_READ})

void fp_request_epoll_ctl(const long *arguments)
{
	if ((int)arguments[1] != EPOLL_CTL_DEL)
		fp_buffer_check((const void *)arguments[3], sizeof(struct epoll_event),
		                FP_ACCESS_READ);
}

static void check_handle(long address, enum fp_access access)
{
	unsigned bytes;

	if (read_word(address, &bytes) && bytes <= MAX_HANDLE_SZ)
		fp_buffer_check((const void *)address, sizeof(struct file_handle) + bytes,
		                access);
}

void fp_request_name_to_handle_at(const long *arguments)
{
	fp_buffer_check_text((const char *)arguments[1], FP_TEXT_BYTES);
	check_handle(arguments[2], FP_ACCESS_WRITE);
	fp_buffer_check((const void *)arguments[3], INT_BYTES, FP_ACCESS_WRITE);
}

void fp_request_open_by_handle_at(const long *arguments)
{
	check_handle(arguments[1], FP_ACCESS_READ);
}

/* ---- IPC -----------------------------------------------------------------------------------
 */

enum {
	MSGINFO_BYTES = 32,
	SHMINFO_BYTES = 72,
	SHM_INFO_BYTES = 48,
	SEMINFO_BYTES = 40,
	ANY_STAT = 2
};

REQUESTS(msgctl, 1, 2, {IPC_SET, sizeof(struct msqid_ds), FP_ACCESS_READ},
         {IPC_STAT, sizeof(struct msqid_ds), FP_ACCESS_WRITE},
         {MSG_STAT, sizeof(struct msqid_ds), FP_ACCESS_WRITE},
         {MSG_STAT + ANY_STAT, sizeof(struct msqid_ds), FP_ACCESS_WRITE},
         {IPC_INFO, MSGINFO_BYTES, FP_ACCESS_WRITE}, {MSG_INFO, MSGINFO_BYTES, FP_ACCESS_WRITE})

REQUESTS(shmctl, 1, 2, {IPC_SET, sizeof(struct shmid_ds), FP_ACCESS_READ},
         {IPC_STAT, sizeof(struct shmid_ds), FP_ACCESS_WRITE},
         {SHM_STAT, sizeof(struct shmid_ds), FP_ACCESS_WRITE},
         {SHM_STAT + ANY_STAT, sizeof(struct shmid_ds), FP_ACCESS_WRITE},
         {IPC_INFO, SHMINFO_BYTES, FP_ACCESS_WRITE},
         {SHM_INFO, SHM_INFO_BYTES, FP_ACCESS_WRITE})

/* The kernel is asked how many semaphores there are. */
static void check_all_values(long set, long values, enum fp_access access)
{
	struct semid_ds status;

	if (fp_sys(SYS_semctl, set, 0, IPC_STAT, &status) == 0)
		fp_buffer_check((const void *)values, status.sem_nsems * sizeof(unsigned short),
		                access);
}

void fp_request_semctl(const long *arguments)
{
	static const struct request requests[] = {
	        {IPC_SET, sizeof(struct semid_ds), FP_ACCESS_READ},
	        {IPC_STAT, sizeof(struct semid_ds), FP_ACCESS_WRITE},
	        {SEM_STAT, sizeof(struct semid_ds), FP_ACCESS_WRITE},
	        {SEM_STAT + ANY_STAT, sizeof(struct semid_ds), FP_ACCESS_WRITE},
	        {IPC_INFO, SEMINFO_BYTES, FP_ACCESS_WRITE},
	        {SEM_INFO, SEMINFO_BYTES, FP_ACCESS_WRITE},
	};

	check_request(requests, COUNT(requests), arguments[2], arguments[3]);
	if ((int)arguments[2] == GETALL)
		check_all_values(arguments[0], arguments[3], FP_ACCESS_WRITE);
	else if ((int)arguments[2] == SETALL)
		check_all_values(arguments[0], arguments[3], FP_ACCESS_READ);
}

/* ---- Threads and processes -----------------------------------------------------------------
 */

static void check_word(long address)
{
	fp_buffer_check((const void *)address, sizeof(uint32_t), FP_ACCESS_READ);
}

/* Who wakes gives an address only: the others may have freed the word by then, and that is
 * allowed. */
void fp_request_futex(const long *arguments)
{
	enum { LOCK_PI2 = 13 };

	switch (arguments[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_WAIT_REQUEUE_PI:
	case LOCK_PI2:
		check_word(arguments[0]);
		fp_buffer_check((const void *)arguments[3], sizeof(struct timespec),
		                FP_ACCESS_READ);
		break;
	case FUTEX_TRYLOCK_PI:
	case FUTEX_UNLOCK_PI:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		check_word(arguments[0]);
		break;
	case FUTEX_WAKE_OP:
		check_word(arguments[4]);
		break;
	default:
		break;
	}
}

/* Its size is its first word; the first version's, when that is 0. */
void fp_request_sched_setattr(const long *arguments)
{
	enum { FIRST_BYTES = 48, BYTES_MAX = 4096 };
	unsigned bytes;

	if (read_word(arguments[1], &bytes) && bytes <= BYTES_MAX)
		fp_buffer_check((const void *)arguments[1],
		                bytes < FIRST_BYTES ? FIRST_BYTES : bytes, FP_ACCESS_READ);
}

static void check_capabilities(const long *arguments, enum fp_access access)
{
	enum { HEADER_BYTES = 8, FIRST_VERSION = 0x19980330, FIRST_BYTES = 12, BYTES = 24 };
	unsigned version;

	fp_buffer_check((const void *)arguments[0], HEADER_BYTES, FP_ACCESS_READ);
	if (read_word(arguments[0], &version))
		fp_buffer_check((const void *)arguments[1],
		                version == FIRST_VERSION ? FIRST_BYTES : BYTES, access);
}

void fp_request_capget(const long *arguments)
{
	check_capabilities(arguments, FP_ACCESS_WRITE);
}

void fp_request_capset(const long *arguments)
{
	check_capabilities(arguments, FP_ACCESS_READ);
}

/* A count, and where the instructions are. */
static void check_filter(long address)
{
	enum { INSTRUCTION_BYTES = 8 };
	const struct filter {
		unsigned short count;
		const void *instructions;
	} *filter = (const struct filter *)address;

	if (fp_buffer_can_read(filter, sizeof(*filter)))
		fp_buffer_check(filter->instructions, (size_t)filter->count * INSTRUCTION_BYTES,
		                FP_ACCESS_READ);
}

/* What the program allocates under seccomp may be libc's, which has asked the kernel for what
 * it needs before, as it would have without us. */
static void warm_up(void)
{
	enum { WARMED_BYTES = 64 << 10 };

	fp_preload_next.free(fp_preload_next.malloc(WARMED_BYTES));
}

void fp_request_seccomp(const long *arguments)
{
	enum { SIZES = 3, SIZES_BYTES = 6 };
	static const struct request requests[] = {
	        {SECCOMP_GET_ACTION_AVAIL, INT_BYTES, FP_ACCESS_READ},
	        {SIZES, SIZES_BYTES, FP_ACCESS_WRITE},
	};

	check_request(requests, COUNT(requests), arguments[0], arguments[2]);
	warm_up();
	if ((unsigned)arguments[0] == SECCOMP_SET_MODE_FILTER)
		check_filter(arguments[2]);
}

enum { BENEATH = 1, BENEATH_BYTES = 12, PORT = 2, PORT_BYTES = 16 };

REQUESTS(landlock_add_rule, 1, 2, {BENEATH, BENEATH_BYTES, FP_ACCESS_READ},
         {PORT, PORT_BYTES, FP_ACCESS_READ})

void fp_request_prctl(const long *arguments)
{
	enum { NAME_BYTES = 16, ANONYMOUS_NAME_BYTES = 80, SET_AREA = 0x53564d41 };
	static const struct request requests[] = {
	        {PR_GET_NAME, NAME_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_PDEATHSIG, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_CHILD_SUBREAPER, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_TSC, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_UNALIGN, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_FPEMU, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_FPEXC, INT_BYTES, FP_ACCESS_WRITE},
	        {PR_GET_TID_ADDRESS, LONG_BYTES, FP_ACCESS_WRITE},
	};

	check_request(requests, COUNT(requests), arguments[0], arguments[1]);
	if ((int)arguments[0] == PR_SET_NAME)
		fp_buffer_check_text((const char *)arguments[1], NAME_BYTES - 1);
	else if ((int)arguments[0] == SET_AREA)
		fp_buffer_check_text((const char *)arguments[4], ANONYMOUS_NAME_BYTES);
	else if ((int)arguments[0] == PR_SET_SECCOMP) {
		warm_up();
		if (arguments[1] == SECCOMP_MODE_FILTER)
			check_filter(arguments[2]);
	}
}

enum { GET_FS = 0x1003, GET_GS = 0x1004 };

REQUESTS(arch_prctl, 0, 1, {GET_FS, LONG_BYTES, FP_ACCESS_WRITE},
         {GET_GS, LONG_BYTES, FP_ACCESS_WRITE})

/* ---- Ioctl ---------------------------------------------------------------------------------
 *
 * ioctl(2). The number of a request tells how many bytes its argument has and who writes them,
 * but for those that are older than that rule, and a few that break it. Of pointers inside of
 * an argument, only that of SIOCGIFCONF is followed.
 */

enum {
	PID_BYTES = 4,
	WINDOW_BYTES = 8,
	INTERFACE_BYTES = 40,
	ADDRESS_RESOLUTION_BYTES = 68,
	IPV6_INTERFACE_BYTES = 24, /* what AF_INET6 has for an interface; others read more */
};

static const struct request odd_requests[] = {
        {TCGETS, sizeof(struct termios), FP_ACCESS_WRITE},
        {TCSETS, sizeof(struct termios), FP_ACCESS_READ},
        {TCSETSW, sizeof(struct termios), FP_ACCESS_READ},
        {TCSETSF, sizeof(struct termios), FP_ACCESS_READ},
        {TIOCGWINSZ, WINDOW_BYTES, FP_ACCESS_WRITE},
        {TIOCSWINSZ, WINDOW_BYTES, FP_ACCESS_READ},
        {TIOCGPGRP, PID_BYTES, FP_ACCESS_WRITE},
        {TIOCSPGRP, PID_BYTES, FP_ACCESS_READ},
        {TIOCGSID, PID_BYTES, FP_ACCESS_WRITE},
        {TIOCGETD, INT_BYTES, FP_ACCESS_WRITE},
        {TIOCSETD, INT_BYTES, FP_ACCESS_READ},
        {TIOCMGET, INT_BYTES, FP_ACCESS_WRITE},
        {TIOCMSET, INT_BYTES, FP_ACCESS_READ},
        {TIOCMBIS, INT_BYTES, FP_ACCESS_READ},
        {TIOCMBIC, INT_BYTES, FP_ACCESS_READ},
        {TIOCOUTQ, INT_BYTES, FP_ACCESS_WRITE},
        {TIOCSTI, 1, FP_ACCESS_READ},
        {TIOCPKT, INT_BYTES, FP_ACCESS_READ},
        {FIONREAD, INT_BYTES, FP_ACCESS_WRITE},
        {FIONBIO, INT_BYTES, FP_ACCESS_READ},
        {FIOASYNC, INT_BYTES, FP_ACCESS_READ},
        {SIOCATMARK, INT_BYTES, FP_ACCESS_WRITE},
        {SIOCGPGRP, PID_BYTES, FP_ACCESS_WRITE},
        {SIOCSPGRP, PID_BYTES, FP_ACCESS_READ},
        {SIOCGIFNAME, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCGIFFLAGS, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFFLAGS, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFADDR, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFADDR, IPV6_INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCDIFADDR, IPV6_INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFDSTADDR, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFDSTADDR, IPV6_INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFBRDADDR, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFBRDADDR, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFNETMASK, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFNETMASK, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFMETRIC, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCGIFMTU, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFMTU, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCSIFNAME, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFHWADDR, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCSIFHWADDR, INTERFACE_BYTES, FP_ACCESS_READ},
        {SIOCGIFINDEX, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCGIFTXQLEN, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCGIFMAP, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCETHTOOL, INTERFACE_BYTES, FP_ACCESS_WRITE},
        {SIOCGARP, ADDRESS_RESOLUTION_BYTES, FP_ACCESS_WRITE},
        {SIOCSARP, ADDRESS_RESOLUTION_BYTES, FP_ACCESS_READ},
        {SIOCDARP, ADDRESS_RESOLUTION_BYTES, FP_ACCESS_READ},
        {BLKGETSIZE, LONG_BYTES, FP_ACCESS_WRITE},
        {BLKSSZGET, INT_BYTES, FP_ACCESS_WRITE},
        {BLKROGET, INT_BYTES, FP_ACCESS_WRITE},
        /* Their numbers tell of longs, and what the kernel accesses is an int. */
        {BLKBSZGET, INT_BYTES, FP_ACCESS_WRITE},
        {BLKBSZSET, INT_BYTES, FP_ACCESS_READ},
        {FS_IOC_GETFLAGS, INT_BYTES, FP_ACCESS_WRITE},
        {FS_IOC_SETFLAGS, INT_BYTES, FP_ACCESS_READ},
        {FS_IOC_GETVERSION, INT_BYTES, FP_ACCESS_WRITE},
        {FS_IOC_SETVERSION, INT_BYTES, FP_ACCESS_READ},
};

static void check_argument(unsigned request, const void *argument)
{
	for (size_t i = 0; i < COUNT(odd_requests); i++) {
		if (odd_requests[i].request == request) {
			fp_buffer_check(argument, odd_requests[i].bytes,
			                odd_requests[i].access);
			return;
		}
	}
	/* The kernel's direction: it reads what we write. */
	if ((_IOC_DIR(request) & _IOC_READ) != 0)
		fp_buffer_check(argument, _IOC_SIZE(request), FP_ACCESS_WRITE);
	else if ((_IOC_DIR(request) & _IOC_WRITE) != 0)
		fp_buffer_check(argument, _IOC_SIZE(request), FP_ACCESS_READ);
}

/* ---- What is behind the argument -----------------------------------------------------------
 */

static void check_interfaces(const void *argument)
{
	const struct interfaces {
		int bytes;
		const void *buffer;
	} *interfaces = argument;

	if (fp_buffer_can_read(interfaces, sizeof(*interfaces)) && interfaces->bytes > 0)
		fp_buffer_check(interfaces->buffer, (size_t)interfaces->bytes, FP_ACCESS_WRITE);
}

void fp_request_ioctl(const long *arguments)
{
	unsigned request = (unsigned)arguments[1];
	const void *argument = (const void *)arguments[2];

	if (request == SIOCGIFCONF)
		check_interfaces(argument);
	else
		check_argument(request, argument);
}
