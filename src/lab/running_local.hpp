// SPDX-License-Identifier: Apache-2.0
//
// The short cut between sockets, with the daemon's part in a thread, down again at the end of the scope.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <beeline/local/local.hpp>
#include <beeline/local/policy.hpp>

namespace beeline::lab {

/// Rules as a user writes them; for sockets of this process's cgroup. This program counts as one that reads by receive
/// calls, whatever libraries it has mapped.
[[nodiscard]] Result<local::Policy> local_policy(const std::vector<std::string> &rules);

class [[nodiscard]] RunningLocal {
public:
    [[nodiscard]] static Result<RunningLocal> up(const std::filesystem::path &pins, const local::Policy &policy);
    RunningLocal(RunningLocal &&) noexcept;
    RunningLocal &operator=(RunningLocal &&) = delete;
    ~RunningLocal();

    /// The connection whose connecting end has this port; nothing when it is not watched (any more).
    [[nodiscard]] Result<std::optional<local::Connection>> find(std::uint16_t client_port) const;
    /// Why messages and connections took TCP so far: "order 3, limit 12".
    [[nodiscard]] std::string reasons() const;
    /// Connections must be closed or read empty by then.
    [[nodiscard]] Result<> down();

private:
    struct State;
    explicit RunningLocal(std::unique_ptr<State> state);
    std::unique_ptr<State> state_; ///< Null: down, or moved from.
};

} // namespace beeline::lab
