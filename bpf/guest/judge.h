/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a guest's rules say about a flow: the first row of the direction's table whose conditions all hold. The words of
 * guests' rules do not vary within a flow, so the rules are asked about its tuple, at any packet of it.
 */
#ifndef BEELINE_GUEST_JUDGE_H
#define BEELINE_GUEST_JUDGE_H

#include "guest/tuple.h"

#include "lib/match.h"

struct bl_judging {
	struct __sk_buff *skb;
	const struct bl_packet *packet;
	__u32 table;
	struct bl_verdict verdict;
};

/* The first packet of a flow, as far as rules can ask. */
static __always_inline void bl_packet_of(struct bl_packet *p, const struct bl_tuple *t)
{
	int six = t->family == 6;

	__builtin_memset(p, 0, sizeof *p);
	p->facts = six ? BL_FACT_V6 | ETH_P_IPV6 : BL_FACT_V4 | ETH_P_IP;
	p->facts |= (__u64)t->proto << BL_FACT_PROTO_SHIFT;
	p->proto = t->proto;
	__builtin_memcpy(p->src, t->src, 16);
	__builtin_memcpy(p->dst, t->dst, 16);
	if (!six)
		p->addr4 = (__u64)t->dst[0] << 32 | t->src[0];
	if (t->kind == BL_TUPLE_PORTS) {
		p->facts |= BL_FACT_PORTS;
		p->sport = bpf_ntohs(t->sport);
		p->dport = bpf_ntohs(t->dport);
	} else if (t->kind == BL_TUPLE_ECHO || t->kind == BL_TUPLE_ECHO_REPLY) {
		__u64 type = six ? BL_ECHO6 : BL_ECHO4;

		if (t->kind == BL_TUPLE_ECHO_REPLY)
			type = six ? BL_ECHO6_REPLY : BL_ECHO4_REPLY;
		p->facts |= BL_FACT_ICMP | type << BL_FACT_ICMP_TYPE_SHIFT;
	} else if (t->kind == BL_TUPLE_ICMP) {
		__u64 word = bpf_ntohs(t->sport);

		p->facts |= BL_FACT_ICMP | word >> 8 << BL_FACT_ICMP_TYPE_SHIFT |
			    (word & 0xff) << BL_FACT_ICMP_CODE_SHIFT;
	}
}

/* One row; 1 ends the loop. */
static long bl_try_row(__u32 index, struct bl_judging *j)
{
	void *table = bpf_map_lookup_elem(&guest_tables, &j->table);
	const struct bl_packet *p = j->packet;
	struct bl_guest_row *row;
	__u32 flags;

	if (!table)
		return 1;
	row = bpf_map_lookup_elem(table, &index);
	if (!row)
		return 1;
	if (!bl_match_entry(p, &row->entry))
		return 0;
	flags = row->entry.extra_flags;
	if (flags & ~BL_EXTRA_SETS && !bl_match_extra(j->skb, p, &row->extra, flags))
		return 0;
	if (flags & BL_EXTRA_SETS && !bl_match_sets(j->skb, p, &row->extra))
		return 0;
	j->verdict.found = 1;
	j->verdict.verdict = row->entry.verdict;
	j->verdict.counter = row->entry.counter;
	j->verdict.rule = row->entry.rule;
	j->verdict.log_every = row->entry.rule_flags & BL_GUEST_LOG ? row->entry.log_every : 0;
	return 1;
}

static __always_inline void bl_log_flow(const struct bl_tuple *t, const struct bl_judging *j, __u32 slot, __u32 direction)
{
	struct bl_guest_event *event = bpf_ringbuf_reserve(&guest_events, sizeof *event, 0);

	if (!event) {
		bl_count(BL_GUEST_R_EVENT_LOST);
		return;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->tuple = *t;
	event->slot = slot;
	event->direction = direction;
	event->rule = j->verdict.rule;
	event->verdict = j->verdict.verdict;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void bl_hit(__u32 counter, __u32 bytes)
{
	struct bl_hits *hits = bpf_map_lookup_elem(&guest_hits, &counter);

	if (hits) {
		hits->packets++;
		hits->bytes += bytes;
	}
}

/*
 * Asks the rules of guest `slot` for one direction about tuple t. 0: allowed, and w->asked is the rule's; else the reason
 * (BL_GUEST_R_*), counted with the packet's bytes at the rule that said so. Global, so that the verifier walks it once.
 */
__noinline int guest_ask(struct __sk_buff *skb, struct bl_work *w, struct bl_tuple *t, __u32 slot, __u32 direction)
{
	struct bl_judging j = { .skb = skb, .table = slot * 2 + direction };

	if (!w || !t)
		return BL_GUEST_R_NO_TABLE;
	j.packet = &w->packet;
	w->asked.rule = BL_GUEST_NONE;
	bl_packet_of(&w->packet, t);
	bpf_loop(BL_GUEST_MAX_ROWS, bl_try_row, &j, 0);
	if (!j.verdict.found)
		return BL_GUEST_R_NO_TABLE;
	w->asked = j.verdict;
	if (w->trace)
		return j.verdict.verdict == BL_GUEST_PASS ? 0 : BL_GUEST_R_RULE;
	if (j.verdict.log_every && !(bpf_get_prandom_u32() % j.verdict.log_every))
		bl_log_flow(t, &j, slot, direction);
	if (j.verdict.verdict == BL_GUEST_PASS)
		return 0;
	bl_hit(j.verdict.counter, skb->len);
	return BL_GUEST_R_RULE;
}

#endif
