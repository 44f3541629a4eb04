/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets enter and leave local_socks here and nowhere else.
 */
#ifndef BEELINE_LOCAL_TEND_H
#define BEELINE_LOCAL_TEND_H

#include "local/pair.h"

#define BL_SOL_TCP 6
#define BL_TCP_NOTSENT_LOWAT 25

/*
 * May the filed end leave, now that nothing new is redirected towards it? Only when its program has read all that ever was:
 * what is in its queue for redirected bytes is lost when it leaves, and so is what is on its way there. A send that is being
 * judged has added to `begun` before it looked at the state, so none can be missed; one that failed has taken it back.
 * `read` is counted after the bytes are gone from the queue: what this finds is never too much.
 */
static __always_inline int bl_may_leave(const struct bl_local_end *end, const struct tcp_sock *tp)
{
	return bl_is_read(end, tp->copied_seq);
}

#define BL_CALLBACKS (BPF_SOCK_OPS_RTT_CB_FLAG | BPF_SOCK_OPS_STATE_CB_FLAG)

/* No more of these callbacks, unless somebody else wanted them before us. */
static __always_inline void bl_end_callbacks(struct bpf_sock_ops *ops, struct bl_local_flow *flow, __u32 flags)
{
	flags &= flow->callbacks;
	flow->callbacks &= ~flags;
	if (flags)
		bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags & ~flags);
}

/* An acknowledgement came in for what the end sent by TCP: the place where a program may set its options. */
static __always_inline void bl_acknowledged(struct bpf_sock_ops *ops, struct bpf_sock *sk)
{
	struct bl_local_flow *flow = bpf_sk_storage_get(&local_flows, sk, 0, 0);
	struct bl_local_settings *settings = bl_settings();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct bl_local_pair *pair;
	struct bl_local_sock name;
	struct bl_local_end *end;
	int none = 0, lowat;
	__u32 state;

	if (!flow)
		return; /* another program's callback */
	pair = bpf_map_lookup_elem(&local_pairs, &flow->pair);
	if (!pair || !settings || !tp) {
		bl_end_callbacks(ops, flow, BL_CALLBACKS);
		return;
	}
	end = bl_end(pair, flow->side);
	state = bl_state(pair);
	/* The other end would have been here before the first acknowledgement. */
	if (state == BL_PAIR_HALF || (pair->reason == BL_LOCAL_R_NOT_CHOSEN &&
				      !((pair->end[0].flags | pair->end[1].flags) & BL_END_FILED))) {
		if (state == BL_PAIR_HALF)
			bl_count(BL_LOCAL_R_REMOTE);
		bl_end_callbacks(ops, flow, BL_CALLBACKS);
		bpf_map_delete_elem(&local_pairs, &flow->pair);
		bpf_sk_storage_delete(&local_flows, sk);
		return;
	}
	if (state != BL_PAIR_TCP) {
		lowat = settings->lowat;
		if (end->flags & BL_END_BULK && !(end->flags & BL_END_BOUND) && lowat && !tp->notsent_lowat &&
		    !bpf_setsockopt(ops, BL_SOL_TCP, BL_TCP_NOTSENT_LOWAT, &lowat, sizeof lowat))
			bl_set(&end->flags, BL_END_BOUND);
		return;
	}
	if (end->flags & BL_END_FILED) {
		if (!bl_may_leave(end, tp))
			return;
		name = bl_sock_key(&flow->pair, flow->side);
		bpf_map_delete_elem(&local_socks, &name);
		bl_clear(&end->flags, BL_END_FILED);
	}
	if (end->flags & BL_END_BOUND)
		bpf_setsockopt(ops, BL_SOL_TCP, BL_TCP_NOTSENT_LOWAT, &none, sizeof none);
	bl_clear(&end->flags, BL_END_BOUND);
	bl_end_callbacks(ops, flow, BPF_SOCK_OPS_RTT_CB_FLAG);
}

/* What the end has sent goes to its rule's counters. */
static __always_inline void bl_add_up(const struct bl_local_pair *pair, const struct bl_local_end *end)
{
	__u32 counter = bl_counter_of(pair);
	struct bl_local_chosen *chosen = bpf_map_lookup_elem(&local_chosen, &counter);
	struct bl_hits *hits = bpf_map_lookup_elem(&local_hits, &counter);

	if (!chosen || !hits || !(pair->end[0].flags & pair->end[1].flags & BL_END_HERE))
		return;
	hits->packets += end->short_messages;
	hits->bytes += end->short_bytes;
	chosen->tcp_messages += end->tcp_messages;
	chosen->tcp_bytes += end->tcp_bytes;
}

