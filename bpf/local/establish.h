/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection begins: its ends are paired. On one host the end that connected is always first here, for what makes the other
 * one is its last packet of the handshake. (With TCP Fast Open it is not, and such a connection is not paired: its data begins
 * before the numbers that name it.)
 */
#ifndef BEELINE_LOCAL_ESTABLISH_H
#define BEELINE_LOCAL_ESTABLISH_H

#include <bpf/bpf_endian.h>

#include "local/pair.h"

#define BL_AF_INET6 10

static __always_inline void bl_addresses(struct bpf_sock_ops *ops, struct bl_local_end *end)
{
	if (ops->family == BL_AF_INET6) {
		__u32 mapped = ops->local_ip6[2];

		end->local[0] = ops->local_ip6[0];
		end->local[1] = ops->local_ip6[1];
		end->local[2] = mapped;
		end->local[3] = ops->local_ip6[3];
		end->remote[0] = ops->remote_ip6[0];
		end->remote[1] = ops->remote_ip6[1];
		end->remote[2] = ops->remote_ip6[2];
		end->remote[3] = ops->remote_ip6[3];
		end->flags |= BL_END_V6;
		if (end->local[0] || end->local[1] || mapped != bpf_htonl(0xffff))
			return;
		/* An IPv6 socket that talks IPv4: ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
		end->flags &= ~BL_END_V6;
	}
	__builtin_memset(end->local, 0, sizeof end->local);
	__builtin_memset(end->remote, 0, sizeof end->remote);
	end->local[0] = ops->local_ip4;
	end->remote[0] = ops->remote_ip4;
}

/* The end as it is now, judged by the rules. */
static __always_inline void bl_fill(struct bpf_sock_ops *ops, struct tcp_sock *tp, struct bl_local_end *end)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	__builtin_memset(end, 0, sizeof *end);
	end->sock = (__u64)(long)tp;
	end->cookie = bpf_get_socket_cookie(ops);
	end->first = ops->rcv_nxt;
	end->written = ops->snd_nxt;
	end->flags = BL_END_HERE;
	if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		end->flags |= BL_END_ACTIVE;
	end->uid = sk->sk_uid.val;
	if (cgroup)
		end->cgroup = BPF_CORE_READ(cgroup, kn, id);
	end->local_port = ops->local_port;
	end->remote_port = bpf_ntohl(ops->remote_port);
	bl_addresses(ops, end);
	bl_judge(end, sk, 0);
}

/* The new pair, with its first end only, or NULL: counted. */
static __always_inline struct bl_local_pair *bl_new_pair(struct bpf_sock_ops *ops, struct tcp_sock *tp,
							 const struct bl_local_key *key, __u32 side)
{
	__u32 zero = 0;
	struct bl_local_pair *blank = bpf_map_lookup_elem(&local_blank, &zero);

	if (!blank) {
		bl_count(BL_LOCAL_R_NO_MAP);
		return NULL;
	}
	__builtin_memset(blank, 0, sizeof *blank);
	blank->since_ns = bpf_ktime_get_ns();
	blank->visited = bl_pass();
	bl_fill(ops, tp, bl_end(blank, side));
	if (bpf_map_update_elem(&local_pairs, key, blank, BPF_NOEXIST)) {
		bl_count(BL_LOCAL_R_FULL);
		return NULL;
	}
	return bpf_map_lookup_elem(&local_pairs, key);
}

/* Finds or makes the pair and enters this end. 1: the end is to be watched. */
static __always_inline int bl_enter(struct bpf_sock_ops *ops, struct tcp_sock *tp, const struct bl_local_key *key,
				    __u32 side)
{
	struct bl_local_pair *pair = bpf_map_lookup_elem(&local_pairs, key);
	struct bl_local_chosen *chosen;
	struct bl_local_end *end;
	__u32 counter;

	if (!pair) {
		if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
			return bl_new_pair(ops, tp, key, side) != NULL;
		bl_count(BL_LOCAL_R_REMOTE);
		return 0;
	}
	end = bl_end(pair, side);
	if (end->flags & BL_END_HERE || bl_state(pair) != BL_PAIR_HALF) {
		bl_count(BL_LOCAL_R_TAKEN);
		bl_to_tcp(pair, key, BL_LOCAL_R_TAKEN);
		return 0;
	}
	bl_fill(ops, tp, end);
	if (!bl_chosen(pair)) {
		bl_to_tcp(pair, key, BL_LOCAL_R_NOT_CHOSEN);
		return 0;
	}
	bl_turn(pair, BL_PAIR_HALF, BL_PAIR_WATCHED);
	counter = bl_counter_of(pair);
	chosen = bpf_map_lookup_elem(&local_chosen, &counter);
	if (chosen)
		chosen->connections++;
	return 1;
}

static __always_inline void bl_established(struct bpf_sock_ops *ops, struct bpf_sock *sk)
{
	__u32 own = ops->snd_nxt, theirs = ops->rcv_nxt, side = own > theirs;
	struct bl_local_key key = { .low = side ? theirs : own, .high = side ? own : theirs };
	struct bl_local_settings *settings = bl_settings();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct bl_local_flow *flow;
	__u32 before;

	if (!settings || !tp) {
		bl_count(BL_LOCAL_R_NO_MAP);
		return;
	}
	if (settings->draining) {
		bl_count(BL_LOCAL_R_TURNING);
		return;
	}
	if (own == theirs) {
		bl_count(BL_LOCAL_R_SELF);
		return;
	}
	if (BPF_CORE_READ_BITFIELD(tp, repair)) { /* it may name itself any numbers, those of others too */
		bl_count(BL_LOCAL_R_REPAIR);
		return;
	}
	if (!bl_enter(ops, tp, &key, side))
		return;
	flow = bpf_sk_storage_get(&local_flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!flow) {
		bl_count(BL_LOCAL_R_NO_STORAGE);
		return;
	}
	flow->pair = key;
	flow->side = side;
	before = ops->bpf_sock_ops_cb_flags;
	flow->callbacks = (BPF_SOCK_OPS_RTT_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG) & ~before;
	bpf_sock_ops_cb_flags_set(ops, before | flow->callbacks);
}

#endif
