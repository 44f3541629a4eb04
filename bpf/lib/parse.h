/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One parser for every hook: Ethernet, up to two VLAN tags, IPv4 or IPv6 with extension headers, and the fixed part of
 * the L4 header. It never fails: what cannot be read is absent from the facts, what is wrong sets BL_FACT_MALFORMED and
 * a reason, and the rules judge what is there. docs/edge.md states field by field when it is present.
 */
#ifndef BEELINE_LIB_PARSE_H
#define BEELINE_LIB_PARSE_H

#include "beeline/match.h"
#include "lib/ctx.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define BL_IP_MF 0x2000
#define BL_IP_OFFSET 0x1fff
#define BL_IP6_MOBILITY 135
#define BL_IP6_HIP 139
#define BL_IP6_SHIM6 140
#define BL_MAX_L4 0x7fff
/* A frame of several buffers has more than this in the first one, so that others need no call to tell their length. */
#define BL_SMALL_FRAME 1024

struct bl_packet {
	__u64 facts;
	__u64 addr4;  /* IPv4: the eight bytes of source and destination */
	__u64 src[2]; /* either family; IPv4 in the first four bytes */
	__u64 dst[2];
	__u32 tags;    /* VLAN ids, outer << 16 | inner */
	__u32 length;  /* of the frame; of its first buffer until somebody needs more */
	__u32 reason;  /* the first odd thing, BL_EDGE_R_* */
	__u32 payload; /* bytes from the L4 header on, by the word of IP and UDP; 0 where there is no l4 */
	__u16 sport;
	__u16 dport;
	__u16 l3; /* offset of the IP header; 0: none */
	__u16 l4; /* offset of the L4 header; 0: none, unknown, or malformed */
	__u8 ttl;
	__u8 tag_count;
	__u8 proto;
	__u8 routed; /* 1: an IPv6 routing header names another final destination than dst */
	__u8 _pad[4];
};

struct bl_vlan {
	__be16 tci;
	__be16 ethertype;
};

/* Extension headers all begin so; AH counts its length in units of 4 bytes, less 2 (RFC 4302, 2.2). */
struct bl_ext {
	__u8 next;
	__u8 length;
	__be16 fragment; /* byte offset (a multiple of 8) | M; in a routing header: type, segments left */
};

static __always_inline void bl_odd(struct bl_packet *p, __u32 reason)
{
	p->facts |= BL_FACT_MALFORMED;
	p->reason = reason;
}

static __always_inline __u32 bl_no_l4(struct bl_packet *p, __u32 reason)
{
	bl_odd(p, reason);
	return 0;
}

/* Bytes of the fixed L4 header that ports or type and code need, 0 for protocols that have none known to us. */
static __always_inline __u32 bl_l4_size(__u64 facts, __u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return 8;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_ICMP: /* within IPv6 just a number, as ICMPv6 within IPv4 */
		return facts & BL_FACT_V4 ? 8 : 0;
	case IPPROTO_ICMPV6:
		return facts & BL_FACT_V6 ? 8 : 0;
	}
	return 0;
}

/* offset: of the L4 header, as the L3 parser left it. The mask is for the verifier: no header begins so late. */
static __always_inline void bl_parse_l4(void *data, void *end, __u32 offset, struct bl_packet *p)
{
	__u32 size = bl_l4_size(p->facts, p->proto);
	void *pos = data + (offset & BL_MAX_L4);
	__be16 *ports = pos;
	__u8 *byte = pos;

	if (!size || p->facts & BL_FACT_LATER)
		return;
	if (p->payload < size || pos + 8 > end)
		return bl_odd(p, BL_R_SHORT_L4);
	if (size == 8 && p->proto != IPPROTO_UDP && p->proto != IPPROTO_UDPLITE) {
		p->facts |= BL_FACT_ICMP | (__u64)byte[0] << BL_FACT_ICMP_TYPE_SHIFT |
			    (__u64)byte[1] << BL_FACT_ICMP_CODE_SHIFT;
		p->l4 = offset;
		return;
	}
	if (p->proto == IPPROTO_UDP) {
		__u32 length = bpf_ntohs(ports[2]);

		if (length < 8 || (length > p->payload && !(p->facts & BL_FACT_FRAGMENT)))
			return bl_odd(p, BL_R_BAD_UDP_LENGTH);
		if (!(p->facts & BL_FACT_FRAGMENT))
			p->payload = length; /* what the checksum covers and says (RFC 768); more is padding */
	} else if (p->proto == IPPROTO_TCP) {
		struct tcphdr *tcp = pos;

		if ((void *)(tcp + 1) > end)
			return bl_odd(p, BL_R_SHORT_L4);
		if (tcp->doff < 5)
			return bl_odd(p, BL_R_BAD_DOFF);
		if (tcp->doff * 4u > p->payload)
			return bl_odd(p, BL_R_SHORT_L4);
		p->facts |= BL_FACT_TCP | (__u64)byte[13] << BL_FACT_TCP_FLAGS_SHIFT;
	} else if (size == 12 && pos + 12 > end) {
		return bl_odd(p, BL_R_SHORT_L4);
	}
	p->facts |= BL_FACT_PORTS;
	p->sport = bpf_ntohs(ports[0]);
	p->dport = bpf_ntohs(ports[1]);
	p->l4 = offset;
}

