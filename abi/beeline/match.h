/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet is matched by, the same for every part: the facts that the parser finds (bpf/lib/parse.h), the ordered
 * table of entries that rules become (src/policy), and the sets that entries name.
 */
#ifndef BEELINE_ABI_MATCH_H
#define BEELINE_ABI_MATCH_H

#include "beeline/base.h"

#define BL_MAX_TAGS 2          /* VLAN tags looked through */
#define BL_NOT_FACTS 4         /* negated values of one entry over the facts */
#define BL_DEVICE_LIST 4       /* devices of one `device` condition */
#define BL_MAX_EXT 8           /* IPv6 extension headers looked through */

/*
 * The facts of a packet in one word, so that most conditions are one masked compare.
 *   0..15 ethertype behind the tags   16..23 IP protocol      24..31 TCP flags
 *  32..39 ICMP type                   40..47 ICMP code        48..53 DSCP          54..63 flags below
 * A field whose flag is off is zero: an entry that asks for the field asks for its flag as well.
 */
#define BL_FACT_ETHERTYPE_SHIFT 0
#define BL_FACT_PROTO_SHIFT 16
#define BL_FACT_TCP_FLAGS_SHIFT 24
#define BL_FACT_ICMP_TYPE_SHIFT 32
#define BL_FACT_ICMP_CODE_SHIFT 40
#define BL_FACT_DSCP_SHIFT 48
#define BL_FACT_V4 (1ULL << 54)
#define BL_FACT_V6 (1ULL << 55)
#define BL_FACT_FRAGMENT (1ULL << 56) /* first or later fragment; not an atomic one (RFC 6946) */
#define BL_FACT_LATER (1ULL << 57)    /* fragment offset > 0: there is no L4 header here */
#define BL_FACT_PORTS (1ULL << 58)    /* TCP, UDP, UDP-Lite, DCCP, SCTP with a whole fixed header */
#define BL_FACT_TCP (1ULL << 59)      /* the TCP flags are valid */
#define BL_FACT_ICMP (1ULL << 60)     /* ICMP or ICMPv6 type and code are valid */
#define BL_FACT_OPTIONS (1ULL << 61)  /* IPv4 options or an IPv6 extension header */
#define BL_FACT_MALFORMED (1ULL << 62) /* headers lie or are cut short: fields up to there are valid */
#define BL_FACT_VLAN (1ULL << 63)     /* at least one tag in the frame */

/* Conditions of an entry beyond the hot compare; they stand in bl_extra. */
#define BL_EXTRA_SRC (1u << 0)       /* (src & mask) == value, 16 bytes, both families */
#define BL_EXTRA_DST (1u << 1)
#define BL_EXTRA_NOT_SRC (1u << 2)   /* with BL_EXTRA_SRC: the compare must fail */
#define BL_EXTRA_NOT_DST (1u << 3)
#define BL_EXTRA_SRC_MAC (1u << 4)
#define BL_EXTRA_DST_MAC (1u << 5)
#define BL_EXTRA_NOT_SRC_MAC (1u << 6)
#define BL_EXTRA_NOT_DST_MAC (1u << 7)
#define BL_EXTRA_VLAN (1u << 8)      /* the outer tag is whole and its id within vlan_low..vlan_high */
#define BL_EXTRA_INNER_VLAN (1u << 9) /* the same for the second tag */
#define BL_EXTRA_LENGTH (1u << 10)
#define BL_EXTRA_TTL (1u << 11)
#define BL_EXTRA_DEVICE (1u << 12) /* received by one of devices */
#define BL_EXTRA_NOT_DEVICE (1u << 13) /* with DEVICE: by none of them */
#define BL_EXTRA_NOT_FACTS (1u << 14) /* none of the not_* compares may hold */
#define BL_EXTRA_SETS (1u << 15)
#define BL_EXTRA_IP (1u << 16) /* IPv4 or IPv6: the IP fields are there */

/* A set asked for one field of the packet; index 0..BL_EDGE_MAX_SETS - 1. */
#define BL_SET_SRC 0
#define BL_SET_DST 1
#define BL_SET_SPORT 2
#define BL_SET_DPORT 3
#define BL_SET_SRC_MAC 4
#define BL_SET_DST_MAC 5
#define BL_SET_FIELDS 6
#define BL_SET_NONE 0xff

/*
 * One entry of the ordered table: the hot half of a rule's conditions, one cache line. Ports are in host order and
 * hold when (__u16)(port - low) <= span; a rule without a port condition has low 0, span 0xffff.
 */
struct bl_entry {
	__u64 facts_value;
	__u64 facts_mask;
	__u64 addr4_value; /* the eight bytes of IPv4 source and destination as they stand in the header */
	__u64 addr4_mask;
	__u16 sport_low;
	__u16 sport_span;
	__u16 dport_low;
	__u16 dport_span;
	__u32 extra_flags; /* BL_EXTRA_*; 0: bl_extra is not read */
	__u16 extra;       /* index in edge_extras */
	__u16 rule;        /* index in edge_rules */
	__u32 rule_flags;  /* copies from the rule, so that a plain one is not even looked at */
	__u32 verdict;
	__u32 counter;
	__u32 log_every;   /* of a guest's rule; the edge reads it in bl_edge_rule */
};
BL_SIZE(bl_entry, 8 * 4 + 2 * 4 + 4 + 2 + 2 + 4 * 3 + 4);

