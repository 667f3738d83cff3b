#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes system_calls.def of the kernel's own declarations of its calls.

    python3 src/preload/system_calls.py HEADER UNISTD GENERIC VERSION >src/preload/system_calls.def

HEADER is include/linux/syscalls.h of the kernel's headers (in Debian's package
linux-headers-VERSION-common), UNISTD is <asm/unistd_64.h>, GENERIC is
include/uapi/asm-generic/unistd.h, VERSION is the kernel's. What a declaration says is taken from
it: which arguments are pointers, to what, and which argument counts. What it cannot say is in the
tables below; a call that has a pointer and is not understood stops the script.
"""
import re
import sys
import textwrap

# The kernel's names of functions that are not SYS_ and the name of the call.
CALLED = {'newstat': 'stat', 'newlstat': 'lstat', 'newfstat': 'fstat', 'newuname': 'uname',
          'umount': 'umount2', 'sendfile64': 'sendfile'}
# Declared under these names are calls of older machines.
OLD = {'stat', 'lstat', 'fstat', 'uname', 'oldumount', 'sendfile'}

# Bytes of what pointers point to. A number where no header of the C library has the type.
SIZES = {
    'struct __kernel_timespec': 'struct timespec', 'struct __kernel_itimerspec': 'struct itimerspec',
    'struct __kernel_old_itimerval': 'struct itimerval', 'struct __kernel_old_timeval': 'struct timeval',
    'struct __kernel_timex': 'struct timex', 'struct new_utsname': 'struct utsname',
    'struct rlimit64': 'struct rlimit', 'struct siginfo': 'siginfo_t', 'struct sigaltstack': 'stack_t',
    'sigset_t': 8, 'struct sigaction': 32, 'struct iocb': 64, 'struct io_event': 32,
    'aio_context_t': 8, 'struct io_uring_params': 120, 'struct ustat': 32, 'timer_t': 4,
    'loff_t': 8, '__kernel_old_time_t': 8, 'u32': 4, 'unsigned': 4, 'uid_t': 4, 'gid_t': 4,
    'struct futex_waitv': 24, 'struct kexec_segment': 32, 'struct robust_list_head': 24,
}
SAME = {'int', 'size_t', 'siginfo_t'} | {'struct ' + name for name in '''epoll_event pollfd sembuf
sched_param mq_attr rusage rlimit sysinfo tms timezone utimbuf stat statfs statx sigevent'''.split()}

COUNTS = {'size', 'count', 'len', 'bufsiz', 'plen', 'msg_len', 'optlen', 'usize', 'argsz', 'rseq_len',
          'maxevents', 'nfds', 'nsops', 'nr_futexes', 'msgsz', 'nr_segments', 'sizemask'}

# Pointers that are not const and are read.
READ = {('io_cancel', 1), ('io_uring_setup', 1), ('epoll_ctl', 3), ('openat2', 2), ('utimensat', 2),
        ('signalfd4', 1), ('signalfd', 1), ('kexec_load', 2), ('nanosleep', 0), ('timer_create', 1),
        ('sched_setparam', 1), ('sched_setscheduler', 2), ('sched_setaffinity', 2), ('rt_sigsuspend', 0),
        ('rt_sigprocmask', 1), ('rt_sigqueueinfo', 2), ('rt_tgsigqueueinfo', 3), ('setgroups', 1),
        ('setrlimit', 1), ('settimeofday', 0), ('settimeofday', 1), ('semtimedop', 1), ('semop', 1),
        ('bind', 1), ('connect', 1), ('sendto', 1), ('sendto', 4), ('setsockopt', 3), ('sendmsg', 1),
        ('sendmmsg', 1), ('utime', 1), ('utimes', 1), ('futimesat', 2), ('set_robust_list', 0),
        ('pidfd_send_signal', 2), ('clone3', 0), ('mount_setattr', 3), ('init_module', 0),
        ('sethostname', 0), ('setdomainname', 0), ('epoll_pwait2', 3), ('ppoll', 2), ('io_getevents', 4),
        ('io_pgetevents', 4), ('pselect6', 4), ('futex_waitv', 0), ('futex_waitv', 3), ('mq_open', 3), ('setitimer', 1)}
WRITTEN_PARTS = {'readv', 'preadv', 'preadv2', 'process_vm_readv'}

# Calls of which the declaration says too little, as the table has them.
WHOLE = {
    'accept': 'WRITES_ADDRESS(1, 2)',
    'clone3': 'READS_BYTES(0, SIZE(1))',
    'execve': 'TEXT(0) TEXTS(1) TEXTS(2)',
    'execveat': 'TEXT(1) TEXTS(2) TEXTS(3)',
    'fanotify_mark': 'TEXT(4)',
    'get_mempolicy': 'WRITES_ONE(0, sizeof(int)) WRITES_NODES(1, SIZE(2))',
    'get_robust_list': 'WRITES_ONE(1, sizeof(void *)) WRITES_ONE(2, sizeof(size_t))',
    'getcpu': 'WRITES_ONE(0, 4) WRITES_ONE(1, 4)',
    'getgroups': 'WRITES_MANY(1, INT(0), 4)',
    'io_getevents': 'WRITES_MANY(3, SIZE(2), 32) READS_ONE(4, sizeof(struct timespec))',
    'io_pgetevents': 'WRITES_MANY(3, SIZE(2), 32) READS_ONE(4, sizeof(struct timespec)) READS_ONE(5, 16)',
    'kexec_file_load': 'READS_BYTES(3, SIZE(2))',
    'kexec_load': 'READS_MANY(2, SIZE(1), 32)',
    'mbind': 'READS_NODES(3, SIZE(4))',
    'migrate_pages': 'READS_NODES(2, SIZE(1)) READS_NODES(3, SIZE(1))',
    'mincore': 'WRITES_PAGES(2, SIZE(1))',
    'modify_ldt': 'WRITES_BYTES(1, SIZE(2))',
    'mount': 'TEXT(0) TEXT(1) TEXT(2)',
    'move_pages': 'READS_MANY(2, SIZE(1), sizeof(void *)) READS_MANY(3, SIZE(1), 4) WRITES_MANY(4, SIZE(1), 4)',
    'mq_timedreceive': 'WRITES_BYTES(1, SIZE(2)) WRITES_ONE(3, 4) READS_ONE(4, sizeof(struct timespec))',
    'msgrcv': 'WRITES_QUEUED(1, SIZE(2))',
    'msgsnd': 'READS_QUEUED(1, SIZE(2))',
    'perf_event_open': 'READS_ONE(0, 64)',
    'ppoll': 'WRITES_MANY(0, UNSIGNED(1), sizeof(struct pollfd)) READS_ONE(2, sizeof(struct timespec)) READS_ONE(3, 8)',
    'process_madvise': 'READS_MANY(1, SIZE(2), sizeof(struct iovec))',
    'process_vm_readv': 'WRITES_PARTS(1, SIZE(2)) READS_MANY(3, SIZE(4), sizeof(struct iovec))',
    'process_vm_writev': 'READS_PARTS(1, SIZE(2)) READS_MANY(3, SIZE(4), sizeof(struct iovec))',
    'pselect6': 'WRITES_BITS(1, INT(0)) WRITES_BITS(2, INT(0)) WRITES_BITS(3, INT(0)) '
                'READS_ONE(4, sizeof(struct timespec)) READS_ONE(5, 16)',
    'quotactl': 'TEXT(1)',
    'set_mempolicy': 'READS_NODES(1, SIZE(2))',
    'set_robust_list': 'READS_BYTES(0, SIZE(1))',
    'setgroups': 'READS_MANY(1, INT(0), 4)',
}

# Checked by a function of requests.c: what is at a pointer, or whether there is one, is told by
# another argument, or by what is there. The declarations of some do not even say that there is one.
BY_REQUEST = {'arch_prctl', 'capget', 'capset', 'epoll_ctl', 'fcntl', 'futex', 'ioctl', 'landlock_add_rule',
              'msgctl', 'name_to_handle_at', 'open_by_handle_at', 'prctl', 'sched_setattr', 'seccomp',
              'semctl', 'shmctl'}

# Not checked, and why: a call, or one argument of a call that is in the table.
UNCHECKED = {
    'bpf': 'the command tells which of its many pointers count',
    'clone': 'flags tell which of its pointers count, and the child writes to them, too',
    'fsconfig': 'the command and the file system tell what the value is',
    'io_submit': 'what its blocks name is accessed later, by no call',
    'io_uring_enter': 'what the ring names is accessed later, by no call',
    'io_uring_register': 'what it registers is accessed later, by no call',
    'keyctl': 'the operation tells which of its arguments are pointers',
    'lookup_dcookie': 'for one profiler; gone since Linux 6.7',
    'mount, data': 'the file system tells what it is',
    'ptrace': 'the request tells what its pointers are, and one is the other process\'s',
    'quotactl, addr': 'the command and the file system tell what it is',
    'quotactl_fd': 'the command and the file system tell what it is',
    'reboot': 'nothing is left to report to',
    'rseq': 'the address is kept, and accessed later, by no call',
    'set_tid_address': 'the address is kept, and written when the thread ends',
    'shmat': 'an address for pages, which is not accessed',
    'shmdt': 'an address of pages, which is not accessed',
    'sysfs': 'the option tells which of its arguments are pointers; obsolete',
    'uselib': 'for a.out; gone',
    'vmsplice, later': 'the pages stay in the pipe, and are read later, by no call',
    '_sysctl': 'gone since Linux 5.5',
}


def declarations(path):
    with open(path) as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
    found = {}
    for name, list_ in re.findall(r'asmlinkage\s+long\s+sys_(\w+)\s*\(([^;]*)\);', text):
        if name not in OLD:
            found.setdefault(CALLED.get(name, name), [' '.join(one.replace('__user', ' ').split())
                                                      for one in list_.split(',')])
    return found


class Parameter:
    def __init__(self, text):
        self.is_pointer = '*' in text
        self.is_const = text.startswith('const ')
        words = text.replace('const ', '')
        self.stars = words.count('*')
        match = re.match(r'(.*?)(\w*)$', words.replace('*', ' * ').rstrip())
        kind, self.name = match.groups()
        if not self.is_pointer and kind.strip() in ('', 'unsigned', 'long', 'struct'):
            kind, self.name = words if kind.strip() != 'unsigned' or self.name in ('int', 'long') \
                else kind, self.name
        self.kind = kind.replace('*', '').strip()

    def is_count(self):
        return not self.is_pointer and (self.kind == 'size_t' or self.name in COUNTS)


def count_of(parameters, i):
    kind = parameters[i].kind
    if kind in ('size_t', 'unsigned long', 'long', '__kernel_size_t'):
        return 'SIZE(%d)' % i
    return '%s(%d)' % ('INT' if kind == 'int' else 'UNSIGNED', i)


def size_of(kind):
    size = SIZES.get(kind, kind if kind in SAME else None)
    if size is None:
        return None
    return str(size) if isinstance(size, int) else 'sizeof(%s)' % size


def rule_of(call, parameters, i):
    one = parameters[i]
    following = parameters[i + 1] if i + 1 < len(parameters) else None
    is_read = one.is_const or (call, i) in READ
    how = 'READS' if is_read else 'WRITES'
    if one.kind == 'struct iovec':
        how = 'WRITES' if call in WRITTEN_PARTS else 'READS'
        return '%s_PARTS(%d, SIZE(%d))' % (how, i, i + 1)
    if one.kind == 'struct user_msghdr':
        return '%s_MESSAGE(%d)' % (how, i)
    if one.kind == 'struct mmsghdr':
        return '%s_MESSAGES(%d, UNSIGNED(%d))' % (how, i, i + 1)
    if one.kind == 'fd_set':
        return '%s_BITS(%d, INT(0))' % (how, i)
    if one.kind in ('struct sockaddr', 'char') and following and following.is_pointer and following.kind == 'int':
        return 'WRITES_ADDRESS(%d, %d)' % (i, i + 1)
    if one.kind == 'struct sockaddr':
        return 'READS_BYTES(%d, INT(%d))' % (i, i + 1)
    is_counted = following is not None and following.is_count()
    bytes_ = ('void', 'char', 'struct linux_dirent', 'struct linux_dirent64', 'struct rseq')
    if one.kind in bytes_ and is_counted:
        return '%s_BYTES(%d, %s)' % (how, i, count_of(parameters, i + 1))
    if one.kind == 'char':
        return 'TEXT(%d)' % i
    if call in ('sched_setaffinity', 'sched_getaffinity'):
        return '%s_BYTES(2, UNSIGNED(1))' % how
    if following is not None and following.name in ('size', 'usize') and one.kind != 'struct sched_attr':
        return '%s_BYTES(%d, %s)' % (how, i, count_of(parameters, i + 1))
    if one.kind == 'struct sched_attr' and following.name == 'size':
        return 'WRITES_BYTES(1, UNSIGNED(2))'
    size = size_of(one.kind)
    if call == 'utimensat' or call in ('utimes', 'futimesat'):
        size = '2 * ' + size
    if call in ('socketpair', 'pipe', 'pipe2'):
        size = '2 * sizeof(int)'
    if size is None or one.stars > 1:
        return None
    if is_counted and one.kind in ('struct epoll_event', 'struct pollfd', 'struct sembuf', 'struct futex_waitv'):
        return '%s_MANY(%d, %s, %s)' % (how, i, count_of(parameters, i + 1), size)
    return '%s_ONE(%d, %s)' % (how, i, size)


def rules_of(call, texts):
    parameters = [Parameter(text) for text in texts]
    rules, skipped = [], -1
    for i, one in enumerate(parameters):
        if one.is_pointer and i != skipped:
            rule = rule_of(call, parameters, i)
            if rule is None:
                sys.exit('%s(%s): what is argument %d?' % (call, ', '.join(texts), i))
            skipped = i + 1 if '_ADDRESS(' in rule else -1
            rules.append(rule)
    return ' '.join(rules)


def numbers_of(path):
    with open(path) as file:
        text = re.sub(r'#define __NR3264_(\w+)', r'#define __NR_\1', file.read())
    return {name: int(number) for name, number in re.findall(r'#define __NR_(\w+)\s+(\d+)', text)}


def rows(declared, numbers):
    checked, plain = [], []
    for call in numbers:
        if call in BY_REQUEST:
            checked.append((call, 'BY_REQUEST(%s)' % call))
        elif call in WHOLE or any('*' in text for text in declared.get(call, [])):
            if call not in UNCHECKED:
                checked.append((call, WHOLE.get(call) or rules_of(call, declared[call])))
        elif call not in UNCHECKED:
            plain.append(call)
    return checked, plain


HEAD = """/* SPDX-License-Identifier: Apache-2.0
 *
 * Made by system_calls.py of the declarations of Linux %s: the kernel's calls that have pointers,
 * with their numbers on x86-64 and elsewhere, and what each pointer is. Numbers in READS_ONE(1, 8)
 * count arguments from 0, and bytes; SIZE, INT and UNSIGNED name the argument that counts.
 *
 * FP_SYSTEM_CALL(name, number on x86-64, number elsewhere, rules)
 * FP_OLD_SYSTEM_CALL(name, number on x86-64, rules): other machines have a newer one instead
 */"""


def main():
    declared = declarations(sys.argv[1])
    numbers, generic = numbers_of(sys.argv[2]), numbers_of(sys.argv[3])
    # Where these have two names, 64 bits have the one of x86-64.
    generic.update({'newfstatat': generic['fstatat'], 'fadvise64': generic['fadvise64']})
    checked, plain = rows(declared, numbers)
    print(HEAD % sys.argv[4])
    for call, rules in checked:
        if call in generic:
            print('FP_SYSTEM_CALL(%s, %d, %d, %s)' % (call, numbers[call], generic[call], rules))
    for call, rules in checked:
        if call not in generic:
            print('FP_OLD_SYSTEM_CALL(%s, %d, %s)' % (call, numbers[call], rules))
    print('\n/* Not checked, and why: */')
    for what, why in sorted(UNCHECKED.items()):
        print('FP_UNCHECKED("%s", "%s")' % (what, why))
    print('\n/* No pointers, or no such call any more:')
    print(textwrap.fill(' '.join(sorted(plain)), 96, initial_indent=' * ', subsequent_indent=' * '))
    print(' */')


main()
