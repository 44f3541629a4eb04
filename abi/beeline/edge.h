/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The edge: what the XDP program and user space share.
 *
 * A policy is a program of its own with maps of its own (entries, extras, rules, sets, devices), built aside and put
 * in slot 0 of the program array `edge_progs`, which the root program on every device jumps through: one write swaps
 * the policy everywhere. Counters, rates, events and AF_XDP sockets live in maps that all generations share.
 */
#ifndef BEELINE_ABI_EDGE_H
#define BEELINE_ABI_EDGE_H

#include "beeline/match.h"

#define BL_EDGE_MAX_ENTRIES 1024    /* table entries of one policy; a rule becomes one or several */
#define BL_EDGE_NEAR_ENTRIES 32     /* a table up to this length is scanned inline */
#define BL_EDGE_MAX_RULES 1024      /* rules of one policy, the fallback included */
#define BL_EDGE_MAX_COUNTERS 8192   /* counter slots over all generations */
#define BL_EDGE_MAX_SETS 64         /* sets of one policy, anonymous ones included */
#define BL_EDGE_MAX_DEVICES 64      /* redirect targets of one policy */
#define BL_EDGE_MAX_CPUS 256        /* cpu N: N is below this */
#define BL_EDGE_XSK_NAMES 16        /* names of xsk targets */
#define BL_EDGE_XSK_QUEUES 64       /* queues of one name; index in edge_xsks = name * 64 + rx queue */
#define BL_EDGE_MAX_RATE_KEYS 65536 /* sources followed by `rate ... per src`, least recently used go first */
#define BL_EDGE_SNAP 256            /* bytes of a frame in a log event at the most */

/* Verdicts. Numbers are for ever: events, metrics and pinned state carry them. */
#define BL_EDGE_PASS 0
#define BL_EDGE_DROP 1
#define BL_EDGE_ABORT 2
#define BL_EDGE_TX 3
#define BL_EDGE_REDIRECT 4
#define BL_EDGE_CPU 5
#define BL_EDGE_XSK 6
#define BL_EDGE_VERDICTS 7

/* Flags of a rule. */
#define BL_RULE_REWRITE_SRC (1u << 0)
#define BL_RULE_REWRITE_DST (1u << 1)
#define BL_RULE_REWRITE_SPORT (1u << 2)
#define BL_RULE_REWRITE_DPORT (1u << 3)
#define BL_RULE_REWRITE_DSCP (1u << 4)
#define BL_RULE_REWRITE_TTL (1u << 5)
#define BL_RULE_REWRITE_SRC_MAC (1u << 6)
#define BL_RULE_REWRITE_DST_MAC (1u << 7)
#define BL_RULE_REWRITE 0xffu
#define BL_RULE_LOG (1u << 8)
#define BL_RULE_RATE (1u << 9)
#define BL_RULE_RATE_PER_SRC (1u << 10)

/* Times of rates are counted in 64ths of a nanosecond: 10,000,000/s is 6400 of them, exact to 0.02 %. */
#define BL_RATE_UNITS_PER_NS_SHIFT 6

/* What a rule does. Written by the compiler before the program is loaded, read by the program only. */
struct bl_edge_rule {
	__u64 rate_step;  /* units of 1/64 ns that one packet takes from the bucket */
	__u64 rate_depth; /* units that the bucket holds */
	__u32 flags;      /* BL_RULE_* */
	__u32 verdict;    /* BL_EDGE_* */
	__u32 target;     /* index in edge_devs, cpu number, or first index in edge_xsks */
	__u32 counter;    /* slot in edge_hits, kept over generations by the rule's text */
	__u32 log_every;
	__be32 src4; /* new addresses: the words that are not of the rule's family are zero */
	__be32 dst4;
	__be16 sport;
	__be16 dport;
	__u32 src6[4];
	__u32 dst6[4];
	__u8 src_mac[6];
	__u8 dst_mac[6];
	__u8 dscp; /* 0..63 */
	__u8 ttl;
	__u8 _pad[2];
};
BL_SIZE(bl_edge_rule, 8 * 2 + 4 * 5 + 4 * 2 + 2 * 2 + 16 * 2 + 6 * 2 + 1 * 2 + 2);

