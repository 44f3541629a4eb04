/* SPDX-License-Identifier: Apache-2.0 */
/* A library that could splice() the sockets of the program that maps it. */
#define _GNU_SOURCE
#include <fcntl.h>

long splice_all(int from, int to);
long splice_all(int from, int to)
{
	return splice(from, 0, to, 0, 1, 0);
}
