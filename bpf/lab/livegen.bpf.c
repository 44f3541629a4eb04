/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of a frame that BPF_PROG_TEST_RUN made (BPF_F_TEST_XDP_LIVE_FRAMES): it is sent out of the device that
 * it is said to have come from, over veth into the peer, or dropped at once (the generator alone).
 */
#include <linux/bpf.h>

#include <beeline/lab.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile struct bl_lab_flows cfg = {};
const volatile struct bl_lab_header header = {};

/* Frames so far. One generator runs on one CPU, so that plain addition is enough. */
__u32 number = 0;

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
static __always_inline __u16 sum_after(__u16 check, __u16 before, __u16 after)
{
	__u32 sum = (__u16)~check + (__u16)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline void restore(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 *words = data;
	int i;

	if (data + BL_LAB_HEADER > end)
		return;
#pragma unroll
	for (i = 0; i < BL_LAB_HEADER / 8; i++)
		words[i] = header.words[i];
}

/* Sets the field, never adds to it: the page may have been used before. */
static __always_inline void vary(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u16 *field = data + (cfg.field & BL_LAB_MAX_OFFSET);
	__u16 *check = data + (cfg.check & BL_LAB_MAX_OFFSET);
	__u16 before, after;

	if ((void *)(field + 1) > end || (void *)(check + 1) > end)
		return;
	before = *field;
	after = bpf_htons(cfg.first + number % cfg.flows);
	number++;
	*field = after;
	if (*check)
		*check = sum_after(*check, before, after);
}

static __always_inline void prepare(struct xdp_md *ctx)
{
	if (header.restore)
		restore(ctx);
	if (cfg.flows)
		vary(ctx);
}

SEC("xdp")
int livegen_send(struct xdp_md *ctx)
{
	prepare(ctx);
	return XDP_TX;
}

SEC("xdp")
int livegen_drop(struct xdp_md *ctx)
{
	prepare(ctx);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
