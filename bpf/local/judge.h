/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the rules say about one end of a connection: the first row whose conditions all hold. src and sport are of the end
 * that connected, dst and dport of the one that accepted, as this end sees them.
 */
#ifndef BEELINE_LOCAL_JUDGE_H
#define BEELINE_LOCAL_JUDGE_H

#include <linux/if_ether.h>
#include <linux/in.h>

#include "local/maps.h"

#define BL_SETS4 local_sets4
#define BL_SETS6 local_sets6
#define BL_MEMBERS local_members
#include "lib/match.h"

struct bl_local_judging {
	const struct bl_packet *packet;
	const struct bl_local_end *end;
	struct sock *sk;
	__u32 process_known;
	__u32 verdict;
	__u32 counter;
	__u32 rule;
};

static __always_inline int bl_below_cgroup(struct sock *sk, __u32 level, __u64 id)
{
	struct cgroup *own = sk->sk_cgrp_data.cgroup, *ancestor = NULL;

	if (!own || own->level < (int)level)
		return 0;
	if (bpf_probe_read_kernel(&ancestor, sizeof ancestor, &own->ancestors[level & 0xff]) || !ancestor)
		return 0;
	return BPF_CORE_READ(ancestor, kn, id) == id;
}

static __always_inline int bl_same_comm(const char a[16], const char b[16])
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* The conditions that only sockets have. -1: nobody can say before the process is known. */
static __always_inline int bl_match_socket(const struct bl_local_judging *j, const struct bl_local_row *row)
{
	__u32 uid = j->end->uid;

	if (row->flags & BL_LOCAL_CGROUP &&
	    bl_below_cgroup(j->sk, row->level, row->cgroup) == !!(row->flags & BL_LOCAL_NOT_CGROUP))
		return 0;
	if (row->flags & BL_LOCAL_USER &&
	    (uid >= row->uid_low && uid <= row->uid_high) == !!(row->flags & BL_LOCAL_NOT_USER))
		return 0;
	if (!(row->flags & BL_LOCAL_PROCESS))
		return 1;
	if (!j->process_known)
		return -1;
	return bl_same_comm(row->comm, j->end->comm) != !!(row->flags & BL_LOCAL_NOT_PROCESS);
}

/* One row; 1 ends the loop. */
static long bl_try_row(__u32 index, struct bl_local_judging *j)
{
	const struct bl_packet *p = j->packet;
	struct bl_local_row *row;
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&local_tables, &zero);
	int holds;

	if (!table)
		return 1;
	row = bpf_map_lookup_elem(table, &index);
	if (!row)
		return 1;
	if (!bl_match_entry(p, &row->entry) || !bl_match_ends(p, &row->extra, row->entry.extra_flags))
		return 0;
	if (row->entry.extra_flags & BL_EXTRA_SETS && !bl_match_end_sets(p, &row->extra))
		return 0;
	holds = bl_match_socket(j, row);
	if (!holds)
		return 0;
	j->verdict = row->entry.verdict;
	if (holds < 0)
		j->verdict = BL_LOCAL_LATER;
	else if (row->flags & BL_LOCAL_FALLBACK && j->verdict == BL_LOCAL_TCP)
		j->verdict = BL_LOCAL_NONE;
	j->counter = row->entry.counter;
	j->rule = row->entry.rule;
	return 1;
}

static __always_inline void bl_packet_of_end(struct bl_packet *p, const struct bl_local_end *end)
{
	int active = !!(end->flags & BL_END_ACTIVE), six = !!(end->flags & BL_END_V6);

	__builtin_memset(p, 0, sizeof *p);
	p->facts = six ? BL_FACT_V6 | ETH_P_IPV6 : BL_FACT_V4 | ETH_P_IP;
	p->facts |= (__u64)IPPROTO_TCP << BL_FACT_PROTO_SHIFT | BL_FACT_PORTS;
	p->proto = IPPROTO_TCP;
	__builtin_memcpy(p->src, active ? end->local : end->remote, 16);
	__builtin_memcpy(p->dst, active ? end->remote : end->local, 16);
	if (!six)
		p->addr4 = (p->dst[0] & 0xffffffff) << 32 | (p->src[0] & 0xffffffff);
	p->sport = active ? end->local_port : end->remote_port;
	p->dport = active ? end->remote_port : end->local_port;
}

/* Asks the rules and writes their answer into the end. process_known: its comm is in it. */
static __always_inline void bl_judge(struct bl_local_end *end, struct sock *sk, int process_known)
{
	struct bl_packet packet;
	struct bl_local_judging j = {
		.packet = &packet, .end = end, .sk = sk, .process_known = process_known, .rule = BL_LOCAL_NO_RULE
	};

	bl_packet_of_end(&packet, end);
	bpf_loop(BL_LOCAL_MAX_ROWS, bl_try_row, &j, 0);
	if (j.rule == BL_LOCAL_NO_RULE)
		bl_count(BL_LOCAL_R_NO_TABLE);
	end->judged = j.verdict;
	end->counter = j.counter;
	end->rule = j.rule;
	end->generation = bl_generation();
}

/* Counter slot of the rule that chose the pair. */
static __always_inline __u32 bl_counter_of(const struct bl_local_pair *pair)
{
	return pair->end[0].judged == BL_LOCAL_ACCELERATE ? pair->end[0].counter : pair->end[1].counter;
}

/* 1: the rules of both ends together say accelerate. -1: it depends on a process. */
static __always_inline int bl_chosen(const struct bl_local_pair *pair)
{
	__u32 a = pair->end[0].judged, b = pair->end[1].judged;

	if (a == BL_LOCAL_TCP || b == BL_LOCAL_TCP)
		return 0;
	if (a == BL_LOCAL_LATER || b == BL_LOCAL_LATER)
		return -1;
	return a == BL_LOCAL_ACCELERATE || b == BL_LOCAL_ACCELERATE;
}

#endif
