/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guests: what the tc programs and user space share.
 *
 * Every guest has a number, its slot. Two stubs with that number among their constants hang on its device: guest_out_stub
 * where its packets come out (netkit peer hook, or tcx ingress of the host's end), guest_in_stub where packets of the host's
 * stack go in (netkit primary hook, or tcx egress). They jump through guest_progs to the programs that all guests share.
 * guest_wire is at tcx ingress of every uplink. guest_across is at tcx ingress of the host's end of every netkit guest: what
 * guest_out sends to another guest passes the pair with a mark, and goes on from there.
 *
 * The rules judge the packet that begins a flow. What they decided, where the flow goes and how it is rewritten stands in
 * guest_flows, an entry for each direction, and all other packets of the flow find it there.
 */
#ifndef BEELINE_ABI_GUEST_H
#define BEELINE_ABI_GUEST_H

#include "beeline/match.h"

#define BL_GUEST_MAX 1024          /* slots */
#define BL_GUEST_NONE 0xffff       /* no guest: the host, or the world behind an uplink */
#define BL_GUEST_MAX_ROWS 4096     /* entries of one direction of one guest */
#define BL_GUEST_MAX_RULES 1024    /* rules of one guest, the fallback included */
#define BL_GUEST_MAX_COUNTERS 65536 /* counter slots of all guests; 0 is nobody's */
#define BL_GUEST_MAX_SETS 255      /* sets of all guests: a row names one by a byte, BL_SET_NONE is none */
#define BL_GUEST_MAX_UPLINKS 64
#define BL_GUEST_MAX_PORTS 4096    /* published ports */
#define BL_GUEST_MAX_FRAGMENTS 4096 /* datagrams whose later fragments are still to come */

/* Slots of guest_progs. */
#define BL_GUEST_PROG_OUT 0
#define BL_GUEST_PROG_IN 1
#define BL_GUEST_PROG_ANSWER 2 /* sends an ICMP error back */
#define BL_GUEST_PROGS 3

/* guest_tables: index = slot * 2 + direction. */
#define BL_GUEST_IN 0
#define BL_GUEST_OUT 1

/* What the host's end of a guest is. */
#define BL_GUEST_NETKIT_L3 0
#define BL_GUEST_NETKIT_L2 1
#define BL_GUEST_VETH 2
#define BL_GUEST_TAP 3

#define BL_GUEST_UP (1u << 0)         /* off: everything is dropped */
#define BL_GUEST_OPEN (1u << 1)       /* rules that pass everything both ways, no published port: needs no state */
#define BL_GUEST_MASQUERADE (1u << 2) /* to the world with the uplink's address */
#define BL_GUEST_CARRIES_MARK (1u << 3) /* the host's end does not scrub: a packet judged before it says so by its mark */

/* Mark of a packet that was judged for the guest in the low 16 bits; guest_across or the guest's stub clears it. */
#define BL_GUEST_MARK 0xbee10000u

/* One guest, in guest_list by slot. Addresses as in bl_tuple; all zero: none of that family. */
struct bl_guest {
	__u32 addr4;
	__u32 addr6[4];
	__u32 ifindex; /* the host's end (of netkit: the primary) */
	__u32 flags;   /* BL_GUEST_* */
	__u32 kind;    /* BL_GUEST_NETKIT_L3 ... BL_GUEST_TAP */
	__u32 mtu;     /* of the guest's end: IP bytes */
	__u32 out_counter; /* with BL_GUEST_OPEN: counter slots of the rule that lets everything pass */
	__u32 in_counter;
	__u8 mac[6];   /* of the guest's end; zero in L3 */
	__u8 host_mac[6];
};
BL_SIZE(bl_guest, 4 + 16 + 4 * 6 + 6 * 2);

/* One row of a direction's table: an inner array of guest_tables. The last row matches everything. */
struct bl_guest_row {
	struct bl_entry entry; /* verdict: 0 pass, 1 drop; rule_flags: BL_GUEST_LOG; counter: slot in guest_hits */
	struct bl_extra extra; /* of this entry, wherever entry.extra points to */
};
BL_SIZE(bl_guest_row, 64 + 192);

#define BL_GUEST_PASS 0
#define BL_GUEST_DROP 1
#define BL_GUEST_LOG (1u << 8) /* one in entry.log_every flows of the rule, at random, is an event */

/* What sport and dport of a tuple are. */
#define BL_TUPLE_PORTS 0 /* ports */
#define BL_TUPLE_ECHO 1  /* ICMP echo request: sport is the identifier, dport 0 */
#define BL_TUPLE_ICMP 2  /* other ICMP: sport is type << 8 | code, dport 0 */
#define BL_TUPLE_NONE 3  /* a protocol without ports: 0 */
#define BL_TUPLE_ECHO_REPLY 4 /* answers BL_TUPLE_ECHO: dport is the identifier, sport 0 */

#define BL_FROM_GUEST 0    /* as seen where a guest's packets come out */
#define BL_FROM_ELSEWHERE 1 /* at an uplink, or from the host's stack to a guest */

/* A packet's flow, the key of guest_flows. Addresses and ports in network order; IPv4 in word 0, the rest zero. */
struct bl_tuple {
	__u32 src[4];
	__u32 dst[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 family; /* 4 or 6 */
	__u8 kind;   /* BL_TUPLE_* */
	__u8 from;   /* BL_FROM_* */
};
BL_SIZE(bl_tuple, 16 * 2 + 2 * 2 + 4);

#define BL_WAY_STACK 0 /* on to the host's stack; at the guest's device: on into the guest */
#define BL_WAY_GUEST 1 /* to the guest `to`, through `ifindex` */
#define BL_WAY_WIRE 2  /* out of the uplink `ifindex` */

#define BL_FLOW_REPLY (1u << 0)   /* this direction answers */
#define BL_FLOW_REWRITE (1u << 1) /* addresses or ports change: bl_flow.on */
#define BL_FLOW_ANSWERED (1u << 2) /* there has been an answer */
#define BL_FLOW_CLOSING (1u << 3) /* TCP: FIN or RST was seen */

/* Seconds without a packet either way after which a flow is over. */
#define BL_FLOW_TCP_SECONDS 86400
#define BL_FLOW_TCP_SHORT_SECONDS 60 /* not answered yet, or closing */
#define BL_FLOW_UDP_SECONDS 180
#define BL_FLOW_SHORT_SECONDS 30 /* UDP that was not answered; ICMP */
#define BL_FLOW_OTHER_SECONDS 600
#define BL_FLOW_ROUTE_SECONDS 1 /* the host's routes are asked again after this */

/* One direction of a flow. The other direction's key is `on` turned round, at the other kind of place. */
struct bl_flow {
	__u64 seen_ns;   /* CLOCK_MONOTONIC_COARSE, within a quarter of a second */
	__u64 routed_ns; /* when `way` and `ifindex` were found */
	struct bl_tuple on; /* the packet as it goes on; `from` is where its answer will be seen */
	__u32 ifindex;
	__u32 generation;   /* of the settings when it was judged */
	__u32 out_counter;  /* rule of the guest that began it; 0: none */
	__u32 in_counter;   /* rule of the guest that it was begun to; 0: none */
	__u16 begun_by;     /* slots, BL_GUEST_NONE */
	__u16 begun_to;
	__u16 mtu;          /* IP bytes that the way takes; 0: as many as there are */
	__u8 way;           /* BL_WAY_* */
	__u8 flags;         /* BL_FLOW_* */
};
BL_SIZE(bl_flow, 8 * 2 + 40 + 4 * 4 + 2 * 3 + 2);

/* guest_fragments: which ports the later fragments of a datagram belong to. */
struct bl_fragment_key {
	__u32 src[4];
	__u32 dst[4];
	__be32 id;
	__u8 proto;
	__u8 family;
	__u8 from; /* BL_FROM_* */
	__u8 _pad;
};
BL_SIZE(bl_fragment_key, 16 * 2 + 4 + 4);

struct bl_fragment {
	__be16 sport;
	__be16 dport;
	__u8 kind; /* BL_TUPLE_* */
	__u8 _pad[3];
};
BL_SIZE(bl_fragment, 2 * 2 + 1 + 3);

/* guest_addresses: which guest has an address. */
struct bl_guest_address {
	__u32 address[4];
	__u32 family; /* 4 or 6 */
};
BL_SIZE(bl_guest_address, 16 + 4);

/* guest_uplinks: devices to the world by ifindex, and the addresses that masquerade uses; zero: none of that family. */
struct bl_uplink {
	__u32 addr4;
	__u32 addr6[4];
	__u32 mtu;
};
BL_SIZE(bl_uplink, 4 + 16 + 4);

/* guest_ports: published ports. */
struct bl_port_key {
	__u32 address[4]; /* of the host; zero: all that uplinks have */
	__be16 port;
	__u8 proto;
	__u8 family;
};
BL_SIZE(bl_port_key, 16 + 2 + 1 + 1);

struct bl_port {
	__u32 address[4]; /* of the guest */
	__u16 slot;
	__be16 port;
};
BL_SIZE(bl_port, 16 + 2 + 2);

/* guest_settings[0]. */
struct bl_guest_settings {
	__u32 generation; /* counts up with every change of a guest, a rule, a port or an uplink: flows are judged anew */
	__u16 nat_low;    /* source ports for masquerade, both included; host order */
	__u16 nat_high;
};
BL_SIZE(bl_guest_settings, 4 + 2 * 2);

/* Log event in guest_events: a flow that a rule with `log` judged. */
struct bl_guest_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct bl_tuple tuple;
	__u16 slot;
	__u16 direction; /* BL_GUEST_IN, BL_GUEST_OUT */
	__u16 rule;
	__u16 verdict; /* BL_GUEST_PASS, BL_GUEST_DROP */
};
BL_SIZE(bl_guest_event, 8 + 40 + 2 * 4);

/*
 * `explain` runs guest_out or guest_in by BPF_PROG_TEST_RUN with cb[0] = slot and cb[1] = this, which traffic cannot do
 * (the stubs write cb), or guest_wire_explain. Nothing is counted, no flow is made. The answer is in cb: [0] rule of the guest's own
 * rules, or BL_GUEST_NONE, [1] reason (BL_GUEST_R_*), [2] way << 16 | target slot, [3] ifindex, [4] rule of the target's.
 */
#define BL_GUEST_TRACE 0x65786c6eu

/* Named counters in guest_reasons (per CPU); numbers are for ever. 2..12 are the parser's, in beeline/match.h. */
#define BL_GUEST_R_NO_GUEST 1        /* no such slot, or it is not up: dropped */
#define BL_GUEST_R_RULE 13           /* a rule said drop */
#define BL_GUEST_R_SPOOFED 14        /* source address not the guest's own: dropped */
#define BL_GUEST_R_NOT_IP 15         /* neither IP nor ARP or neighbour discovery that the guest's kind needs: dropped */
#define BL_GUEST_R_NOT_ITS_ADDRESS 16 /* into a guest, but not to its address: dropped */
#define BL_GUEST_R_NO_TABLE 17       /* no rules are there: dropped */
#define BL_GUEST_R_FLOWS_FULL 18     /* no room for the flow: dropped */
#define BL_GUEST_R_NO_NAT_PORT 19    /* no address or free port that would tell its answers from others: dropped */
#define BL_GUEST_R_FRAGMENT 20       /* a later fragment whose first one was not seen: dropped at a guest's device */
#define BL_GUEST_R_TTL 21            /* TTL is over: answered by time exceeded */
#define BL_GUEST_R_TOO_BIG 22        /* larger than the way takes: answered by frag needed or packet too big */
#define BL_GUEST_R_NO_ANSWER 23      /* such an answer could not be made: dropped */
#define BL_GUEST_R_NO_ROUTE 24       /* the host's routes refuse it: left to its stack, which says so. A flow that is
				      * rewritten and has no route any more: dropped */
#define BL_GUEST_R_NOT_UPLINK 25     /* the route is not by an uplink: left to the host's stack */
#define BL_GUEST_R_REWRITE 26        /* a header could not be rewritten: dropped */
#define BL_GUEST_R_UNRELATED 27      /* an ICMP error about no flow of the guest: judged by the rules */
#define BL_GUEST_R_MALFORMED 28      /* no flow can be read from it: dropped */
#define BL_GUEST_R_NO_PROGRAM 29     /* nothing in the slot of guest_progs: dropped */
#define BL_GUEST_R_EVENT_LOST 30     /* the ring buffer is full: goes on, unlogged */
#define BL_GUEST_R_SOURCE_ROUTE 31   /* the sender names the way (IPv4 LSRR, SSRR; an IPv6 routing header with segments left), so
				      * that it does not end where the rules think: dropped; at an uplink, if it is not to
				      * a guest's own address, left to the host's stack, which has accept_source_route */
#define BL_GUEST_R_NO_MAP 32         /* what should stand in a map does not: dropped; at an uplink left to the host's stack */
#define BL_GUEST_R_STRAY_FRAGMENT 33 /* at an uplink, a later fragment that came before its first one: left to the host's stack */
#define BL_GUEST_REASONS 34

#define BL_GUEST_REASON_NAMES                                                                                          \
	{                                                                                                              \
		"none", "no_guest", "short_ethernet", "short_vlan", "short_ip", "bad_version", "bad_ihl",              \
		    "bad_length", "short_ext", "many_ext", "short_l4", "bad_doff", "bad_udp_length", "rule",           \
		    "spoofed", "not_ip", "not_its_address", "no_table", "flows_full", "no_nat_port", "fragment",       \
		    "ttl", "too_big", "no_answer", "no_route", "not_uplink", "rewrite", "unrelated", "malformed",      \
		    "no_program", "event_lost", "source_route", "no_map", "stray_fragment"                         \
	}

#endif
