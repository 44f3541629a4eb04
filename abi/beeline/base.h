/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every ABI header builds on. The headers in this folder are the only definition of anything that the BPF
 * programs and user space share; C, C++ and BPF include the same file.
 *
 * Rules: only __u8..__u64, __s*, __be16/__be32, fixed arrays and structs of these; no bool, bit-field, enum member,
 * pointer or packed; padding is a named member, always zero; every struct is followed by its size as a sum.
 */
#ifndef BEELINE_ABI_BASE_H
#define BEELINE_ABI_BASE_H

#include <linux/types.h>

/* Bumped when the meaning of anything in abi/ changes: pinned state of another number is refused. */
#define BL_ABI_VERSION 2

#ifdef __cplusplus
#define BL_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type " has padding or a wrong sum")
#else
#define BL_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type " has padding or a wrong sum")
#endif

/* An IPv6 address, or an IPv4 address in the first four bytes with twelve zero bytes behind it. Network order. */
#define BL_ADDR_BYTES 16

#endif
