/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guests' maps. One of each for all guests; all live from the first guest to the last.
 */
#ifndef BEELINE_GUEST_MAPS_H
#define BEELINE_GUEST_MAPS_H

#include "beeline/guest.h"
#include "lib/parse.h"

#define BL_PART guest
#define BL_PART_SETS BL_GUEST_MAX_SETS
#define BL_PART_MEMBERS 65536
#define BL_PART_COUNTERS BL_GUEST_MAX_COUNTERS
#define BL_PART_REASONS BL_GUEST_REASONS
#include "lib/rule_maps.h"

/* Number of the guest that a stub belongs to. */
const volatile __u32 guest_slot = BL_GUEST_NONE;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_guest_settings);
} guest_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BL_GUEST_MAX);
	__type(key, __u32);
	__type(value, struct bl_guest);
} guest_list SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BL_GUEST_MAX * 2);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bl_guest_address);
	__type(value, __u32);
} guest_addresses SEC(".maps");

/*
 * The same without hashing: slot + 1 by the last two bytes of an address, IPv4 or IPv6. Several guests may share these; the
 * first one has the place, and who reads it compares the whole address.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} guest_near SEC(".maps");

struct bl_guest_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bl_guest_row));
};

/* Rules: rows by slot * 2 + direction; one write swaps a direction's rules. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BL_GUEST_MAX * 2);
	__type(key, __u32);
	__array(values, struct bl_guest_table);
} guest_tables SEC(".maps");

/* User space sets the size. The flow that was idle longest goes first when it is full. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct bl_tuple);
	__type(value, struct bl_flow);
} guest_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BL_GUEST_MAX_FRAGMENTS);
	__type(key, struct bl_fragment_key);
	__type(value, struct bl_fragment);
} guest_fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BL_GUEST_MAX_UPLINKS);
	__type(key, __u32);
	__type(value, struct bl_uplink);
} guest_uplinks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BL_GUEST_MAX_PORTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bl_port_key);
	__type(value, struct bl_port);
} guest_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, BL_GUEST_PROGS);
	__type(key, __u32);
	__type(value, __u32);
} guest_progs SEC(".maps");

/* Log events, struct bl_guest_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} guest_events SEC(".maps");

/* What a guest's rules say. */
struct bl_verdict {
	__u32 found;
	__u32 verdict; /* BL_GUEST_PASS, BL_GUEST_DROP */
	__u32 counter;
	__u32 rule;
	__u32 log_every;
};

/* What the long way works on: too much for the stack. A program is never interrupted by another one of these. */
struct bl_work {
	struct bl_packet packet; /* of the skb; while rules judge: what begins a flow */
	struct bl_tuple tuple;   /* the packet's flow */
	struct bl_tuple begin;   /* the flow's first packet, as the guest that began it sees it */
	struct bl_tuple inner;   /* what an ICMP error is about; while a flow is judged anew: how it goes on */
	struct bl_flow flow;     /* being made or found */
	struct bl_flow back;     /* the other direction of it */
	__u32 slot;   /* of the guest whose device this is, or BL_GUEST_NONE */
	__u32 trace;  /* 1: explain asks: nothing changes */
	__u32 reason; /* why it is dropped, or what is odd */
	__u32 l4;     /* offset of the L4 header; 0: not in this packet */
	__u32 ttl;    /* of the skb: judging overwrites packet */
	struct bl_verdict asked; /* the last answer of the rules */
	__u32 out_rule; /* rule that judged, or BL_GUEST_NONE; for explain */
	__u32 in_rule;
	__u32 is_tcp_end; /* FIN or RST */
	__u32 is_tcp_syn; /* SYN without ACK */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_work);
} guest_work SEC(".maps");

#endif
