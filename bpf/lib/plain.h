/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The short way through the parser for what most packets are: TCP or UDP in IPv4 or IPv6, untagged, unfragmented,
 * without options or extension headers, with lengths that hold within the first buffer. It gives what bl_parse (parse.h) gives
 * for these, in a third of the instructions; anything else is left to bl_parse. The tests hold both against the model.
 */
#ifndef BEELINE_LIB_PLAIN_H
#define BEELINE_LIB_PLAIN_H

#include "lib/parse.h"

/* What the scan of the table needs; apart from bl_packet, so that it stays in registers. */
struct bl_key {
	__u64 facts;
	__u64 addr4;
	__u32 length;
	__u32 reason;
	__u16 sport;
	__u16 dport;
};

static __always_inline void bl_key_of(const struct bl_packet *p, struct bl_key *key)
{
	key->facts = p->facts;
	key->addr4 = p->addr4;
	key->length = p->length;
	key->reason = p->reason;
	key->sport = p->sport;
	key->dport = p->dport;
}

/* The facts of UDP or TCP at l4, with payload bytes from there on; 0: not plain. */
static __always_inline __u64 bl_plain_l4(void *l4, void *end, __u32 proto, __u32 payload)
{
	if (proto == IPPROTO_UDP) {
		struct udphdr *udp = l4;
		__u32 length;

		if ((void *)(udp + 1) > end)
			return 0;
		length = bpf_ntohs(udp->len);
		return length < sizeof *udp || length > payload ?
			       0 :
			       BL_FACT_PORTS | (__u64)IPPROTO_UDP << BL_FACT_PROTO_SHIFT;
	}
	if (proto == IPPROTO_TCP) {
		__u8 *byte = l4;
		__u32 header;

		if (l4 + sizeof(struct tcphdr) > end)
			return 0;
		header = byte[12] >> 4 << 2;
		if (header < sizeof(struct tcphdr) || header > payload)
			return 0;
		return BL_FACT_PORTS | BL_FACT_TCP | (__u64)IPPROTO_TCP << BL_FACT_PROTO_SHIFT |
		       (__u64)byte[13] << BL_FACT_TCP_FLAGS_SHIFT;
	}
	return 0;
}

/*
 * 1: plain, and key is complete but for what needs (BL_NEEDS_*) does not ask for. 0: key holds nothing of use. The
 * order keeps few values alive at a time: what is spilled to the stack costs more than what is loaded twice.
 */
static __always_inline int bl_parse_plain(BL_CTX *ctx, struct bl_key *key, __u32 needs)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *l4;
	void *l3 = data + sizeof(struct ethhdr);
	__u32 length = end - data, room = length - sizeof(struct ethhdr);
	struct ipv6hdr *six = l3;
	struct iphdr *four = l3;
	__be16 type, *ports;
	__u64 facts;

	if (l3 + sizeof *four > end)
		return 0;
	type = *(__be16 *)(data + 12);
	key->addr4 = 0;
	if (type == bpf_htons(ETH_P_IP)) {
		__u32 total = bpf_ntohs(four->tot_len);

		if (*(__u8 *)l3 != 0x45 || four->frag_off & bpf_htons(BL_IP_MF | BL_IP_OFFSET))
			return 0;
		if (total > room || total < sizeof *four)
			return 0;
		l4 = four + 1;
		facts = bl_plain_l4(l4, end, four->protocol, total - sizeof *four);
		if (!facts)
			return 0;
		facts |= BL_FACT_V4 | ETH_P_IP;
		if (needs & BL_NEEDS_DSCP)
			facts |= (__u64)(four->tos >> 2) << BL_FACT_DSCP_SHIFT;
		if (needs & BL_NEEDS_ADDR4)
			key->addr4 = *(__u64 *)&four->saddr;
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		__u32 payload;

		if ((void *)(six + 1) > end || (*(__u8 *)l3 & 0xf0) != 0x60)
			return 0;
		payload = bpf_ntohs(six->payload_len);
		if (payload > room - sizeof *six)
			return 0;
		l4 = six + 1;
		facts = bl_plain_l4(l4, end, six->nexthdr, payload);
		if (!facts)
			return 0;
		facts |= BL_FACT_V6 | ETH_P_IPV6;
		if (needs & BL_NEEDS_DSCP)
			facts |= (__u64)(bpf_ntohs(*(__be16 *)six) >> 6 & 0x3f) << BL_FACT_DSCP_SHIFT;
	} else {
		return 0;
	}
	ports = l4;
	key->facts = facts;
	key->length = length > BL_SMALL_FRAME ? bl_frame_length(ctx) : length;
	key->reason = BL_R_NONE;
	key->sport = needs & BL_NEEDS_SPORT ? bpf_ntohs(ports[0]) : 0;
	key->dport = bpf_ntohs(ports[1]);
	return 1;
}

#endif
