/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors that the host owes: time exceeded, fragmentation needed, packet too big. The packet is replaced by one that
 * quotes its first bytes, and goes back where it came from. skb->cb[2] has type << 8 | code, cb[3] the MTU,
 * cb[4] the uplink whose address it comes from (0: it comes from the address that the packet went to).
 */
#ifndef BEELINE_GUEST_ANSWER_H
#define BEELINE_GUEST_ANSWER_H

#include "guest/begin.h"

/* Bytes of the L4 header that go back. */
#define BL_ANSWER_L4 20
#define BL_ANSWER_L4_SHORT 8
/* Bytes that are cut off in front: more than there are headers before a checksum. */
#define BL_ANSWER_CUT 256

struct bl_icmp {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 mtu;
};

struct bl_answer4 {
	struct iphdr ip;
	struct bl_icmp icmp;
	__u32 inner[(20 + BL_ANSWER_L4) / 4];
};

struct bl_answer6 {
	struct ipv6hdr ip;
	struct bl_icmp icmp;
	__u32 inner[(40 + BL_ANSWER_L4) / 4];
};

/* What ICMPv6 sums beside the message (RFC 8200, 8.1). */
struct bl_pseudo6 {
	__u32 src[4];
	__u32 dst[4];
	__be32 length;
	__be32 next;
};

static __always_inline struct bl_uplink *bl_answering(struct __sk_buff *skb)
{
	__u32 ifindex = skb->cb[4];

	return ifindex ? bpf_map_lookup_elem(&guest_uplinks, &ifindex) : NULL;
}

/*
 * The packet becomes the answer, and MAC addresses change places. A partial checksum has to go, or a device would write one
 * into what is quoted, and make the answer's own wrong. The kernel drops it once the place where it begins is cut off.
 */
static __always_inline int bl_become(struct __sk_buff *skb, const void *answer, __u32 size)
{
	struct ethhdr eth, back;

	if (bpf_skb_load_bytes(skb, 0, &eth, sizeof eth))
		return -1;
	__builtin_memcpy(back.h_dest, eth.h_source, 6);
	__builtin_memcpy(back.h_source, eth.h_dest, 6);
	back.h_proto = eth.h_proto;
	return bpf_skb_change_tail(skb, sizeof eth + BL_ANSWER_CUT + size, 0) ||
	       bpf_skb_adjust_room(skb, -BL_ANSWER_CUT, BPF_ADJ_ROOM_MAC, 0) ||
	       bpf_skb_store_bytes(skb, 0, &back, sizeof back, BPF_F_RECOMPUTE_CSUM) ||
	       bpf_skb_store_bytes(skb, sizeof back, answer, size, BPF_F_RECOMPUTE_CSUM);
}

/* RFC 1122, 3.2.2 and RFC 4443, 2.4: nothing is said about errors, and nothing about later fragments. */
static __always_inline int bl_must_not_answer(__u8 icmp, __u8 proto, __u8 type, int later)
{
	if (later)
		return 1;
	if (proto != icmp)
		return 0;
	return icmp == IPPROTO_ICMPV6 ? type < 128 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

__noinline int guest_answer4(struct __sk_buff *skb)
{
	struct bl_uplink *uplink = bl_answering(skb);
	struct bl_answer4 a = {};
	__u32 l4 = BL_ANSWER_L4, what = skb->cb[2], at = sizeof(struct ethhdr);

	if (bpf_skb_load_bytes(skb, at, &a.inner, sizeof(struct iphdr) + BL_ANSWER_L4)) {
		l4 = BL_ANSWER_L4_SHORT;
		if (bpf_skb_load_bytes(skb, at, &a.inner, sizeof(struct iphdr) + BL_ANSWER_L4_SHORT))
			return -1;
	}
	if (bl_must_not_answer(IPPROTO_ICMP, *((__u8 *)a.inner + 9), *((__u8 *)a.inner + 20),
			       ((__be16 *)a.inner)[3] & bpf_htons(BL_IP_OFFSET)))
		return -1;
	if (*(__u8 *)a.inner != 0x45) /* options: their length would have to be known to the verifier */
		return -1;
	a.icmp.type = what >> 8;
	a.icmp.code = what;
	a.icmp.mtu = bpf_htonl(skb->cb[3] & 0xffff);
	a.icmp.check = ~bl_csum_fold(bpf_csum_diff(0, 0, (__be32 *)&a.icmp, sizeof a.icmp + sizeof a.inner, 0));
	*(__u8 *)&a.ip = 0x45;
	a.ip.tot_len = bpf_htons(sizeof a.ip + sizeof a.icmp + sizeof(struct iphdr) + l4);
	a.ip.ttl = 64;
	a.ip.protocol = IPPROTO_ICMP;
	a.ip.daddr = a.inner[3];
	a.ip.saddr = uplink && uplink->addr4 ? uplink->addr4 : a.inner[4];
	a.ip.check = ~bl_csum_fold(bpf_csum_diff(0, 0, (__be32 *)&a.ip, sizeof a.ip, 0));
	return bl_become(skb, &a, sizeof a.ip + sizeof a.icmp + sizeof(struct iphdr) + l4);
}

__noinline int guest_answer6(struct __sk_buff *skb)
{
	struct bl_uplink *uplink = bl_answering(skb);
	struct bl_pseudo6 pseudo = {};
	struct bl_answer6 a = {};
	__u32 l4 = BL_ANSWER_L4, what = skb->cb[2], at = sizeof(struct ethhdr);
	__s64 sum;
	__u8 next;

	if (bpf_skb_load_bytes(skb, at, &a.inner, sizeof(struct ipv6hdr) + BL_ANSWER_L4)) {
		l4 = BL_ANSWER_L4_SHORT;
		if (bpf_skb_load_bytes(skb, at, &a.inner, sizeof(struct ipv6hdr) + BL_ANSWER_L4_SHORT))
			return -1;
	}
	next = *((__u8 *)a.inner + 6);
	if (bl_must_not_answer(IPPROTO_ICMPV6, next, *((__u8 *)a.inner + 40),
			       next == IPPROTO_FRAGMENT && a.inner[10] & bpf_htonl(0xfff8)))
		return -1;
	a.icmp.type = what >> 8;
	a.icmp.code = what;
	a.icmp.mtu = bpf_htonl(skb->cb[3]);
	*(__u8 *)&a.ip = 0x60;
	a.ip.payload_len = bpf_htons(sizeof a.icmp + sizeof(struct ipv6hdr) + l4);
	a.ip.nexthdr = IPPROTO_ICMPV6;
	a.ip.hop_limit = 64;
	__builtin_memcpy(&a.ip.daddr, &a.inner[2], 16);
	if (uplink && uplink->addr6[0])
		__builtin_memcpy(&a.ip.saddr, uplink->addr6, 16);
	else
		__builtin_memcpy(&a.ip.saddr, &a.inner[6], 16);
	__builtin_memcpy(pseudo.src, &a.ip.saddr, 16);
	__builtin_memcpy(pseudo.dst, &a.ip.daddr, 16);
	pseudo.length = bpf_htonl(sizeof a.icmp + sizeof(struct ipv6hdr) + l4);
	pseudo.next = bpf_htonl(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(0, 0, (__be32 *)&pseudo, sizeof pseudo, 0);
	if (sum < 0)
		return -1;
	a.icmp.check = ~bl_csum_fold(bpf_csum_diff(0, 0, (__be32 *)&a.icmp, sizeof a.icmp + sizeof a.inner, sum));
	return bl_become(skb, &a, sizeof a.ip + sizeof a.icmp + sizeof(struct ipv6hdr) + l4);
}

#endif
