/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every receive call of a watched socket, after it: how its program reads, and how much.
 */
#ifndef BEELINE_LOCAL_RECEIVE_H
#define BEELINE_LOCAL_RECEIVE_H

#include "local/pair.h"

#define BL_MSG_OOB 0x1
#define BL_MSG_PEEK 0x2
#define BL_MSG_DONTWAIT 0x40
#define BL_MSG_ERRQUEUE 0x2000

/* Why the running program's reads do not suit the short cut; 0: they do, -1: not known yet. */
static __always_inline int bl_program_unfit(const struct bl_local_key *key)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct bl_local_program program = {};
	__u32 *known, asked = BL_PROGRAM_ASKED;
	struct inode *inode;

	if (!task->mm)
		return BL_LOCAL_R_SPLICES; /* a kernel thread that reads for somebody (io_uring's are processes) */
	inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	if (!inode)
		return BL_LOCAL_R_SPLICES;
	program.inode = BPF_CORE_READ(inode, i_ino);
	program.device = BPF_CORE_READ(inode, i_sb, s_dev);
	known = bpf_map_lookup_elem(&local_programs, &program);
	if (known && *known != BL_PROGRAM_ASKED)
		return *known == BL_PROGRAM_SAFE ? 0 :
		       *known == BL_PROGRAM_COUNTS ? BL_LOCAL_R_COUNTS : BL_LOCAL_R_SPLICES;
	if (!known)
		bpf_map_update_elem(&local_programs, &program, &asked, BPF_NOEXIST);
	bl_tell(&(struct bl_local_event){ .what = BL_LOCAL_EVENT_PROGRAM,
					   .tgid = bpf_get_current_pid_tgid() >> 32,
					   .pair = *key,
					   .program = program });
	return -1;
}

/* May the pair be filed now? */
static __always_inline void bl_examine(struct bl_local_pair *pair, const struct bl_local_flow *flow, struct tcp_sock *tp)
{
	struct bl_local_end *end = bl_end(pair, flow->side), *other = bl_end(pair, !flow->side);
	struct tcp_sock *peer;
	__u32 reason;
	int program;

	reason = bl_unfit_to_file(tp);
	if (!reason) {
		peer = bl_sock_of(other);
		if (!peer)
			return; /* it is being closed: on TCP to its end */
		reason = bl_unfit_to_file(peer);
	}
	if (reason == BL_LOCAL_R_BLOCKING)
		return; /* it may change its mind: looked at again, ever more rarely */
	if (!reason) {
		program = bl_program_unfit(&flow->pair);
		if (program < 0)
			return; /* asked for: on TCP until the answer is there and it is looked at again */
		reason = program;
	}
	if (!reason && end->judged == BL_LOCAL_LATER)
		bl_judge(end, &tp->inet_conn.icsk_inet.sk, 1);
	if (!reason && !bl_chosen(pair))
		reason = BL_LOCAL_R_NOT_CHOSEN;
	if (reason) {
		bl_to_tcp(pair, &flow->pair, reason);
		return;
	}
	bl_set(&end->flags, BL_END_SAFE);
	if (!(other->flags & BL_END_SAFE))
		return; /* a filed socket answers FIONREAD otherwise, whoever sends to it: its program must be known first */
	if (bl_chosen(pair) > 0 && bl_turn(pair, BL_PAIR_WATCHED, BL_PAIR_WANTED))
		bl_tell(&(struct bl_local_event){ .what = BL_LOCAL_EVENT_WANTED, .pair = flow->pair });
}

/* The process's name, whatever its threads call themselves. */
static __always_inline void bl_name_process(char name[16])
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	__builtin_memset(name, 0, 16);
	bpf_probe_read_kernel_str(name, 16, task->group_leader->comm);
}

/* n is 2^k times the first one. */
static __always_inline int bl_time_to_look(__u32 n, __u32 first)
{
	return first && n >= first && n % first == 0 && !(n / first & (n / first - 1));
}

