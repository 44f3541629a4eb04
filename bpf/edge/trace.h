/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of a packet beyond its rule: counted for traffic, told to explain for a frame that it asks about.
 */
#ifndef BEELINE_EDGE_TRACE_H
#define BEELINE_EDGE_TRACE_H

#include "edge/maps.h"

/* The record that explain put in front of the frame, or NULL for traffic. */
static __always_inline struct bl_edge_trace *bl_trace(struct xdp_md *ctx)
{
	struct bl_edge_trace *trace = (void *)(long)ctx->data_meta;

	if ((void *)(trace + 1) > (void *)(long)ctx->data || trace->magic != BL_EDGE_TRACE_MAGIC)
		return NULL;
	return trace;
}

static __always_inline void bl_happened(struct xdp_md *ctx, __u32 reason)
{
	struct bl_edge_trace *trace = bl_trace(ctx);

	if (trace)
		trace->outcome = reason;
	else
		bl_count(reason);
}

#endif
