// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guests: tc programs at a guest's own device and at the uplinks. abi/beeline/guest.h says how they hang together.
 * Here is the short way, for plain packets of flows that are known; the long way is in guest/begin.h.
 */
#define BL_SKB
#include "guest/answer.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Flags of a packet that may change its flow's state. */
#define BL_TCP_TURNS(flags) ((flags) & (BL_TCP_FIN | BL_TCP_SYN | BL_TCP_RST))

static __always_inline int bl_leave(struct __sk_buff *skb, int verdict)
{
	if (verdict != BL_TC_ANSWER)
		return verdict;
	bpf_tail_call(skb, &guest_progs, BL_GUEST_PROG_ANSWER);
	return bl_dropped_by(BL_GUEST_R_NO_PROGRAM);
}

/* From one guest to another where neither has rules: nothing is to be remembered. The target's slot, or BL_GUEST_NONE. */
static __always_inline __u32 bl_open_to(struct __sk_buff *skb, const struct bl_guest *g, const struct bl_tuple *t)
{
	__u32 target = bl_slot_at(t->dst, t->family);
	struct bl_guest *to = bl_guest_of(target);

	if (!to || to == g || !(to->flags & BL_GUEST_OPEN) || skb->len > to->mtu + sizeof(struct ethhdr))
		return BL_GUEST_NONE;
	bl_hit(g->out_counter, skb->len);
	bl_hit(to->in_counter, skb->len);
	return target;
}

SEC("tc")
int guest_out(struct __sk_buff *skb)
{
	struct bl_guest_settings *settings = bl_settings();
	__u32 slot = skb->cb[0], target;
	struct bl_guest *g = bl_guest_of(slot);
	struct bl_plain plain = {};
	struct bl_tuple t;
	struct bl_flow *f;
	__u64 now;
	int at;

	if (skb->cb[1] == BL_GUEST_TRACE)
		return bl_explained(skb, guest_out_rest(skb));
	if (!g || !settings)
		return bl_dropped_by(BL_GUEST_R_NO_GUEST);
	if (!bl_plain_tuple(skb, &t, &plain, BL_FROM_GUEST) ||
	    !bl_has_address(g, t.src, t.family))
		return bl_leave(skb, guest_out_rest(skb));
	at = g->kind <= BL_GUEST_NETKIT_L2 ? BL_AT_NETKIT : BL_AT_TC_INGRESS;
	if (g->flags & BL_GUEST_OPEN) {
		target = bl_open_to(skb, g, &t);
		if (target != BL_GUEST_NONE)
			return bl_into_guest(skb, target, at);
	}
	if (BL_TCP_TURNS(plain.flags))
		return bl_leave(skb, guest_out_rest(skb));
	f = bpf_map_lookup_elem(&guest_flows, &t);
	now = bpf_ktime_get_coarse_ns();
	if (!f || !bl_fresh(f, settings, now))
		return bl_leave(skb, guest_out_rest(skb));
	if (now - f->seen_ns > BL_FLOW_SEEN_NS)
		f->seen_ns = now;
	return bl_leave(skb, bl_forward(skb, &t, f, plain.l4, plain.ttl, at));
}

