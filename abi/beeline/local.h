/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The short cut between two sockets of one host: what the programs and user space share.
 *
 * Both ends of a connection see the same two sequence numbers when it is established, each as its own and the other's; no
 * address translation changes them, and no other connection has them. They name the pair in local_pairs. A pair is watched on
 * plain TCP until both sockets are proven safe; then user space runs local_tend, which puts them into local_socks, and from
 * there on local_verdict redirects what one end sends into the other's queue, as long as that cannot change its order.
 */
#ifndef BEELINE_ABI_LOCAL_H
#define BEELINE_ABI_LOCAL_H

#include "beeline/match.h"

#define BL_LOCAL_MAX_RULES 1024 /* the fallback included */
#define BL_LOCAL_MAX_ROWS 4096  /* table entries of all rules */
#define BL_LOCAL_MAX_SETS 255
#define BL_LOCAL_MAX_COUNTERS 4096 /* counter slots of rules; 0 is nobody's */
#define BL_LOCAL_MAX_PAIRS 1048576

/* Names a connection. low and high are the two sequence numbers, smaller one first; side 0 of the pair is the end whose own
 * (snd_nxt when established) is low. */
struct bl_local_key {
	__u32 low;
	__u32 high;
};
BL_SIZE(bl_local_key, 4 * 2);

/* Key of local_socks: the end's own sequence number, and its peer's. */
struct bl_local_sock {
	__u32 own;
	__u32 peer;
};
BL_SIZE(bl_local_sock, 4 * 2);

/* What the rules said about one end. */
#define BL_LOCAL_NONE 0       /* the fallback, or nothing, and it says tcp */
#define BL_LOCAL_ACCELERATE 1 /* the short cut, unless the other end's rule says tcp */
#define BL_LOCAL_TCP 2        /* a rule that is no fallback said tcp: so it is, whatever the other end's says */
#define BL_LOCAL_LATER 3      /* depends on the process, which is known when it receives */

/* bl_local_end.flags */
#define BL_END_HERE (1u << 0)    /* the end is on this host */
#define BL_END_ACTIVE (1u << 1)  /* it connected; the other one accepted */
#define BL_END_V6 (1u << 2)
#define BL_END_SAFE (1u << 3)    /* its program reads in ways that the short cut serves: it may be redirected to */
#define BL_END_FILED (1u << 4)   /* in local_socks */
#define BL_END_BULK (1u << 5)    /* sends large writes in a row */
#define BL_END_BOUND (1u << 6)   /* we have set its TCP_NOTSENT_LOWAT */
#define BL_END_CLOSED (1u << 7)

/* One end of a connection. Counters of bytes are of what it sent. */
struct bl_local_end {
	__u64 sock;   /* address of its struct tcp_sock: used only while cookie is that of the socket there */
	__u64 cookie; /* SO_COOKIE */
	__u64 short_bytes;
	__u64 short_messages;
	__u64 tcp_bytes; /* while it was in local_socks */
	__u64 tcp_messages;
	__u64 cgroup; /* id of the socket's cgroup */
	__u64 run_bytes;
	__u32 run;        /* sends since the other end sent */
	__u32 peer_sends; /* sends of the other end when this one sent last */
	__u32 sends;
	__u32 begun;      /* bytes redirected towards it, and those whose redirection is being tried */
	__u32 read;       /* bytes that its program has received by any way */
	__u32 first;      /* rcv_nxt when established: copied_seq - first bytes were read by TCP */
	__u32 receives;
	__u32 turns;      /* receives after which it had sent */
	__u32 written;    /* write_seq at its last receive */
	__u32 flags;      /* BL_END_* */
	__u32 rule;       /* row's rule that judged it, or BL_LOCAL_NO_RULE */
	__u32 judged;     /* BL_LOCAL_NONE ... BL_LOCAL_LATER */
	__u32 counter;    /* of that rule */
	__u32 uid;
	__u32 tgid;       /* of the process that received last before the short cut; 0: none has */
	__u32 generation; /* of the rules that judged it */
	__u32 local[4];   /* addresses in network order, IPv4 in word 0 */
	__u32 remote[4];
	__u16 local_port; /* host order */
	__u16 remote_port;
	__u32 taken;      /* bytes of the short cut that its program had read at its last receive */
	char comm[16];    /* of that process */
};
BL_SIZE(bl_local_end, 8 * 8 + 4 * 16 + 16 * 2 + 2 * 2 + 4 + 16);