/* Bytes that TCP has for the reader are behind what it has been told of: user space tells it again, unless it reads on. */
static __always_inline void bl_tell_behind(struct sock *sk, const struct bl_local_flow *flow,
					   const struct bl_local_end *end)
{
	struct bl_local_event event = { .what = BL_LOCAL_EVENT_BEHIND, .pair = flow->pair, .side = flow->side };
	struct socket *socket = sk->sk_socket;

	if (!socket)
		return; /* it is being closed */
	event.tgid = bpf_get_current_pid_tgid() >> 32;
	event.inode = BPF_CORE_READ(socket, file, f_inode, i_ino);
	event.read = *(const volatile __u32 *)&end->read;
	bl_tell(&event);
}

/* Bytes that TCP has for the reader; the end of the stream has a number as well (tcp_inq()). */
static __always_inline __u32 bl_unread_of_tcp(struct sock *sk, const struct tcp_sock *tp, __u32 copied)
{
	__u32 unread = tp->rcv_nxt - copied;

	return unread && BL_SOCK_FLAG(sk, SOCK_DONE) ? unread - 1 : unread;
}

/*
 * What one call reads ends where the redirected bytes end, though bytes sent by TCP may be behind them. An edge-triggered loop
 * may take that for the end of all (epoll(7)), and has been told of the others before.
 */
static __always_inline void bl_look_behind(struct sock *sk, struct tcp_sock *tp, const struct bl_local_flow *flow,
					   struct bl_local_end *end)
{
	__u32 copied = tp->copied_seq, taken = bl_short_read(end, copied);

	if (taken == end->taken)
		return; /* it came by TCP */
	end->taken = taken;
	if (bl_is_read(end, copied) && bl_unread_of_tcp(sk, tp, copied))
		bl_tell_behind(sk, flow, end);
}

static __always_inline void bl_received(struct sock *sk, int bytes, int flags)
{
	struct bl_local_settings *settings;
	struct bl_local_flow *flow;
	struct bl_local_pair *pair;
	struct bl_local_end *end;
	struct tcp_sock *tp;
	__u32 state;

	flow = bpf_sk_storage_get(&local_flows, sk, 0, 0);
	pair = flow ? bpf_map_lookup_elem(&local_pairs, &flow->pair) : NULL;
	tp = bpf_skc_to_tcp_sock(sk);
	settings = bl_settings();
	if (!pair || !tp || !settings)
		return; /* forgotten, and on TCP for good: nothing to watch, and not worth a counter at every call */
	if (flags & (BL_MSG_OOB | BL_MSG_ERRQUEUE))
		bl_to_tcp(pair, &flow->pair, flags & BL_MSG_OOB ? BL_LOCAL_R_OOB : BL_LOCAL_R_ERRQUEUE);
	if (bytes <= 0 || flags & (BL_MSG_PEEK | BL_MSG_OOB | BL_MSG_ERRQUEUE))
		return;
	end = bl_end(pair, flow->side);
	__sync_fetch_and_add(&end->read, bytes);
	if (end->flags & BL_END_FILED)
		bl_look_behind(sk, tp, flow, end);
	state = bl_state(pair);
	if (state == BL_PAIR_TCP || state == BL_PAIR_HALF)
		return;
	if (state == BL_PAIR_ON) {
		if (!(flags & BL_MSG_DONTWAIT))
			bl_to_tcp(pair, &flow->pair, BL_LOCAL_R_BLOCKING);
		if (end->flags & BL_END_SAFE)
			return;
	}
	end->receives++;
	end->turns += tp->write_seq != end->written;
	end->written = tp->write_seq;
	if (!bl_time_to_look(end->turns, settings->min_turns) &&
	    !bl_time_to_look(end->receives, settings->min_receives))
		return;
	end->tgid = bpf_get_current_pid_tgid() >> 32;
	bl_name_process(end->comm);
	bl_examine(pair, flow, tp);
}

#endif
