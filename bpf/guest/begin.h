/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The long way: any packet that is not plain, and the first ones of flows. Policy of every exit: what cannot be judged or
 * put on its way is dropped with a reason; at an uplink, what is not a guest's is left alone.
 */
#ifndef BEELINE_GUEST_BEGIN_H
#define BEELINE_GUEST_BEGIN_H

#include "guest/error.h"
#include "guest/neighbour.h"
#include "guest/publish.h"

#define BL_TC_REDIRECT 7

static __always_inline struct bl_work *bl_work_of(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct bl_work *w = bpf_map_lookup_elem(&guest_work, &zero);

	if (!w)
		return NULL;
	w->slot = skb->cb[0];
	w->trace = skb->cb[1] == BL_GUEST_TRACE;
	w->out_rule = w->in_rule = BL_GUEST_NONE;
	if (w->trace) { /* whatever the last packet left must not be told */
		w->reason = BL_R_NONE;
		__builtin_memset(&w->flow, 0, sizeof w->flow);
		w->flow.begun_by = w->flow.begun_to = BL_GUEST_NONE;
	}
	return w;
}

/* Tells explain how it would go; the packet goes nowhere. */
static __always_inline int bl_explained(struct __sk_buff *skb, int verdict)
{
	__u32 zero = 0, own;
	struct bl_work *w = bpf_map_lookup_elem(&guest_work, &zero);

	if (!w)
		return verdict; /* counts nothing, as all that explain asks */
	own = w->slot == w->flow.begun_by ? w->out_rule : w->in_rule;

	skb->cb[0] = own;
	skb->cb[1] = w->reason;
	skb->cb[2] = (__u32)w->flow.way << 16 | w->flow.begun_to;
	skb->cb[3] = w->flow.ifindex;
	skb->cb[4] = w->in_rule;
	return verdict == BL_TC_DROP || w->flow.way == BL_WAY_STACK ? verdict : BL_TC_REDIRECT;
}

/* An error about no flow is a flow of its own, for rules that name its type. */
static __always_inline void bl_as_icmp(struct bl_work *w)
{
	__u32 type = w->packet.facts >> BL_FACT_ICMP_TYPE_SHIFT & 0xff;
	__u32 code = w->packet.facts >> BL_FACT_ICMP_CODE_SHIFT & 0xff;

	w->tuple.kind = BL_TUPLE_ICMP;
	w->tuple.sport = bpf_htons(type << 8 | code);
	w->tuple.dport = 0;
	w->l4 = w->packet.l4;
	if (!w->trace)
		bl_count(BL_GUEST_R_UNRELATED);
}

/* Where a flow that guest w->slot begins goes. 0, or why nowhere. */
static __always_inline int bl_find_way(struct __sk_buff *skb, struct bl_work *w)
{
	struct bl_flow *f = &w->flow;
	__u32 target = bl_slot_at(w->tuple.dst, w->tuple.family);

	f->begun_by = w->slot;
	if (target != BL_GUEST_NONE) {
		f->on.from = BL_FROM_GUEST;
		f->begun_to = target;
		return bl_way_to_guest(f, target) ? 0 : BL_GUEST_R_NO_GUEST;
	}
	f->on.from = BL_FROM_ELSEWHERE;
	f->way = BL_WAY_STACK;
	f->routed_ns = bpf_ktime_get_coarse_ns();
	if (bl_for_neighbours(w->tuple.dst, w->tuple.family))
		return 0;
	guest_ask_routes(skb, w);
	if (f->way == BL_WAY_STACK && !w->reason)
		guest_published(w, NULL);
	return 0;
}

/* The source address that the flow goes on with, where that is not the guest's own. */
static __always_inline int bl_find_source(struct bl_work *w, struct bl_guest_settings *settings,
					  const struct bl_guest *g)
{
	struct bl_uplink *uplink;
	__u32 ifindex = w->flow.ifindex;

	if (w->flow.begun_to != w->slot) {
		if (w->flow.way != BL_WAY_WIRE || !(g->flags & BL_GUEST_MASQUERADE))
			return 0;
		uplink = bpf_map_lookup_elem(&guest_uplinks, &ifindex);
		if (!uplink)
			return BL_GUEST_R_NO_NAT_PORT;
		if (w->tuple.family == 4)
			w->flow.on.src[0] = uplink->addr4;
		else
			bl_copy_address(w->flow.on.src, uplink->addr6);
	}
	w->flow.flags |= BL_FLOW_REWRITE;
	bl_make_back(w, settings);
	return guest_take_port(w);
}