/* bl_local_pair.state; only ever upwards, so that who is late changes nothing. */
#define BL_PAIR_HALF 0    /* one end is known */
#define BL_PAIR_WATCHED 1 /* on TCP, not proven yet */
#define BL_PAIR_WANTED 2  /* proven: local_tend shall file it */
#define BL_PAIR_ON 3      /* both ends are filed */
#define BL_PAIR_TCP 4     /* on TCP for good, for `reason`; filed ends leave local_socks */

struct bl_local_pair {
	__u64 since_ns; /* CLOCK_MONOTONIC, of its first end */
	__u32 state;
	__u32 reason;   /* BL_LOCAL_R_*, with BL_PAIR_TCP */
	__u32 visited;  /* bl_local_tended.pass that last met a socket of it */
	__u32 _pad;
	struct bl_local_end end[2];
};
BL_SIZE(bl_local_pair, 8 + 4 * 4 + 184 * 2);

/* In the socket's storage, local_flows. */
struct bl_local_flow {
	struct bl_local_key pair;
	__u32 side;
	__u32 callbacks; /* sock_ops callbacks that nobody had asked for before us: ours to end */
};
BL_SIZE(bl_local_flow, 8 + 4 + 4);

/* local_settings[0] */
struct bl_local_settings {
	__u64 limit;       /* bytes unread at a receiver above which it is sent to by TCP */
	__u32 draining;    /* 1: nothing is redirected any more, ends leave as they are read empty */
	__u32 lowat;       /* TCP_NOTSENT_LOWAT of bulk senders; 0: left alone */
	__u32 run_length;  /* sends in a row after which a sender is judged */
	__u32 min_mean;    /* below this mean size of them it is a stream of small writes: TCP for good */
	__u32 min_turns;   /* a requester is proven after so many turns */
	__u32 min_receives; /* others after so many receives */
	__u32 generation; /* counts up with the rules: local_tend judges every end anew */
	__u32 patience;   /* jiffies without a pass of local_tend after which nothing is redirected; the kernel's: 4 to 10 ms each */
	__u64 tended;     /* the jiffy of its last pass */
};
BL_SIZE(bl_local_settings, 8 + 4 * 8 + 8);

/* bl_local_row.flags */
#define BL_LOCAL_CGROUP (1u << 0)  /* the end's cgroup is `cgroup` or below it */
#define BL_LOCAL_PROCESS (1u << 1) /* comm of the process that receives */
#define BL_LOCAL_USER (1u << 2)    /* uid_low <= uid <= uid_high */
#define BL_LOCAL_FALLBACK (1u << 3)
#define BL_LOCAL_NOT_CGROUP (1u << 4) /* with those: they must not hold */
#define BL_LOCAL_NOT_PROCESS (1u << 5)
#define BL_LOCAL_NOT_USER (1u << 6)

/* One row of the table, the inner array of local_tables; the last one matches everything. */
struct bl_local_row {
	struct bl_entry entry; /* verdict: BL_LOCAL_ACCELERATE, BL_LOCAL_TCP; counter: slot in local_hits */
	struct bl_extra extra;
	__u64 cgroup; /* id */
	__u32 level;  /* of it: the root has 0 */
	__u32 flags;  /* BL_LOCAL_* */
	__u32 uid_low;
	__u32 uid_high;
	char comm[16];
};
BL_SIZE(bl_local_row, 64 + 192 + 8 + 4 * 4 + 16);

