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

/* The guest that the packet is addressed to, if it is open and among the near ones; *slot is its number then. */
static __always_inline struct bl_guest *bl_near(__u16 last, __u32 *slot)
{
	__u32 index = last, *known = bpf_map_lookup_elem(&guest_near, &index);
	struct bl_guest *to;

	if (!known || !*known)
		return NULL;
	*slot = *known - 1;
	to = bl_guest_of(*slot);
	return to && to->flags & BL_GUEST_OPEN ? to : NULL;
}

/* 1: what a device would make of the packet, which is larger than mtu, fits; where that takes reading options, 0. */
static __always_inline int bl_segments_fit(struct __sk_buff *skb, const struct iphdr *four, const struct ipv6hdr *six,
					   __u32 mtu)
{
	__u8 proto = four->version == 4 ? four->protocol : six->nexthdr;
	__u32 l3 = four->version == 4 ? sizeof *four : sizeof *six;

	if ((four->version == 4 && four->ihl != 5) || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return 0;
	return !bl_too_big(skb, sizeof(struct ethhdr) + l3, proto, mtu);
}

/*
 * From one guest to another where neither has rules: nothing is to be judged or remembered, so that only addresses are
 * looked at. The target, or NULL: it goes the way of all others.
 */
static __always_inline struct bl_guest *bl_open_to(struct __sk_buff *skb, const struct bl_guest *g, __u32 *slot)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ipv6hdr *six = data + sizeof(struct ethhdr);
	struct iphdr *four = data + sizeof(struct ethhdr);
	struct bl_guest *to;

	if ((void *)(four + 1) > end)
		return NULL;
	if (*(__be16 *)(data + 12) == bpf_htons(ETH_P_IP)) {
		if (*(__u8 *)four != 0x45 || four->saddr != g->addr4)
			return NULL;
		to = bl_near(four->daddr >> 16, slot);
		if (!to || to->addr4 != four->daddr)
			return NULL;
	} else if (*(__be16 *)(data + 12) == bpf_htons(ETH_P_IPV6)) {
		if ((void *)(six + 1) + 1 > end || six->version != 6 || bl_may_route(six->nexthdr) ||
		    (six->nexthdr == IPPROTO_FRAGMENT && bl_may_route(*(__u8 *)(six + 1))) ||
		    !bl_same_address(six->saddr.in6_u.u6_addr32, g->addr6))
			return NULL;
		to = bl_near(six->daddr.in6_u.u6_addr32[3] >> 16, slot);
		if (!to || !bl_same_address(six->daddr.in6_u.u6_addr32, to->addr6))
			return NULL;
	} else {
		return NULL;
	}
	if (to == g || skb->vlan_present)
		return NULL;
	if (skb->len > to->mtu + sizeof(struct ethhdr) && !bl_segments_fit(skb, four, six, to->mtu))
		return NULL;
	bl_hit(g->out_counter, skb->len);
	bl_hit(to->in_counter, skb->len);
	return to;
}

SEC("tc")
int guest_out(struct __sk_buff *skb)
{
	struct bl_guest_settings *settings;
	__u32 slot = skb->cb[0], target = BL_GUEST_NONE;
	struct bl_guest *g = bl_guest_of(slot), *to;
	struct bl_plain plain = {};
	struct bl_tuple t;
	struct bl_flow *f;
	__u64 now;
	int at;

	if (skb->cb[1] == BL_GUEST_TRACE)
		return bl_explained(skb, guest_out_rest(skb));
	if (!g)
		return bl_dropped_by(BL_GUEST_R_NO_GUEST);
	at = g->kind <= BL_GUEST_NETKIT_L2 ? BL_AT_NETKIT : BL_AT_TC_INGRESS;
	if (g->flags & BL_GUEST_OPEN) {
		to = bl_open_to(skb, g, &target);
		if (to)
			return bl_into(skb, to, target, at);
	}
	settings = bl_settings();
	if (!settings)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
	if (!bl_plain_tuple(skb, &t, &plain, BL_FROM_GUEST) || !bl_has_address(g, t.src, t.family))
		return bl_leave(skb, guest_out_rest(skb));
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
	if (!g)
		return bl_dropped_by(BL_GUEST_R_NO_GUEST);
	if (!settings)
		return bl_dropped_by(BL_GUEST_R_NO_MAP);
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
		return guest_no_map_at_uplink();
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

/*
 * At tc ingress of a netkit guest's host end, for what guest_out sends to another guest. The mark cannot be the guest's:
 * what leaves it is scrubbed before guest_out sees it. What has no such mark is for the host's stack.
 */
SEC("tc")
int guest_across(struct __sk_buff *skb)
{
	__u32 mark = skb->mark;
	struct bl_guest *to;

	if ((mark & 0xffff0000) != BL_GUEST_MARK)
		return BL_TC_NEXT;
	skb->mark = 0;
	to = bl_guest_of(mark & 0xffff);
	return to ? bpf_redirect_peer(to->ifindex, 0) : bl_dropped_by(BL_GUEST_R_NO_GUEST);
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
	if (skb->mark == (BL_GUEST_MARK | guest_slot)) { /* judged where it came from */
		skb->mark = 0;
		return BL_TC_NEXT;
	}
	return bl_enter(skb, BL_GUEST_PROG_IN);
}
