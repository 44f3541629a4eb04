/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rare conditions of a table entry: compares that few rules have, and sets. The part that includes this has
 * included lib/rule_maps.h.
 */
#ifndef BEELINE_LIB_MATCH_H
#define BEELINE_LIB_MATCH_H

#include "lib/parse.h"

static __always_inline int bl_entry_live(const struct bl_set_entry *entry)
{
	return entry && (!entry->expires_ns || entry->expires_ns > bpf_ktime_get_ns());
}

/*
 * A trie knows the longest prefix only. One that is past its time must not hide a shorter one that still holds, so the
 * search goes on behind it, eight times at the most: whoever sweeps does so every second.
 */
#define BL_EXPIRED_PREFIXES 8

#define BL_IN_TRIE(inner, key)                                                                                         \
	({                                                                                                             \
		int found_ = 0, try_;                                                                                  \
		for (try_ = 0; try_ < BL_EXPIRED_PREFIXES; try_++) {                                                   \
			const struct bl_set_entry *entry_ = bpf_map_lookup_elem(inner, key);                           \
			if (bl_entry_live(entry_)) {                                                                   \
				found_ = 1;                                                                            \
				break;                                                                                 \
			}                                                                                              \
			if (!entry_ || !entry_->bits || entry_->bits > (key)->bits)                                    \
				break;                                                                                 \
			(key)->bits = entry_->bits - 1;                                                                \
		}                                                                                                      \
		found_;                                                                                                \
	})

/* Is the address (by its family) in prefix set number set? */
static __always_inline int bl_in_prefix_set(const struct bl_packet *p, const __u64 address[2], __u32 set)
{
	void *inner;

	if (p->facts & BL_FACT_V4) {
		struct bl_lpm4 key = { .bits = 32, .address = (__u32)address[0] };

		inner = bpf_map_lookup_elem(&BL_OF_PART(sets4), &set);
		return inner && BL_IN_TRIE(inner, &key);
	}
	struct bl_lpm6 key = { .bits = 128 };

	__builtin_memcpy(key.address, address, 16);
	inner = bpf_map_lookup_elem(&BL_OF_PART(sets6), &set);
	return inner && BL_IN_TRIE(inner, &key);
}

static __always_inline int bl_in_member_set(__u64 data, __u32 set)
{
	struct bl_set_key key = { .data = data, .set = set };

	return bl_entry_live(bpf_map_lookup_elem(&BL_OF_PART(members), &key));
}

static __always_inline __u64 bl_mac_word(const __u8 *mac)
{
	return (__u64)*(const __u16 *)(mac + 4) << 32 | *(const __u32 *)mac;
}

/* 1: the set conditions on addresses and ports hold. */
static __always_inline int bl_match_end_sets(const struct bl_packet *p, const struct bl_extra *x)
{
	if (x->sets[BL_SET_SRC] != BL_SET_NONE || x->sets[BL_SET_DST] != BL_SET_NONE) {
		if (!(p->facts & (BL_FACT_V4 | BL_FACT_V6)))
			return 0;
		if (x->sets[BL_SET_SRC] != BL_SET_NONE &&
		    bl_in_prefix_set(p, p->src, x->sets[BL_SET_SRC]) == x->sets_negated[BL_SET_SRC])
			return 0;
		if (x->sets[BL_SET_DST] != BL_SET_NONE &&
		    bl_in_prefix_set(p, p->dst, x->sets[BL_SET_DST]) == x->sets_negated[BL_SET_DST])
			return 0;
	}
	if (x->sets[BL_SET_SPORT] != BL_SET_NONE &&
	    bl_in_member_set(p->sport, x->sets[BL_SET_SPORT]) == x->sets_negated[BL_SET_SPORT])
		return 0;
	if (x->sets[BL_SET_DPORT] != BL_SET_NONE &&
	    bl_in_member_set(p->dport, x->sets[BL_SET_DPORT]) == x->sets_negated[BL_SET_DPORT])
		return 0;
	return 1;
}

