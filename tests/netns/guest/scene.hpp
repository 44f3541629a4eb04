// SPDX-License-Identifier: Apache-2.0
//
// A host with guests and a machine in the world beyond it, as the tests of guests need them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <beeline/guest/guest.hpp>
#include <harness/assert.hpp>

#include "../edge/world.hpp"
#include "lab/lab.hpp"

namespace beeline::guest {

/// A guest in the lab's words.
struct Text {
    std::string name = {};                 ///< Also of its node.
    std::string address4 = {};             ///< "10.88.0.2/24".
    std::string address6 = {};             //
    std::vector<std::string> rules = {};   ///< A fallback is added as the config adds it.
    std::vector<std::string> publish = {}; //
    bool masquerade = false;
    std::string device = "eth0";
    std::string tap = {};         ///< The guest is behind this tap of the host, and not in its node.
    std::string mac = {};         ///< Empty: none.
    std::string host_device = {}; ///< Empty: as the config makes it of the name.
};

class [[nodiscard]] Scene {
public:
    /// The host "host" with device "up0" (10.9.0.1/24, fd09::1/64) to "world" (10.9.0.2/24, fd09::2/64), whose routes
    /// to 10.88/16 and fd88::/16 lead to the host.
    [[nodiscard]] static Result<std::unique_ptr<Scene>> make(Mode mode);
    Scene(lab::Lab made, Mode wanted, const lab::Node *h, const lab::Node *w, Guests g)
        : lab(std::move(made)), mode(wanted), host(h), world(w), guests(std::move(g)) {}

    /// A node without devices, which guests of this name are in.
    [[nodiscard]] Result<const lab::Node *> add_node(const std::string &name);
    [[nodiscard]] const lab::Node &node(const std::string &name) const { return *nodes.at(name); }
    [[nodiscard]] Result<Policy> policy(const Text &text) const;
    [[nodiscard]] Result<UpReport> up(const std::vector<Text> &texts);
    [[nodiscard]] Result<GuestStatus> add(const Text &text);
    [[nodiscard]] Result<bool> remove(const std::string &name) {
        return host->within([&] { return guests.remove(name); });
    }
    [[nodiscard]] Result<bool> down() {
        return host->within([&] { return guests.down(); });
    }
    [[nodiscard]] Result<Status> status() const {
        return host->within([&] { return guests.status(); });
    }
    [[nodiscard]] Result<GuestStatus> status_of(const std::string &name) const;
    [[nodiscard]] Result<Plan> plan(const std::vector<Text> &texts) const;
    [[nodiscard]] Result<Maintained> maintain() {
        return host->within([&] { return guests.maintain(); });
    }

    lab::Lab lab;
    Mode mode;
    const lab::Node *host, *world;
    std::map<std::string, const lab::Node *> nodes;
    HostSettings settings{.uplinks = {"up0"}};
    Guests guests;
};

/// Does a datagram from a node come to another one at this address, and its answer back? Waits a second at most for
/// each.
[[nodiscard]] bool talks(const lab::Node &from, const lab::Node &to, const std::string &address,
                         std::uint16_t port = 4000);

/// Does a ping reach the address? Ten are sent at most, within three seconds.
[[nodiscard]] bool pings(const lab::Node &from, const std::string &address);

/// Why this kernel cannot have guests of that mode; nothing when it can.
[[nodiscard]] std::optional<std::string> lacking(Mode mode);

/// "netkit_l3", for names of tests.
[[nodiscard]] std::string test_name(Mode mode);

} // namespace beeline::guest