/* The rare conditions of one entry. */
struct bl_extra {
	__u64 src_value[2];
	__u64 src_mask[2];
	__u64 dst_value[2];
	__u64 dst_mask[2];
	__u64 not_value[BL_NOT_FACTS]; /* over the facts; a mask of 0 is unused */
	__u64 not_mask[BL_NOT_FACTS];
	__u64 src_mac;      /* six bytes as read, in the low 48 bits of a little-endian word, upper 16 zero */
	__u64 dst_mac;
	__u32 devices[BL_DEVICE_LIST]; /* ifindexes; 0: unused */
	__u32 length_low; /* bytes of the frame, both ends included; so are all ranges */
	__u32 length_high;
	__u16 vlan_low;
	__u16 vlan_high;
	__u16 inner_low;
	__u16 inner_high;
	__u8 ttl_low;
	__u8 ttl_high;
	__u8 sets[BL_SET_FIELDS];        /* set index for each field, BL_SET_NONE: not asked */
	__u8 sets_negated[BL_SET_FIELDS]; /* 1: the field must not be in the set */
	__u8 _pad[2];
};
BL_SIZE(bl_extra, 16 * 4 + 8 * BL_NOT_FACTS * 2 + 8 * 2 + 4 * BL_DEVICE_LIST + 4 * 2 + 2 * 4 + 2 + 6 * 2 + 2);

/* LPM keys of a prefix set. */
struct bl_lpm4 {
	__u32 bits;
	__be32 address;
};
BL_SIZE(bl_lpm4, 4 * 2);

struct bl_lpm6 {
	__u32 bits;
	__u8 address[16];
};
BL_SIZE(bl_lpm6, 4 + 16);

/* Member of a port or MAC set: data is the port (host order) or the six bytes of the MAC, as in bl_extra. */
struct bl_set_key {
	__u64 data;
	__u32 set;
	__u32 _pad;
};
BL_SIZE(bl_set_key, 8 + 4 + 4);

#define BL_SET_RUNTIME (1u << 0) /* added by `set add`, not by the config file: a reload keeps it */

/* Value of every set entry. An entry past its time does not match; whoever sweeps removes it. */
struct bl_set_entry {
	__u64 expires_ns; /* CLOCK_MONOTONIC; 0: never */
	__u32 flags;      /* BL_SET_RUNTIME */
	__u32 bits;       /* of a prefix that expires: its length, to look for shorter ones behind it; else 0 */
};
BL_SIZE(bl_set_entry, 8 + 4 + 4);

/* Packets and bytes of a rule, per CPU, by counter slot. Of a rule about flows: those of the flows it let begin, or that it dropped. */
struct bl_hits {
	__u64 packets;
	__u64 bytes;
};
BL_SIZE(bl_hits, 8 * 2);

/* What rules ask of the parser and of the scan of the table; the rest of them need not do. */
#define BL_NEEDS_PACKET (1u << 0) /* some rule does more than compare, pass, drop or abort: keep what was parsed */
#define BL_NEEDS_LENGTH (1u << 1) /* some rule asks for the frame's length */
#define BL_NEEDS_FAR_SCAN (1u << 2) /* the table is long (more than BL_EDGE_NEAR_ENTRIES): scan it out of line */
#define BL_NEEDS_ADDR4 (1u << 3)   /* some entry compares IPv4 addresses */
#define BL_NEEDS_SPORT (1u << 4)   /* some entry compares source ports */
#define BL_NEEDS_DSCP (1u << 5)    /* some entry compares DSCP */
#define BL_NEEDS_EXTRAS (1u << 6)  /* some entry has conditions in edge_extras */
#define BL_NEEDS_RATES (1u << 7)   /* some rule has a rate */
#define BL_NEEDS_LOGS (1u << 8)    /* some rule logs */

/*
 * The first odd thing that the parser met. Every part counts these under these numbers, which are for ever, and its own
 * from 13 on (1 is the part's, too).
 */
#define BL_R_NONE 0
#define BL_R_SHORT_ETHERNET 2  /* malformed: judged by the fields up to there, as all of these */
#define BL_R_SHORT_VLAN 3
#define BL_R_SHORT_IP 4
#define BL_R_BAD_VERSION 5
#define BL_R_BAD_IHL 6
#define BL_R_BAD_LENGTH 7      /* the IP length is more than the frame, or less than the header */
#define BL_R_SHORT_EXT 8       /* IPv6 extension header cut short */
#define BL_R_MANY_EXT 9        /* more than BL_MAX_EXT of them */
#define BL_R_SHORT_L4 10
#define BL_R_BAD_DOFF 11
#define BL_R_BAD_UDP_LENGTH 12

#endif
