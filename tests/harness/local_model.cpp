// SPDX-License-Identifier: Apache-2.0
#include <harness/local_model.hpp>

#include <algorithm>
#include <cstdlib>

#include <beeline/local.h>
#include <beeline/policy/parse.hpp>

namespace beeline::model {

namespace {

/// Is the cgroup `path`, or below it?
bool is_below(const std::string &cgroup, const std::string &path) {
    return path == "/" || cgroup == path || cgroup.starts_with(path + "/");
}

template <class T, class Holds>
bool fits(const std::optional<policy::OneOf<T>> &condition, Holds holds) {
    return !condition || std::any_of(condition->any_of.begin(), condition->any_of.end(), holds) != condition->negated;
}

bool connection_fits(policy::Match match, const std::vector<policy::Set> &sets, const Fields &fields) {
    match.cgroup.reset();
    match.process.reset();
    match.user.reset();
    return matches(match, sets, fields, "lo");
}

} // namespace

Fields LocalEnd::fields() const {
    Fields fields;
    fields.ip = Fields::Ip{.family = family, .src = src, .dst = dst, .proto = 6};
    fields.ports = Fields::Ports{.src = sport, .dst = dport};
    return fields;
}

std::string LocalEnd::text() const {
    const auto bits = static_cast<std::uint8_t>(family == policy::Family::v4 ? 32 : 128);
    return policy::to_text(policy::Prefix{family, bits, src}) + " port " + std::to_string(sport) + " to " +
           policy::to_text(policy::Prefix{family, bits, dst}) + " port " + std::to_string(dport) + ", cgroup " +
           cgroup + ", process " + process.value_or("unknown") + ", user " + std::to_string(user);
}

LocalAnswer judge(const local::Policy &policy, const LocalEnd &end) {
    const Fields fields = end.fields();
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const policy::Match &m = policy.rules[i].match;
        if (!connection_fits(m, policy.sets, fields) ||
            !fits(m.cgroup, [&](const std::string &path) { return is_below(end.cgroup, path); }) ||
            !fits(m.user, [&](const auto &ids) { return ids.low <= end.user && end.user <= ids.high; }))
            continue;
        if (m.process && !end.process)
            return {i, BL_LOCAL_LATER};
        if (!fits(m.process, [&](const std::string &name) { return name == *end.process; }))
            continue;
        if (policy.rules[i].action.verdict == policy::Verdict::accelerate)
            return {i, BL_LOCAL_ACCELERATE};
        const bool fallback = i + 1 == policy.rules.size();
        return {i, fallback ? std::uint32_t{BL_LOCAL_NONE} : std::uint32_t{BL_LOCAL_TCP}};
    }
    std::abort(); // a policy ends with a rule that matches everything
}

} // namespace beeline::model
