// SPDX-License-Identifier: Apache-2.0
//
// What the host can do for Beeline.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <beeline/kernel/features.hpp>
#include <beeline/result.hpp>

namespace beeline::cli {

enum class Fitness : std::uint8_t {
    full,
    fallback,   ///< Works another way, slower.
    impossible, ///< Something is missing.
    absent,     ///< Not in this version of Beeline.
};
[[nodiscard]] std::string_view name(Fitness fitness);

struct DeviceReport {
    std::string name = {};
    std::string driver = {};
    std::string native = {};          ///< "yes", "no", "not now" (there is a remedy in notes).
    std::string redirect_target = {}; ///< "yes", "no", "unknown": takes redirected packets.
    std::string holder = {};          ///< Programs at the XDP hook; empty: nobody.
    std::vector<std::string> notes = {};
};

struct PartReport {
    std::string name = {};
    Fitness fitness = Fitness::absent;
    std::string why = {};
};

struct Doctor {
    std::string kernel = {};
    std::string capabilities = {};
    std::string bpffs = {};
    std::string cgroup2 = {};
    std::vector<kernel::Feature> features = {};
    std::vector<DeviceReport> devices = {};
    std::vector<PartReport> parts = {};
    int exit_status = 0; ///< 0, or the Kind of what makes the edge impossible.
};

/// Only looks; changes nothing. pins: where state would be pinned.
[[nodiscard]] Result<Doctor> examine(const std::string &pins);
[[nodiscard]] nlohmann::ordered_json to_json(const Doctor &report);

} // namespace beeline::cli