/* A flow that the guest w->slot begins. */
__noinline int guest_begin_out(struct __sk_buff *skb, struct bl_work *w)
{
	struct bl_guest_settings *settings = bl_settings();
	struct bl_guest *g;
	int reason;

	if (!w || !settings)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
	g = bl_guest_of(w->slot);
	if (!g)
		return bl_dropped(w, BL_GUEST_R_NO_GUEST);
	bl_no_flow_yet(w);
	bl_way_to_guest(&w->back, w->slot);
	reason = bl_find_way(skb, w);
	if (!reason) {
		if (w->reason && !w->trace)
			bl_count(w->reason); /* no route, or not by an uplink: it goes to the stack */
		reason = bl_judge(skb, w, &w->flow.on);
	}
	if (!reason)
		reason = bl_find_source(w, settings, g);
	if (!reason)
		reason = bl_make_flow(w, settings);
	return reason ? bl_dropped(w, reason) : BL_TC_NEXT;
}

#define BL_ROUTE_SAME 0
#define BL_ROUTE_OTHER 1 /* the flow cannot go on as it is: it begins anew */
#define BL_ROUTE_NONE 2  /* for now; it may come back */

/* Can a flow that is rewritten go the way that was just found? */
static __always_inline int bl_suits(const struct bl_work *w)
{
	struct bl_uplink *uplink;
	__u32 ifindex = w->flow.ifindex;

	if (w->flow.way != BL_WAY_WIRE)
		return w->flow.flags & BL_FLOW_REPLY || w->reason != BL_GUEST_R_NOT_UPLINK ? BL_ROUTE_NONE :
											     BL_ROUTE_OTHER;
	uplink = bpf_map_lookup_elem(&guest_uplinks, &ifindex);
	if (!uplink)
		return BL_ROUTE_NONE;
	if (w->flow.flags & BL_FLOW_REPLY)
		return BL_ROUTE_SAME;
	return (w->tuple.family == 4 ? w->flow.on.src[0] == uplink->addr4 :
				       bl_same_address(w->flow.on.src, uplink->addr6)) ?
		       BL_ROUTE_SAME :
		       BL_ROUTE_OTHER;
}

/* The host's routes are asked again. Gives BL_ROUTE_*. */
static __always_inline int bl_route_again(struct __sk_buff *skb, struct bl_work *w, const struct bl_guest *g)
{
	int suits, was = w->flow.way;
	struct bl_flow *f;

	if (was == BL_WAY_STACK && bl_for_neighbours(w->tuple.dst, w->tuple.family))
		return BL_ROUTE_SAME;
	guest_ask_routes(skb, w);
	if (w->flow.flags & BL_FLOW_REWRITE) {
		suits = bl_suits(w);
		if (suits != BL_ROUTE_SAME)
			return suits;
	} else if (was == BL_WAY_STACK && w->flow.way == BL_WAY_WIRE && g->flags & BL_GUEST_MASQUERADE) {
		return BL_ROUTE_OTHER;
	}
	f = bpf_map_lookup_elem(&guest_flows, &w->tuple);
	if (!f)
		return BL_ROUTE_OTHER;
	f->way = w->flow.way;
	f->ifindex = w->flow.ifindex;
	f->mtu = w->flow.mtu;
	f->routed_ns = bpf_ktime_get_coarse_ns();
	return BL_ROUTE_SAME;
}

