// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <beeline/kernel/device.hpp>
#include <beeline/kernel/hooks.hpp>
#include <beeline/kernel/map.hpp>

#include "objects.hpp"

namespace beeline::edge {
namespace {

namespace fs = std::filesystem;
using Facts = std::map<std::string, std::string>;

/// What settings there are below /proc/sys/net, of the calling thread's namespace. Counters among them are left out.
void add_sysctls(Facts &facts) {
    const fs::path root = "/proc/sys/net";
    std::error_code error;
    for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().string();
        if (name.ends_with("nf_conntrack_count"))
            continue;
        std::ifstream file(entry->path());
        std::ostringstream text;
        if (file && text << file.rdbuf()) // some can only be written
            facts.emplace(name, text.str());
    }
}

Result<> add_devices(Facts &facts) {
    BL_TRY(auto links, kernel::RtNetlink::open());
    BL_TRY(const auto ethtool, kernel::Ethtool::open());
    BL_TRY(const auto devices, links.devices());
    for (const kernel::Device &device : devices) {
        if (const auto features = ethtool.features(device.name))
            for (const auto &[name, state] : *features)
                facts.emplace(fmt::format("offload {} of {}", name, device.name), state.on ? "on" : "off");
        for (const auto hook : {kernel::TcxHook::ingress, kernel::TcxHook::egress})
            if (const auto tcx = kernel::tcx_query(device.ifindex, hook))
                for (const auto &entry : tcx->entries)
                    facts.emplace(fmt::format("tcx {} program {}", device.name, entry.prog_id), "there");
        facts.emplace("XDP of " + device.name,
                      fmt::format("{} {} {}", device.xdp.native_id, device.xdp.generic_id, device.xdp.offload_id));
    }
    return {};
}

void remove_all(std::string &text, std::string_view part) {
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;)
        text.erase(at, part.size());
}

/// What the tools that everybody uses show.
Result<> add_shown(const lab::Node &node, Facts &facts) {
    const std::vector<std::vector<std::string>> commands = {
        {"ip", "-details", "link", "show"},
        {"ip", "address", "show"},
        {"ip", "route", "show", "table", "all"},
        {"ip", "-6", "route", "show", "table", "all"},
        {"ip", "rule", "show"},
        {"tc", "qdisc", "show"},
        {"tc", "filter", "show", "dev", "lo", "ingress"},
    };
    for (const auto &words : commands) {
        BL_TRY(std::string shown, node.run({.words = words}));
        for (std::size_t at = 0; (at = shown.find("expires ", at)) != std::string::npos; ++at) // a route's, in seconds
            shown.erase(at, shown.find_first_of(" \n", at + 8) - at);
        // ip looks a peer's namespace up among all names below /run/netns and complains of one that somebody is making.
        remove_all(shown, "Error: Peer netns reference is invalid.\n");
        facts.emplace(fmt::format("{} {} {}", words[0], words[1], words[2]), std::move(shown));
    }
    return {};
}

/// Contents of the maps that hold settings and not counters.
std::string content(int fd, const kernel::MapInfo &map) {
    if (map.type != BPF_MAP_TYPE_ARRAY && map.type != BPF_MAP_TYPE_HASH && map.type != BPF_MAP_TYPE_PROG_ARRAY)
        return {};
    if (map.name == "edge_rates" || map.max_entries > 4096)
        return {};
    const auto entries = kernel::raw::entries(fd, map, map.value_size);
    if (!entries)
        return entries.error().message();
    std::string text = fmt::format(", {} entries", entries->count);
    std::uint64_t hash = 0xcbf29ce484222325U; // FNV-1a
    for (const auto *bytes : {&entries->keys, &entries->values})
        for (const std::byte byte : *bytes)
            hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
    return text + fmt::format(" {:016x}", hash);
}

void add_pins(const fs::path &bpffs, Facts &facts) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(bpffs, error), end; !error && entry != end; entry.increment(error))
        if (std::error_code gone; entry->is_directory(gone))
            facts.emplace("directory " + entry->path().string(), "there");
    for (const auto &[path, object] : pins_below(bpffs)) {
        std::string text = describe(object);
        if (const auto fd = kernel::pinned_object(bpffs / path); fd && object.first == Object::map)
            if (const auto info = kernel::map_info(fd->get()))
                text += content(fd->get(), *info);
        facts.emplace("pin " + path, std::move(text));
    }
}

void compare(const Facts &before, const Facts &now, std::vector<std::string> &changes) {
    for (const auto &[name, value] : before) {
        const auto found = now.find(name);
        if (found == now.end())
            changes.push_back(fmt::format("gone: {} = {}", name, value));
        else if (found->second != value)
            changes.push_back(fmt::format("{}: was {}, is {}", name, value, found->second));
    }
    for (const auto &[name, value] : now)
        if (!before.contains(name))
            changes.push_back(fmt::format("new: {} = {}", name, value));
}

constexpr auto kGracePeriod = std::chrono::seconds(15); ///< Long enough for a machine that is busy elsewhere.

} // namespace

Result<World> World::look(const lab::Node &node, const fs::path &bpffs) {
    World world(node, bpffs);
    world.objects_ = all_objects();
    BL_CHECK(node.within([&]() -> Result<> {
        add_sysctls(world.facts_);
        return add_devices(world.facts_);
    }));
    BL_CHECK(add_shown(node, world.facts_));
    add_pins(bpffs, world.facts_);
    world.facts_.merge(own_descriptors());
    return world;
}

Result<std::vector<std::string>> World::changes_since() const {
    BL_TRY(const World now, look(*node_, bpffs_));
    std::vector<std::string> changes;
    compare(facts_, now.facts_, changes);
    // An object of ours that stays is new each time we look; one of somebody else's comes and goes, or has a holder.
    ObjectIds left;
    const ObjectIds ours = pinned_below(bpffs_); // A pin of ours is a change of its own, told above.
    for (const auto &object : now.objects_)
        if (!objects_.contains(object) && !ours.contains(object))
            left.insert(object);
    const auto end = std::chrono::steady_clock::now() + kGracePeriod;
    while (!left.empty() && std::chrono::steady_clock::now() < end) {
        const ObjectIds theirs = held_by_others(bpffs_), there = all_objects();
        std::erase_if(left, [&](const auto &object) { return theirs.contains(object) || !there.contains(object); });
        if (!left.empty())
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    for (const auto &object : left)
        changes.push_back("left over: " + describe(object));
    return changes;
}

std::string lines(const std::vector<std::string> &changes) {
    return fmt::format("{}\n", fmt::join(changes, "\n"));
}

} // namespace beeline::edge
