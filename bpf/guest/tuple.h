/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a packet to its flow. bl_plain_tuple is the short way for TCP and UDP without options or fragments; guest_read is
 * for everything else.
 */
#ifndef BEELINE_GUEST_TUPLE_H
#define BEELINE_GUEST_TUPLE_H

#include "guest/maps.h"

#define BL_ECHO4 8
#define BL_ECHO4_REPLY 0
#define BL_ECHO6 128
#define BL_ECHO6_REPLY 129

#define BL_TCP_FIN 1
#define BL_TCP_SYN 2
#define BL_TCP_RST 4
#define BL_TCP_ACK 16

/* What guest_read found. */
#define BL_READ_FLOW 0      /* w->tuple is the packet's flow */
#define BL_READ_ERROR 1     /* an ICMP error: w->packet.l4 is where it begins */
#define BL_READ_NEIGHBOUR 2 /* ARP or IPv6 neighbour discovery: between neighbours, no flow */
#define BL_READ_OTHER 3     /* not IP, or in a VLAN */
#define BL_READ_BROKEN 4    /* no flow can be read: w->reason */

struct bl_plain {
	__u32 l4;
	__u32 flags; /* of TCP; 0 for UDP */
	__u8 ttl;
};

/*
 * 1: t and plain are filled. Lengths are not looked at: the receiver of a packet that lies about them finds that out,
 * and its flow is known by what is looked at here.
 */
static __always_inline int bl_plain_tuple(struct __sk_buff *skb, struct bl_tuple *t, struct bl_plain *plain, __u8 from)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	void *l3 = data + sizeof(struct ethhdr), *l4;
	__u8 proto;
	__be16 type;

	if (skb->vlan_present || l3 + sizeof(struct iphdr) + sizeof(struct udphdr) > end)
		return 0;
	type = *(__be16 *)(data + 12);
	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = l3;

		if (*(__u8 *)l3 != 0x45 || ip->frag_off & bpf_htons(BL_IP_MF | BL_IP_OFFSET))
			return 0;
		proto = ip->protocol;
		plain->ttl = ip->ttl;
		t->src[0] = ip->saddr;
		t->dst[0] = ip->daddr;
		t->src[1] = t->src[2] = t->src[3] = 0;
		t->dst[1] = t->dst[2] = t->dst[3] = 0;
		t->family = 4;
		l4 = ip + 1;
		plain->l4 = sizeof(struct ethhdr) + sizeof *ip;
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = l3;

		if ((void *)(ip + 1) + sizeof(struct udphdr) > end || (*(__u8 *)l3 & 0xf0) != 0x60)
			return 0;
		proto = ip->nexthdr;
		plain->ttl = ip->hop_limit;
		__builtin_memcpy(t->src, &ip->saddr, 16);
		__builtin_memcpy(t->dst, &ip->daddr, 16);
		t->family = 6;
		l4 = ip + 1;
		plain->l4 = sizeof(struct ethhdr) + sizeof *ip;
	} else {
		return 0;
	}
	plain->flags = 0;
	if (proto == IPPROTO_TCP) {
		if (l4 + sizeof(struct tcphdr) > end)
			return 0;
		plain->flags = *(__u8 *)(l4 + 13);
	} else if (proto != IPPROTO_UDP) {
		return 0;
	}
	t->sport = *(__be16 *)l4;
	t->dport = *(__be16 *)(l4 + 2);
	t->proto = proto;
	t->kind = BL_TUPLE_PORTS;
	t->from = from;
	return 1;
}

static __always_inline void bl_copy_address(__u32 to[4], const __u32 from[4])
{
	__builtin_memcpy(to, from, 16);
}

static __always_inline int bl_same_address(const __u32 a[4], const __u32 b[4])
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/* An echo is told from its answer by the kind: an identifier may be 0. */
static __always_inline __u8 bl_turned_kind(__u8 kind)
{
	if (kind == BL_TUPLE_ECHO)
		return BL_TUPLE_ECHO_REPLY;
	return kind == BL_TUPLE_ECHO_REPLY ? BL_TUPLE_ECHO : kind;
}

static __always_inline __be16 bl_echo_id(const struct bl_tuple *t)
{
	return t->kind == BL_TUPLE_ECHO ? t->sport : t->dport;
}

/* The tuple of the packets that answer these; `from` is where they are seen. */
static __always_inline void bl_turn(struct bl_tuple *to, const struct bl_tuple *t, __u8 from)
{
	bl_copy_address(to->src, t->dst);
	bl_copy_address(to->dst, t->src);
	to->sport = t->dport;
	to->dport = t->sport;
	to->proto = t->proto;
	to->family = t->family;
	to->kind = bl_turned_kind(t->kind);
	to->from = from;
}

