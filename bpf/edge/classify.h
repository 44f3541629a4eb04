/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which rule decides: the first entry of the table whose conditions all hold. Tables in, rule number out; what the
 * tables look like is between this file and the compiler in user space.
 *
 * The functions that are not inlined are global, so that the verifier checks each once and not once for every entry.
 */
#ifndef BEELINE_EDGE_CLASSIFY_H
#define BEELINE_EDGE_CLASSIFY_H

#include "edge/maps.h"
#include "edge/trace.h"
#include "lib/plain.h"

#include "lib/match.h"

#define BL_NO_RULE 0xffffffffu

/* 1: every set condition of the entry holds. */
__noinline int edge_match_sets(struct xdp_md *ctx, const struct bl_packet *p, __u32 index)
{
	struct bl_extra *x = bpf_map_lookup_elem(&edge_extras, &index);

	return p && x && bl_match_sets(ctx, p, x);
}

/* 1: the conditions of bl_extra but for the sets hold. */
__noinline int edge_match_extra(struct xdp_md *ctx, const struct bl_packet *p, __u32 index, __u32 flags)
{
	struct bl_extra *x = bpf_map_lookup_elem(&edge_extras, &index);

	return p && x && bl_match_extra(ctx, p, x, flags);
}

/*
 * Generic cell rate (ITU-T I.371): the bucket is one time, when it will be empty. 1: this packet is over the rate.
 * A packet under the rate takes its share by compare-and-swap; if others are faster four times, or the table has no
 * room, it counts as under the rate: a limit is never stricter than written.
 */
static __always_inline int bl_take(__u64 *bucket, const struct bl_edge_rule *rule, __u64 now, int peek)
{
	int i;

	for (i = 0; i < 4; i++) {
		__u64 old = *(volatile __u64 *)bucket, from = old > now ? old : now;

		if (from + rule->rate_step > now + rule->rate_depth)
			return 1;
		if (peek || __sync_val_compare_and_swap(bucket, old, from + rule->rate_step) == old)
			return 0;
	}
	bl_count(BL_EDGE_R_RATE_CONTENDED);
	return 0;
}

/* A frame that explain asks about takes nothing. */
__noinline int edge_over_rate(struct xdp_md *ctx, const struct bl_packet *p, __u32 index)
{
	int peek = bl_trace(ctx) != NULL;
	struct bl_edge_rule *rule = bpf_map_lookup_elem(&edge_rules, &index);
	__u64 now = bpf_ktime_get_ns() << BL_RATE_UNITS_PER_NS_SHIFT, fresh;
	struct bl_rate_key key = {};
	__u64 *bucket;

	if (!p || !rule)
		return 0;
	if (!(rule->flags & BL_RULE_RATE_PER_SRC)) {
		__u32 slot = rule->counter;

		bucket = bpf_map_lookup_elem(&edge_rates, &slot);
		return bucket ? bl_take(bucket, rule, now, peek) : 0;
	}
	/* A packet without an address has no source to be over a rate. */
	if (!(p->facts & (BL_FACT_V4 | BL_FACT_V6)))
		return 0;
	__builtin_memcpy(key.address, p->src, 16);
	key.counter = rule->counter;
	bucket = bpf_map_lookup_elem(&edge_sources, &key);
	if (bucket)
		return bl_take(bucket, rule, now, peek);
	fresh = now + rule->rate_step;
	if (!peek && bpf_map_update_elem(&edge_sources, &key, &fresh, BPF_NOEXIST)) {
		bucket = bpf_map_lookup_elem(&edge_sources, &key);
		if (bucket) /* another CPU made it first */
			return bl_take(bucket, rule, now, peek);
		bl_count(BL_EDGE_R_RATE_FULL);
	}
	return 0;
}

/* Loads a word here and not, as clang would, where it is used: see bl_decision. */
static __always_inline __u32 bl_now(__u32 value)
{
	barrier_var(value);
	return value;
}

/*
 * What the deciding entry says, copied out of the table: were the entry still looked at later, the verifier would walk
 * all that follows once for each entry (100 entries: 244,000 instructions and not 37,000).
 */
struct bl_decision {
	__u32 rule;
	__u32 rule_flags;
	__u32 verdict;
	__u32 counter;
};

