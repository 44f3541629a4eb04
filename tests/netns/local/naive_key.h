/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One side's view of a connection, its own address first. IPv4 is in the first word of an address.
 */
#ifndef BEELINE_TESTS_NAIVE_KEY_H
#define BEELINE_TESTS_NAIVE_KEY_H

#include <linux/types.h>

struct naive_key {
	__u32 local[4], remote[4]; /* Network byte order. */
	__u32 local_port, remote_port; /* Host byte order. */
};

#endif