SEC("tc")
int guest_in(struct __sk_buff *skb)
{
	struct bl_guest_settings *settings = bl_settings();
	__u32 slot = skb->cb[0];
	struct bl_guest *g = bl_guest_of(slot);
	struct bl_plain plain = {};
	struct bl_tuple t;
	struct bl_flow *f;
	__u64 now;

	if (skb->cb[1] == BL_GUEST_TRACE)
		return bl_explained(skb, guest_in_rest(skb));
	if (!g || !settings)
		return bl_dropped_by(BL_GUEST_R_NO_GUEST);
	if (skb->mark == (BL_GUEST_MARK | slot)) {
		skb->mark = 0;
		return BL_TC_NEXT;
	}
	if (!bl_plain_tuple(skb, &t, &plain, BL_FROM_ELSEWHERE) || !bl_has_address(g, t.dst, t.family))
		return guest_in_rest(skb);
	if (g->flags & BL_GUEST_OPEN) {
		bl_hit(g->in_counter, skb->len);
		return BL_TC_NEXT;
	}
	if (BL_TCP_TURNS(plain.flags))
		return guest_in_rest(skb);
	f = bpf_map_lookup_elem(&guest_flows, &t);
	now = bpf_ktime_get_coarse_ns();
	if (!f || !bl_fresh(f, settings, now) || f->flags & BL_FLOW_REWRITE)
		return guest_in_rest(skb);
	if (now - f->seen_ns > BL_FLOW_SEEN_NS)
		f->seen_ns = now;
	if (f->out_counter)
		bl_hit(f->out_counter, skb->len);
	if (f->in_counter)
		bl_hit(f->in_counter, skb->len);
	return BL_TC_NEXT;
}

SEC("tc")
int guest_wire(struct __sk_buff *skb)
{
	struct bl_guest_settings *settings = bl_settings();
	struct bl_plain plain = {};
	struct bl_tuple t;
	struct bl_flow *f;
	__u64 now;

	if (!settings)
		return BL_TC_NEXT;
	skb->cb[0] = BL_GUEST_NONE;
	skb->cb[1] = 0;
	if (!bl_plain_tuple(skb, &t, &plain, BL_FROM_ELSEWHERE) || BL_TCP_TURNS(plain.flags))
		return bl_leave(skb, guest_wire_rest(skb));
	f = bpf_map_lookup_elem(&guest_flows, &t);
	now = bpf_ktime_get_coarse_ns();
	if (!f || !bl_fresh(f, settings, now))
		return bl_leave(skb, guest_wire_rest(skb));
	if (f->way != BL_WAY_GUEST)
		return BL_TC_NEXT;
	if (now - f->seen_ns > BL_FLOW_SEEN_NS)
		f->seen_ns = now;
	return bl_leave(skb, bl_forward(skb, &t, f, plain.l4, plain.ttl, BL_AT_TC_INGRESS));
}

/* For explain: nothing is attached that runs this, so no packet's leftover cb can ask. */
SEC("tc")
int guest_wire_explain(struct __sk_buff *skb)
{
	skb->cb[0] = BL_GUEST_NONE;
	skb->cb[1] = BL_GUEST_TRACE;
	return bl_explained(skb, guest_wire_rest(skb));
}

/* Makes an ICMP error of the packet and sends it back where it came from; see bl_answer(). */
SEC("tc")
int guest_answer(struct __sk_buff *skb)
{
	__u32 slot = skb->cb[0], ifindex = skb->ifindex;
	struct bl_guest *g;
	__be16 type;

	if (bpf_skb_load_bytes(skb, 12, &type, 2))
		return bl_dropped_by(BL_GUEST_R_NO_ANSWER);
	if (type == bpf_htons(ETH_P_IP) ? guest_answer4(skb) : guest_answer6(skb))
		return bl_dropped_by(BL_GUEST_R_NO_ANSWER);
	if (slot == BL_GUEST_NONE)
		return bpf_redirect(ifindex, 0);
	g = bl_guest_of(slot);
	if (!g)
		return bl_dropped_by(BL_GUEST_R_NO_GUEST);
	skb->mark = BL_GUEST_MARK | slot;
	return bpf_redirect(g->ifindex, 0);
}

static __always_inline int bl_enter(struct __sk_buff *skb, __u32 program)
{
	skb->cb[0] = guest_slot;
	skb->cb[1] = 0;
	bpf_tail_call(skb, &guest_progs, program);
	return bl_dropped_by(BL_GUEST_R_NO_PROGRAM);
}

SEC("tc")
int guest_out_stub(struct __sk_buff *skb)
{
	return bl_enter(skb, BL_GUEST_PROG_OUT);
}

SEC("tc")
int guest_in_stub(struct __sk_buff *skb)
{
	return bl_enter(skb, BL_GUEST_PROG_IN);
}
