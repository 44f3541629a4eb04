/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Headers changed at a tc hook, with checksums that stay right whatever state the skb keeps them in: partial (a device
 * is to finish it), complete (a device has summed it all) or in the packet alone. The helpers see to that.
 */
#ifndef BEELINE_GUEST_REWRITE_H
#define BEELINE_GUEST_REWRITE_H

#include "guest/tuple.h"

/*
 * Linux 6.16 and stable kernels since mid-2025: an IPv6 address has no header checksum that would cancel its change, so a
 * complete checksum must not be touched (uapi bpf_l4_csum_replace). Older kernels refuse the flag.
 */
#define BL_F_IPV6 (1ULL << 7)

/* Offset of the checksum in an L4 header, or -1: it has none that covers addresses. */
static __always_inline int bl_check_offset(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return 6;
	case IPPROTO_ICMPV6:
		return 2;
	}
	return -1;
}

static __always_inline int bl_new_address4(struct __sk_buff *skb, __u32 at, __u32 check, __u64 flags, __u32 old, __u32 new)
{
	if (check && bpf_l4_csum_replace(skb, check, old, new, flags | BPF_F_PSEUDO_HDR | 4))
		return -1;
	if (bpf_l3_csum_replace(skb, sizeof(struct ethhdr) + 10, old, new, 4))
		return -1;
	return bpf_skb_store_bytes(skb, at, &new, 4, 0);
}

static __always_inline int bl_new_address6(struct __sk_buff *skb, __u32 at, __u32 check, __u64 flags, __u32 *old, __u32 *new)
{
	if (check) {
		__s64 diff = bpf_csum_diff(old, 16, new, 16, 0);

		if (diff < 0)
			return -1;
		if (bpf_l4_csum_replace(skb, check, 0, diff, flags | BPF_F_PSEUDO_HDR | BL_F_IPV6) &&
		    bpf_l4_csum_replace(skb, check, 0, diff, flags | BPF_F_PSEUDO_HDR))
			return -1;
	}
	return bpf_skb_store_bytes(skb, at, new, 16, 0);
}

static __always_inline int bl_new_port(struct __sk_buff *skb, __u32 at, __u32 check, __u64 flags, __be16 old, __be16 new)
{
	if (check && bpf_l4_csum_replace(skb, check, old, new, flags | 2))
		return -1;
	return bpf_skb_store_bytes(skb, at, &new, 2, 0);
}

/*
 * Changes what differs between the tuples was and is. l4: offset of the L4 header, 0 where the packet has none (a later
 * fragment: the first one's checksum covers the addresses). 0, or -1: the packet must not be sent.
 */
__noinline int guest_rewrite(struct __sk_buff *skb, struct bl_tuple *was, struct bl_tuple *is, __u32 l4)
{
	__u32 l3 = sizeof(struct ethhdr), check = 0;
	__u64 flags = 0;
	int offset;

	if (!was || !is)
		return -1;
	offset = bl_check_offset(was->proto);
	if (l4 && offset >= 0)
		check = l4 + offset;
	if (check && (was->proto == IPPROTO_UDP || was->proto == IPPROTO_UDPLITE)) {
		__be16 sum;

		if (bpf_skb_load_bytes(skb, check, &sum, 2))
			return -1;
		if (!sum && was->family == 4)
			check = 0; /* the sender chose to have none (RFC 768) */
		flags = BPF_F_MARK_MANGLED_0;
	}
	if (was->family == 4) {
		if (was->src[0] != is->src[0] && bl_new_address4(skb, l3 + 12, check, flags, was->src[0], is->src[0]))
			return -1;
		if (was->dst[0] != is->dst[0] && bl_new_address4(skb, l3 + 16, check, flags, was->dst[0], is->dst[0]))
			return -1;
	} else {
		if (!bl_same_address(was->src, is->src) && bl_new_address6(skb, l3 + 8, check, flags, was->src, is->src))
			return -1;
		if (!bl_same_address(was->dst, is->dst) && bl_new_address6(skb, l3 + 24, check, flags, was->dst, is->dst))
			return -1;
	}
	if (!l4)
		return 0;
	if (was->kind == BL_TUPLE_ECHO || was->kind == BL_TUPLE_ECHO_REPLY) {
		__be16 old = bl_echo_id(was), new = bl_echo_id(is);

		return old == new ? 0 : bl_new_port(skb, l4 + 4, l4 + 2, 0, old, new);
	}
	if (was->kind != BL_TUPLE_PORTS)
		return 0;
	if (was->sport != is->sport && bl_new_port(skb, l4, check, flags, was->sport, is->sport))
		return -1;
	if (was->dport != is->dport && bl_new_port(skb, l4 + 2, check, flags, was->dport, is->dport))
		return -1;
	return 0;
}

/* One hop less. The caller has seen that there is one left. */
static __always_inline int bl_less_ttl(struct __sk_buff *skb, __u8 family)
{
	__u32 at = sizeof(struct ethhdr);
	__be16 word, less;

	if (family == 6) {
		__u8 hops;

		if (bpf_skb_load_bytes(skb, at + 7, &hops, 1))
			return -1;
		hops--;
		return bpf_skb_store_bytes(skb, at + 7, &hops, 1, BPF_F_RECOMPUTE_CSUM);
	}
	if (bpf_skb_load_bytes(skb, at + 8, &word, 2))
		return -1;
	less = bpf_htons(bpf_ntohs(word) - 0x100); /* TTL is the upper byte, the protocol the lower */
	if (bpf_l3_csum_replace(skb, at + 10, word, less, 2))
		return -1;
	return bpf_skb_store_bytes(skb, at + 8, &less, 2, 0);
}

#endif
