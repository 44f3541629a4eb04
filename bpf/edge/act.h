/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What happens to a packet whose rule is known. Policy of every early exit: a frame that could not be changed as the
 * rule says is dropped, never sent half changed; a frame whose receiver (CPU, AF_XDP socket) is missing is passed, so
 * that nothing is lost by a program that is not there yet. Each has its counter.
 */
#ifndef BEELINE_EDGE_ACT_H
#define BEELINE_EDGE_ACT_H

#include "edge/classify.h"
#include "edge/rewrite.h"

static __always_inline int bl_drop_by(struct xdp_md *ctx, __u32 reason)
{
	bl_happened(ctx, reason);
	return XDP_DROP;
}

/* Answers from the driver: MAC addresses, IP addresses and ports change places; no checksum changes by that. */
__noinline int edge_turn_round(struct xdp_md *ctx, const struct bl_packet *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *l3;
	struct ethhdr *eth = data;
	__u8 mac[6];

	if (!p || (void *)(eth + 1) > end)
		return BL_EDGE_R_REWRITE_SHORT;
	__builtin_memcpy(mac, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, eth->h_source, 6);
	__builtin_memcpy(eth->h_source, mac, 6);
	l3 = data + (p->l3 & 0x3f);
	if (p->facts & BL_FACT_V4) {
		struct iphdr *ip = l3;
		__be32 address;

		if ((void *)(ip + 1) > end)
			return BL_EDGE_R_REWRITE_SHORT;
		address = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = address;
	} else if (p->facts & BL_FACT_V6) {
		struct ipv6hdr *ip = l3;
		struct in6_addr address;

		if ((void *)(ip + 1) > end)
			return BL_EDGE_R_REWRITE_SHORT;
		address = ip->saddr;
		ip->saddr = ip->daddr;
		ip->daddr = address;
	}
	if (p->facts & BL_FACT_PORTS) {
		__be16 *ports = data + (p->l4 & BL_MAX_L4), port;

		if ((void *)(ports + 2) > end)
			return BL_EDGE_R_REWRITE_SHORT;
		port = ports[0];
		ports[0] = ports[1];
		ports[1] = port;
	}
	return BL_R_NONE;
}

/* before: packets that the rule had on this CPU; every log_every-th of them is an event. */
__noinline int edge_log(struct xdp_md *ctx, const struct bl_packet *p, __u32 index, __u64 before)
{
	struct bl_edge_rule *rule = bpf_map_lookup_elem(&edge_rules, &index);
	struct bl_edge_event *event;
	__u32 size;

	if (!rule || !p || !rule->log_every || before % rule->log_every)
		return 0;
	event = bpf_ringbuf_reserve(&edge_events, sizeof *event, 0);
	if (!event) {
		bl_count(BL_EDGE_R_EVENT_LOST);
		return 0;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->ifindex = ctx->ingress_ifindex;
	event->rule = index;
	event->generation = cfg.generation;
	event->verdict = rule->verdict;
	event->length = p->length;
	size = p->length < BL_EDGE_SNAP ? p->length : BL_EDGE_SNAP;
	event->captured = 0;
	if (size >= 1 && size <= BL_EDGE_SNAP && !bpf_xdp_load_bytes(ctx, 0, event->data, size))
		event->captured = size;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline int bl_to_xsk(struct xdp_md *ctx, __u32 first)
{
	__u32 queue = ctx->rx_queue_index;
	int code = XDP_PASS;

	if (queue < BL_EDGE_XSK_QUEUES)
		code = bpf_redirect_map(&edge_xsks, first + queue, XDP_PASS);
	if (code != XDP_REDIRECT)
		bl_happened(ctx, BL_EDGE_R_XSK_ABSENT);
	return code;
}

/*
 * Finds the receiver of a frame that leaves. Asked before anything is changed in it: a frame that is passed because
 * nobody is there must not have been made ready for somebody (a partial checksum stays partial for the stack).
 */
static __always_inline int bl_target(struct xdp_md *ctx, const struct bl_decision *d)
{
	__u32 index = d->rule;
	struct bl_edge_rule *rule = bpf_map_lookup_elem(&edge_rules, &index);
	int code;

	if (!rule)
		return bl_drop_by(ctx, BL_EDGE_R_NO_RULE);
	if (cfg.verdicts & 1 << BL_EDGE_REDIRECT && d->verdict == BL_EDGE_REDIRECT) {
		code = bpf_redirect_map(&edge_devs, rule->target, XDP_DROP);
		if (code != XDP_REDIRECT)
			bl_happened(ctx, BL_EDGE_R_REDIRECT_FAILED);
		return code;
	}
	if (cfg.verdicts & 1 << BL_EDGE_CPU && d->verdict == BL_EDGE_CPU) {
		code = bpf_redirect_map(&edge_cpus, rule->target, XDP_PASS);
		if (code != XDP_REDIRECT)
			bl_happened(ctx, BL_EDGE_R_CPU_FAILED);
		return code;
	}
	if (cfg.verdicts & 1 << BL_EDGE_XSK && d->verdict == BL_EDGE_XSK)
		return bl_to_xsk(ctx, rule->target);
	return bl_drop_by(ctx, BL_EDGE_R_NO_RULE);
}

/* The XDP code for a decision. What no rule of this policy does is not in the program: cfg is constant. */
static __always_inline int bl_act(struct xdp_md *ctx, const struct bl_packet *p, __u32 needs, const struct bl_decision *d)
{
	__u32 verdict = d->verdict;
	int reason, code;

	if (!needs) { /* pass, drop and abort are all there is in the table then */
		_Static_assert(XDP_PASS - BL_EDGE_PASS == XDP_PASS && XDP_PASS - BL_EDGE_DROP == XDP_DROP &&
				       XDP_PASS - BL_EDGE_ABORT == XDP_ABORTED,
			       "the codes run against each other");
		return XDP_PASS - verdict;
	}
	if (verdict == BL_EDGE_DROP)
		return XDP_DROP;
	if (verdict == BL_EDGE_ABORT)
		return XDP_ABORTED;
	if (!(needs & BL_NEEDS_PACKET))
		return XDP_PASS;
	if (verdict == BL_EDGE_PASS && !(d->rule_flags & BL_RULE_REWRITE))
		return XDP_PASS;
	code = verdict == BL_EDGE_PASS ? XDP_PASS : verdict == BL_EDGE_TX ? XDP_TX : bl_target(ctx, d);
	if (code == XDP_DROP)
		return XDP_DROP;
	reason = edge_rewrite(ctx, p, d->rule,
			      code == XDP_PASS ? BL_TO_STACK : verdict == BL_EDGE_XSK ? BL_TO_USER : BL_TO_DRIVER);
	if (!reason && verdict == BL_EDGE_TX)
		reason = edge_turn_round(ctx, p);
	return reason ? bl_drop_by(ctx, reason) : code;
}

#endif
