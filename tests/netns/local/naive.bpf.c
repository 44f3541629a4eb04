/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The public recipe for local acceleration, in the test tree only: every established socket of a cgroup goes into one
 * sockhash under its 4-tuple; each send is redirected to whatever is filed under the reversed 4-tuple.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "naive_key.h"

#define AF_INET6 10

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, struct naive_key);
	__type(value, __u64);
} sockets SEC(".maps");

/* Bytes redirected, under the sender's key. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct naive_key);
	__type(value, __u64);
} redirected SEC(".maps");

SEC("sockops")
int naive_file(struct bpf_sock_ops *ops)
{
	struct naive_key key = {};

	if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	if (ops->family == AF_INET6) {
		key.local[0] = ops->local_ip6[0];
		key.local[1] = ops->local_ip6[1];
		key.local[2] = ops->local_ip6[2];
		key.local[3] = ops->local_ip6[3];
		key.remote[0] = ops->remote_ip6[0];
		key.remote[1] = ops->remote_ip6[1];
		key.remote[2] = ops->remote_ip6[2];
		key.remote[3] = ops->remote_ip6[3];
	} else {
		key.local[0] = ops->local_ip4;
		key.remote[0] = ops->remote_ip4;
	}
	key.local_port = ops->local_port;
	key.remote_port = bpf_ntohl(ops->remote_port);
	bpf_sock_hash_update(ops, &sockets, &key, BPF_NOEXIST);
	return 1;
}

SEC("sk_msg")
int naive_send(struct sk_msg_md *msg)
{
	struct naive_key own = {}, peer = {};
	__u64 size = msg->size, *sum;

	if (msg->family == AF_INET6) {
		own.local[0] = peer.remote[0] = msg->local_ip6[0];
		own.local[1] = peer.remote[1] = msg->local_ip6[1];
		own.local[2] = peer.remote[2] = msg->local_ip6[2];
		own.local[3] = peer.remote[3] = msg->local_ip6[3];
		own.remote[0] = peer.local[0] = msg->remote_ip6[0];
		own.remote[1] = peer.local[1] = msg->remote_ip6[1];
		own.remote[2] = peer.local[2] = msg->remote_ip6[2];
		own.remote[3] = peer.local[3] = msg->remote_ip6[3];
	} else {
		own.local[0] = peer.remote[0] = msg->local_ip4;
		own.remote[0] = peer.local[0] = msg->remote_ip4;
	}
	own.local_port = peer.remote_port = msg->local_port;
	own.remote_port = peer.local_port = bpf_ntohl(msg->remote_port);

	if (bpf_msg_redirect_hash(msg, &sockets, &peer, BPF_F_INGRESS) != SK_PASS)
		return SK_PASS; /* The peer is not here. The answer of the helper would be EACCES for the sender. */
	sum = bpf_map_lookup_elem(&redirected, &own);
	if (sum)
		__sync_fetch_and_add(sum, size);
	else
		bpf_map_update_elem(&redirected, &own, &size, BPF_NOEXIST);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
