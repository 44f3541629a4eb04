/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet goes the way of its flow.
 *
 * Which redirect works where is net/core/filter.c's: bpf_redirect_peer enters a guest from tc ingress only. From a netkit
 * peer's hook bpf_redirect into the other primary would do, but that is a second transmission, with a second program at
 * its end (docs/decisions/0006-across.md). So the packet passes with a mark that names its target, and guest_across, at
 * tc ingress of the same pair's host end, takes it into the other guest.
 */
#ifndef BEELINE_GUEST_FORWARD_H
#define BEELINE_GUEST_FORWARD_H

#include "guest/rewrite.h"
#include "guest/route.h"

/* What tcx and netkit hooks understand alike (uapi: enum tcx_action_base, netkit_action). */
#define BL_TC_NEXT (-1)
#define BL_TC_PASS 0
#define BL_TC_DROP 2
/* For callers only: send an ICMP error back, as guest/answer.h does. */
#define BL_TC_ANSWER 0x100

/* Where the program runs. */
#define BL_AT_NETKIT 0
#define BL_AT_TC_INGRESS 1

static __always_inline int bl_dropped(struct bl_work *w, __u32 reason)
{
	if (w->trace)
		w->reason = reason;
	else
		bl_count(reason);
	return BL_TC_DROP;
}

static __always_inline int bl_dropped_by(__u32 reason)
{
	bl_count(reason);
	return BL_TC_DROP;
}

static __always_inline int bl_answer(struct __sk_buff *skb, __u32 reason, __u32 what, __u32 mtu, __u32 uplink)
{
	bl_count(reason);
	skb->cb[2] = what;
	skb->cb[3] = mtu;
	skb->cb[4] = uplink;
	return BL_TC_ANSWER;
}

/* 1: the packet, or each segment that a device would make of it, is larger than mtu. */
static __always_inline int bl_too_big(struct __sk_buff *skb, __u32 l4, __u8 proto, __u32 mtu)
{
	__u32 header = l4 - sizeof(struct ethhdr);

	if (!mtu || skb->len <= mtu + sizeof(struct ethhdr))
		return 0;
	if (!skb->gso_size)
		return 1;
	if (proto == IPPROTO_TCP) {
		__u8 words;

		if (bpf_skb_load_bytes(skb, l4 + 12, &words, 1))
			return 1;
		header += (words >> 4) * 4;
	} else {
		header += sizeof(struct udphdr);
	}
	return header + skb->gso_size > mtu;
}

/* A frame for a device that looks at the MAC address. */
static __always_inline int bl_new_macs(struct __sk_buff *skb, const struct bl_guest *g)
{
	return bpf_skb_store_bytes(skb, 0, g->mac, 6, 0) || bpf_skb_store_bytes(skb, 6, g->host_mac, 6, 0);
}

static __always_inline int bl_into(struct __sk_buff *skb, const struct bl_guest *g, __u32 slot, int at)
{
	if (at == BL_AT_TC_INGRESS && g->kind != BL_GUEST_TAP)
		return bpf_redirect_peer(g->ifindex, 0);
	if (at == BL_AT_NETKIT && g->kind != BL_GUEST_TAP) {
		skb->mark = BL_GUEST_MARK | slot;
		return BL_TC_PASS;
	}
	if (g->kind != BL_GUEST_NETKIT_L3 && bl_new_macs(skb, g))
		return bl_dropped_by(BL_GUEST_R_REWRITE);
	skb->mark = BL_GUEST_MARK | slot;
	return bpf_redirect(g->ifindex, 0);
}

static __always_inline int bl_into_guest(struct __sk_buff *skb, __u32 slot, int at)
{
	struct bl_guest *g = bl_guest_of(slot);

	return g ? bl_into(skb, g, slot, at) : bl_dropped_by(BL_GUEST_R_NO_GUEST);
}

/* Type and code of ICMP errors in IPv4 (RFC 792, RFC 1191) and IPv6 (RFC 4443). */
#define BL_TIME_EXCEEDED4 (11 << 8)
#define BL_TIME_EXCEEDED6 (3 << 8)
#define BL_FRAG_NEEDED (3 << 8 | 4)
#define BL_PACKET_TOO_BIG (2 << 8)

/* What can keep a packet from going on: its TTL and its size. 0, or BL_TC_ANSWER. */
static __always_inline int bl_held_up(struct __sk_buff *skb, const struct bl_flow *f, __u32 l4, __u8 ttl, int hop)
{
	__u32 uplink = skb->ifindex;
	int six = f->on.family == 6;

	barrier_var(uplink); /* or clang picks an address first and loads then, which ctx does not allow */
	if (f->way == BL_WAY_WIRE)
		uplink = f->ifindex;
	if (!hop)
		uplink = 0;
	if (hop && ttl <= 1)
		return bl_answer(skb, BL_GUEST_R_TTL, six ? BL_TIME_EXCEEDED6 : BL_TIME_EXCEEDED4, 0, uplink);
	if (f->mtu && skb->len > f->mtu + sizeof(struct ethhdr) && bl_too_big(skb, l4, f->on.proto, f->mtu))
		return bl_answer(skb, BL_GUEST_R_TOO_BIG, six ? BL_PACKET_TOO_BIG : BL_FRAG_NEEDED, f->mtu, uplink);
	return 0;
}

/*
 * t: the packet's tuple, f: its flow; l4: offset of the L4 header, 0 where there is none. Guests of one host are
 * neighbours, as on a bridge; to and from the world the host is a hop.
 */
static __always_inline int bl_forward(struct __sk_buff *skb, struct bl_tuple *t, struct bl_flow *f, __u32 l4, __u8 ttl,
				      int at)
{
	__u32 to = f->flags & BL_FLOW_REPLY ? f->begun_by : f->begun_to;
	int hop = f->way == BL_WAY_WIRE || t->from == BL_FROM_ELSEWHERE;
	__u32 out = f->out_counter, in = f->in_counter;
	int held;

	if (f->way != BL_WAY_STACK) {
		held = bl_held_up(skb, f, l4, ttl, hop);
		if (held)
			return held;
	}
	if (out)
		bl_hit(out, skb->len);
	if (in)
		bl_hit(in, skb->len);
	if (f->flags & BL_FLOW_REWRITE && guest_rewrite(skb, t, &f->on, l4))
		return bl_dropped_by(BL_GUEST_R_REWRITE);
	if (f->way == BL_WAY_STACK)
		return BL_TC_NEXT;
	if (hop && bl_less_ttl(skb, t->family))
		return bl_dropped_by(BL_GUEST_R_REWRITE);
	if (f->way == BL_WAY_WIRE)
		return bpf_redirect_neigh(f->ifindex, NULL, 0, 0);
	return bl_into_guest(skb, to, at);
}

#endif
