// SPDX-License-Identifier: Apache-2.0
//
// The edge as a user of one host has it: policies as text, one pin directory, every call from inside the host's
// namespace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/edge/edge.hpp>
#include <harness/assert.hpp>

#include "lab/lab.hpp"

namespace beeline::edge {

/// A lab named after the running test, so that tests may run at the same time.
[[nodiscard]] Result<lab::Lab> test_lab();

/// A config file in parts.
struct Text {
    std::vector<std::string> devices;
    std::vector<std::string> rules; ///< `fallback -> pass` follows unless the last one is a fallback.
    std::string mode = "auto";
    bool replace = false;
    std::string sets = {}; ///< [sets.NAME] sections, as they stand.
};

/// Errors of the config only; warnings are none of these tests' business.
[[nodiscard]] Result<Policy> policy(const Text &text);

class [[nodiscard]] Host {
public:
    /// Nothing is made by this. The edge is not taken down at the end: it goes with the lab's bpffs.
    [[nodiscard]] static Result<Host> on(const lab::Node &node, std::filesystem::path pins);

    [[nodiscard]] Result<UpReport> up(const Text &text, std::optional<std::chrono::seconds> confirm = {});
    [[nodiscard]] Result<Plan> plan(const Text &text) const;
    [[nodiscard]] Result<Status> status() const {
        return node_->within([&] { return edge_.status(); });
    }
    [[nodiscard]] Result<> confirm() {
        return node_->within([&] { return edge_.confirm(); });
    }
    [[nodiscard]] Result<bool> rollback(std::uint32_t generation) {
        return node_->within([&] { return edge_.rollback(generation); });
    }
    [[nodiscard]] Result<bool> down() {
        return node_->within([&] { return edge_.down(); });
    }
    [[nodiscard]] Result<std::uint64_t> sweep() {
        return node_->within([&] { return edge_.sweep(); });
    }
    /// Packets of the rule with this text; nothing when no such rule is live.
    [[nodiscard]] std::optional<std::uint64_t> packets(std::string_view rule) const;
    /// A BL_EDGE_R_* counter by name; 0 when it is not shown.
    [[nodiscard]] std::uint64_t odd(std::string_view reason) const;

    [[nodiscard]] const lab::Node &node() const { return *node_; }
    [[nodiscard]] const std::filesystem::path &pins() const { return pins_; }
    /// A pin of the live generation.
    [[nodiscard]] std::filesystem::path pin(std::string_view name) const { return pins_ / "edge" / name; }
    [[nodiscard]] Edge &edge() { return edge_; }
    [[nodiscard]] const Edge &edge() const { return edge_; }

private:
    Host(const lab::Node &node, std::filesystem::path pins, Edge edge)
        : node_(&node), pins_(std::move(pins)), edge_(std::move(edge)) {}
    const lab::Node *node_;
    std::filesystem::path pins_;
    Edge edge_;
};

/// a(va) and b(vb), one cable. Addresses 10.9.0.1, fd09::1 and 10.9.0.2, fd09::2.
struct Pair {
    lab::Lab lab;
    const lab::Node *a = nullptr, *b = nullptr;

    struct Options {
        bool tx_checksum = true;
        bool gro = false;
        std::uint32_t mtu = 1500;
        std::uint32_t queues = 1;
        bool silent = false; ///< No addresses and no IPv6: every frame is the test's.
    };
    [[nodiscard]] static Result<std::unique_ptr<Pair>> make(const Options &options);
    [[nodiscard]] static Result<std::unique_ptr<Pair>> make() { return make(Options{}); }

    [[nodiscard]] Result<Host> host_b() const { return Host::on(*b, lab.bpffs() / "b"); }
    [[nodiscard]] Result<Host> host_a() const { return Host::on(*a, lab.bpffs() / "a"); }
};

/// No IPv6 and no ARP in a node: it sends nothing by itself. Before its devices are made.
[[nodiscard]] Result<> silence(const lab::Node &node);

} // namespace beeline::edge