__noinline int guest_out_rest(struct __sk_buff *skb)
{
	struct bl_work *w = bl_work_of(skb);
	struct bl_guest *g;
	int read, verdict, route, at;

	if (!w)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
	g = bl_guest_of(w->slot);
	if (!g)
		return bl_dropped(w, BL_GUEST_R_NO_GUEST);
	at = g->kind <= BL_GUEST_NETKIT_L2 ? BL_AT_NETKIT : BL_AT_TC_INGRESS;
	read = guest_read(skb, w, BL_FROM_GUEST);
	if (read == BL_READ_NEIGHBOUR)
		return bl_neighbour_out(skb, w, g);
	if (read == BL_READ_OTHER)
		return bl_dropped(w, BL_GUEST_R_NOT_IP);
	if (read == BL_READ_BROKEN)
		return bl_dropped(w, w->reason);
	if (!bl_has_address(g, w->tuple.src, w->tuple.family))
		return bl_dropped(w, BL_GUEST_R_SPOOFED);
	if (read == BL_READ_ERROR) {
		verdict = guest_related(skb, w, at);
		if (verdict != BL_TC_ANSWER)
			return verdict;
		bl_as_icmp(w);
	}
	verdict = BL_TC_DROP;
	if (!w->trace && guest_known(skb, w)) {
		verdict = BL_TC_NEXT;
		route = bl_is_routed(&w->flow) ? bl_route_again(skb, w, g) : BL_ROUTE_SAME;
		if (route == BL_ROUTE_NONE)
			return bl_dropped(w, BL_GUEST_R_NO_ROUTE);
		if (route == BL_ROUTE_OTHER) {
			bl_forget(w, &w->tuple);
			verdict = BL_TC_DROP;
		}
	}
	if (verdict == BL_TC_DROP) {
		verdict = guest_begin_out(skb, w);
		if (w->trace || verdict == BL_TC_DROP)
			return verdict;
	}
	return bl_forward(skb, &w->tuple, &w->flow, w->l4, w->ttl, at);
}

/* A flow that somebody begins to a guest, and whose answers go by w->back. */
static __always_inline int bl_begin_to(struct __sk_buff *skb, struct bl_work *w)
{
	struct bl_guest_settings *settings = bl_settings();
	int reason;

	if (!settings)
		return bl_dropped(w, BL_GUEST_R_NO_MAP);
	reason = bl_judge(skb, w, &w->flow.on);
	if (!reason)
		reason = bl_make_flow(w, settings);
	return reason ? bl_dropped(w, reason) : BL_TC_NEXT;
}

/*
 * From another guest, whose program has judged and rewritten it; but its mark was scrubbed off here. What this guest
 * itself sends in that flow, w->begin, has an entry then, and is answered by a guest.
 */
static __always_inline int bl_was_judged(struct bl_work *w)
{
	struct bl_guest_settings *settings = bl_settings();
	struct bl_flow *back;

	back = bpf_map_lookup_elem(&guest_flows, &w->begin);
	return back && settings && back->generation == settings->generation && back->on.from == BL_FROM_GUEST;
}

/* 1: the packet belongs to a flow that is allowed into the guest. */
static __always_inline int bl_known_in(struct __sk_buff *skb, struct bl_work *w, const struct bl_guest *g)
{
	if (guest_known(skb, w))
		return 1;
	if (g->flags & BL_GUEST_CARRIES_MARK)
		return 0;
	bl_turn(&w->begin, &w->tuple, BL_FROM_GUEST);
	if (!bl_was_judged(w))
		return 0;
	w->flow.out_counter = w->flow.in_counter = 0; /* counted there */
	return 1;
}

__noinline int guest_in_rest(struct __sk_buff *skb)
{
	struct bl_work *w = bl_work_of(skb);
	struct bl_guest *g;
	int read, verdict;

	if (!w)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
	g = bl_guest_of(w->slot);
	if (!g)
		return bl_dropped(w, BL_GUEST_R_NO_GUEST);
	read = guest_read(skb, w, BL_FROM_ELSEWHERE);
	if (read == BL_READ_NEIGHBOUR)
		return bl_neighbour_in(w, g);
	if (read == BL_READ_OTHER)
		return bl_dropped(w, BL_GUEST_R_NOT_IP);
	if (read == BL_READ_BROKEN)
		return bl_dropped(w, w->reason);
	if (!bl_has_address(g, w->tuple.dst, w->tuple.family))
		return bl_dropped(w, BL_GUEST_R_NOT_ITS_ADDRESS);
	if (read == BL_READ_ERROR) {
		verdict = guest_related(skb, w, BL_GUEST_NONE);
		if (verdict != BL_TC_ANSWER)
			return verdict;
		w->begin = w->inner;
		w->begin.from = BL_FROM_GUEST;
		if (!(g->flags & BL_GUEST_CARRIES_MARK) && bl_same_address(w->inner.src, w->tuple.dst) &&
		    bl_was_judged(w))
			return BL_TC_NEXT;
		bl_as_icmp(w);
	}
	if (!w->trace && bl_known_in(skb, w, g)) {
		if (w->flow.out_counter)
			bl_hit(w->flow.out_counter, skb->len);
		if (w->flow.in_counter)
			bl_hit(w->flow.in_counter, skb->len);
		return BL_TC_NEXT;
	}
	bl_no_flow_yet(w);
	w->flow.begun_to = w->slot;
	w->flow.on.from = BL_FROM_GUEST;
	verdict = bl_begin_to(skb, w);
	if (!w->trace && verdict == BL_TC_NEXT && w->flow.in_counter)
		bl_hit(w->flow.in_counter, skb->len);
	return verdict;
}

