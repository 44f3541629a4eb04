/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The edge's maps. "Kept": made by the first `up`, shared by all generations until `down`. "Own": one policy's,
 * filled before its program is put in the slot and gone with it.
 */
#ifndef BEELINE_EDGE_MAPS_H
#define BEELINE_EDGE_MAPS_H

#include "beeline/edge.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Own: sets and members. Kept: hits and reasons (BL_EDGE_R_*). User space sets the number of members. */
#define BL_PART edge
#define BL_PART_SETS BL_EDGE_MAX_SETS
#define BL_PART_MEMBERS 1
#define BL_PART_COUNTERS BL_EDGE_MAX_COUNTERS
#define BL_PART_REASONS BL_EDGE_REASONS
#include "lib/rule_maps.h"

const volatile struct bl_edge_config cfg = { .entries = 1, .rules = 1 };

/* The entries of a short table: among the constants, so that they are reached without a lookup. */
const volatile struct bl_entry near_entries[BL_EDGE_NEAR_ENTRIES] __attribute__((aligned(64)));

/* Own. The entries of a long table. One value that holds all entries: user space sets its size to the number of entries before loading. */
struct bl_edge_table {
	struct bl_entry entry[BL_EDGE_MAX_ENTRIES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_edge_table);
} edge_entries SEC(".maps");

/* Own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BL_EDGE_MAX_ENTRIES);
	__type(key, __u32);
	__type(value, struct bl_extra);
} edge_extras SEC(".maps");

/* Own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BL_EDGE_MAX_RULES);
	__type(key, __u32);
	__type(value, struct bl_edge_rule);
} edge_rules SEC(".maps");

/* Own: devices to redirect to. The kernel empties an entry when its device goes. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, BL_EDGE_MAX_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} edge_devs SEC(".maps");

/* Kept: the slot. Index 0 is the live policy. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} edge_progs SEC(".maps");

/* Kept: when the bucket of a global rate is empty again, by counter slot; units of 1/64 ns. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BL_EDGE_MAX_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} edge_rates SEC(".maps");

/* Kept: the same for each source of a rate per source. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BL_EDGE_MAX_RATE_KEYS);
	__type(key, struct bl_rate_key);
	__type(value, __u64);
} edge_sources SEC(".maps");

/* Kept: CPUs to hand packets to; index = CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, BL_EDGE_MAX_CPUS);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} edge_cpus SEC(".maps");

/* Kept: AF_XDP sockets that programs put here; index = name * BL_EDGE_XSK_QUEUES + rx queue. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, BL_EDGE_XSK_NAMES * BL_EDGE_XSK_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} edge_xsks SEC(".maps");

/* Kept: log events, struct bl_edge_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} edge_events SEC(".maps");

/* Kept: BL_EDGE_MODE_* of the devices the root program is attached to. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} edge_modes SEC(".maps");

/* 512 bytes of a frame at a time, to sum them: bpf_csum_diff took no more before 6.13. */
struct bl_edge_chunk {
	__u64 word[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_edge_chunk);
} edge_chunk SEC(".maps");

#endif
