/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every message that a filed socket sends, before TCP has it: by the short cut or not. A large write is several messages.
 */
#ifndef BEELINE_LOCAL_SEND_H
#define BEELINE_LOCAL_SEND_H

#include "local/pair.h"

#define BL_SEND_OOB 0x1
#define BL_SEND_SHUTDOWN 2 /* include/net/sock.h */

#define BL_PF_KTHREAD 0x00200000
#define BL_PF_USER_WORKER 0x00004000 /* io_uring's workers, vhost */
#define BL_TS_COMPAT 0x0002          /* arch/x86/include/asm/thread_info.h */

/* System calls of x86-64 that send with flags. */
#define BL_SYS_SENDTO 44
#define BL_SYS_SENDMSG 46
#define BL_SYS_SENDMMSG 307
#define BL_SYS_IO_URING_ENTER 426

/*
 * Does the call that is sending do what the short cut cannot? Its flags are not in the message, but in the registers that the
 * program entered the kernel with.
 */
static __always_inline __u32 bl_odd_send(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct pt_regs *regs;
	__u64 flags;

	if (task->flags & (BL_PF_KTHREAD | BL_PF_USER_WORKER))
		return BL_LOCAL_R_KERNEL;
	if (task->thread_info.status & BL_TS_COMPAT)
		return BL_LOCAL_R_KERNEL;
	regs = (void *)bpf_task_pt_regs(task);
	switch (regs->orig_ax) {
	case BL_SYS_SENDTO:
	case BL_SYS_SENDMMSG:
		flags = regs->r10;
		break;
	case BL_SYS_SENDMSG:
		flags = regs->dx;
		break;
	case BL_SYS_IO_URING_ENTER:
		return BL_LOCAL_R_IO_URING;
	default:
		return 0;
	}
	return flags & BL_SEND_OOB ? BL_LOCAL_R_OOB : 0;
}

/* So many bytes in a row are bulk, however few large sends they took. */
#define BL_BULK_BYTES (128 * 1024)

/*
 * Judges the sender by what it does in a row: a stream of small writes is faster by TCP, which joins them; large ones need a
 * TCP that blocks early when a message must go that way. 1: it is a stream of small writes.
 */
static __always_inline int bl_small_stream(const struct bl_local_settings *settings, struct bl_local_end *own,
					   const struct bl_local_end *peer, __u32 size)
{
	__u32 sends = *(const volatile __u32 *)&peer->sends;
	int small;

	if (sends != own->peer_sends) {
		own->peer_sends = sends;
		own->run = 0;
		own->run_bytes = 0;
	}
	own->run++;
	own->run_bytes += size;
	small = own->run_bytes < (__u64)own->run * settings->min_mean;
	if (own->run < settings->run_length && (small || own->run_bytes < BL_BULK_BYTES))
		return 0;
	if (small)
		return 1;
	if (!(own->flags & BL_END_BULK))
		bl_set(&own->flags, BL_END_BULK);
	own->run = 0;
	own->run_bytes = 0;
	return 0;
}

/* One that is going to leave does so while nothing redirected is unread, so that nothing comes behind it; if that ever is. */
#define BL_LONG_STREAM 4

static __always_inline int bl_passed(__u32 reason)
{
	bl_count(reason);
	return SK_PASS;
}

static __always_inline int bl_by_tcp(struct bl_local_end *own, __u32 size, __u32 reason)
{
	own->tcp_bytes += size;
	own->tcp_messages++;
	return bl_passed(reason);
}

/*
 * TCP's memory of all the host is above tcp_mem[0] (Documentation/networking/ip-sysctl.rst). Below it the kernel gives every
 * socket what it asks for; above it a receiver may be refused, which TCP bears, but a redirected send() would say ENOMEM.
 */
static __always_inline int bl_memory_is_short(struct sock *sk)
{
	struct proto *tcp = sk->__sk_common.skc_prot;
	long enough = 0;

	if (bpf_probe_read_kernel(&enough, sizeof enough, tcp->sysctl_mem))
		return 1;
	return tcp->memory_allocated->counter > enough;
}

/* A receiver may always have so much unread: TCP's first window. */
#define BL_LITTLE_UNREAD 65536

/*
 * Bytes unread at the receiver above which it is sent to by TCP. TCP then takes its own fill on top of them, and both together
 * shall stay near what TCP alone would take: a send buffer and half a receive buffer. A low-water mark keeps TCP's share small.
 * Without one (we set it when bulk is acknowledged that went by TCP) TCP takes it all, and little is left for the short cut.
 */
static __always_inline __u64 bl_limit(const struct bl_local_settings *settings, const struct tcp_sock *from,
				      const struct tcp_sock *to)
{
	const struct sock *sender = &from->inet_conn.icsk_inet.sk, *receiver = &to->inet_conn.icsk_inet.sk;
	__u64 limit = settings->limit, room = (__u64)sender->sk_sndbuf + (__u64)receiver->sk_rcvbuf / 2;

	room = from->notsent_lowat && from->notsent_lowat < room / 16 ? room - room / 8 : room / 16;
	if (room < BL_LITTLE_UNREAD)
		room = BL_LITTLE_UNREAD;
	if (receiver->sk_userlocks & BL_SOCK_RCVBUF_LOCK && (__u64)receiver->sk_rcvbuf < limit)
		limit = receiver->sk_rcvbuf;
	return room < limit ? room : limit;
}