/* Does one answer the other? */
static __always_inline int bl_is_turned(const struct bl_tuple *a, const struct bl_tuple *b)
{
	return bl_same_address(a->src, b->dst) && bl_same_address(a->dst, b->src) && a->sport == b->dport &&
	       a->dport == b->sport && a->kind == bl_turned_kind(b->kind);
}

static __always_inline void bl_echo_tuple(struct bl_tuple *t, int asks, __be16 id)
{
	t->kind = asks ? BL_TUPLE_ECHO : BL_TUPLE_ECHO_REPLY;
	if (asks)
		t->sport = id;
	else
		t->dport = id;
}

static __always_inline int bl_read_icmp(struct __sk_buff *skb, struct bl_work *w, __u32 l4)
{
	__u32 type = w->packet.facts >> BL_FACT_ICMP_TYPE_SHIFT & 0xff;
	__u32 code = w->packet.facts >> BL_FACT_ICMP_CODE_SHIFT & 0xff;
	int six = w->tuple.family == 6;
	__be16 id;

	if (six ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 5 || type == 11 || type == 12)
		return BL_READ_ERROR;
	if (six && type >= 133 && type <= 137)
		return BL_READ_NEIGHBOUR;
	if (type == (six ? BL_ECHO6 : BL_ECHO4) || type == (six ? BL_ECHO6_REPLY : BL_ECHO4_REPLY)) {
		if (bpf_skb_load_bytes(skb, l4 + 4, &id, 2)) {
			w->reason = BL_GUEST_R_MALFORMED;
			return BL_READ_BROKEN;
		}
		bl_echo_tuple(&w->tuple, type == (six ? BL_ECHO6 : BL_ECHO4), id);
		return BL_READ_FLOW;
	}
	w->tuple.kind = BL_TUPLE_ICMP;
	w->tuple.sport = bpf_htons(type << 8 | code);
	return BL_READ_FLOW;
}

/* The first fragment leaves its ports to the later ones. */
static __always_inline int bl_read_fragment(struct __sk_buff *skb, struct bl_work *w)
{
	struct bl_fragment_key key = {};
	struct bl_fragment ports = {}, *known;
	__u32 l3 = w->packet.l3;

	bl_copy_address(key.src, w->tuple.src);
	bl_copy_address(key.dst, w->tuple.dst);
	key.proto = w->tuple.proto;
	key.family = w->tuple.family;
	key.from = w->tuple.from;
	w->reason = BL_GUEST_R_FRAGMENT;
	if (key.family == 4) {
		__be16 id;

		if (bpf_skb_load_bytes(skb, l3 + 4, &id, 2))
			return BL_READ_BROKEN;
		key.id = id;
	} else {
		__u8 next;

		/* The fragment header behind others before it: nobody sends that (RFC 7112 would allow it). */
		if (bpf_skb_load_bytes(skb, l3 + 6, &next, 1) || next != IPPROTO_FRAGMENT ||
		    bpf_skb_load_bytes(skb, l3 + sizeof(struct ipv6hdr) + 4, &key.id, 4))
			return BL_READ_BROKEN;
	}
	if (!(w->packet.facts & BL_FACT_LATER)) {
		ports.sport = w->tuple.sport;
		ports.dport = w->tuple.dport;
		ports.kind = w->tuple.kind;
		if (!w->trace)
			bpf_map_update_elem(&guest_fragments, &key, &ports, BPF_ANY);
	} else {
		known = bpf_map_lookup_elem(&guest_fragments, &key);
		if (!known)
			return BL_READ_BROKEN;
		w->tuple.sport = known->sport;
		w->tuple.dport = known->dport;
		w->tuple.kind = known->kind;
	}
	w->reason = BL_R_NONE;
	return BL_READ_FLOW;
}

/* The options of IPv4 that matter here (RFC 791): both ask routers to go on to other addresses than the header's. */
#define BL_IPOPT_END 0
#define BL_IPOPT_NOP 1
#define BL_IPOPT_LSRR 131
#define BL_IPOPT_SSRR 137
#define BL_IPOPT_MOST 40 /* bytes, and so options */

/*
 * Why an IPv4 header with options, at l3, is not forwarded; 0: it is. Rules judge the destination that the header names,
 * so a sender must not name others behind it (RFC 7126, 4.3 and 4.4; hosts refuse both by default). Global, so that the
 * verifier walks the loop once.
 */
