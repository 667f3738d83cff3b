/* SPDX-License-Identifier: Apache-2.0
 *
 * ioctl(2). The number of a request tells how many bytes its argument has and who writes them,
 * but for those that are older than that rule, and a few that break it. Of pointers inside of
 * an argument, only that of SIOCGIFCONF is followed.
 */
#include <asm/termbits.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>

#include "preload/buffers.h"
#include "preload/requests.h"

enum {
	PID_BYTES = 4,
	INT_BYTES = sizeof(int),
	LONG_BYTES = sizeof(long),
	WINDOW_BYTES = 8,
	INTERFACE_BYTES = 40,
	ADDRESS_RESOLUTION_BYTES = 68,
	IPV6_INTERFACE_BYTES = 24, /* what AF_INET6 has for an interface; others read more */
};

static const struct {
	unsigned request;
	unsigned bytes;
	enum fp_access access;
} odd_requests[] = {
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
	for (size_t i = 0; i < sizeof(odd_requests) / sizeof(odd_requests[0]); i++) {
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
