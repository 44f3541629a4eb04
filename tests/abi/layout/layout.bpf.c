/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A variable of every structure in abi/: clang writes only those types into the BTF that something uses.
 */
#include "beeline/edge.h"
#include "beeline/guest.h"
#include "beeline/lab.h"
#include "beeline/local.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bl_entry a_bl_entry;
struct bl_extra a_bl_extra;
struct bl_edge_rule a_bl_edge_rule;
struct bl_edge_config a_bl_edge_config;
struct bl_hits a_bl_hits;
struct bl_lpm4 a_bl_lpm4;
struct bl_lpm6 a_bl_lpm6;
struct bl_set_key a_bl_set_key;
struct bl_set_entry a_bl_set_entry;
struct bl_rate_key a_bl_rate_key;
struct bl_edge_event a_bl_edge_event;
struct bl_edge_trace a_bl_edge_trace;
struct bl_guest a_bl_guest;
struct bl_guest_row a_bl_guest_row;
struct bl_tuple a_bl_tuple;
struct bl_flow a_bl_flow;
struct bl_fragment_key a_bl_fragment_key;
struct bl_fragment a_bl_fragment;
struct bl_guest_address a_bl_guest_address;
struct bl_uplink a_bl_uplink;
struct bl_port_key a_bl_port_key;
struct bl_port a_bl_port;
struct bl_guest_settings a_bl_guest_settings;
struct bl_guest_event a_bl_guest_event;
struct bl_lab_flows a_bl_lab_flows;
struct bl_lab_header a_bl_lab_header;
struct bl_lab_count a_bl_lab_count;
struct bl_local_key a_bl_local_key;
struct bl_local_sock a_bl_local_sock;
struct bl_local_end a_bl_local_end;
struct bl_local_pair a_bl_local_pair;
struct bl_local_flow a_bl_local_flow;
struct bl_local_settings a_bl_local_settings;
struct bl_local_row a_bl_local_row;
struct bl_local_chosen a_bl_local_chosen;
struct bl_local_program a_bl_local_program;
struct bl_local_event a_bl_local_event;
struct bl_local_tended a_bl_local_tended;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
