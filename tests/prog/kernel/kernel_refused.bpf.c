/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every verifier refuses: a packet byte read without a bounds check. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int unchecked(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	return data[0] ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
