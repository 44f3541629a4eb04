/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changing headers so that every checksum stays right, whatever state it is in.
 *
 * XDP cannot see whether an L4 checksum is complete or partial (CHECKSUM_PARTIAL: the field holds the folded
 * pseudo-header sum and a device was to finish it; packets of local sockets over veth, virtio and lo). So: a field that
 * equals the pseudo-header sum is suspected, and the whole segment is summed to find out; complete packets look so once
 * in 65,536. A complete checksum is updated (RFC 1624). A partial one is kept partial for the stack (`pass`: it changes
 * with addresses only), and finished in software when the frame leaves through a driver, a CPU map or AF_XDP, where the
 * mark "partial" is lost. Fragments are never partial: the stack finishes the sum before it fragments.
 */
#ifndef BEELINE_EDGE_REWRITE_H
#define BEELINE_EDGE_REWRITE_H

#include "edge/trace.h"
#include "lib/csum.h"
#include "lib/parse.h"

#define BL_CSUM_NONE 0     /* there is no checksum to keep (UDP over IPv4 with 0), or none that we know */
#define BL_CSUM_COMPLETE 1
#define BL_CSUM_PARTIAL 2

/* Offset of the checksum in the L4 header when it covers the pseudo-header, else 0. */
static __always_inline __u32 bl_csum_offset(const struct bl_packet *p)
{
	if (!p->l4)
		return 0;
	if (p->proto == IPPROTO_TCP)
		return 16;
	if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_DCCP)
		return 6;
	if (p->proto == IPPROTO_ICMPV6)
		return 2;
	return 0;
}

/* Unfolded sum of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1) for the addresses given. */
static __always_inline __u64 bl_pseudo_sum(const struct bl_packet *p, const __u64 src[2], const __u64 dst[2])
{
	__u64 sum = bpf_htons((__u16)p->payload) + bpf_htons((__u16)p->proto) + (p->payload >> 16 ? bpf_htons(1) : 0);

	sum += (__u32)src[0];
	sum += src[0] >> 32;
	sum += (__u32)src[1];
	sum += src[1] >> 32;
	sum += (__u32)dst[0];
	sum += dst[0] >> 32;
	sum += (__u32)dst[1];
	sum += dst[1] >> 32;
	return sum;
}

struct bl_sum_walk {
	struct xdp_md *ctx;
	__u32 offset;
	__u32 left;
	__u64 sum;
	__u32 failed;
};

/* Sum of size bytes (1..512) of the frame, 16 bits; negative when the frame does not hold them. */
__noinline int edge_sum_chunk(struct xdp_md *ctx, __u32 offset, __u32 size)
{
	__u32 zero = 0;
	struct bl_edge_chunk *chunk = bpf_map_lookup_elem(&edge_chunk, &zero);

	if (!chunk || size < 1 || size > sizeof *chunk)
		return -1;
	/* The same once more for Linux 6.12: clang makes one compare of both, and that verifier loses the lower bound. */
	barrier_var(size);
	size = ((size - 1) & (sizeof *chunk - 1)) + 1;
	if (size < sizeof *chunk)
		__builtin_memset(chunk, 0, sizeof *chunk);
	if (bpf_xdp_load_bytes(ctx, offset, chunk, size))
		return -1;
	return bl_csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)chunk, sizeof *chunk, 0));
}

static long bl_sum_step(__u32 index, struct bl_sum_walk *walk)
{
	__u32 size = walk->left < sizeof(struct bl_edge_chunk) ? walk->left : sizeof(struct bl_edge_chunk);
	int sum;

	if (!size)
		return 1;
	sum = edge_sum_chunk(walk->ctx, walk->offset, size);
	if (sum < 0) {
		walk->failed = 1;
		return 1;
	}
	walk->sum += sum;
	walk->offset += size;
	walk->left -= size;
	return 0;
}

/* Sum of the whole L4 segment, 16 bits; negative when the frame does not hold it. At most 64 KiB: 128 steps. */
__noinline int edge_segment_sum(struct xdp_md *ctx, __u32 offset, __u32 length)
{
	struct bl_sum_walk walk = { .ctx = ctx, .offset = offset, .left = length };

	bpf_loop(130, bl_sum_step, &walk, 0);
	return walk.failed || walk.left ? -1 : bl_csum_fold(walk.sum);
}

/* BL_CSUM_*, or negative: the segment is not all there, so nobody can tell. */
static __always_inline int bl_csum_state(struct xdp_md *ctx, const struct bl_packet *p, __u16 check)
{
	__u64 pseudo = bl_pseudo_sum(p, p->src, p->dst);
	int sum;

	if (!check && (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE))
		return BL_CSUM_NONE;
	if (check != bl_csum_fold(pseudo) || p->facts & BL_FACT_FRAGMENT || p->proto == IPPROTO_UDPLITE ||
	    p->proto == IPPROTO_DCCP)
		return BL_CSUM_COMPLETE;
	sum = edge_segment_sum(ctx, p->l4, p->payload);
	if (sum < 0)
		return -1;
	return bl_csum_fold(sum + pseudo) == 0xffff ? BL_CSUM_COMPLETE : BL_CSUM_PARTIAL;
}