/* Both L3 parsers give the offset of the L4 header; where there is none to read, the facts say so or 0 comes back. */
static __always_inline __u32 bl_parse_ipv4(BL_CTX *ctx, void *data, void *pos, void *end, struct bl_packet *p)
{
	struct iphdr *ip = pos;
	__u32 header, total;
	__u16 fragment;

	if ((void *)(ip + 1) > end)
		return bl_no_l4(p, BL_R_SHORT_IP);
	if (ip->version != 4)
		return bl_no_l4(p, BL_R_BAD_VERSION);
	if (ip->ihl < 5)
		return bl_no_l4(p, BL_R_BAD_IHL);
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	fragment = bpf_ntohs(ip->frag_off);
	p->l3 = pos - data;
	p->proto = ip->protocol;
	p->ttl = ip->ttl;
	p->addr4 = *(__u64 *)&ip->saddr;
	p->src[0] = ip->saddr;
	p->dst[0] = ip->daddr;
	p->facts |= BL_FACT_V4 | (__u64)ip->protocol << BL_FACT_PROTO_SHIFT |
		    (__u64)(ip->tos >> 2) << BL_FACT_DSCP_SHIFT;
	if (fragment & (BL_IP_MF | BL_IP_OFFSET))
		p->facts |= BL_FACT_FRAGMENT;
	if (fragment & BL_IP_OFFSET)
		p->facts |= BL_FACT_LATER;
	if (header > sizeof *ip)
		p->facts |= BL_FACT_OPTIONS;
	if (total > p->length - p->l3) /* the frame has more buffers, or the header lies */
		p->length = bl_frame_length(ctx);
	if (total < header || total > p->length - p->l3)
		return bl_no_l4(p, BL_R_BAD_LENGTH);
	if (pos + header > end)
		return bl_no_l4(p, BL_R_SHORT_IP);
	p->payload = total - header;
	return p->l3 + header;
}

static __always_inline int bl_is_ext(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH || next == BL_IP6_MOBILITY || next == BL_IP6_HIP ||
	       next == BL_IP6_SHIM6;
}

/* What the walk over the extension headers works on; apart from bl_packet, so that the latter stays in registers. */
struct bl_chain {
	__u64 facts;
	__u32 payload;
	__u32 offset; /* of the next header; 0 in the end: nothing can be read there */
	__u32 reason;
	__u8 proto;
	__u8 routed;
	__u8 _pad[2];
};

static __always_inline int bl_chain_ends(struct bl_chain *chain, __u32 reason)
{
	chain->offset = 0;
	if (reason)
		chain->facts |= BL_FACT_MALFORMED;
	chain->reason = reason;
	return 0;
}

/*
 * Leaves proto at the first header that is not an extension, or at the one that is wrong. Global, so that the verifier
 * walks the loop once.
 */
__noinline int bl_walk_chain(BL_CTX *ctx, struct bl_chain *chain)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int i;

	if (!chain)
		return 0;
	for (i = 0; i < BL_MAX_EXT && bl_is_ext(chain->proto); i++) {
		struct bl_ext *ext = data + (chain->offset & BL_MAX_L4);
		__u32 size;

		if (chain->payload < 8 || (void *)(ext + 1) + 4 > end)
			return bl_chain_ends(chain, BL_R_SHORT_EXT);
		size = (ext->length + 1) * 8;
		if (chain->proto == IPPROTO_AH)
			size = (ext->length + 2) * 4;
		if (chain->proto == IPPROTO_FRAGMENT) {
			__u16 fragment = bpf_ntohs(ext->fragment);

			size = 8;
			if (fragment & 0xfff9)
				chain->facts |= BL_FACT_FRAGMENT;
			if (fragment & 0xfff8)
				chain->facts |= BL_FACT_LATER;
		}
		/* The byte behind type: segments left (RFC 8200 4.4). */
		if (chain->proto == IPPROTO_ROUTING && bpf_ntohs(ext->fragment) & 0xff)
			chain->routed = 1;
		chain->offset += size;
		if (chain->payload < size || data + (chain->offset & BL_MAX_L4) > end)
			return bl_chain_ends(chain, BL_R_SHORT_EXT);
		chain->proto = ext->next;
		chain->payload -= size;
		if (chain->facts & BL_FACT_LATER)
			return bl_chain_ends(chain, BL_R_NONE);
	}
	return bl_is_ext(chain->proto) ? bl_chain_ends(chain, BL_R_MANY_EXT) : 0;
}