static __always_inline void bl_closed(struct bpf_sock *sk)
{
	struct bl_local_flow *flow = bpf_sk_storage_get(&local_flows, sk, 0, 0);
	struct bl_local_pair *pair = flow ? bpf_map_lookup_elem(&local_pairs, &flow->pair) : NULL;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct bl_local_end *end, *other;

	if (!pair || !tp)
		return;
	end = bl_end(pair, flow->side);
	other = bl_end(pair, !flow->side);
	bl_set(&end->flags, BL_END_CLOSED);
	if (end->flags & BL_END_FILED) {
		bl_clear(&end->flags, BL_END_FILED); /* the kernel takes it out of the map */
		if (!bl_may_leave(end, tp))
			bl_count(BL_LOCAL_R_CLOSED_UNREAD);
	}
	bl_add_up(pair, end);
	if (!(other->flags & BL_END_HERE) || other->flags & BL_END_CLOSED)
		bpf_map_delete_elem(&local_pairs, &flow->pair);
}

static __always_inline void bl_file(struct sock *sk, struct tcp_sock *tp, struct bl_local_flow *flow,
				    struct bl_local_pair *pair, struct bl_local_end *end, struct bl_local_tended *did)
{
	struct bl_local_sock name = bl_sock_key(&flow->pair, flow->side);
	struct bl_local_end *other = bl_end(pair, !flow->side);
	__u32 reason = bl_unfit_to_file(tp);

	if (reason) {
		bl_to_tcp(pair, &flow->pair, reason);
		return;
	}
	/* FIONREAD of a filed socket does not count what came by TCP: it enters with nothing unread. */
	if (tp->rcv_nxt != tp->copied_seq) {
		did->waiting_to_file++;
		return;
	}
	if (bpf_map_update_elem(&local_socks, &name, sk, BPF_NOEXIST)) {
		bl_to_tcp(pair, &flow->pair, BL_LOCAL_R_FOREIGN);
		return;
	}
	bl_set(&end->flags, BL_END_FILED);
	did->filed++;
	if (other->flags & BL_END_FILED)
		bl_turn(pair, BL_PAIR_WANTED, BL_PAIR_ON);
}

/* The rules are others now: a pair that they do not choose goes back to TCP. */
static __always_inline void bl_judge_anew(struct sock *sk, struct bl_local_flow *flow, struct bl_local_pair *pair,
					  struct bl_local_end *end)
{
	bl_judge(end, sk, end->tgid != 0);
	if (pair->end[0].flags & pair->end[1].flags & BL_END_HERE &&
	    pair->end[0].generation == pair->end[1].generation && !bl_chosen(pair))
		bl_to_tcp(pair, &flow->pair, BL_LOCAL_R_NOT_CHOSEN);
}

/*
 * A pair goes with the last of its sockets, unless that is not noticed: it never had storage, the callbacks were taken away by
 * another program, or it closed while `down` waited.
 */
static long bl_sweep(struct bpf_map *map, struct bl_local_key *key, struct bl_local_pair *pair, __u32 *pass)
{
	if (*pass - pair->visited < BL_LOCAL_SWEEP_AFTER)
		return 0;
	bl_count(BL_LOCAL_R_SWEPT);
	bpf_map_delete_elem(&local_pairs, key);
	return 0;
}

/* All sockets of local_flows have been met. */
static __always_inline void bl_tended(const struct bl_local_tended *did)
{
	struct bl_local_settings *settings = bl_settings();
	__u32 pass = did->pass;

	if (settings)
		*(volatile __u64 *)&settings->tended = bpf_jiffies64();
	if (pass % BL_LOCAL_SWEEP_EVERY == 0)
		bpf_for_each_map_elem(&local_pairs, bl_sweep, &pass, 0);
}

/* One socket of local_flows. */
static __always_inline void bl_tend(struct sock *sk, struct bl_local_flow *flow, struct bl_local_tended *did)
{
	struct bl_local_pair *pair = bpf_map_lookup_elem(&local_pairs, &flow->pair);
	struct bl_local_settings *settings = bl_settings();
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct bl_local_end *end;
	struct bl_local_sock name;
	__u32 state;

	if (!pair || !settings || !tp)
		return; /* forgotten, and on TCP for good */
	pair->visited = did->pass;
	end = bl_end(pair, flow->side);
	if (end->generation != settings->generation)
		bl_judge_anew(sk, flow, pair, end);
	state = bl_state(pair);
	did->seen++;
	if (!(end->flags & BL_END_FILED)) {
		if (state == BL_PAIR_WANTED && !settings->draining && !(end->flags & BL_END_CLOSED))
			bl_file(sk, tp, flow, pair, end, did);
		return;
	}
	if (state != BL_PAIR_TCP && !settings->draining) {
		did->filed_now++;
		return;
	}
	if (!bl_may_leave(end, tp)) {
		did->waiting_to_leave++;
		did->filed_now++;
		return;
	}
	name = bl_sock_key(&flow->pair, flow->side);
	bpf_map_delete_elem(&local_socks, &name);
	bl_clear(&end->flags, BL_END_FILED);
	did->left++;
}

#endif
