/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pairs of sockets and what is known of them.
 */
#ifndef BEELINE_LOCAL_PAIR_H
#define BEELINE_LOCAL_PAIR_H

#include "local/judge.h"

#define BL_O_NONBLOCK 04000
#define BL_SOCK_RCVBUF_LOCK 2

/* The state as another CPU may have left it. */
static __always_inline __u32 bl_state(const struct bl_local_pair *pair)
{
	return *(const volatile __u32 *)&pair->state;
}

/* From one state to the next, unless somebody was faster. 1: done. */
static __always_inline int bl_turn(struct bl_local_pair *pair, __u32 from, __u32 to)
{
	return __sync_val_compare_and_swap(&pair->state, from, to) == from;
}

/* On TCP for good. The sends that are being judged right now have made themselves known in `begun`. */
static __always_inline void bl_to_tcp(struct bl_local_pair *pair, const struct bl_local_key *key, __u32 reason)
{
	__u32 before = bl_state(pair);

	if (before == BL_PAIR_TCP)
		return;
	if (__sync_val_compare_and_swap(&pair->state, before, BL_PAIR_TCP) != before) {
		/* It went one up meanwhile; it goes up three times at the most. */
		before = bl_state(pair);
		if (before == BL_PAIR_TCP ||
		    __sync_val_compare_and_swap(&pair->state, before, BL_PAIR_TCP) != before)
			return;
	}
	pair->reason = reason;
	bl_count(reason);
	if ((pair->end[0].flags | pair->end[1].flags) & BL_END_FILED)
		bl_tell(&(struct bl_local_event){ .what = BL_LOCAL_EVENT_LEAVE, .pair = *key });
}

static __always_inline void bl_set(__u32 *flags, __u32 bits)
{
	__sync_fetch_and_or(flags, bits);
}

static __always_inline void bl_clear(__u32 *flags, __u32 bits)
{
	__sync_fetch_and_and(flags, ~bits);
}

#define BL_SOCK_FLAG(sk, flag) ((sk)->__sk_common.skc_flags & 1UL << bpf_core_enum_value(enum sock_flags, flag))

static __always_inline int bl_nonblocking(struct sock *sk)
{
	struct socket *socket = sk->sk_socket;
	struct file *file;

	if (!socket)
		return 0; /* not accepted yet */
	file = socket->file;
	return file && file->f_flags & BL_O_NONBLOCK;
}

/* Why the socket must not be on the short cut as it is now; 0: nothing speaks against it. */
static __always_inline __u32 bl_unfit(struct tcp_sock *tp)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	if (!bl_nonblocking(sk))
		return BL_LOCAL_R_BLOCKING;
	if (sk->sk_rcvlowat > 1)
		return BL_LOCAL_R_RCVLOWAT;
	if (BL_SOCK_FLAG(sk, SOCK_ZEROCOPY))
		return BL_LOCAL_R_ZEROCOPY;
	if (sk->sk_tsflags || BL_SOCK_FLAG(sk, SOCK_RCVTSTAMP))
		return BL_LOCAL_R_TIMESTAMPS;
	if (BL_SOCK_FLAG(sk, SOCK_LINGER) && !sk->sk_lingertime)
		return BL_LOCAL_R_LINGER;
	if (tp->inet_conn.icsk_ulp_ops)
		return BL_LOCAL_R_ULP;
	if (tp->urg_data)
		return BL_LOCAL_R_OOB;
	return 0;
}

/* What is looked at once, before a socket is filed; later setsockopt() is watched for it. */
static __always_inline __u32 bl_unfit_to_file(struct tcp_sock *tp)
{
	if (BPF_CORE_READ_BITFIELD(tp, repair))
		return BL_LOCAL_R_REPAIR;
	if (tp->is_mptcp)
		return BL_LOCAL_R_MPTCP;
	if (BPF_CORE_READ_BITFIELD(tp, recvmsg_inq) || tp->inet_conn.icsk_inet.sk.sk_peek_off >= 0)
		return BL_LOCAL_R_OPTION;
	return bl_unfit(tp);
}

/*
 * The socket of an end as the kernel has it, or NULL when another one, or nothing, is at its address by now. What it points
 * to may go while it is read: then it reads as zeros or as another socket's fields, and the redirection finds nobody.
 */
static __always_inline struct tcp_sock *bl_sock_of(const struct bl_local_end *end)
{
	struct tcp_sock *tp;

	if (!end->sock)
		return NULL;
	tp = BL_AS(struct tcp_sock, end->sock);
	return (__u64)tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter == end->cookie ? tp : NULL;
}

static __always_inline struct bl_local_sock bl_sock_key(const struct bl_local_key *key, __u32 side)
{
	struct bl_local_sock k = { .own = side ? key->high : key->low, .peer = side ? key->low : key->high };

	return k;
}

/* The end of that side; written so that the verifier sees the bounds. */
static __always_inline struct bl_local_end *bl_end(struct bl_local_pair *pair, __u32 side)
{
	return side ? &pair->end[1] : &pair->end[0];
}

/* Bytes that were redirected to the end and read by its program, mod 2^32. */
static __always_inline __u32 bl_short_read(const struct bl_local_end *end, __u32 copied_seq)
{
	return *(const volatile __u32 *)&end->read - (copied_seq - end->first);
}

/* All that was redirected to the end, or is about to be. */
static __always_inline int bl_is_read(const struct bl_local_end *end, __u32 copied_seq)
{
	return *(const volatile __u32 *)&end->begun == bl_short_read(end, copied_seq);
}

#endif
