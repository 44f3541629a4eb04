// SPDX-License-Identifier: Apache-2.0
//
// Everything on a host that an edge could change or leave behind, to be compared with what it was before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/lab.hpp"

namespace beeline::edge {

/// One kind of BPF object of the whole host, by id.
enum class Object : std::uint8_t { program, map, link };
using ObjectIds = std::set<std::pair<Object, std::uint32_t>>;

class [[nodiscard]] World {
public:
    /// Of a node: devices, addresses, routes, qdiscs, offloads, sysctls, XDP and tcx programs. Of a bpffs: every pin,
    /// which object it is and what stands in the small maps. Of the host: ids of all programs, maps and links. Of this
    /// process: descriptors of BPF objects.
    [[nodiscard]] static Result<World> look(const lab::Node &node, const std::filesystem::path &bpffs);

    /// What is not as it was, a line each, empty when nothing is. Objects that live a moment longer (the kernel frees
    /// them after a grace period) are waited for, and those of other processes do not count.
    [[nodiscard]] Result<std::vector<std::string>> changes_since() const;

private:
    World(const lab::Node &node, std::filesystem::path bpffs) : node_(&node), bpffs_(std::move(bpffs)) {}
    const lab::Node *node_;
    std::filesystem::path bpffs_;
    std::map<std::string, std::string> facts_;
    ObjectIds objects_;
};

/// Lines of differences, for a failure's message.
[[nodiscard]] std::string lines(const std::vector<std::string> &changes);

} // namespace beeline::edge
