/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ARP and IPv6 neighbour discovery, in the guests' devices that have neighbours. Rules are not asked about it, so none of
 * it may leave its link.
 */
#ifndef BEELINE_GUEST_NEIGHBOUR_H
#define BEELINE_GUEST_NEIGHBOUR_H

#include "guest/forward.h"

static __always_inline int bl_is_link_local6(const __u32 address[4])
{
	return (address[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* Forwarded packets have fewer hops left: what has 255 comes from a neighbour (RFC 4861, 6.1.1 and 7.1). */
#define BL_NEIGHBOUR_HOPS 255

/* The host's stack would forward what is addressed to others. The host takes no routes from guests. */
static __always_inline int bl_neighbour6_out(struct __sk_buff *skb, struct bl_work *w, const struct bl_guest *g)
{
	__u32 type = w->packet.facts >> BL_FACT_ICMP_TYPE_SHIFT & 0xff;
	const __u32 *src = w->tuple.src;

	if (type == 134 || type == 137 || w->ttl != BL_NEIGHBOUR_HOPS)
		return bl_dropped(w, BL_GUEST_R_NOT_IP);
	if ((src[0] | src[1] | src[2] | src[3]) && !bl_is_link_local6(src) && !bl_has_address(g, src, 6))
		return bl_dropped(w, BL_GUEST_R_SPOOFED);
	if (bl_for_neighbours(w->tuple.dst, 6))
		return BL_TC_NEXT;
	bl_no_flow_yet(w);
	if (bl_slot_at(w->tuple.dst, 6) == BL_GUEST_NONE)
		guest_ask_routes(skb, w);
	else
		w->reason = BL_GUEST_R_NOT_UPLINK;
	return w->flow.way != BL_WAY_STACK || w->reason ? bl_dropped(w, BL_GUEST_R_NOT_IP) : BL_TC_NEXT;
}

static __always_inline int bl_neighbour_out(struct __sk_buff *skb, struct bl_work *w, const struct bl_guest *g)
{
	__u32 sender;

	if (g->kind == BL_GUEST_NETKIT_L3)
		return bl_dropped(w, BL_GUEST_R_NOT_IP);
	if (w->packet.facts & BL_FACT_V6)
		return bl_neighbour6_out(skb, w, g);
	if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + 14, &sender, 4) || (sender && sender != g->addr4))
		return bl_dropped(w, BL_GUEST_R_SPOOFED);
	return BL_TC_NEXT;
}

static __always_inline int bl_neighbour_in(struct bl_work *w, const struct bl_guest *g)
{
	if (g->kind == BL_GUEST_NETKIT_L3 || (w->packet.facts & BL_FACT_V6 && w->ttl != BL_NEIGHBOUR_HOPS))
		return bl_dropped(w, BL_GUEST_R_NOT_IP);
	return BL_TC_NEXT;
}

#endif
