/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows: found, kept true, and made. A flow is two entries that point at each other: `on` of the one turned round is the
 * key of the other.
 */
#ifndef BEELINE_GUEST_FLOW_H
#define BEELINE_GUEST_FLOW_H

#include "guest/judge.h"

#define BL_SECOND 1000000000ULL
/* An entry seen within this time cannot be over; what is older is looked at the long way. */
#define BL_FLOW_FRESH_NS (20 * BL_SECOND)
/* seen_ns is written at most this often, so that the cache line stays clean. */
#define BL_FLOW_SEEN_NS (BL_SECOND / 4)

static __always_inline struct bl_guest *bl_guest_of(__u32 slot)
{
	struct bl_guest *g = slot < BL_GUEST_MAX ? bpf_map_lookup_elem(&guest_list, &slot) : NULL;

	return g && g->flags & BL_GUEST_UP ? g : NULL;
}

static __always_inline struct bl_guest_settings *bl_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guest_settings, &zero);
}

static __always_inline int bl_has_address(const struct bl_guest *g, const __u32 address[4], __u8 family)
{
	return family == 4 ? g->addr4 && address[0] == g->addr4 : g->addr6[0] && bl_same_address(address, g->addr6);
}

/* The slot of the guest with this address, or BL_GUEST_NONE. */
static __always_inline __u32 bl_slot_at(const __u32 address[4], __u8 family)
{
	struct bl_guest_address key = { .family = family };
	__u32 *slot;

	bl_copy_address(key.address, address);
	slot = bpf_map_lookup_elem(&guest_addresses, &key);
	return slot ? *slot : BL_GUEST_NONE;
}

static __always_inline __u64 bl_lifetime(const struct bl_flow *f)
{
	if (f->on.proto == IPPROTO_TCP)
		return (f->flags & BL_FLOW_CLOSING || !(f->flags & BL_FLOW_ANSWERED) ? BL_FLOW_TCP_SHORT_SECONDS :
										       BL_FLOW_TCP_SECONDS) *
		       BL_SECOND;
	if (f->on.proto == IPPROTO_UDP)
		return (f->flags & BL_FLOW_ANSWERED ? BL_FLOW_UDP_SECONDS : BL_FLOW_SHORT_SECONDS) * BL_SECOND;
	return (f->on.kind == BL_TUPLE_NONE ? BL_FLOW_OTHER_SECONDS : BL_FLOW_SHORT_SECONDS) * BL_SECOND;
}

/* The entry of f's other direction, whose key is left in `key`. */
static __always_inline struct bl_flow *bl_other_way(struct bl_tuple *key, const struct bl_flow *f)
{
	bl_turn(key, &f->on, f->on.from);
	return bpf_map_lookup_elem(&guest_flows, key);
}

/* Signed: another CPU may have seen a packet since `now` was read. */
static __always_inline int bl_is_over(const struct bl_flow *f, const struct bl_flow *other, __u64 now)
{
	__u64 seen = other && (__s64)(other->seen_ns - f->seen_ns) > 0 ? other->seen_ns : f->seen_ns;

	return (__s64)(now - seen) > (__s64)bl_lifetime(f);
}

/* Does the port that w->begin was addressed to still lead to `on`? */
static __always_inline int bl_still_published(const struct bl_work *w, const struct bl_tuple *on)
{
	struct bl_port_key key = { .port = w->begin.dport, .proto = on->proto, .family = on->family };
	struct bl_port *port;

	bl_copy_address(key.address, w->begin.dst);
	port = bpf_map_lookup_elem(&guest_ports, &key);
	if (!port) {
		__builtin_memset(key.address, 0, sizeof key.address);
		port = bpf_map_lookup_elem(&guest_ports, &key);
	}
	return port && port->port == on->dport && bl_same_address(port->address, on->dst);
}

/*
 * Does the world still look as it did when the flow w->begin was made, which goes on as `on` by `way`? Masquerade that
 * was turned off or on: the flow would go on with the wrong address.
 */
