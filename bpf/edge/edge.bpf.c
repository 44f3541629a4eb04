// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The edge: XDP programs that decide at the driver.
 *
 * edge_root is attached to every device and stays there; it jumps to the policy in slot 0. edge_policy is one policy:
 * parse once, find the rule, count, act. edge_hold keeps the hook of a device while its policy is being put in place.
 */
#include "edge/act.h"
#include "edge/classify.h"

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

/* The record that explain put in front of the frame, or NULL for traffic. */
static __always_inline struct bl_edge_trace *bl_trace(struct xdp_md *ctx)
{
	struct bl_edge_trace *trace = (void *)(long)ctx->data_meta;

	if ((void *)(trace + 1) > (void *)(long)ctx->data || trace->magic != BL_EDGE_TRACE_MAGIC)
		return NULL;
	return trace;
}

static __always_inline void bl_answer(struct xdp_md *ctx, const struct bl_packet *p, __u32 entry, __u32 rule)
{
	struct bl_edge_trace *trace = bl_trace(ctx);

	if (!trace)
		return;
	trace->facts = p->facts;
	trace->generation = cfg.generation;
	trace->rule = rule;
	trace->entry = entry;
	trace->reason = p->reason;
}

SEC("xdp.frags")
int edge_policy(struct xdp_md *ctx)
{
	struct bl_packet p = { .length = bpf_xdp_get_buff_len(ctx) };
	__u32 index = 0, entry, slot;
	int traced = bl_trace(ctx) != NULL;
	struct bl_edge_hits *hits;
	struct bl_edge_rule *rule;

	bl_parse(ctx, &p);
	if (p.reason && !traced)
		bl_count(p.reason);
	entry = bl_classify(ctx, &p, &index, traced);
	rule = bpf_map_lookup_elem(&edge_rules, &index);
	if (entry == BL_NO_RULE || !rule)
		return bl_drop_by(BL_EDGE_R_NO_RULE);
	if (traced) {
		bl_answer(ctx, &p, entry, index);
		return bl_act(ctx, &p, index, rule);
	}
	slot = rule->counter;
	hits = bpf_map_lookup_elem(&edge_hits, &slot);
	if (hits) {
		if (cfg.rule_flags & BL_RULE_LOG && rule->flags & BL_RULE_LOG && rule->log_every &&
		    hits->packets % rule->log_every == 0)
			edge_log(ctx, &p, index, rule->verdict);
		hits->packets++;
		hits->bytes += p.length;
	}
	return bl_act(ctx, &p, index, rule);
}
