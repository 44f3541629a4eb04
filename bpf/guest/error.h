/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors: those that come for a flow go to its guest, with the packet inside rewritten as the flow is (RFC 5508,
 * RFC 4787 REQ-9); those that the host would send are made here.
 */
#ifndef BEELINE_GUEST_ERROR_H
#define BEELINE_GUEST_ERROR_H

#include "guest/forward.h"
#include "lib/csum.h"

/* The tuple of the packet inside an error that begins at l4. 0: there is none to read. */
static __always_inline int bl_read_inner(struct __sk_buff *skb, struct bl_work *w, __u32 at, struct bl_tuple *t)
{
	__u32 l4;
	__be16 words[4];
	int six = w->tuple.family == 6;

	__builtin_memset(t, 0, sizeof *t);
	t->family = w->tuple.family;
	if (!six) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof ip) || ip.version != 4 || ip.ihl < 5)
			return 0;
		t->src[0] = ip.saddr;
		t->dst[0] = ip.daddr;
		t->proto = ip.protocol;
		l4 = at + ip.ihl * 4;
	} else {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof ip) || ip.version != 6)
			return 0;
		__builtin_memcpy(t->src, &ip.saddr, 16);
		__builtin_memcpy(t->dst, &ip.daddr, 16);
		t->proto = ip.nexthdr;
		l4 = at + sizeof ip;
	}
	if (bpf_skb_load_bytes(skb, l4, words, sizeof words))
		return 0;
	w->l4 = l4;
	if (t->proto == IPPROTO_TCP || t->proto == IPPROTO_UDP || t->proto == IPPROTO_SCTP ||
	    t->proto == IPPROTO_UDPLITE || t->proto == IPPROTO_DCCP) {
		t->kind = BL_TUPLE_PORTS;
		t->sport = words[0];
		t->dport = words[1];
		return 1;
	}
	if (t->proto == (six ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		__u8 type = bpf_ntohs(words[0]) >> 8;

		if (type != (six ? BL_ECHO6 : BL_ECHO4) && type != (six ? BL_ECHO6_REPLY : BL_ECHO4_REPLY))
			return 0;
		bl_echo_tuple(t, type == (six ? BL_ECHO6 : BL_ECHO4), words[2]);
		return 1;
	}
	t->kind = BL_TUPLE_NONE;
	return 1;
}

/* The addresses and ports inside, and the checksum of the ICMP message around them. */
static __always_inline int bl_rewrite_inner(struct __sk_buff *skb, __u32 icmp, __u32 at, __u32 l4, struct bl_tuple *was,
					    struct bl_tuple *is)
{
	__be16 old, new;
	__u32 port = l4;

	if (was->family == 4) {
		/* The inner header's checksum takes up what its addresses change: the message's stays as it is. */
		if (was->src[0] != is->src[0] &&
		    (bpf_l3_csum_replace(skb, at + 10, was->src[0], is->src[0], 4) ||
		     bpf_skb_store_bytes(skb, at + 12, is->src, 4, 0)))
			return -1;
		if (was->dst[0] != is->dst[0] &&
		    (bpf_l3_csum_replace(skb, at + 10, was->dst[0], is->dst[0], 4) ||
		     bpf_skb_store_bytes(skb, at + 16, is->dst, 4, 0)))
			return -1;
	} else {
		__s64 diff = bpf_csum_diff(was->src, 32, is->src, 32, 0);

		if (diff < 0 || bpf_l4_csum_replace(skb, icmp + 2, 0, diff, 0) ||
		    bpf_skb_store_bytes(skb, at + 8, is->src, 32, 0))
			return -1;
	}
	if (was->kind == BL_TUPLE_ECHO || was->kind == BL_TUPLE_ECHO_REPLY) {
		old = bl_echo_id(was);
		new = bl_echo_id(is);
		port = l4 + 4;
		return old == new ? 0 : bl_new_port(skb, port, icmp + 2, 0, old, new);
	}
	if (was->kind != BL_TUPLE_PORTS)
		return 0;
	if (was->sport != is->sport && bl_new_port(skb, l4, icmp + 2, 0, was->sport, is->sport))
		return -1;
	return was->dport != is->dport ? bl_new_port(skb, l4 + 2, icmp + 2, 0, was->dport, is->dport) : 0;
}

/*
 * The L4 checksum inside as the packet's sender made it, as the headers around it (RFC 5508, REQ-4), and what that changes in
 * the message's. There may be none: the sender chose so, or the quote ends before it.
 */
