/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Behind the edge: which policy has judged a packet (marks.hpp), counted where it comes out. It goes no further.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Packets so far, mapped into the test. */
__u64 by_a, by_b;
__u64 unmarked; /* As it was sent: no rule has touched it. */
__u64 mixed;    /* Half of a mark, half of each, or an IPv4 header whose checksum is wrong. */
__u64 other;    /* Not a packet of the generator's. */

/* Written before the program is loaded: the marks, and how a packet looks that nobody has touched. */
const volatile __u8 ttl_of_a, dscp_of_a, ttl_of_b, dscp_of_b, ttl_unmarked;
const volatile __u16 port;

static __always_inline __u64 *kind_of(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u16 *words = (void *)ip;
	__u32 sum = 0, dscp;
	int i;

	if ((void *)(udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || *(__u8 *)ip != 0x45 ||
	    ip->protocol != IPPROTO_UDP || udp->dest != bpf_htons(port))
		return &other;
#pragma unroll
	for (i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	dscp = ip->tos >> 2;
	if (sum != 0xffff)
		return &mixed;
	if (ip->ttl == ttl_of_a && dscp == dscp_of_a)
		return &by_a;
	if (ip->ttl == ttl_of_b && dscp == dscp_of_b)
		return &by_b;
	return ip->ttl == ttl_unmarked && !dscp ? &unmarked : &mixed;
}

static __always_inline void count(void *data, void *end)
{
	__sync_fetch_and_add(kind_of(data, end), 1);
}

/* tcx ingress of the edge's device: what the edge has passed. */
SEC("tc")
int marked_passed(struct __sk_buff *skb)
{
	count((void *)(long)skb->data, (void *)(long)skb->data_end);
	return TC_ACT_SHOT;
}

/* XDP of the device at the far end of a cable: what the edge has redirected into it. */
SEC("xdp")
int marked_sent(struct xdp_md *ctx)
{
	count((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
