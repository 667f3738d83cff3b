/* SPDX-License-Identifier: Apache-2.0
 *
 * glibc's since 2.32, for builds with older ones, which do not tell: there may always be other
 * threads.
 */
static const char __libc_single_threaded;
