// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The edge: XDP programs that decide at the driver.
 *
 * edge_root is attached to every device; it jumps to the policy in slot 0. (A device that is alone has the policy itself
 * between changes.) edge_policy is one policy: parse once, find the rule, count, act; edge_policy_lean is the same for
 * simple ones. edge_hold keeps the hook of a device while its policy is being put in place.
 */
#include "edge/act.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp.frags")
int edge_root(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &edge_progs, 0);
	/* Before the first policy, and if a slot were ever empty: the host works as without us. */
	bl_count(BL_EDGE_R_NO_POLICY);
	return XDP_PASS;
}

SEC("xdp.frags")
int edge_hold(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* All there is to know of the packet, in memory, for policies whose rules need it and packets that are not plain. */
__noinline int edge_parse(struct xdp_md *ctx, struct bl_packet *p)
{
	if (p)
		bl_parse(ctx, p, cfg.needs);
	return 0;
}

/* Counts and acts, once the rule is known; kept: all of the packet, for policies whose needs say so. */
static __always_inline int bl_finish(struct xdp_md *ctx, const struct bl_key *key, const struct bl_packet *kept,
				     __u32 needs, const struct bl_decision *d)
{
	struct bl_edge_trace *trace;
	struct bl_hits *hits;
	__u32 slot;

	/* Read from ctx again: a pointer kept until here would have the verifier walk the table once per parser path. */
	barrier_var(ctx);
	trace = bl_trace(ctx);
	if (trace) {
		trace->facts = key->facts;
		trace->generation = cfg.generation;
		trace->rule = d->rule;
		trace->reason = key->reason;
		return bl_act(ctx, kept, needs, d);
	}
	if (key->reason)
		bl_count(key->reason);
	slot = d->counter;
	hits = bpf_map_lookup_elem(&edge_hits, &slot);
	if (hits) {
		if (needs & BL_NEEDS_LOGS && d->rule_flags & BL_RULE_LOG)
			edge_log(ctx, kept, d->rule, hits->packets);
		hits->packets++;
		hits->bytes += key->length;
	}
	return bl_act(ctx, kept, needs, d);
}

SEC("xdp.frags")
int edge_policy(struct xdp_md *ctx)
{
	__u32 needs = cfg.needs; /* read once: each look at a constant costs three instructions */
	struct bl_decision decision;
	struct bl_packet kept;
	struct bl_key key;

	if (needs & BL_NEEDS_PACKET || !bl_parse_plain(ctx, &key, needs)) {
		__builtin_memset(&kept, 0, sizeof kept);
		edge_parse(ctx, &kept);
		bl_key_of(&kept, &key);
	}
	if (bl_classify(ctx, &key, &kept, needs, &decision))
		return bl_drop_by(ctx, BL_EDGE_R_NO_RULE);
	return bl_finish(ctx, &key, &kept, needs, &decision);
}

/* What is not plain: out of line, so that the program for the rest saves no registers for it. */
__noinline int edge_lean_rest(struct xdp_md *ctx)
{
	struct bl_packet kept = {};
	struct bl_decision decision;
	struct bl_key key;

	edge_parse(ctx, &kept);
	bl_key_of(&kept, &key);
	if (bl_classify(ctx, &key, &kept, 0, &decision))
		return bl_drop_by(ctx, BL_EDGE_R_NO_RULE);
	return bl_finish(ctx, &key, &kept, 0, &decision);
}

/*
 * The same for policies that need nothing of BL_NEEDS_*: they compare ports, protocols, families and flags, and pass,
 * drop or abort. The verifier cuts unused branches out of edge_policy, but not what was computed for them; here the
 * compiler has left it out.
 */
SEC("xdp.frags")
int edge_policy_lean(struct xdp_md *ctx)
{
	struct bl_decision decision;
	struct bl_key key;

	if (!bl_parse_plain(ctx, &key, 0))
		return edge_lean_rest(ctx);
	if (bl_classify(ctx, &key, NULL, 0, &decision))
		return bl_drop_by(ctx, BL_EDGE_R_NO_RULE);
	return bl_finish(ctx, &key, NULL, 0, &decision);
}