/* 1: every set condition of the entry holds. A field that is not in the packet is in no set, and not in its negation. */
static __always_inline int bl_match_sets(BL_CTX *ctx, const struct bl_packet *p, const struct bl_extra *x)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (!bl_match_end_sets(p, x))
		return 0;
	if (x->sets[BL_SET_SRC_MAC] != BL_SET_NONE || x->sets[BL_SET_DST_MAC] != BL_SET_NONE) {
		const struct ethhdr *eth = data;

		if ((void *)(eth + 1) > end)
			return 0;
		if (x->sets[BL_SET_SRC_MAC] != BL_SET_NONE &&
		    bl_in_member_set(bl_mac_word(eth->h_source), x->sets[BL_SET_SRC_MAC]) ==
			    x->sets_negated[BL_SET_SRC_MAC])
			return 0;
		if (x->sets[BL_SET_DST_MAC] != BL_SET_NONE &&
		    bl_in_member_set(bl_mac_word(eth->h_dest), x->sets[BL_SET_DST_MAC]) ==
			    x->sets_negated[BL_SET_DST_MAC])
			return 0;
	}
	return 1;
}

static __always_inline int bl_masked(const __u64 field[2], const __u64 value[2], const __u64 mask[2])
{
	return !((field[0] & mask[0]) ^ value[0]) && !((field[1] & mask[1]) ^ value[1]);
}

static __always_inline int bl_outside(__u32 value, __u32 low, __u32 high)
{
	return value < low || value > high;
}

/* 1: the compares of the entry itself hold. */
static __always_inline int bl_match_entry(const struct bl_packet *p, const struct bl_entry *entry)
{
	return (__u16)(p->dport - entry->dport_low) <= entry->dport_span &&
	       (p->facts & entry->facts_mask) == entry->facts_value &&
	       (p->addr4 & entry->addr4_mask) == entry->addr4_value &&
	       (__u16)(p->sport - entry->sport_low) <= entry->sport_span;
}

/* 1: the conditions of bl_extra on addresses and facts hold. */
static __always_inline int bl_match_ends(const struct bl_packet *p, const struct bl_extra *x, __u32 flags)
{
	int i;

	if (flags & BL_EXTRA_IP && !(p->facts & (BL_FACT_V4 | BL_FACT_V6)))
		return 0;
	if (flags & BL_EXTRA_SRC && bl_masked(p->src, x->src_value, x->src_mask) == !!(flags & BL_EXTRA_NOT_SRC))
		return 0;
	if (flags & BL_EXTRA_DST && bl_masked(p->dst, x->dst_value, x->dst_mask) == !!(flags & BL_EXTRA_NOT_DST))
		return 0;
	if (flags & BL_EXTRA_NOT_FACTS)
		for (i = 0; i < BL_NOT_FACTS; i++)
			if (x->not_mask[i] && (p->facts & x->not_mask[i]) == x->not_value[i])
				return 0;
	return 1;
}

/* 1: the conditions of bl_extra but for the sets hold. */
static __always_inline int bl_match_extra(BL_CTX *ctx, const struct bl_packet *p, const struct bl_extra *x,
					  __u32 flags)
{
	void *end = (void *)(long)ctx->data_end;
	const struct ethhdr *eth = (void *)(long)ctx->data;
	int i;

	if (!bl_match_ends(p, x, flags))
		return 0;
	if (flags & (BL_EXTRA_SRC_MAC | BL_EXTRA_DST_MAC)) {
		if ((void *)(eth + 1) > end)
			return 0;
		if (flags & BL_EXTRA_SRC_MAC &&
		    (bl_mac_word(eth->h_source) == x->src_mac) == !!(flags & BL_EXTRA_NOT_SRC_MAC))
			return 0;
		if (flags & BL_EXTRA_DST_MAC &&
		    (bl_mac_word(eth->h_dest) == x->dst_mac) == !!(flags & BL_EXTRA_NOT_DST_MAC))
			return 0;
	}
	if (flags & BL_EXTRA_VLAN && (p->tag_count < 1 || bl_outside(p->tags >> 16, x->vlan_low, x->vlan_high)))
		return 0;
	if (flags & BL_EXTRA_INNER_VLAN &&
	    (p->tag_count < 2 || bl_outside(p->tags & 0xffff, x->inner_low, x->inner_high)))
		return 0;
	if (flags & BL_EXTRA_LENGTH && bl_outside(p->length, x->length_low, x->length_high))
		return 0;
	if (flags & BL_EXTRA_TTL && bl_outside(p->ttl, x->ttl_low, x->ttl_high))
		return 0;
	if (flags & BL_EXTRA_DEVICE) {
		__u32 device = ctx->ingress_ifindex;
		int listed = 0;

		for (i = 0; i < BL_DEVICE_LIST; i++)
			listed |= x->devices[i] && device == x->devices[i];
		if (listed == !!(flags & BL_EXTRA_NOT_DEVICE))
			return 0;
	}
	return 1;
}

#endif
