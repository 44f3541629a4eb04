/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the lab's own BPF programs (bpf/lab) share with src/lab.
 */
#ifndef BEELINE_ABI_LAB_H
#define BEELINE_ABI_LAB_H

#include <beeline/base.h>

/* The furthest byte of a frame that the generator may change, so that the verifier sees a bound. */
#define BL_LAB_MAX_OFFSET 127

/* Bytes at the front of a frame that the generator can put back. */
#define BL_LAB_HEADER 64

/*
 * Setting of livegen: how the frames of one run differ. Written before the program is loaded.
 * The n-th frame gets the 16-bit big-endian value first + n % flows at offset `field`, and the Internet checksum at
 * offset `check` follows (RFC 1624), unless it is 0. flows 0: all frames are alike and the rest means nothing.
 * Examples: source ports of UDP over IPv4 {1000, 1024, 34, 40}; the low half of the IPv4 source {1000, 0, 28, 24}.
 */
struct bl_lab_flows {
	__u32 flows; /* 0..65536 */
	__u16 first;
	__u16 field; /* Offsets in bytes from the Ethernet header on, even, at most BL_LAB_MAX_OFFSET - 1. */
	__u16 check;
	__u16 _pad;
};
BL_SIZE(bl_lab_flows, 4 + 2 + 2 + 2 + 2);

/*
 * The front of every frame as it is to leave. The kernel hands out the same few pages again and again, as the receiver
 * left them: one that rewrites headers would meet its own work. Written before the program is loaded.
 */
struct bl_lab_header {
	__u64 words[BL_LAB_HEADER / 8];
	__u32 restore; /* 0: frames go out as they are */
	__u32 _pad;
};
BL_SIZE(bl_lab_header, BL_LAB_HEADER + 4 + 4);

/* What a counting program has seen on one CPU. Written by the program, read by src/lab. */
struct bl_lab_count {
	__u64 packets;
	__u64 bytes;
};
BL_SIZE(bl_lab_count, 8 + 8);

#endif