/*
 * The first entry of table[first..first + count) that matches; 0, or -1: none. key is in registers, kept has all of the
 * packet in memory for those who need more. Ports are compared first: they tell rules apart best. asked: the rule whose
 * rate was asked last.
 */
static __always_inline int bl_scan(struct xdp_md *ctx, const volatile struct bl_entry *table, __u32 first,
				   __u32 count, const struct bl_key *key, const struct bl_packet *kept, __u32 needs,
				   __u32 *asked, struct bl_decision *decision)
{
	__u32 i, entries = needs & BL_NEEDS_FAR_SCAN ? cfg.entries : count;

	for (i = 0; i < count; i++) {
		const volatile struct bl_entry *e;
		__u32 index = first + i;

		if (needs & BL_NEEDS_FAR_SCAN) {
			barrier_var(index);
			if (index >= entries)
				return -1;
		}
		e = &table[index];
		if ((__u16)(key->dport - e->dport_low) > e->dport_span)
			continue;
		if ((key->facts & e->facts_mask) != e->facts_value)
			continue;
		if (needs & BL_NEEDS_ADDR4 && (key->addr4 & e->addr4_mask) != e->addr4_value)
			continue;
		if (needs & BL_NEEDS_SPORT && (__u16)(key->sport - e->sport_low) > e->sport_span)
			continue;
		if (needs & BL_NEEDS_EXTRAS) {
			__u32 flags = e->extra_flags;

			if (flags & ~BL_EXTRA_SETS && !edge_match_extra(ctx, kept, e->extra, flags))
				continue;
			if (flags & BL_EXTRA_SETS && !edge_match_sets(ctx, kept, e->extra))
				continue;
		}
		if (needs & BL_NEEDS_RATES && e->rule_flags & BL_RULE_RATE) {
			/* A packet that two entries of one rule fit (80 and 1-1023) is one packet. */
			if (e->rule == *asked)
				continue;
			*asked = e->rule;
			if (!edge_over_rate(ctx, kept, e->rule))
				continue;
		}
		decision->rule = bl_now(e->rule);
		decision->rule_flags = needs & BL_NEEDS_PACKET ? bl_now(e->rule_flags) : 0;
		decision->verdict = bl_now(e->verdict);
		decision->counter = bl_now(e->counter);
		return 0;
	}
	return -1;
}

/*
 * Long tables go in pieces, each scanned by a function of its own: it is verified once, and not once for every way
 * through the parser; in one loop over a thousand entries the verifier would have more branches open than it can keep.
 */
#define BL_PIECE 32

__noinline int edge_scan(struct xdp_md *ctx, const struct bl_packet *kept, __u32 first, struct bl_decision *decision)
{
	__u32 zero = 0, asked;
	struct bl_edge_table *table = bpf_map_lookup_elem(&edge_entries, &zero);
	struct bl_key key;
	int none;

	if (!kept || !decision || !table || first >= BL_EDGE_MAX_ENTRIES)
		return -1;
	bl_key_of(kept, &key);
	asked = decision->rule; /* of the piece before: a rule's entries may go on in this one */
	none = bl_scan(ctx, table->entry, first, BL_PIECE, &key, kept, cfg.needs, &asked, decision);
	if (none)
		decision->rule = asked;
	return none;
}

static __always_inline int bl_classify(struct xdp_md *ctx, const struct bl_key *key, const struct bl_packet *kept,
				       __u32 needs, struct bl_decision *decision)
{
	__u32 first, asked = BL_EDGE_MAX_RULES;

	if (needs & BL_NEEDS_FAR_SCAN) {
		__u32 entries = cfg.entries;

		__builtin_memset(decision, 0, sizeof *decision);
		decision->rule = asked;
		for (first = 0; first < entries && first < BL_EDGE_MAX_ENTRIES; first += BL_PIECE)
			if (!edge_scan(ctx, kept, first, decision))
				return 0;
		return -1; /* a broken table: the last entry matches everything */
	}
	/* No look at cfg.entries: the last entry matches everything, and the verifier, which reads constants, sees it. */
	return bl_scan(ctx, near_entries, 0, BL_EDGE_NEAR_ENTRIES, key, kept, needs, &asked, decision);
}

#endif