static __always_inline int bl_still_true(struct bl_work *w, const struct bl_tuple *on, __u8 way)
{
	struct bl_flow *f = &w->flow;
	int rewrite = f->flags & BL_FLOW_REWRITE;

	if (f->begun_by != BL_GUEST_NONE) {
		struct bl_guest *by = bl_guest_of(f->begun_by);

		if (!by || !bl_has_address(by, w->begin.src, w->begin.family))
			return 0;
		if (f->begun_to == BL_GUEST_NONE && (rewrite || way == BL_WAY_WIRE) &&
		    !rewrite == !!(by->flags & BL_GUEST_MASQUERADE))
			return 0;
	}
	if (f->begun_to != BL_GUEST_NONE) {
		struct bl_guest *to = bl_guest_of(f->begun_to);

		if (!to || !bl_has_address(to, on->dst, on->family))
			return 0;
		if (rewrite && !bl_still_published(w, on))
			return 0;
	}
	return 1;
}

/* Judges the flow that begins with w->begin and goes on as `on`. 0: allowed; else why not. */
static __always_inline int bl_judge(struct __sk_buff *skb, struct bl_work *w, struct bl_tuple *on)
{
	struct bl_flow *f = &w->flow;
	int reason;

	w->out_rule = w->in_rule = BL_GUEST_NONE;
	f->out_counter = f->in_counter = 0;
	if (f->begun_by != BL_GUEST_NONE) {
		reason = guest_ask(skb, w, &w->begin, f->begun_by, BL_GUEST_OUT);
		w->out_rule = w->asked.rule;
		if (reason)
			return reason;
		f->out_counter = w->asked.counter;
	}
	if (f->begun_to != BL_GUEST_NONE) {
		reason = guest_ask(skb, w, on, f->begun_to, BL_GUEST_IN);
		w->in_rule = w->asked.rule;
		if (reason)
			return reason;
		f->in_counter = w->asked.counter;
	}
	return 0;
}

static __always_inline void bl_no_flow_yet(struct bl_work *w)
{
	__builtin_memset(&w->flow, 0, sizeof w->flow);
	__builtin_memset(&w->back, 0, sizeof w->back);
	w->flow.begun_by = w->flow.begun_to = BL_GUEST_NONE;
	w->begin = w->tuple;
	w->flow.on = w->tuple;
}

/* Both entries of the flow whose one direction is key -> w->flow go. */
static __always_inline void bl_forget(struct bl_work *w, const struct bl_tuple *key)
{
	bl_turn(&w->begin, &w->flow.on, w->flow.on.from);
	bpf_map_delete_elem(&guest_flows, &w->begin);
	bpf_map_delete_elem(&guest_flows, key);
}

/*
 * Looks for w->tuple's flow and makes sure that it still holds: not over, allowed by the rules of today. 1: w->flow is a
 * copy of the entry as it stands now.
 */
__noinline int guest_known(struct __sk_buff *skb, struct bl_work *w)
{
	struct bl_guest_settings *settings = bl_settings();
	__u64 now = bpf_ktime_get_coarse_ns();
	struct bl_flow *f, *back;
	__u32 flags, refused;

	if (!w || !settings)
		return 0;
	f = bpf_map_lookup_elem(&guest_flows, &w->tuple);
	if (!f)
		return 0;
	w->flow = *f;
	back = bl_other_way(&w->begin, f);
	if (back && !bl_is_turned(&back->on, &w->tuple)) { /* half of another flow, which took this one's place */
		bpf_map_delete_elem(&guest_flows, &w->tuple);
		return 0;
	}
	if (!back || bl_is_over(f, back, now)) {
		bl_forget(w, &w->tuple);
		return 0;
	}
	flags = f->flags & ~BL_FLOW_REPLY;
	if (w->is_tcp_syn)
		flags &= ~BL_FLOW_CLOSING;
	if (w->is_tcp_end)
		flags |= BL_FLOW_CLOSING;
	if (f->flags & BL_FLOW_REPLY)
		flags |= BL_FLOW_ANSWERED;
	if (f->generation != settings->generation) {
		if (f->flags & BL_FLOW_REPLY) {
			bl_turn(&w->inner, &w->tuple, f->on.from);
		} else {
			w->begin = w->tuple;
			w->inner = f->on;
		}
		w->trace = 1; /* only asked: what begins anew is counted and logged there */
		refused = !bl_still_true(w, &w->inner, f->flags & BL_FLOW_REPLY ? back->way : f->way) ||
			  bl_judge(skb, w, &w->inner);
		w->trace = 0;
		if (refused) {
			bl_forget(w, &w->tuple);
			return 0;
		}
		f->out_counter = back->out_counter = w->flow.out_counter;
		f->in_counter = back->in_counter = w->flow.in_counter;
		f->routed_ns = back->routed_ns = 0;
		f->generation = back->generation = settings->generation;
	}
	f->flags = flags | (f->flags & BL_FLOW_REPLY);
	back->flags = flags | (back->flags & BL_FLOW_REPLY);
	f->seen_ns = now;
	w->flow = *f;
	return 1;
}