/*
 * Of a rule: the connections that it chose, and what those of them that are closed sent by TCP while both ends were filed; per
 * CPU, in local_chosen by counter slot. What they sent by the short cut is in local_hits (struct bl_hits, messages for packets);
 * what live ones have sent stands in local_pairs.
 */
struct bl_local_chosen {
	__u64 connections;
	__u64 tcp_bytes;
	__u64 tcp_messages;
};
BL_SIZE(bl_local_chosen, 8 * 3);

/* A program file, by the inode that processes run; key of local_programs. */
struct bl_local_program {
	__u64 inode;
	__u32 device; /* dev_t of the kernel */
	__u32 _pad;
};
BL_SIZE(bl_local_program, 8 + 4 + 4);

#define BL_PROGRAM_ASKED 0  /* user space was told to look at it */
#define BL_PROGRAM_SAFE 1   /* reads sockets by receive calls only */
#define BL_PROGRAM_SPLICES 2 /* may read by splice(2) */
#define BL_PROGRAM_COUNTS 3  /* may ask FIONREAD */

/* Event in local_events. */
#define BL_LOCAL_EVENT_WANTED 1  /* a pair waits for local_tend */
#define BL_LOCAL_EVENT_PROGRAM 2 /* `program` is unknown; process `tgid` runs it */
#define BL_LOCAL_EVENT_LEAVE 3   /* filed ends of a pair are to leave */
#define BL_LOCAL_EVENT_BEHIND 4  /* process `tgid` has read the last redirected byte, and bytes sent by TCP are behind it */

struct bl_local_event {
	__u32 what;
	__u32 tgid;
	struct bl_local_key pair;
	struct bl_local_program program;
	__u64 inode; /* BEHIND: of the socket */
	__u32 side;  /* BEHIND: its end... */
	__u32 read;  /* ...and `read` of it then */
};
BL_SIZE(bl_local_event, 4 * 2 + 8 + 16 + 8 + 4 * 2);

/* A pair is forgotten when so many passes in a row have met no socket of it; looked for in every BL_LOCAL_SWEEP_EVERYth. */
#define BL_LOCAL_SWEEP_AFTER 16
#define BL_LOCAL_SWEEP_EVERY 64

/* What a run of local_tend did, in local_tended[0]; user space clears it before, but for `pass`. */
struct bl_local_tended {
	__u64 seen;
	__u64 filed;
	__u64 left;
	__u64 waiting_to_file;  /* wanted, but not just now */
	__u64 waiting_to_leave; /* redirected bytes are still unread */
	__u64 filed_now;        /* ends that are filed */
	__u32 pass;             /* counts the runs */
	__u32 _pad;
};
BL_SIZE(bl_local_tended, 8 * 6 + 4 * 2);

