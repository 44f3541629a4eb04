// SPDX-License-Identifier: Apache-2.0
#include "cost/local.hpp"

#include <filesystem>

#include "lab/running_local.hpp"
#include "local/objects.hpp"
#include "local/rule_tables.hpp"

namespace beeline::cost {

/// Not by Local::up(): that asks for a newer kernel than what this is measured on, for the sake of connections that are
/// on the short cut, and none is.
Result<lab::Path> beside_the_short_cut(lab::Lab &lab) {
    BL_TRY(local::Policy policy, lab::local_policy({"dport 1 -> accelerate"}));
    BL_TRY(const auto objects, local::load(policy.connections));
    BL_TRY(const auto rules, local::prepare_rules(policy, nullptr, objects));
    BL_CHECK(local::put_rules(rules, objects));
    const std::filesystem::path pins = lab.bpffs() / "local"; // the links go with the lab
    std::error_code error;
    if (!std::filesystem::create_directory(pins, error))
        return fail_errno(error.value(), "make " + pins.string());
    BL_CHECK(local::attach(objects, policy.cgroup, pins));
    return lab::loopback(lab);
}

} // namespace beeline::cost
