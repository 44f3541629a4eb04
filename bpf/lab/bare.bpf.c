/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The limits that Beeline is held against, and the far sides of its experiments: XDP programs that do one thing.
 */
#include <linux/bpf.h>

#include <beeline/lab.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bl_lab_count);
} lab_counts SEC(".maps");

/* Any XDP hook: the least that a drop can cost. */
SEC("xdp")
int bare_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

/* The far end of a veth cable, which takes redirected frames only when it has a program. */
SEC("xdp")
int bare_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* The least that an answer from the driver can cost. */
SEC("xdp")
int bare_tx(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

/* Behind XDP_TX or a redirect: the frame has arrived, is counted and goes no further. */
SEC("xdp")
int bare_count(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct bl_lab_count *count = bpf_map_lookup_elem(&lab_counts, &zero);
	if (count) {
		count->packets++;
		count->bytes += bpf_xdp_get_buff_len(ctx);
	}
	return XDP_DROP;
}

/* Spoils one bit of the last byte of every frame of at least 60 bytes: what the lab's checks must find. */
SEC("xdp")
int bare_spoil(struct xdp_md *ctx)
{
	__u8 byte = 0;
	__u32 last = bpf_xdp_get_buff_len(ctx) - 1;
	if (last < 59 || last > 65535 || bpf_xdp_load_bytes(ctx, last, &byte, 1))
		return XDP_PASS;
	byte ^= 1;
	bpf_xdp_store_bytes(ctx, last, &byte, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
