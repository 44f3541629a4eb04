// SPDX-License-Identifier: Apache-2.0
//
// The reference model of the rules of [local]: what docs/rules.md says of one end of a connection, worked out of the
// policy itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <beeline/local/policy.hpp>
#include <harness/model.hpp>

namespace beeline::model {

/// One end of a connection within the host.
struct LocalEnd {
    policy::Family family = policy::Family::v4;
    std::array<std::uint8_t, 16> src{}, dst{}; ///< Of the end that connected, of the one that accepted.
    std::uint16_t sport = 0, dport = 0;
    std::string cgroup = "/";           ///< Of this end's socket; a path below the mount.
    std::optional<std::string> process; ///< Nothing: it has not received yet.
    std::uint32_t user = 0;

    /// The connection as a packet of it would show it.
    [[nodiscard]] Fields fields() const;
    /// All of it, to be printed when model and program disagree.
    [[nodiscard]] std::string text() const;
};

struct LocalAnswer {
    std::size_t rule = 0;     ///< Index in Policy::rules.
    std::uint32_t judged = 0; ///< BL_LOCAL_NONE ... BL_LOCAL_LATER.
    bool operator==(const LocalAnswer &) const = default;
};

[[nodiscard]] LocalAnswer judge(const local::Policy &policy, const LocalEnd &end);

} // namespace beeline::model