static __always_inline __u32 bl_parse_ipv6(BL_CTX *ctx, void *data, void *pos, void *end, struct bl_packet *p)
{
	struct ipv6hdr *ip = pos;
	__u32 room, offset;
	int jumbo;

	if ((void *)(ip + 1) > end)
		return bl_no_l4(p, BL_R_SHORT_IP);
	if (ip->version != 6)
		return bl_no_l4(p, BL_R_BAD_VERSION);
	p->l3 = pos - data;
	p->ttl = ip->hop_limit;
	p->proto = ip->nexthdr;
	__builtin_memcpy(p->src, &ip->saddr, 16);
	__builtin_memcpy(p->dst, &ip->daddr, 16);
	p->facts |= BL_FACT_V6 | (__u64)(bpf_ntohs(*(__be16 *)ip) >> 6 & 0x3f) << BL_FACT_DSCP_SHIFT;
	offset = p->l3 + sizeof *ip;
	p->payload = bpf_ntohs(ip->payload_len);
	/* A jumbogram (RFC 2675) says 0 and has the length in a hop-by-hop option: the frame's length counts then. */
	jumbo = p->payload == 0 && p->proto == IPPROTO_HOPOPTS;
	if (jumbo || p->payload > p->length - offset)
		p->length = bl_frame_length(ctx);
	room = p->length - offset;
	if (jumbo)
		p->payload = room;
	if (bl_is_ext(p->proto))
		p->facts |= BL_FACT_OPTIONS;
	if (p->payload > room) {
		offset = bl_no_l4(p, BL_R_BAD_LENGTH);
	} else if (p->facts & BL_FACT_OPTIONS) {
		struct bl_chain chain = {
			.facts = p->facts, .payload = p->payload, .offset = offset, .proto = p->proto
		};

		bl_walk_chain(ctx, &chain);
		p->facts = chain.facts;
		p->payload = chain.payload;
		p->reason = chain.reason;
		p->proto = chain.proto;
		p->routed = chain.routed;
		offset = chain.offset;
	}
	p->facts |= (__u64)p->proto << BL_FACT_PROTO_SHIFT;
	return offset;
}

/* p is zero; needs: BL_NEEDS_*. */
static __always_inline void bl_parse(BL_CTX *ctx, struct bl_packet *p, __u32 needs)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	void *pos = eth + 1;
	__u32 offset = 0;
	__be16 type;
	int i;

	p->length = end - data;
	if (needs & BL_NEEDS_LENGTH || p->length > BL_SMALL_FRAME)
		p->length = bl_frame_length(ctx);
	if (pos > end)
		return bl_odd(p, BL_R_SHORT_ETHERNET);
	type = *(__be16 *)(data + 12); /* struct ethhdr is packed: this is one load, not two */
#pragma unroll
	for (i = 0; i < BL_MAX_TAGS; i++) {
		struct bl_vlan *tag = pos;

		if (type == bpf_htons(ETH_P_IP)) /* most often, so first */
			break;
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		p->facts |= BL_FACT_VLAN;
		if ((void *)(tag + 1) > end) {
			bl_odd(p, BL_R_SHORT_VLAN);
			break;
		}
		p->tags |= (__u32)(bpf_ntohs(tag->tci) & 0xfff) << (i ? 0 : 16);
		p->tag_count++;
		type = tag->ethertype;
		pos = tag + 1;
	}
	p->facts |= (__u64)bpf_ntohs(type) << BL_FACT_ETHERTYPE_SHIFT;
	if (p->facts & BL_FACT_MALFORMED)
		return;
	if (type == bpf_htons(ETH_P_IP))
		offset = bl_parse_ipv4(ctx, data, pos, end, p);
	else if (type == bpf_htons(ETH_P_IPV6))
		offset = bl_parse_ipv6(ctx, data, pos, end, p);
	if (offset)
		bl_parse_l4(data, end, offset, p);
}

#endif
