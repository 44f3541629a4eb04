// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guests: tc programs at a guest's own device and at the uplinks. See abi/beeline/guest.h for how they hang together.
 */
#define BL_SKB
#include "guest/maps.h"

/* What tcx and netkit hooks understand alike (uapi: enum tcx_action_base, netkit_action). */
#define BL_TC_NEXT (-1)
#define BL_TC_DROP 2

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int guest_out(struct __sk_buff *skb)
{
	return BL_TC_NEXT;
}

SEC("tc")
int guest_in(struct __sk_buff *skb)
{
	return BL_TC_NEXT;
}

SEC("tc")
int guest_wire(struct __sk_buff *skb)
{
	return BL_TC_NEXT;
}

SEC("tc")
int guest_answer(struct __sk_buff *skb)
{
	return BL_TC_DROP;
}

static __always_inline int bl_enter(struct __sk_buff *skb, __u32 program)
{
	skb->cb[0] = guest_slot;
	skb->cb[1] = 0;
	bpf_tail_call(skb, &guest_progs, program);
	bl_count(BL_GUEST_R_NO_PROGRAM);
	return BL_TC_DROP;
}

SEC("tc")
int guest_out_stub(struct __sk_buff *skb)
{
	return bl_enter(skb, BL_GUEST_PROG_OUT);
}

SEC("tc")
int guest_in_stub(struct __sk_buff *skb)
{
	return bl_enter(skb, BL_GUEST_PROG_IN);
}