/* The L4 checksum of p, whose l4 is known to have one; NULL when it is out of reach. */
static __always_inline __u16 *bl_csum_field(struct xdp_md *ctx, const struct bl_packet *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u16 *check = data + (p->l4 & BL_MAX_L4) + bl_csum_offset(p);

	return (void *)(check + 1) > end ? NULL : check;
}

/* How the frame goes on. */
#define BL_TO_STACK 0    /* with its skb: a partial checksum may and must stay partial */
#define BL_TO_DRIVER 1   /* as a bare frame, unless the device runs generic XDP: then the skb goes along */
#define BL_TO_USER 2     /* as bytes */

static __always_inline int bl_keeps_skb(struct xdp_md *ctx, int where)
{
	__u32 ifindex = ctx->ingress_ifindex, *mode;

	if (where != BL_TO_DRIVER)
		return where == BL_TO_STACK;
	mode = bpf_map_lookup_elem(&edge_modes, &ifindex);
	return mode && *mode == BL_EDGE_MODE_GENERIC;
}

/* Puts the L4 checksum right after a rewrite; src and dst are the new addresses. 0, or -1: cannot be made right. */
static __always_inline int bl_csum_settle(struct xdp_md *ctx, const struct bl_packet *p, int state, __u64 delta,
					  const __u64 src[2], const __u64 dst[2], int where)
{
	__u16 *check = bl_csum_field(ctx, p), value;
	__u64 pseudo;
	int sum;

	if (!check)
		return -1;
	if (state == BL_CSUM_COMPLETE) {
		value = bl_csum_update(*check, delta);
	} else if (bl_keeps_skb(ctx, where)) {
		*check = bl_csum_fold(bl_pseudo_sum(p, src, dst));
		return 0;
	} else {
		pseudo = bl_pseudo_sum(p, src, dst);
		*check = 0;
		sum = edge_segment_sum(ctx, p->l4, p->payload);
		check = bl_csum_field(ctx, p);
		if (sum < 0 || !check)
			return -1;
		value = ~bl_csum_fold(sum + pseudo);
		bl_happened(ctx, BL_EDGE_R_CSUM_COMPLETED);
	}
	/* 0 would say "no checksum": RFC 768, RFC 8200 8.1. */
	if (!value && (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE))
		value = 0xffff;
	*check = value;
	return 0;
}

static __always_inline void bl_rewrite_macs(struct ethhdr *eth, const struct bl_edge_rule *rule)
{
	if (rule->flags & BL_RULE_REWRITE_SRC_MAC)
		__builtin_memcpy(eth->h_source, rule->src_mac, 6);
	if (rule->flags & BL_RULE_REWRITE_DST_MAC)
		__builtin_memcpy(eth->h_dest, rule->dst_mac, 6);
}

/* New addresses, DSCP and TTL of an IPv4 header. Returns what the addresses add to an L4 sum. */
static __always_inline __u64 bl_rewrite_ipv4(struct iphdr *ip, const struct bl_edge_rule *rule, __u64 *src, __u64 *dst)
{
	__u64 addresses = 0, others = 0;
	__u16 *first = (__u16 *)ip, *ttl = (__u16 *)&ip->ttl, old;

	if (rule->flags & BL_RULE_REWRITE_SRC) {
		addresses += bl_csum_delta32(ip->saddr, rule->src4);
		ip->saddr = rule->src4;
		src[0] = rule->src4;
	}
	if (rule->flags & BL_RULE_REWRITE_DST) {
		addresses += bl_csum_delta32(ip->daddr, rule->dst4);
		ip->daddr = rule->dst4;
		dst[0] = rule->dst4;
	}
	if (rule->flags & BL_RULE_REWRITE_DSCP) {
		old = *first;
		ip->tos = (ip->tos & 3) | rule->dscp << 2;
		others += bl_csum_delta16(old, *first);
	}
	if (rule->flags & BL_RULE_REWRITE_TTL) {
		old = *ttl;
		ip->ttl = rule->ttl;
		others += bl_csum_delta16(old, *ttl);
	}
	if (rule->flags & (BL_RULE_REWRITE_SRC | BL_RULE_REWRITE_DST | BL_RULE_REWRITE_DSCP | BL_RULE_REWRITE_TTL))
		ip->check = bl_csum_update(ip->check, addresses + others);
	return addresses;
}

static __always_inline __u64 bl_rewrite_address6(struct in6_addr *address, const __u32 new[4], __u64 *copy)
{
	__u64 delta = 0;
	int i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		delta += bl_csum_delta32(address->in6_u.u6_addr32[i], new[i]);
		address->in6_u.u6_addr32[i] = new[i];
	}
	copy[0] = (__u64)new[1] << 32 | new[0];
	copy[1] = (__u64)new[3] << 32 | new[2];
	return delta;
}