/* Redirects the message when that cannot change the order of bytes; else by TCP. */
static __always_inline int bl_redirect(struct sk_msg_md *msg, const struct bl_local_settings *settings,
				       struct bl_local_pair *pair, const struct bl_local_flow *flow,
				       struct tcp_sock *from, struct tcp_sock *to)
{
	struct bl_local_end *own = bl_end(pair, flow->side), *peer = bl_end(pair, !flow->side);
	struct bl_local_sock name = bl_sock_key(&flow->pair, !flow->side);
	struct sock *sk = &to->inet_conn.icsk_inet.sk;
	__u64 unread = sk->sk_backlog.rmem_alloc.counter;
	__u32 size = msg->size;

	if (unread >= bl_limit(settings, from, to))
		return bl_by_tcp(own, size, BL_LOCAL_R_LIMIT);
	if (bl_memory_is_short(sk))
		return bl_by_tcp(own, size, BL_LOCAL_R_PRESSURE);
	/*
	 * Redirected bytes are read before those that TCP has queued. So all bytes sent by TCP must have been read; asked at
	 * every message, for another thread may be in the midst of one by TCP. Redirected bytes move neither number.
	 */
	if (from->write_seq != to->copied_seq)
		return bl_by_tcp(own, size, BL_LOCAL_R_ORDER);
	/* Announced before the state is looked at (again): who lets the end leave looks the other way round. */
	__sync_fetch_and_add(&peer->begun, size);
	if (bl_state(pair) != BL_PAIR_ON || *(const volatile __u32 *)&settings->draining) {
		__sync_fetch_and_sub(&peer->begun, size);
		return bl_by_tcp(own, size, BL_LOCAL_R_TURNING);
	}
	if (bpf_msg_redirect_hash(msg, &local_socks, &name, BPF_F_INGRESS) != SK_PASS) {
		__sync_fetch_and_sub(&peer->begun, size);
		return bl_by_tcp(own, size, BL_LOCAL_R_NO_TARGET);
	}
	own->short_bytes += size;
	own->short_messages++;
	return SK_PASS;
}

static __always_inline int bl_send(struct sk_msg_md *msg, struct bpf_sock *sk)
{
	struct bl_local_flow *flow = bpf_sk_storage_get(&local_flows, sk, 0, 0);
	struct bl_local_settings *settings = bl_settings();
	struct bl_local_end *own, *peer;
	struct tcp_sock *from, *to;
	struct bl_local_pair *pair;
	__u32 reason;

	pair = flow ? bpf_map_lookup_elem(&local_pairs, &flow->pair) : NULL;
	from = bpf_skc_to_tcp_sock(sk);
	if (!flow || !pair || !from)
		return bl_passed(BL_LOCAL_R_GONE);
	if (!settings)
		return bl_passed(BL_LOCAL_R_NO_MAP);
	own = bl_end(pair, flow->side);
	peer = bl_end(pair, !flow->side);
	own->sends++; /* by either way it is an answer */
	if (bl_state(pair) != BL_PAIR_ON || settings->draining)
		return bl_by_tcp(own, msg->size, BL_LOCAL_R_TURNING);
	if (from->inet_conn.icsk_inet.sk.sk_shutdown & BL_SEND_SHUTDOWN)
		return bl_by_tcp(own, msg->size, BL_LOCAL_R_ENDED);
	if (!(peer->flags & BL_END_SAFE))
		return bl_by_tcp(own, msg->size, BL_LOCAL_R_UNSAFE_END);
	/* Bytes of TCP that come behind redirected ones may need somebody to tell their reader (bl_look_behind()). */
	if (bpf_jiffies64() - *(const volatile __u64 *)&settings->tended > settings->patience)
		return bl_by_tcp(own, msg->size, BL_LOCAL_R_UNTENDED);
	to = bl_sock_of(peer);
	if (!to)
		return bl_by_tcp(own, msg->size, BL_LOCAL_R_NO_TARGET);
	reason = bl_odd_send();
	if (!reason)
		reason = bl_unfit(from);
	if (!reason)
		reason = bl_unfit(to);
	if (!reason && bl_small_stream(settings, own, peer, msg->size) &&
	    (own->run >= BL_LONG_STREAM * settings->run_length || bl_is_read(peer, to->copied_seq)))
		reason = BL_LOCAL_R_SMALL;
	if (reason) {
		bl_to_tcp(pair, &flow->pair, reason);
		own->tcp_bytes += msg->size;
		own->tcp_messages++;
		return SK_PASS;
	}
	return bl_redirect(msg, settings, pair, flow, from, to);
}

#endif
