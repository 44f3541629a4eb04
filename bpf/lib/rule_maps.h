/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps that every part with rules has: the sets that rules name, the hits of rules, and the named counters of what is
 * odd. They are the maps of the part that includes this, and bear its name. It says before:
 *   BL_PART           its name: edge makes edge_sets4, edge_hits ...
 *   BL_PART_SETS, BL_PART_MEMBERS, BL_PART_COUNTERS, BL_PART_REASONS   how many there are
 */
#ifndef BEELINE_LIB_RULE_MAPS_H
#define BEELINE_LIB_RULE_MAPS_H

#include "beeline/match.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BL_JOIN_(part, name) part##_##name
#define BL_JOIN(part, name) BL_JOIN_(part, name)
#define BL_OF_PART(name) BL_JOIN(BL_PART, name)

/* Sizes, not types: clang leaves the types of an inner map out of the BTF. */
#define BL_PREFIX_SET(name, key)                                                                                       \
	struct name {                                                                                                  \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                                                   \
		__uint(max_entries, 1);                                                                                \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                                  \
		__uint(key_size, sizeof(struct key));                                                                  \
		__uint(value_size, sizeof(struct bl_set_entry));                                                       \
	}

BL_PREFIX_SET(bl_set4, bl_lpm4);
BL_PREFIX_SET(bl_set6, bl_lpm6);

/* Prefix sets by index, IPv4 and IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BL_PART_SETS);
	__type(key, __u32);
	__array(values, struct bl_set4);
} BL_OF_PART(sets4) SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BL_PART_SETS);
	__type(key, __u32);
	__array(values, struct bl_set6);
} BL_OF_PART(sets6) SEC(".maps");

/* Members of all port and MAC sets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BL_PART_MEMBERS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bl_set_key);
	__type(value, struct bl_set_entry);
} BL_OF_PART(members) SEC(".maps");

/* By counter slot. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BL_PART_COUNTERS);
	__type(key, __u32);
	__type(value, struct bl_hits);
} BL_OF_PART(hits) SEC(".maps");

/* By BL_R_* and the part's own numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BL_PART_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} BL_OF_PART(reasons) SEC(".maps");

static __always_inline void bl_count(__u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&BL_OF_PART(reasons), &reason);

	if (count)
		(*count)++;
}

#endif