static __always_inline __u64 bl_rewrite_ipv6(struct ipv6hdr *ip, const struct bl_edge_rule *rule, __u64 *src,
					     __u64 *dst)
{
	__u64 addresses = 0;
	__be16 *first = (__be16 *)ip;

	if (rule->flags & BL_RULE_REWRITE_SRC)
		addresses += bl_rewrite_address6(&ip->saddr, rule->src6, src);
	if (rule->flags & BL_RULE_REWRITE_DST)
		addresses += bl_rewrite_address6(&ip->daddr, rule->dst6, dst);
	if (rule->flags & BL_RULE_REWRITE_DSCP)
		*first = (*first & bpf_htons(0xf03f)) | bpf_htons((__u16)(rule->dscp << 6));
	if (rule->flags & BL_RULE_REWRITE_TTL)
		ip->hop_limit = rule->ttl;
	return addresses;
}

static __always_inline __u64 bl_rewrite_ports(__be16 *ports, const struct bl_edge_rule *rule)
{
	__u64 delta = 0;

	if (rule->flags & BL_RULE_REWRITE_SPORT) {
		delta += bl_csum_delta16(ports[0], rule->sport);
		ports[0] = rule->sport;
	}
	if (rule->flags & BL_RULE_REWRITE_DPORT) {
		delta += bl_csum_delta16(ports[1], rule->dport);
		ports[1] = rule->dport;
	}
	return delta;
}

/*
 * Why a frame cannot be changed as the rule says, or 0. Where the L4 header could not be read, addresses cannot change
 * (its checksum would be wrong) and ports cannot change places. SCTP's checksum is a CRC over the whole packet, which
 * ports are in and addresses are not; nobody computes it here. With a routing header that is not used up, the checksum
 * is over the final destination (RFC 8200 8.1), so whether it is partial cannot be told from the fixed header.
 */
static __always_inline __u32 bl_fixed(const struct bl_packet *p, const struct bl_edge_rule *rule)
{
	__u32 addresses = BL_RULE_REWRITE_SRC | BL_RULE_REWRITE_DST, ports = BL_RULE_REWRITE_SPORT | BL_RULE_REWRITE_DPORT;
	int turns = rule->verdict == BL_EDGE_TX;

	if (p->facts & BL_FACT_MALFORMED && (turns || rule->flags & addresses))
		return BL_EDGE_R_REWRITE_SHORT;
	if (p->facts & BL_FACT_PORTS && p->proto == IPPROTO_SCTP && (turns || rule->flags & ports))
		return BL_EDGE_R_CSUM_FAILED;
	if (p->routed && bl_csum_offset(p) && (turns || rule->flags & (addresses | ports)))
		return BL_EDGE_R_CSUM_FAILED;
	return 0;
}

/*
 * Carries out what the rule rewrites, and makes the L4 checksum right for where the frame goes (BL_TO_*); a rule that
 * rewrites nothing needs the latter too. 0, or the BL_EDGE_R_* to drop the packet by.
 */
__noinline int edge_rewrite(struct xdp_md *ctx, const struct bl_packet *p, __u32 index, int where)
{
	struct bl_edge_rule *rule = bpf_map_lookup_elem(&edge_rules, &index);
	void *data, *end, *l3;
	__u64 src[2], dst[2], addresses = 0, ports = 0;
	__u16 *check;
	int state = BL_CSUM_NONE;

	if (!p || !rule)
		return BL_EDGE_R_NO_RULE;
	if (bl_fixed(p, rule))
		return bl_fixed(p, rule);
	if (bl_csum_offset(p)) {
		check = bl_csum_field(ctx, p);
		if (!check)
			return BL_EDGE_R_REWRITE_SHORT;
		state = bl_csum_state(ctx, p, *check);
		if (state < 0)
			return BL_EDGE_R_CSUM_FAILED;
	}
	src[0] = p->src[0];
	src[1] = p->src[1];
	dst[0] = p->dst[0];
	dst[1] = p->dst[1];
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(struct ethhdr) > end)
		return BL_EDGE_R_REWRITE_SHORT;
	bl_rewrite_macs(data, rule);
	l3 = data + (p->l3 & 0x3f);
	if (p->facts & BL_FACT_V4) {
		if (l3 + sizeof(struct iphdr) > end)
			return BL_EDGE_R_REWRITE_SHORT;
		addresses = bl_rewrite_ipv4(l3, rule, src, dst);
	} else if (p->facts & BL_FACT_V6) {
		if (l3 + sizeof(struct ipv6hdr) > end)
			return BL_EDGE_R_REWRITE_SHORT;
		addresses = bl_rewrite_ipv6(l3, rule, src, dst);
	}
	if (rule->flags & (BL_RULE_REWRITE_SPORT | BL_RULE_REWRITE_DPORT)) {
		void *l4 = data + (p->l4 & BL_MAX_L4);

		if (!(p->facts & BL_FACT_PORTS) || l4 + 4 > end)
			return BL_EDGE_R_REWRITE_SHORT;
		ports = bl_rewrite_ports(l4, rule);
	}
	if (state == BL_CSUM_NONE || (state == BL_CSUM_COMPLETE && !addresses && !ports))
		return BL_R_NONE;
	if (bl_csum_settle(ctx, p, state, addresses + ports, src, dst, where))
		return BL_EDGE_R_CSUM_FAILED;
	return BL_R_NONE;
}

#endif