/* Not bl_dropped: what is not a guest's must go on. This and the next are not inline, as guest_wire_rest's stack is nearly full. */
__noinline int guest_no_map_at_uplink(void)
{
	bl_count(BL_GUEST_R_NO_MAP);
	return BL_TC_NEXT;
}

/*
 * What cannot be read at an uplink. To a guest's own address it is dropped; what else there is may be the host's: its
 * stack sees to that. So it does to a later fragment that came before its first one, which netfilter may put together.
 */
__noinline int guest_not_read(struct bl_work *w)
{
	if (!w)
		return guest_no_map_at_uplink();
	if (w->reason == BL_GUEST_R_FRAGMENT)
		w->reason = BL_GUEST_R_STRAY_FRAGMENT;
	else if (bl_slot_at(w->tuple.dst, w->tuple.family) != BL_GUEST_NONE)
		return bl_dropped(w, w->reason);
	if (!w->trace)
		bl_count(w->reason);
	return BL_TC_NEXT;
}

__noinline int guest_wire_rest(struct __sk_buff *skb)
{
	struct bl_work *w = bl_work_of(skb);
	struct bl_uplink *uplink;
	__u32 target, ifindex = skb->ifindex;
	int read, verdict;

	if (!w)
		return guest_no_map_at_uplink();
	w->slot = BL_GUEST_NONE;
	read = guest_read(skb, w, BL_FROM_ELSEWHERE);
	if (read == BL_READ_BROKEN)
		return guest_not_read(w);
	if (read != BL_READ_FLOW && read != BL_READ_ERROR)
		return BL_TC_NEXT; /* the plain way of what is no guest's */
	if (read == BL_READ_ERROR) {
		verdict = guest_related(skb, w, BL_AT_TC_INGRESS);
		if (verdict != BL_TC_ANSWER)
			return verdict;
	}
	if (read == BL_READ_FLOW && !w->trace && guest_known(skb, w))
		return w->flow.way != BL_WAY_GUEST ?
			       BL_TC_NEXT :
			       bl_forward(skb, &w->tuple, &w->flow, w->l4, w->ttl, BL_AT_TC_INGRESS);
	uplink = bpf_map_lookup_elem(&guest_uplinks, &ifindex);
	if (!uplink)
		return guest_no_map_at_uplink();
	target = bl_slot_at(w->tuple.dst, w->tuple.family);
	if (target != BL_GUEST_NONE && read == BL_READ_ERROR)
		bl_as_icmp(w);
	bl_no_flow_yet(w);
	if (target != BL_GUEST_NONE) {
		w->flow.on.from = BL_FROM_GUEST;
		w->flow.begun_to = target;
		if (!bl_way_to_guest(&w->flow, target))
			return bl_dropped(w, BL_GUEST_R_NO_GUEST);
	} else if (!guest_published(w, uplink)) {
		return BL_TC_NEXT;
	}
	if (bl_slot_at(w->tuple.src, w->tuple.family) != BL_GUEST_NONE)
		return bl_dropped(w, BL_GUEST_R_SPOOFED);
	w->back.way = BL_WAY_WIRE;
	w->back.ifindex = ifindex;
	w->back.mtu = uplink->mtu;
	verdict = bl_begin_to(skb, w);
	if (w->trace || verdict == BL_TC_DROP)
		return verdict;
	return bl_forward(skb, &w->tuple, &w->flow, w->l4, w->ttl, BL_AT_TC_INGRESS);
}

#endif