/* Load-time constants of one policy: what is off here is not in the program that the kernel compiles. */
struct bl_edge_config {
	__u32 entries;      /* entries in use, at least 1; the last one matches everything */
	__u32 rules;
	__u32 entry_flags;  /* union of all extra_flags */
	__u32 rule_flags;   /* union of all rule flags */
	__u32 verdicts;     /* bit n: some rule has verdict n */
	__u32 generation;   /* of this policy, from 1; in events and traces */
	__u32 needs;        /* BL_NEEDS_* */
	__u32 _pad;
};
BL_SIZE(bl_edge_config, 4 * 8);

/* A device that the root program is attached to, by ifindex in edge_modes. */
#define BL_EDGE_MODE_NATIVE 1
#define BL_EDGE_MODE_GENERIC 2
#define BL_EDGE_MODE_OFFLOAD 3

/* One source of one rate. */
struct bl_rate_key {
	__u8 address[BL_ADDR_BYTES];
	__u32 counter; /* the rule's counter slot: a bucket survives a reload like the counters do */
	__u32 _pad;
};
BL_SIZE(bl_rate_key, 16 + 4 + 4);

/*
 * Log event in the ring buffer edge_events. captured bytes of the frame as it came in (before a rewrite) follow in
 * data; the sample is always of full size, so that it is one fixed reservation.
 */
struct bl_edge_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 rule;       /* index in the policy of that generation */
	__u32 generation;
	__u32 verdict;
	__u32 length;   /* of the frame */
	__u32 captured; /* bytes of data in use */
	__u8 data[BL_EDGE_SNAP];
};
BL_SIZE(bl_edge_event, 8 + 4 * 6 + BL_EDGE_SNAP);

/*
 * The answer of `explain`: user space runs the loaded program by BPF_PROG_TEST_RUN with this record as XDP metadata
 * in front of the frame; the program fills it and then changes no counter, no bucket and sends no event. Traffic
 * cannot forge it: metadata never comes from the wire.
 */
#define BL_EDGE_TRACE_MAGIC 0x6265656c696e6531ULL
struct bl_edge_trace {
	__u64 magic;
	__u64 facts;
	__u32 generation;
	__u32 rule;
	__u32 reason;  /* BL_EDGE_R_* of the first thing that was odd, or BL_R_NONE */
	__u32 outcome; /* BL_EDGE_R_* of what the action met: why it was not done as said, or what it took */
};
BL_SIZE(bl_edge_trace, 8 * 2 + 4 * 4);

/*
 * Named counters of what is odd, in edge_reasons (per CPU). A number is for ever; the name is the metric's label.
 * The comment gives what becomes of the packet.
 */
/* 0 and 2..12 are the parser's, in beeline/match.h. */
#define BL_EDGE_R_NO_POLICY 1       /* no policy in the slot: passed */
#define BL_EDGE_R_REWRITE_SHORT 13  /* a header to change is cut or lies: dropped, never sent half rewritten */
#define BL_EDGE_R_CSUM_COMPLETED 14 /* partial checksum finished in software before tx, redirect or xsk: goes on */
#define BL_EDGE_R_CSUM_FAILED 15    /* it could not be made right: dropped, never sent with a wrong one */
#define BL_EDGE_R_REDIRECT_FAILED 16 /* no such device in the map any more: dropped */
#define BL_EDGE_R_CPU_FAILED 17     /* no such CPU in the map: passed */
#define BL_EDGE_R_XSK_ABSENT 18     /* nobody listens on this queue: passed */
#define BL_EDGE_R_RATE_FULL 19      /* no room for another source: counts as under the rate */
#define BL_EDGE_R_RATE_CONTENDED 20 /* the bucket changed under us four times: counts as under the rate */
#define BL_EDGE_R_EVENT_LOST 21     /* the ring buffer is full: goes on, unlogged */
#define BL_EDGE_R_NO_RULE 22        /* broken table: dropped */
#define BL_EDGE_REASONS 23

#define BL_EDGE_REASON_NAMES                                                                                           \
	{                                                                                                              \
		"none", "no_policy", "short_ethernet", "short_vlan", "short_ip", "bad_version", "bad_ihl",             \
		    "bad_length", "short_ext", "many_ext", "short_l4", "bad_doff", "bad_udp_length", "rewrite_short",  \
		    "csum_completed", "csum_failed", "redirect_failed", "cpu_failed", "xsk_absent", "rate_full",       \
		    "rate_contended", "event_lost", "no_rule"                                                          \
	}

#endif
