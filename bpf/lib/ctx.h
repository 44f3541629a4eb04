/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The context of the hook that a program is for, so that one parser serves XDP and tc: BL_CTX is struct xdp_md, or
 * struct __sk_buff where BL_SKB is defined before the first header of lib/. A macro and not a typedef: the verifier knows
 * the context argument of a global function by the name of its struct.
 */
#ifndef BEELINE_LIB_CTX_H
#define BEELINE_LIB_CTX_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifdef BL_SKB
#define BL_CTX struct __sk_buff
#else
#define BL_CTX struct xdp_md
#endif

/* Bytes of the frame from the Ethernet header on, in all its buffers. */
static __always_inline __u32 bl_frame_length(BL_CTX *ctx)
{
#ifdef BL_SKB
	return ctx->len;
#else
	return bpf_xdp_get_buff_len(ctx);
#endif
}

#endif
