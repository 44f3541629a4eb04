// SPDX-License-Identifier: Apache-2.0
#include "local/objects.hpp"

#include <array>
#include <vector>

#include <beeline/kernel/cgroup.hpp>
#include <beeline/kernel/link.hpp>
#include <beeline/kernel/skeleton.hpp>

#include "live/record.hpp"

#include "local.skel.h"

namespace beeline::local {
namespace {

using kernel::Link;
using kernel::ObjectSet;

constexpr std::array kMaps = {"local_settings", "local_socks",    "local_pairs",   "local_flows",  "local_tables",
                              "local_sets4",    "local_sets6",    "local_members", "local_hits",   "local_reasons",
                              "local_chosen",   "local_programs", "local_tended",  "local_events", "local_blank"};
constexpr std::array kPrograms = {"local_sockets", "local_verdict", "local_received", "local_option", "local_tend"};

Result<> pin(Result<Link> link, const std::filesystem::path &path) {
    if (!link)
        return std::unexpected(std::move(link).error());
    return link->pin(path);
}

Result<> attach_cgroup(const ObjectSet &objects, const char *program, std::uint32_t type, const std::string &cgroup,
                       const std::filesystem::path &path) {
    BL_TRY(const kernel::Cgroup where, kernel::Cgroup::open(cgroup));
    return pin(Link::attach_cgroup(objects.fd(program), where.fd(), type), path);
}

} // namespace

Result<ObjectSet> load(std::uint32_t connections) {
    BL_TRY(auto opened, kernel::Opened<local_bpf>::open());
    bpf_map__set_max_entries(opened.maps().local_pairs, connections);
    bpf_map__set_max_entries(opened.maps().local_socks, connections * 2);
    BL_TRY(auto loaded, std::move(opened).load());
    return ObjectSet::of(loaded.object(), kMaps, kPrograms);
}

Result<ObjectSet> open_pinned(const std::filesystem::path &directory) {
    std::vector<const char *> names(kMaps.begin(), kMaps.end());
    names.insert(names.end(), kPrograms.begin(), kPrograms.end());
    auto set = ObjectSet::from_pins(directory, names);
    if (!set)
        return std::unexpected(live::damaged(std::move(set).error(), directory));
    return set;
}

Result<> attach_sockets(const ObjectSet &objects, const std::string &cgroup, const std::filesystem::path &directory) {
    return attach_cgroup(objects, "local_sockets", BPF_CGROUP_SOCK_OPS, cgroup, directory / kSocketsPin);
}

Result<> attach(const ObjectSet &objects, const std::string &cgroup, const std::filesystem::path &directory) {
    BL_CHECK(pin(Link::attach_sockmap(objects.fd("local_verdict"), objects.fd("local_socks"), BPF_SK_MSG_VERDICT),
                 directory / "link_verdict"));
    BL_CHECK(pin(Link::attach_iterator(objects.fd("local_tend"), objects.fd("local_flows")), directory / kTendPin));
    BL_CHECK(pin(Link::attach_tracepoint(objects.fd("local_received")), directory / "link_received"));
    BL_CHECK(attach_cgroup(objects, "local_option", BPF_CGROUP_SETSOCKOPT, cgroup, directory / "link_option"));
    return attach_sockets(objects, cgroup, directory);
}

live::SetMaps set_maps(const ObjectSet &objects) {
    return {.name = "local_set",
            .sets4 = objects.fd("local_sets4"),
            .sets6 = objects.fd("local_sets6"),
            .members = objects.fd("local_members")};
}

} // namespace beeline::local
