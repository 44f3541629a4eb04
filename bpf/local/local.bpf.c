// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The short cut between two sockets of one host. abi/beeline/local.h says how the programs hang together.
 * Whatever cannot be decided goes by TCP: every program here passes.
 */
#include "local/establish.h"
#include "local/receive.h"
#include "local/send.h"
#include "local/tend.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define BL_SOL_SOCKET 1
#define BL_SO_LINGER 13
#define BL_SO_RCVLOWAT 18
#define BL_SO_TIMESTAMP_OLD 29
#define BL_SO_TIMESTAMPNS_OLD 35
#define BL_SO_TIMESTAMPING_OLD 37
#define BL_SO_PEEK_OFF 42
#define BL_SO_ZEROCOPY 60
#define BL_SO_TIMESTAMP_NEW 63
#define BL_SO_TIMESTAMPNS_NEW 64
#define BL_SO_TIMESTAMPING_NEW 65
#define BL_TCP_REPAIR 19
#define BL_TCP_ULP 31
#define BL_TCP_INQ 36

SEC("sockops")
int local_sockets(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;

	if (!sk)
		return 1;
	switch (ops->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		bl_established(ops, sk);
		break;
	case BPF_SOCK_OPS_RTT_CB:
		bl_acknowledged(ops, sk);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ops->args[1] == BPF_TCP_CLOSE)
			bl_closed(sk);
		break;
	}
	return 1;
}

SEC("sk_msg")
int local_verdict(struct sk_msg_md *msg)
{
	struct bpf_sock *sk = msg->sk;

	return sk ? bl_send(msg, sk) : bl_passed(BL_LOCAL_R_GONE);
}

SEC("tp_btf/sock_recv_length")
int local_received(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	/* Every receive call of every socket comes here: no storage, no more of it. */
	if (sk->sk_bpf_storage)
		bl_received(sk, (int)ctx[1], (int)ctx[2]);
	return 0;
}

struct bl_linger { /* linux/socket.h */
	int on;
	int seconds;
};

static __always_inline __u32 bl_odd_option(struct bpf_sockopt *option)
{
	const struct bl_linger *linger = option->optval;
	const int *number = option->optval;
	int level = option->level, name = option->optname;

	if (level == BL_SOL_TCP)
		return name == BL_TCP_ULP ? BL_LOCAL_R_ULP :
		       name == BL_TCP_REPAIR ? BL_LOCAL_R_REPAIR :
		       name == BL_TCP_INQ ? BL_LOCAL_R_OPTION : 0;
	if (level != BL_SOL_SOCKET)
		return 0;
	switch (name) {
	case BL_SO_LINGER:
		return (void *)(linger + 1) <= option->optval_end && linger->on && !linger->seconds ? BL_LOCAL_R_LINGER : 0;
	case BL_SO_RCVLOWAT: /* 1 is what it is; the daemon sets it (wake.cpp) */
		return (void *)(number + 1) <= option->optval_end && *number <= 1 ? 0 : BL_LOCAL_R_RCVLOWAT;
	case BL_SO_ZEROCOPY:
		return BL_LOCAL_R_ZEROCOPY;
	case BL_SO_PEEK_OFF:
		return BL_LOCAL_R_OPTION;
	case BL_SO_TIMESTAMP_OLD:
	case BL_SO_TIMESTAMPNS_OLD:
	case BL_SO_TIMESTAMPING_OLD:
	case BL_SO_TIMESTAMP_NEW:
	case BL_SO_TIMESTAMPNS_NEW:
	case BL_SO_TIMESTAMPING_NEW:
		return BL_LOCAL_R_TIMESTAMPS;
	}
	return 0;
}

/* Before an option takes effect. Taking one back is noticed as well: it makes no difference to who has left for TCP. */
SEC("cgroup/setsockopt")
int local_option(struct bpf_sockopt *option)
{
	__u32 reason = bl_odd_option(option);
	struct bpf_sock *sk = option->sk;
	struct bl_local_flow *flow;
	struct bl_local_pair *pair;

	option->optlen = 0; /* the program's own buffer is used as it is, whatever its length */
	if (!reason || !sk)
		return 1;
	flow = bpf_sk_storage_get(&local_flows, sk, 0, 0);
	pair = flow ? bpf_map_lookup_elem(&local_pairs, &flow->pair) : NULL;
	if (pair)
		bl_to_tcp(pair, &flow->pair, reason);
	return 1;
}

SEC("iter/bpf_sk_storage_map")
int local_tend(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct bl_local_tended *did;
	struct bl_local_flow *flow = ctx->value;
	struct sock *sk = ctx->sk;
	__u32 zero = 0;

	did = bpf_map_lookup_elem(&local_tended, &zero);
	if (!did)
		return 0; /* for the verifier: an array has its element */
	if (sk && flow)
		bl_tend(sk, flow, did);
	else if (!sk)
		bl_tended(did);
	return 0;
}
