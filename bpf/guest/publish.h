/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Published ports: what stands behind an address and port of the host.
 */
#ifndef BEELINE_GUEST_PUBLISH_H
#define BEELINE_GUEST_PUBLISH_H

#include "guest/route.h"

static __always_inline int bl_is_uplinks(const struct bl_port_key *key, const struct bl_uplink *uplink)
{
	return key->family == 4 ? key->address[0] == uplink->addr4 : bl_same_address(key->address, uplink->addr6);
}

struct bl_uplink_search {
	const struct bl_port_key *key;
	__u32 found;
};

static long bl_try_uplink(void *map, __u32 *ifindex, struct bl_uplink *uplink, struct bl_uplink_search *search)
{
	search->found |= bl_is_uplinks(search->key, uplink);
	return search->found;
}

/* Is it an address of any uplink? Other addresses of the host publish only what names them. */
static __always_inline int bl_is_some_uplinks(const struct bl_port_key *key)
{
	struct bl_uplink_search search = { .key = key };

	bpf_for_each_map_elem(&guest_uplinks, bl_try_uplink, &search, 0);
	return search.found;
}

/* The guest's port that stands behind the host's w->tuple.dst; turns w->flow.on to it. 1: there is one. */
__noinline int guest_published(struct bl_work *w, struct bl_uplink *uplink)
{
	struct bl_port_key key = {};
	struct bl_port *port;

	if (!w || w->tuple.kind != BL_TUPLE_PORTS)
		return 0;
	key.port = w->tuple.dport;
	key.proto = w->tuple.proto;
	key.family = w->tuple.family;
	bl_copy_address(key.address, w->tuple.dst);
	port = bpf_map_lookup_elem(&guest_ports, &key);
	if (!port) {
		if (uplink ? !bl_is_uplinks(&key, uplink) : !bl_is_some_uplinks(&key))
			return 0;
		__builtin_memset(key.address, 0, sizeof key.address);
		port = bpf_map_lookup_elem(&guest_ports, &key);
	}
	if (!port || !bl_way_to_guest(&w->flow, port->slot))
		return 0;
	bl_copy_address(w->flow.on.dst, port->address);
	w->flow.on.dport = port->port;
	w->flow.on.from = BL_FROM_GUEST;
	w->flow.begun_to = port->slot;
	w->flow.flags |= BL_FLOW_REWRITE;
	if (port->slot == w->slot) /* its own: the answer must come back here, not straight */
		bl_copy_address(w->flow.on.src, w->tuple.dst);
	return 1;
}

#endif
