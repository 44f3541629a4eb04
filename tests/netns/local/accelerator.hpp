// SPDX-License-Identifier: Apache-2.0
//
// What may stand between the two ends of a connection: nothing (plain TCP, the oracle), the public recipe, Beeline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <beeline/kernel/cgroup.hpp>

namespace beeline::conformance {

enum class Mode : std::uint8_t {
    tcp,    ///< Nothing is attached.
    naive,  ///< sock_ops + sockhash under the 4-tuple + sk_msg, as every public example has it.
    beeline ///< The real thing.
};

/// For connections of processes in one cgroup, from start() to its end. A row runs in a forked child that asks through
/// descriptors it has inherited; so nothing here may depend on threads of the parent.
class Accelerator {
public:
    /// Connections made from now on by processes in the cgroup are accelerated the way of the mode.
    [[nodiscard]] static Result<std::unique_ptr<Accelerator>> start(Mode mode, const kernel::Cgroup &cgroup);

    Accelerator() = default;
    Accelerator(const Accelerator &) = delete;
    Accelerator &operator=(const Accelerator &) = delete;
    virtual ~Accelerator() = default;

    /// Whether there is a short cut to wait for.
    [[nodiscard]] virtual bool has_short_cut() const = 0;
    /// What this socket sends goes to the peer's queue, as far as order allows.
    [[nodiscard]] virtual bool on_short_cut(int fd) const = 0;
    /// It never will be.
    [[nodiscard]] virtual bool stays_on_tcp(int /*fd*/) const { return false; }
    /// Why it does not: one word, "" if it does.
    [[nodiscard]] virtual std::string reason(int fd) const = 0;
    /// Bytes this socket has sent by the short cut.
    [[nodiscard]] virtual std::uint64_t redirected(int fd) const = 0;
    /// Keeps what this socket sends on TCP until let_go(); where there is no such thing nothing happens.
    virtual void hold(int /*fd*/) const {}
    virtual void let_go(int /*fd*/) const {}
};

} // namespace beeline::conformance
