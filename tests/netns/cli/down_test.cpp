// SPDX-License-Identifier: Apache-2.0
//
// `down` leaves nothing that was not there before.
#include <array>
#include <cstdio>
#include <memory>
#include <set>

#include <bpf/bpf.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/map.hpp>
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/prog.hpp>

#include <harness/assert.hpp>

#include "netns/cli/host.hpp"

namespace beeline::cli_test {
namespace {

std::string output_of(const std::string &command) {
    const auto close = [](std::FILE *file) { pclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
        text.append(buffer.data(), got);
    return text;
}

/// Kernel objects by the words of bpftool.
struct Ids {
    std::set<std::uint32_t> programs, maps, links;
};

/// What is pinned below a directory, with the inner maps of the sets.
Ids pinned(const std::filesystem::path &directory) {
    Ids ids;
    for (const auto &pin : std::filesystem::recursive_directory_iterator(directory)) {
        if (pin.is_directory())
            continue;
        const auto fd = kernel::pinned_object(pin.path());
        if (!fd)
            continue;
        if (const auto map = kernel::map_info(fd->get())) {
            ids.maps.insert(map->id);
            if (map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
                if (const auto outer = kernel::MapInMap::share(fd->get()))
                    for (std::uint32_t i = 0; i < map->max_entries; ++i)
                        if (const auto inner = outer->lookup_id(i); inner && *inner)
                            ids.maps.insert(**inner);
        } else if (const auto program = kernel::prog_info(fd->get())) {
            ids.programs.insert(program->id);
        } else if (const auto link = kernel::link_info(fd->get())) {
            ids.links.insert(link->id);
        }
    }
    return ids;
}

/// Those of the ids that the kernel still lists: programs and links as bpftool shows them. It opens what it shows, and
/// a program array that is opened while it goes away may stay for ever (prog_array_map_clear, kernel/bpf/arraymap.c).
std::string still_there(const Ids &ids) {
    std::string text;
    const auto look = [&text](const char *what, const std::set<std::uint32_t> &numbers) {
        const Json list = Json::parse(output_of(std::string("bpftool -j ") + what + " list"), nullptr, false);
        for (const Json &one : list)
            if (one.contains("id") && numbers.contains(one["id"].get<std::uint32_t>()))
                text += std::string(what) + " " + one.dump() + "\n";
    };
    look("prog", ids.programs);
    look("link", ids.links);
    for (std::uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;)
        if (ids.maps.contains(id))
            text += "map " + std::to_string(id) + "\n";
    return text;
}

class Down : public Host {
protected:
    /// What a new cable goes on changing by itself: carrier at both ends, and IPv6 addresses that are being tried.
    bool settled() {
        for (const harness::TestNet *net : {&*net_, &*neighbour_}) {
            const std::string shown = net->within([] { return output_of("ip addr"); }).value_or("");
            if (shown.find("state UP") == std::string::npos || shown.find("NO-CARRIER") != std::string::npos ||
                shown.find("tentative") != std::string::npos)
                return false;
        }
        return true;
    }
    /// Everything of this host that a change could have left its marks on.
    std::string everything() {
        const auto text = net_->within([] {
            std::string all =
                output_of("ip -d addr; ip -d link; tc qdisc; tc filter show dev va ingress; "
                          "ip route show table all; ip rule; ethtool -k va; ethtool -l va; nft list ruleset "
                          "2>/dev/null");
            // sysctls of the namespace; the statistics below are no settings
            return all + output_of("sysctl -a 2>/dev/null | grep '^net\\.' | grep -v -e '\\.neigh\\.default\\.gc' "
                                   "-e nf_conntrack_count -e '\\.stable_secret'");
        });
        const auto peer = neighbour_->within([] { return output_of("ip -d link; ethtool -k vb; tc qdisc"); });
        std::string pins;
        for (const auto &pin : std::filesystem::recursive_directory_iterator(bpffs_->path()))
            pins += pin.path().string() + "\n";
        return text.value_or("error") + peer.value_or("error") + pins;
    }
};

TEST_F(Down, LeavesNothing) {
    ASSERT_FALSE(output_of("bpftool version 2>/dev/null").empty()) << "bpftool builds this program: it is installed";
    ASSERT_TRUE(neighbour_->within([] { return output_of("ethtool -K vb gro on && echo done"); }).value_or("") ==
                "done\n")
        << "without GRO at its peer va cannot be redirected to";
    ASSERT_TRUE(eventually([this] { return settled(); })) << "the cable did not come up";
    const std::string before = everything();
    const std::string file =
        config({"src @bad -> drop", "udp dport 7 -> rewrite dport 8 pass", "udp dport 9 rate over 5/s per src -> drop",
                "udp dport 10 -> log drop", "udp dport 11 -> cpu 0", "udp dport 12 -> redirect va",
                "udp dport 13 -> xsk capture", "fallback -> pass"},
               "[sets.bad]\ntype = \"prefix\"\nentries = [\"203.0.113.0/24\", \"2001:db8:bad::/48\"]\n");
    expect(0, {"up", file});
    const Ids ids = pinned(pins());
    EXPECT_GE(ids.programs.size(), 3U);
    EXPECT_GE(ids.maps.size(), 17U);
    EXPECT_EQ(ids.links.size(), 1U);
    EXPECT_NE(still_there(ids), "") << "the comparison sees them while they are there";
    for (std::uint16_t port = 7; port < 14; ++port)
        send(udp(port), 10);
    expect(0, {"set", "add", "bad", "192.0.2.77"});
    expect(0, {"reload"});
    expect(0, {"up", file, "--confirm", "1h"});
    expect(0, {"confirm"});
    const Ids later = pinned(pins());
    expect(0, {"down"});
    EXPECT_EQ(everything(), before);
    // The kernel frees maps and programs in the background.
    EXPECT_TRUE(eventually([&] { return still_there(ids).empty() && still_there(later).empty(); }))
        << still_there(ids) << still_there(later);
}

TEST_F(Down, WhatIsUpChangesNoSetting) {
    // `ip link` shows the program, and the peer of a veth loses TSO while there is one: that is the kernel's doing.
    const std::string settings =
        "sysctl -a 2>/dev/null | grep '^net\\.' | grep -v -e '\\.neigh\\.default\\.gc'; tc qdisc";
    const auto before = net_->within([&] { return output_of(settings); });
    expect(0, {"up", config({"udp dport 7 -> drop"})});
    const auto during = net_->within([&] { return output_of(settings); });
    ASSERT_TRUE(before && during);
    EXPECT_EQ(*before, *during);
}

TEST_F(Down, WorksWhileSomebodyReadsTheLog) {
    expect(0, {"up", config({"udp dport 7 -> log drop"})});
    Background top({"--pins", pins(), "top"}, {.netns = net_->netns().fd(), .terminal = true, .env = {"TERM=xterm"}});
    ASSERT_TRUE(top.logged("generation 1"));
    expect(0, {"down"});
    EXPECT_TRUE(top.logged("nothing is up"));
    EXPECT_FALSE(std::filesystem::exists(pins()));
    top.type("q");
    EXPECT_EQ(top.wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(pins()));
}

} // namespace
} // namespace beeline::cli_test
