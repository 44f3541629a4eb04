/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksum arithmetic (RFC 1071, RFC 1624). Sums are held unfolded in 64 bits; words are added as they stand
 * in the packet, which ones' complement arithmetic allows (RFC 1071, 2B).
 */
#ifndef BEELINE_LIB_CSUM_H
#define BEELINE_LIB_CSUM_H

#include <linux/types.h>

static __always_inline __u16 bl_csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What replacing old by new adds to a sum; for 16-bit and 32-bit words at even offsets. */
static __always_inline __u64 bl_csum_delta16(__u16 old, __u16 new)
{
	return (__u64)(__u16)~old + new;
}

static __always_inline __u64 bl_csum_delta32(__u32 old, __u32 new)
{
	return (__u64)(__u32)~old + new;
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
static __always_inline __u16 bl_csum_update(__u16 check, __u64 delta)
{
	return ~bl_csum_fold((__u16)~check + delta);
}

#endif
