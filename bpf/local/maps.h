/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of the short cut between sockets. All live from `up` to `down`.
 */
#ifndef BEELINE_LOCAL_MAPS_H
#define BEELINE_LOCAL_MAPS_H

#include "beeline/local.h"
#include "lib/kernel.h"

#define BL_PART local
#define BL_PART_SETS BL_LOCAL_MAX_SETS
#define BL_PART_MEMBERS 65536
#define BL_PART_COUNTERS BL_LOCAL_MAX_COUNTERS
#define BL_PART_REASONS BL_LOCAL_REASONS
#include "lib/rule_maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_local_settings);
} local_settings SEC(".maps");

/* The sockets that local_verdict is attached to. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, struct bl_local_sock);
	__type(value, __u64);
} local_socks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bl_local_key);
	__type(value, struct bl_local_pair);
} local_pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bl_local_flow);
} local_flows SEC(".maps");

struct bl_local_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bl_local_row));
};

/* The rules' rows in slot 0: one write swaps them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct bl_local_table);
} local_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct bl_local_program);
	__type(value, __u32);
} local_programs SEC(".maps");

/* By counter slot. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BL_LOCAL_MAX_COUNTERS);
	__type(key, __u32);
	__type(value, struct bl_local_chosen);
} local_chosen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_local_tended);
} local_tended SEC(".maps");

/* struct bl_local_event */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} local_events SEC(".maps");

/* A new pair, too large for the stack. sock_ops programs of one CPU do not interrupt each other here: it is used in one go. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_local_pair);
} local_blank SEC(".maps");

static __always_inline struct bl_local_settings *bl_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&local_settings, &zero);
}

/* Number of the last pass of local_tend. */
static __always_inline __u32 bl_pass(void)
{
	__u32 zero = 0;
	struct bl_local_tended *did = bpf_map_lookup_elem(&local_tended, &zero);

	return did ? did->pass : 0;
}

static __always_inline __u32 bl_generation(void)
{
	struct bl_local_settings *settings = bl_settings();

	return settings ? settings->generation : 0;
}

static __always_inline void bl_tell(const struct bl_local_event *event)
{
	if (bpf_ringbuf_output(&local_events, (void *)event, sizeof *event, 0))
		bl_count(BL_LOCAL_R_EVENT_LOST);
}

#endif