static __always_inline int bl_rewrite_inner_check(struct __sk_buff *skb, __u32 icmp, __u32 l4, struct bl_tuple *was,
						  struct bl_tuple *is)
{
	int udp = was->proto == IPPROTO_UDP || was->proto == IPPROTO_UDPLITE;
	int offset = was->proto == IPPROTO_ICMP ? 2 : bl_check_offset(was->proto);
	__u16 old, new;
	__s64 diff;

	if (offset < 0 || bpf_skb_load_bytes(skb, l4 + offset, &old, 2) || (udp && !old))
		return 0;
	diff = bpf_csum_diff((__be32 *)&was->sport, 4, (__be32 *)&is->sport, 4, 0);
	if (diff >= 0 && was->proto != IPPROTO_ICMP) /* which covers no addresses */
		diff = bpf_csum_diff(was->src, 32, is->src, 32, diff);
	if (diff < 0)
		return -1;
	new = bl_csum_update(old, diff);
	if (udp && !new)
		new = 0xffff; /* 0 says that there is none */
	return old == new ? 0 : bl_new_port(skb, l4 + offset, icmp + 2, 0, old, new);
}

/*
 * w holds an ICMP error. If it is about a packet of a flow that is known, the error takes the way of that flow's
 * answers. Gives the verdict, or BL_TC_ANSWER: no such flow.
 */
__noinline int guest_related(struct __sk_buff *skb, struct bl_work *w, __u32 at_hook)
{
	struct bl_guest_settings *settings = bl_settings();
	struct bl_tuple outer, outer_is, *is;
	struct bl_flow *f;
	__u32 icmp, at;
	int way, hop;

	if (!w || !settings)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
	icmp = w->packet.l4;
	at = icmp + 8;
	if (!bl_read_inner(skb, w, at, &w->inner))
		return BL_TC_ANSWER;
	/* It goes to whom its packet came from. Guests are no routers: such a packet was sent to them. */
	if (!bl_same_address(w->inner.src, w->tuple.dst) ||
	    (w->tuple.from == BL_FROM_GUEST && !bl_same_address(w->inner.dst, w->tuple.src)))
		return BL_TC_ANSWER;
	bl_turn(&w->begin, &w->inner, w->tuple.from);
	f = bpf_map_lookup_elem(&guest_flows, &w->begin);
	/* A flow that the rules of today were not asked about: they are with its next packet. */
	if (!f || f->generation != settings->generation ||
	    bl_is_over(f, bl_other_way(&w->back.on, f), bpf_ktime_get_coarse_ns()))
		return BL_TC_ANSWER;
	way = f->way;
	if (w->trace) {
		w->flow = *f;
		w->flow.begun_by = BL_GUEST_NONE;
		w->flow.begun_to = f->flags & BL_FLOW_REPLY ? f->begun_by : f->begun_to;
		return BL_TC_NEXT;
	}
	/* An error goes where an answer goes: from the answer's source, or from a router on the way. */
	outer = w->tuple;
	outer_is = outer;
	if (bl_same_address(outer.src, w->begin.src))
		bl_copy_address(outer_is.src, f->on.src);
	bl_copy_address(outer_is.dst, f->on.dst);
	outer.kind = outer_is.kind = BL_TUPLE_NONE;
	bl_turn(&w->begin, &f->on, f->on.from);
	is = &w->begin;
	if (f->flags & BL_FLOW_REWRITE && (bl_rewrite_inner(skb, icmp, at, w->l4, &w->inner, is) ||
					   bl_rewrite_inner_check(skb, icmp, w->l4, &w->inner, is) ||
					   guest_rewrite(skb, &outer, &outer_is, icmp)))
		return bl_dropped_by(BL_GUEST_R_REWRITE);
	if (way == BL_WAY_STACK || at_hook == BL_GUEST_NONE)
		return BL_TC_NEXT;
	hop = way == BL_WAY_WIRE || outer.from == BL_FROM_ELSEWHERE;
	if (hop && (w->ttl <= 1 || bl_less_ttl(skb, outer.family)))
		return bl_dropped_by(BL_GUEST_R_TTL); /* no errors about errors (RFC 1122, 3.2.2) */
	if (way == BL_WAY_WIRE)
		return bpf_redirect_neigh(f->ifindex, NULL, 0, 0);
	return bl_into_guest(skb, f->flags & BL_FLOW_REPLY ? f->begun_by : f->begun_to, at_hook);
}

#endif
