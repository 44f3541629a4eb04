/* SPDX-License-Identifier: Apache-2.0 */
/* A library that asks how much there is to read. */
#include <sys/ioctl.h>

int beeline_counts(int fd);

int beeline_counts(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) ? -1 : bytes;
}