__noinline int guest_read_options(struct __sk_buff *skb, __u32 l3)
{
	__u32 at, end, i;
	__u8 ihl, option[2];

	if (bpf_skb_load_bytes(skb, l3, &ihl, 1))
		return BL_GUEST_R_MALFORMED;
	at = sizeof(struct iphdr);
	end = (ihl & 0xf) * 4;
	for (i = 0; i < BL_IPOPT_MOST && at < end; i++) {
		if (bpf_skb_load_bytes(skb, l3 + at, option, 1))
			return BL_GUEST_R_MALFORMED;
		if (option[0] == BL_IPOPT_END)
			return 0;
		if (option[0] == BL_IPOPT_LSRR || option[0] == BL_IPOPT_SSRR)
			return BL_GUEST_R_SOURCE_ROUTE;
		if (option[0] == BL_IPOPT_NOP) {
			at++;
			continue;
		}
		if (bpf_skb_load_bytes(skb, l3 + at + 1, option + 1, 1) || option[1] < 2 || at + option[1] > end)
			return BL_GUEST_R_MALFORMED;
		at += option[1];
	}
	return 0;
}

/* An IPv6 extension header that asks routers for something, or one that such a one may stand behind. */
static __always_inline int bl_may_route(__u8 next)
{
	return next < 64 && 1ULL << next & (1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_AH |
					    1ULL << IPPROTO_DSTOPTS);
}

/* Bytes that the headers may take; what is not in the first buffer is pulled there. */
#define BL_HEADERS 192

/* Reads any packet into w. Gives BL_READ_*. */
__noinline int guest_read(struct __sk_buff *skb, struct bl_work *w, __u32 from)
{
	struct bl_packet *p;
	__u32 flags;
	int read = BL_READ_FLOW;

	if (!w)
		return BL_READ_BROKEN;
	p = &w->packet;
	w->reason = BL_R_NONE;
	w->is_tcp_end = w->is_tcp_syn = 0;
	w->l4 = 0;
	if (skb->data_end - skb->data < BL_HEADERS && skb->data_end - skb->data < skb->len)
		bpf_skb_pull_data(skb, skb->len < BL_HEADERS ? skb->len : BL_HEADERS);
	__builtin_memset(p, 0, sizeof *p);
	bl_parse(skb, p, 0);
	__builtin_memset(&w->tuple, 0, sizeof w->tuple);
	w->tuple.from = from;
	if (skb->vlan_present || p->facts & BL_FACT_VLAN)
		return BL_READ_OTHER;
	if ((p->facts & 0xffff) == ETH_P_ARP)
		return BL_READ_NEIGHBOUR;
	if (!(p->facts & (BL_FACT_V4 | BL_FACT_V6)))
		return BL_READ_OTHER;
	w->tuple.family = p->facts & BL_FACT_V4 ? 4 : 6;
	__builtin_memcpy(w->tuple.src, p->src, 16);
	__builtin_memcpy(w->tuple.dst, p->dst, 16);
	w->tuple.proto = p->proto;
	if (p->facts & BL_FACT_MALFORMED) {
		w->reason = p->reason;
		return BL_READ_BROKEN;
	}
	if (p->routed)
		w->reason = BL_GUEST_R_SOURCE_ROUTE;
	else if ((p->facts & (BL_FACT_V4 | BL_FACT_OPTIONS)) == (BL_FACT_V4 | BL_FACT_OPTIONS))
		w->reason = guest_read_options(skb, p->l3);
	if (w->reason)
		return BL_READ_BROKEN;
	w->l4 = p->l4;
	w->ttl = p->ttl;
	w->tuple.kind = BL_TUPLE_NONE;
	if (p->facts & BL_FACT_PORTS) {
		w->tuple.kind = BL_TUPLE_PORTS;
		w->tuple.sport = bpf_htons(p->sport);
		w->tuple.dport = bpf_htons(p->dport);
	} else if (p->facts & BL_FACT_ICMP) {
		read = bl_read_icmp(skb, w, p->l4);
	}
	if (p->facts & BL_FACT_TCP) {
		flags = p->facts >> BL_FACT_TCP_FLAGS_SHIFT & 0xff;
		w->is_tcp_end = !!(flags & (BL_TCP_FIN | BL_TCP_RST));
		w->is_tcp_syn = (flags & (BL_TCP_SYN | BL_TCP_ACK)) == BL_TCP_SYN;
	}
	if (read == BL_READ_FLOW && p->facts & BL_FACT_FRAGMENT)
		read = bl_read_fragment(skb, w);
	return read;
}

#endif
