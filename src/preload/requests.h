/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of which a request, or what is at a pointer, tells what the pointers are.
 *
 * Context: alloc. Private to the module. errno stays.
 */
#ifndef FP_PRELOAD_REQUESTS_H
#define FP_PRELOAD_REQUESTS_H

void fp_request_arch_prctl(const long *arguments);
void fp_request_capget(const long *arguments);
void fp_request_capset(const long *arguments);
void fp_request_epoll_ctl(const long *arguments);
void fp_request_fcntl(const long *arguments);
void fp_request_futex(const long *arguments);
void fp_request_landlock_add_rule(const long *arguments);
void fp_request_msgctl(const long *arguments);
void fp_request_name_to_handle_at(const long *arguments);
void fp_request_open_by_handle_at(const long *arguments);
void fp_request_prctl(const long *arguments);
void fp_request_sched_setattr(const long *arguments);
void fp_request_seccomp(const long *arguments);
void fp_request_semctl(const long *arguments);
void fp_request_shmctl(const long *arguments);

/* In ioctls.c. */
void fp_request_ioctl(const long *arguments);

#endif
