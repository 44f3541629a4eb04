// SPDX-License-Identifier: Apache-2.0
//
// A laboratory on this host: network namespaces, cables between them and a bpffs, all of it gone afterwards, whatever
// way the process ends. Needs root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/kernel/command.hpp>
#include <beeline/kernel/netns.hpp>
#include <beeline/kernel/rtnetlink.hpp>
#include <beeline/result.hpp>

namespace beeline::lab {

using kernel::Command;
using kernel::find_program;
using kernel::Finished;
using kernel::run;
using kernel::run_checked;

/// A host in the laboratory: one network namespace, its lo up. Stays where it is until the Lab ends.
class Node {
public:
    [[nodiscard]] const std::string &name() const { return name_; }
    [[nodiscard]] const kernel::NetNs &netns() const { return netns_; }
    /// Runs f in the calling thread, inside; a Result.
    template <class F>
    [[nodiscard]] auto within(F &&f) const {
        return netns_.within(std::forward<F>(f));
    }
    [[nodiscard]] Result<std::string> run(const Command &command) const;
    /// Feeds rules to `nft -f -`.
    [[nodiscard]] Result<> nft(const std::string &rules) const;
    [[nodiscard]] Result<kernel::Device> device(std::string_view name) const;
    /// As `ethtool -K DEVICE tx|gro on|off`.
    [[nodiscard]] Result<> set_offload(const std::string &device, std::string_view word, bool on) const;
    /// A sysctl below /proc/sys/net of this namespace: set_sysctl("ipv4/ip_forward", "1").
    [[nodiscard]] Result<> set_sysctl(const std::string &name, const std::string &value) const;

    Node(std::string name, kernel::NetNs netns) : name_(std::move(name)), netns_(std::move(netns)) {}

private:
    std::string name_;
    kernel::NetNs netns_;
};

/// One end of a cable.
struct End {
    const Node *node = nullptr;
    std::string device = {};
    std::vector<std::string> addresses = {}; ///< "10.9.0.1/24", "fd09::1/64".
};

struct CableOptions {
    bool tx_checksum = true; ///< Off: packets carry complete checksums (ethtool -K tx off), both ends.
    bool gro = false;        ///< On: an end takes frames from XDP_TX and redirect without a program of its own.
    std::uint32_t mtu = 1500;
    std::uint32_t queues = 1; ///< Receive and transmit, both ends.
};

/// Everything that it makes is named bl-NAME-...-PID. Block: while a Lab lives, SIGINT, SIGTERM and SIGHUP remove it
/// and end the process with status 128 + signal; make it before other threads, for they must inherit the signal mask.
class [[nodiscard]] Lab {
public:
    /// Also removes what labs of this name have left whose process is dead. name: letters and digits.
    [[nodiscard]] static Result<Lab> create(std::string name);
    Lab(Lab &&) noexcept;
    Lab &operator=(Lab &&) = delete;
    ~Lab();

    [[nodiscard]] Result<const Node *> add(const std::string &name);
    /// A veth pair, both ends up and carrying.
    [[nodiscard]] Result<> cable(const End &a, const End &b, const CableOptions &options = {});

    /// A bpffs of its own, not below /sys.
    [[nodiscard]] std::filesystem::path bpffs() const;
    /// For files.
    [[nodiscard]] std::filesystem::path folder() const;

    /// Removes everything and looks whether it is gone; errors are lost when this is left to the destructor.
    [[nodiscard]] Result<> remove();

    /// Names of namespaces, folders and mounts of labs of this name, of process pid or of any (0).
    [[nodiscard]] static std::vector<std::string> traces(std::string_view name, int pid);

private:
    struct State;
    explicit Lab(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::lab