/* Named counters in local_reasons (per CPU); numbers are for ever. Unless said otherwise: the connection stays on TCP. */
#define BL_LOCAL_R_NOT_CHOSEN 1  /* no rule chose it */
#define BL_LOCAL_R_REMOTE 2      /* the other end is not on this host */
#define BL_LOCAL_R_SELF 3        /* a socket connected to itself */
#define BL_LOCAL_R_REPAIR 4      /* TCP_REPAIR */
#define BL_LOCAL_R_MPTCP 5
#define BL_LOCAL_R_FULL 6        /* no room for the pair */
#define BL_LOCAL_R_TAKEN 7       /* a third end with the same sequence numbers */
#define BL_LOCAL_R_NO_STORAGE 8  /* no memory for the socket's storage */
#define BL_LOCAL_R_SMALL 9       /* a stream of small writes: faster by TCP */
#define BL_LOCAL_R_BLOCKING 10   /* a socket of it is not O_NONBLOCK */
#define BL_LOCAL_R_RCVLOWAT 11   /* SO_RCVLOWAT above 1 */
#define BL_LOCAL_R_ZEROCOPY 12   /* SO_ZEROCOPY */
#define BL_LOCAL_R_TIMESTAMPS 13 /* SO_TIMESTAMP*, SO_TIMESTAMPING */
#define BL_LOCAL_R_ULP 14        /* TCP_ULP: kTLS and the like */
#define BL_LOCAL_R_OOB 15        /* MSG_OOB sent, received or unread */
#define BL_LOCAL_R_IO_URING 16   /* sent by io_uring, whose flags nobody sees */
#define BL_LOCAL_R_KERNEL 17     /* sent by a kernel thread or a 32-bit program, the same */
#define BL_LOCAL_R_SPLICES 18    /* its program may read by splice(2) */
#define BL_LOCAL_R_FOREIGN 19    /* the kernel refuses to file it: somebody else's sockmap has it */
#define BL_LOCAL_R_ERRQUEUE 20   /* MSG_ERRQUEUE was read */
#define BL_LOCAL_R_OPTION 21     /* another socket option that the short cut does not serve: TCP_INQ, SO_PEEK_OFF */
/* Of single messages: they go by TCP, the next one may take the short cut. */
#define BL_LOCAL_R_LIMIT 22      /* the receiver has too much unread */
#define BL_LOCAL_R_ORDER 23      /* bytes sent by TCP are unread */
#define BL_LOCAL_R_NO_TARGET 24  /* the other end has just left */
#define BL_LOCAL_R_TURNING 25    /* its pair is entering or leaving the short cut */
#define BL_LOCAL_R_UNSAFE_END 26 /* the other end's program has not been proven (yet) */
/* Told, no more. */
#define BL_LOCAL_R_CLOSED_UNREAD 27 /* closed with redirected bytes unread: its peer saw the end of the stream, not a reset */
#define BL_LOCAL_R_EVENT_LOST 28    /* the ring buffer is full: user space finds it when it looks next */
#define BL_LOCAL_R_NO_TABLE 29      /* no rules */
/* As 9 to 21 and as 22 to 26. */
#define BL_LOCAL_R_LINGER 30        /* SO_LINGER of 0 s: close() is a reset */
#define BL_LOCAL_R_PRESSURE 31      /* TCP's memory is short (tcp_mem): TCP knows how to save it */
#define BL_LOCAL_R_ENDED 32         /* sent after shutdown(SHUT_WR): TCP refuses it */
/* Told, no more. */
#define BL_LOCAL_R_GONE 33          /* a filed socket without its pair: it is being closed, and sends by TCP */
#define BL_LOCAL_R_NO_MAP 34        /* a map of ours has no first element, which cannot be: not paired, or sent by TCP */
/* As 9 to 21. */
#define BL_LOCAL_R_COUNTS 35        /* its program may ask FIONREAD, which would not count what TCP has for it */
#define BL_LOCAL_R_SWEPT 36         /* told, no more: a pair whose sockets have gone unnoticed */
#define BL_LOCAL_R_UNTENDED 37      /* nobody has run local_tend for a while: who must be told of bytes of TCP would not be */
#define BL_LOCAL_REASONS 38

#define BL_LOCAL_REASON_NAMES                                                                                          \
	{                                                                                                              \
		"none", "not_chosen", "remote", "self", "repair", "mptcp", "full", "taken", "no_storage", "small",     \
		    "blocking", "rcvlowat", "zerocopy", "timestamps", "ulp", "oob", "io_uring", "kernel", "splices",   \
		    "foreign", "errqueue", "option", "limit", "order", "no_target", "turning", "unsafe_end",           \
		    "closed_unread", "event_lost", "no_table", "linger", "pressure", "ended", "gone", "no_map", "counts", "swept", \
		    "untended"                                                                                         \
	}

#define BL_LOCAL_NO_RULE 0xffffffffu

#endif
