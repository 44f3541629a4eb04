/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a guest's packet goes, by the host's own routes, and with which source address.
 */
#ifndef BEELINE_GUEST_ROUTE_H
#define BEELINE_GUEST_ROUTE_H

#include "guest/flow.h"

#define BL_AF_INET 2
#define BL_AF_INET6 10

/* uapi of Linux 6.3 and later; Debian 12's headers are older. */
#define BL_FIB_LOOKUP_SKIP_NEIGH 4

/* Multicast, broadcast and link-local: for neighbours, and the guest's only neighbour is the host. */
static __always_inline int bl_for_neighbours(const __u32 address[4], __u8 family)
{
	__u8 first = address[0] & 0xff, second = address[0] >> 8 & 0xff;

	if (family == 4)
		return first >= 224 || (first == 169 && second == 254);
	return first == 0xff || (first == 0xfe && (second & 0xc0) == 0x80);
}

/* Asks the host's routes about w->flow.on; sets way, ifindex and mtu. */
__noinline int guest_ask_routes(struct __sk_buff *skb, struct bl_work *w)
{
	struct bpf_fib_lookup q = {};
	struct bl_uplink *uplink;
	struct bl_flow *f;
	__u32 ifindex;
	long answer;

	if (!w)
		return 0;
	f = &w->flow;

	q.family = f->on.family == 4 ? BL_AF_INET : BL_AF_INET6;
	q.l4_protocol = f->on.proto;
	if (f->on.kind == BL_TUPLE_PORTS) {
		q.sport = f->on.sport;
		q.dport = f->on.dport;
	}
	q.tot_len = 1; /* or the MTU of the route is not told */
	q.ifindex = skb->ifindex;
	if (f->on.family == 4) {
		q.ipv4_src = f->on.src[0];
		q.ipv4_dst = f->on.dst[0];
	} else {
		bl_copy_address(q.ipv6_src, f->on.src);
		bl_copy_address(q.ipv6_dst, f->on.dst);
	}
	answer = bpf_fib_lookup(skb, &q, sizeof q, BL_FIB_LOOKUP_SKIP_NEIGH);
	f->way = BL_WAY_STACK;
	f->ifindex = 0;
	f->mtu = 0;
	if (answer == BPF_FIB_LKUP_RET_NOT_FWDED)
		return 0; /* the host's own address, or no route at all: the kernel does not tell which */
	if (answer != BPF_FIB_LKUP_RET_SUCCESS && answer != BPF_FIB_LKUP_RET_NO_NEIGH) {
		w->reason = BL_GUEST_R_NO_ROUTE;
		return 0;
	}
	ifindex = q.ifindex;
	uplink = bpf_map_lookup_elem(&guest_uplinks, &ifindex);
	if (!uplink) {
		w->reason = BL_GUEST_R_NOT_UPLINK;
		return 0;
	}
	f->way = BL_WAY_WIRE;
	f->ifindex = ifindex;
	f->mtu = q.tot_len; /* mtu_result in later headers */
	return 0;
}

/* A way to guest `slot`. 0: there is none any more. */
static __always_inline int bl_way_to_guest(struct bl_flow *f, __u32 slot)
{
	struct bl_guest *g = bl_guest_of(slot);

	if (!g)
		return 0;
	f->way = BL_WAY_GUEST;
	f->ifindex = g->ifindex;
	f->mtu = g->mtu;
	return 1;
}

struct bl_nat_try {
	struct bl_work *w;
	__u32 low;
	__u32 count;
	__u32 start;
	__u32 done;
};

/* Takes the next source port: the entry of the answers reserves it. */
static long bl_try_port(__u32 index, struct bl_nat_try *try)
{
	struct bl_work *w = try->w;
	__be16 port = bpf_htons(try->low + (try->start + index) % try->count);

	w->flow.on.sport = port;
	bl_turn(&w->begin, &w->flow.on, w->flow.on.from);
	try->done = w->trace || (bl_is_free(w) &&
				 !bpf_map_update_elem(&guest_flows, &w->begin, &w->back, BPF_NOEXIST));
	return try->done;
}

#define BL_NAT_TRIES 128

/*
 * Gives w->flow.on, whose source address the caller has set, a free source port (or echo identifier). w->back must be
 * complete but for this. 0, or why not.
 */
__noinline int guest_take_port(struct bl_work *w)
{
	struct bl_guest_settings *settings = bl_settings();
	struct bl_nat_try try = { .w = w };

	if (!w || !settings || !w->flow.on.src[0] || settings->nat_high < settings->nat_low)
		return BL_GUEST_R_NO_NAT_PORT;
	try.low = settings->nat_low;
	if (!bl_has_ports(&w->flow.on))
		return 0; /* nothing to tell two guests' flows apart by: the last one gets the answers */
	try.count = settings->nat_high - settings->nat_low + 1;
	try.start = bpf_get_prandom_u32() % try.count;
	bpf_loop(BL_NAT_TRIES, bl_try_port, &try, 0);
	return try.done ? 0 : BL_GUEST_R_NO_NAT_PORT;
}

#endif