/* Does this direction hang on the host's routes? What a guest begins does even if they lead to the stack, for now. */
static __always_inline int bl_is_routed(const struct bl_flow *f)
{
	return f->way == BL_WAY_WIRE ||
	       (f->way == BL_WAY_STACK && !(f->flags & BL_FLOW_REPLY) && f->on.from == BL_FROM_ELSEWHERE);
}

/* Entries for which this holds need nothing but a look. */
static __always_inline int bl_fresh(const struct bl_flow *f, const struct bl_guest_settings *settings, __u64 now)
{
	return f->generation == settings->generation && now - f->seen_ns < BL_FLOW_FRESH_NS &&
	       (f->flags & (BL_FLOW_REPLY | BL_FLOW_ANSWERED)) != BL_FLOW_REPLY &&
	       (!bl_is_routed(f) || now - f->routed_ns < BL_FLOW_ROUTE_SECONDS * BL_SECOND);
}

/* The direction of the answers, whose way the caller has set in w->back. */
static __always_inline void bl_make_back(struct bl_work *w, struct bl_guest_settings *settings)
{
	struct bl_flow *f = &w->flow, *back = &w->back;

	f->seen_ns = back->seen_ns = bpf_ktime_get_coarse_ns();
	f->generation = back->generation = settings->generation;
	back->out_counter = f->out_counter;
	back->in_counter = f->in_counter;
	back->begun_by = f->begun_by;
	back->begun_to = f->begun_to;
	back->flags = (f->flags & BL_FLOW_REWRITE) | BL_FLOW_REPLY;
	bl_turn(&back->on, &w->tuple, w->tuple.from);
}

/*
 * 1: nobody has the entry w->begin of this flow's answers, or nobody any more. Two flows whose answers look alike
 * (one client, two published addresses, one port): the later one waits until the other is over.
 */
static __always_inline int bl_is_free(struct bl_work *w)
{
	struct bl_flow *known = bpf_map_lookup_elem(&guest_flows, &w->begin), *other;

	if (!known || bl_is_turned(&known->on, &w->tuple))
		return 1;
	other = bl_other_way(&w->inner, known);
	if (other && !bl_is_turned(&other->on, &w->begin))
		other = NULL;
	if (!bl_is_over(known, other, bpf_ktime_get_coarse_ns()))
		return 0;
	if (other)
		bpf_map_delete_elem(&guest_flows, &w->inner);
	bpf_map_delete_elem(&guest_flows, &w->begin);
	return 1;
}

/* Flows of this kind have something to tell their answers apart by. */
static __always_inline int bl_has_ports(const struct bl_tuple *t)
{
	return t->kind == BL_TUPLE_PORTS || t->kind == BL_TUPLE_ECHO;
}

/*
 * Makes both entries of the flow w->tuple -> w->flow. 0, or why they could not be. Both or none: an answer that nobody
 * knows would be judged as a flow of its own.
 */
static __always_inline int bl_make_flow(struct bl_work *w, struct bl_guest_settings *settings)
{
	bl_make_back(w, settings);
	if (w->trace)
		return 0;
	bl_turn(&w->begin, &w->flow.on, w->flow.on.from);
	if (bl_has_ports(&w->tuple) && !bl_is_free(w))
		return BL_GUEST_R_NO_NAT_PORT;
	if (bpf_map_update_elem(&guest_flows, &w->begin, &w->back, BPF_ANY))
		return BL_GUEST_R_FLOWS_FULL;
	if (bpf_map_update_elem(&guest_flows, &w->tuple, &w->flow, BPF_ANY)) {
		bpf_map_delete_elem(&guest_flows, &w->begin);
		return BL_GUEST_R_FLOWS_FULL;
	}
	return 0;
}

#endif
