/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program with one of each thing that src/kernel owns: constants, a ring buffer, a per-CPU counter. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

const volatile struct {
	__u32 marker;  /* goes into every event */
	__u32 verdict; /* what the program returns */
} cfg = {};

struct event {
	__u32 marker;
	__u32 length; /* of the packet, bytes */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

SEC("xdp")
int report(struct xdp_md *ctx)
{
	__u32 key = 1;
	__u64 *count = bpf_map_lookup_elem(&counters, &key);
	struct event *event;

	if (count)
		*count += 1;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->marker = cfg.marker;
		event->length = ctx->data_end - ctx->data;
		bpf_ringbuf_submit(event, 0);
	}
	return cfg.verdict;
}

/* Makes the packet longer in front and writes the new bytes. */
SEC("xdp")
int grow(struct xdp_md *ctx)
{
	__u8 *data, *end;

	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + 4 > end)
		return XDP_ABORTED;
	data[0] = 0xbe;
	data[1] = 0xe1;
	data[2] = 0x14;
	data[3] = 0xe0;
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
