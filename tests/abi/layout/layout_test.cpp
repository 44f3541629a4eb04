// SPDX-License-Identifier: Apache-2.0
//
// Every structure in abi/ has one layout: what the C++ compiler makes of it is compared with the BTF of the built BPF
// objects. layout.bpf.c has a variable of each structure; the edge's own object is looked at as well.
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <regex>
#include <set>
#include <string>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <beeline/edge.h>
#include <beeline/guest.h>
#include <beeline/lab.h>
#include <beeline/local.h>

#include "abi_layout.skel.h"
#include "edge.skel.h"

namespace beeline {
namespace {

struct Member {
    std::size_t offset = 0, size = 0; ///< Bytes.
    bool operator==(const Member &) const = default;
};
void PrintTo(const Member &member, std::ostream *out) {
    *out << member.size << " bytes at " << member.offset;
}

struct Layout {
    std::size_t size = 0;
    std::map<std::string, Member> members;
};
using Layouts = std::map<std::string, Layout>;

#define AT(name) std::pair(std::string(#name), Member{offsetof(S, name), sizeof(S::name)})

void add_local(Layouts &all) {
    {
        using S = bl_local_key;
        all["bl_local_key"] = {sizeof(S), {AT(low), AT(high)}};
    }
    {
        using S = bl_local_sock;
        all["bl_local_sock"] = {sizeof(S), {AT(own), AT(peer)}};
    }
    {
        using S = bl_local_end;
        all["bl_local_end"] = {sizeof(S), {AT(sock),      AT(cookie),       AT(short_bytes), AT(short_messages),
                                           AT(tcp_bytes), AT(tcp_messages), AT(cgroup),      AT(run_bytes),
                                           AT(run),       AT(peer_sends),   AT(sends),       AT(begun),
                                           AT(read),      AT(first),        AT(receives),    AT(turns),
                                           AT(written),   AT(flags),        AT(rule),        AT(judged),
                                           AT(counter),   AT(uid),          AT(tgid),        AT(generation),
                                           AT(local),     AT(remote),       AT(local_port),  AT(remote_port),
                                           AT(taken),     AT(comm)}};
    }
    {
        using S = bl_local_pair;
        all["bl_local_pair"] = {sizeof(S), {AT(since_ns), AT(state), AT(reason), AT(visited), AT(_pad), AT(end)}};
    }
    {
        using S = bl_local_flow;
        all["bl_local_flow"] = {sizeof(S), {AT(pair), AT(side), AT(callbacks)}};
    }
    {
        using S = bl_local_settings;
        all["bl_local_settings"] = {sizeof(S),
                                    {AT(limit), AT(draining), AT(lowat), AT(run_length), AT(min_mean), AT(min_turns),
                                     AT(min_receives), AT(generation), AT(patience), AT(tended)}};
    }
    {
        using S = bl_local_row;
        all["bl_local_row"] = {
            sizeof(S), {AT(entry), AT(extra), AT(cgroup), AT(level), AT(flags), AT(uid_low), AT(uid_high), AT(comm)}};
    }
    {
        using S = bl_local_chosen;
        all["bl_local_chosen"] = {sizeof(S), {AT(connections), AT(tcp_bytes), AT(tcp_messages)}};
    }
    {
        using S = bl_local_program;
        all["bl_local_program"] = {sizeof(S), {AT(inode), AT(device), AT(_pad)}};
    }
    {
        using S = bl_local_event;
        all["bl_local_event"] = {sizeof(S), {AT(what), AT(tgid), AT(pair), AT(program), AT(inode), AT(side), AT(read)}};
    }
    {
        using S = bl_local_tended;
        all["bl_local_tended"] = {sizeof(S),
                                  {AT(seen), AT(filed), AT(left), AT(waiting_to_file), AT(waiting_to_leave),
                                   AT(filed_now), AT(pass), AT(_pad)}};
    }
}

Layouts as_compiled() {
    Layouts all;
    {
        using S = bl_entry;
        all["bl_entry"] = {sizeof(S),
                           {AT(facts_value), AT(facts_mask), AT(addr4_value), AT(addr4_mask), AT(sport_low),
                            AT(sport_span), AT(dport_low), AT(dport_span), AT(extra_flags), AT(extra), AT(rule),
                            AT(rule_flags), AT(verdict), AT(counter), AT(log_every)}};
    }
    {
        using S = bl_extra;
        all["bl_extra"] = {sizeof(S), {AT(src_value),   AT(src_mask), AT(dst_value), AT(dst_mask),     AT(not_value),
                                       AT(not_mask),    AT(src_mac),  AT(dst_mac),   AT(devices),      AT(length_low),
                                       AT(length_high), AT(vlan_low), AT(vlan_high), AT(inner_low),    AT(inner_high),
                                       AT(ttl_low),     AT(ttl_high), AT(sets),      AT(sets_negated), AT(_pad)}};
    }
    {
        using S = bl_edge_rule;
        all["bl_edge_rule"] = {sizeof(S),
                               {AT(rate_step), AT(rate_depth), AT(flags), AT(verdict), AT(target), AT(counter),
                                AT(log_every), AT(src4), AT(dst4), AT(sport), AT(dport), AT(src6), AT(dst6),
                                AT(src_mac), AT(dst_mac), AT(dscp), AT(ttl), AT(_pad)}};
    }
    {
        using S = bl_edge_config;
        all["bl_edge_config"] = {sizeof(S),
                                 {AT(entries), AT(rules), AT(entry_flags), AT(rule_flags), AT(verdicts), AT(generation),
                                  AT(needs), AT(_pad)}};
    }
    {
        using S = bl_hits;
        all["bl_hits"] = {sizeof(S), {AT(packets), AT(bytes)}};
    }
    {
        using S = bl_lpm4;
        all["bl_lpm4"] = {sizeof(S), {AT(bits), AT(address)}};
    }
    {
        using S = bl_lpm6;
        all["bl_lpm6"] = {sizeof(S), {AT(bits), AT(address)}};
    }
    {
        using S = bl_set_key;
        all["bl_set_key"] = {sizeof(S), {AT(data), AT(set), AT(_pad)}};
    }
    {
        using S = bl_set_entry;
        all["bl_set_entry"] = {sizeof(S), {AT(expires_ns), AT(flags), AT(bits)}};
    }
    {
        using S = bl_rate_key;
        all["bl_rate_key"] = {sizeof(S), {AT(address), AT(counter), AT(_pad)}};
    }
    {
        using S = bl_edge_event;
        all["bl_edge_event"] = {
            sizeof(S),
            {AT(time_ns), AT(ifindex), AT(rule), AT(generation), AT(verdict), AT(length), AT(captured), AT(data)}};
    }
    {
        using S = bl_edge_trace;
        all["bl_edge_trace"] = {sizeof(S), {AT(magic), AT(facts), AT(generation), AT(rule), AT(reason), AT(outcome)}};
    }
    {
        using S = bl_lab_header;
        all["bl_lab_header"] = {sizeof(S), {AT(words), AT(restore), AT(_pad)}};
    }
    {
        using S = bl_guest;
        all["bl_guest"] = {sizeof(S),
                           {AT(addr4), AT(addr6), AT(ifindex), AT(flags), AT(kind), AT(mtu), AT(out_counter),
                            AT(in_counter), AT(mac), AT(host_mac)}};
    }
    {
        using S = bl_guest_row;
        all["bl_guest_row"] = {sizeof(S), {AT(entry), AT(extra)}};
    }
    {
        using S = bl_tuple;
        all["bl_tuple"] = {sizeof(S),
                           {AT(src), AT(dst), AT(sport), AT(dport), AT(proto), AT(family), AT(kind), AT(from)}};
    }
    {
        using S = bl_flow;
        all["bl_flow"] = {sizeof(S),
                          {AT(seen_ns), AT(routed_ns), AT(on), AT(ifindex), AT(generation), AT(out_counter),
                           AT(in_counter), AT(begun_by), AT(begun_to), AT(mtu), AT(way), AT(flags)}};
    }
    {
        using S = bl_fragment_key;
        all["bl_fragment_key"] = {sizeof(S), {AT(src), AT(dst), AT(id), AT(proto), AT(family), AT(from), AT(_pad)}};
    }
    {
        using S = bl_fragment;
        all["bl_fragment"] = {sizeof(S), {AT(sport), AT(dport), AT(kind), AT(_pad)}};
    }
    {
        using S = bl_guest_address;
        all["bl_guest_address"] = {sizeof(S), {AT(address), AT(family)}};
    }
    {
        using S = bl_uplink;
        all["bl_uplink"] = {sizeof(S), {AT(addr4), AT(addr6), AT(mtu)}};
    }
    {
        using S = bl_port_key;
        all["bl_port_key"] = {sizeof(S), {AT(address), AT(port), AT(proto), AT(family)}};
    }
    {
        using S = bl_port;
        all["bl_port"] = {sizeof(S), {AT(address), AT(slot), AT(port)}};
    }
    {
        using S = bl_guest_settings;
        all["bl_guest_settings"] = {sizeof(S), {AT(generation), AT(nat_low), AT(nat_high)}};
    }
    {
        using S = bl_guest_event;
        all["bl_guest_event"] = {sizeof(S), {AT(time_ns), AT(tuple), AT(slot), AT(direction), AT(rule), AT(verdict)}};
    }
    {
        using S = bl_lab_flows;
        all["bl_lab_flows"] = {sizeof(S), {AT(flows), AT(first), AT(field), AT(check), AT(_pad)}};
    }
    {
        using S = bl_lab_count;
        all["bl_lab_count"] = {sizeof(S), {AT(packets), AT(bytes)}};
    }
    add_local(all);
    return all;
}
#undef AT

/// The bl_* structures in an object's BTF.
Layouts as_in_btf(const bpf_object *object) {
    Layouts all;
    const btf *types = bpf_object__btf(object);
    for (__u32 id = 1; id < btf__type_cnt(types); ++id) {
        const btf_type *type = btf__type_by_id(types, id);
        const std::string name = btf__name_by_offset(types, type->name_off);
        if (!btf_is_struct(type) || !name.starts_with("bl_"))
            continue;
        Layout layout{.size = type->size, .members = {}};
        const btf_member *members = btf_members(type);
        for (__u16 i = 0; i < btf_vlen(type); ++i)
            layout.members[btf__name_by_offset(types, members[i].name_off)] = {
                .offset = btf_member_bit_offset(type, i) / 8,
                .size = static_cast<std::size_t>(btf__resolve_size(types, members[i].type))};
        all[name] = std::move(layout);
    }
    return all;
}

/// Structure names in the headers' text: a new one must not be forgotten here.
std::set<std::string> as_written() {
    std::set<std::string> names;
    static const std::regex definition(R"(struct (bl_\w+) \{)");
    for (const auto &file : std::filesystem::directory_iterator(BEELINE_ABI_DIR)) {
        std::ifstream stream(file.path());
        const std::string text(std::istreambuf_iterator<char>(stream), {});
        for (auto match = std::sregex_iterator(text.begin(), text.end(), definition); match != std::sregex_iterator();
             ++match)
            names.insert((*match)[1]);
    }
    return names;
}

template <class Skeleton>
struct Closer {
    void operator()(Skeleton *skeleton) const { Skeleton::destroy(skeleton); }
};

/// Opened only: nothing is loaded, so no privilege is needed.
template <class Skeleton>
Layouts layouts_of_object() {
    const std::unique_ptr<Skeleton, Closer<Skeleton>> skeleton(Skeleton::open(nullptr));
    return skeleton ? as_in_btf(skeleton->obj) : Layouts{};
}

TEST(AbiLayout, EveryStructureIsTheSameInCppAndBpf) {
    const Layouts cpp = as_compiled(), bpf = layouts_of_object<abi_layout_bpf>();
    for (const std::string &name : as_written()) {
        SCOPED_TRACE(name);
        ASSERT_TRUE(cpp.contains(name)) << "add it to this test";
        ASSERT_TRUE(bpf.contains(name)) << "add it to layout.bpf.c";
        EXPECT_EQ(bpf.at(name).size, cpp.at(name).size);
        EXPECT_EQ(bpf.at(name).members, cpp.at(name).members);
    }
    EXPECT_EQ(cpp.size(), as_written().size());
}

TEST(AbiLayout, TheEdgesObjectHasTheSameStructures) {
    const Layouts cpp = as_compiled();
    std::set<std::string> compared;
    for (const auto &[name, layout] : layouts_of_object<edge_bpf>()) {
        const auto known = cpp.find(name);
        if (known == cpp.end())
            continue; // the program's own, like bl_packet
        SCOPED_TRACE(name);
        EXPECT_EQ(layout.size, known->second.size);
        EXPECT_EQ(layout.members, known->second.members);
        compared.insert(name);
    }
    // Those that are the value or key of a map or a parameter; clang leaves out inner maps' and what stays on a stack.
    for (const char *name : {"bl_entry", "bl_extra", "bl_edge_rule", "bl_edge_config", "bl_hits", "bl_set_key",
                             "bl_set_entry", "bl_rate_key"})
        EXPECT_TRUE(compared.contains(name)) << name;
}

/// Explicit padding: the members of a structure fill it without a hole.
TEST(AbiLayout, NoStructureHasAHole) {
    for (const auto &[name, layout] : as_compiled()) {
        std::size_t sum = 0;
        for (const auto &[member, place] : layout.members)
            sum += place.size;
        EXPECT_EQ(sum, layout.size) << name;
    }
}

} // namespace
} // namespace beeline
