// SPDX-License-Identifier: Apache-2.0
//
// A config file, and what is made of its guests.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include <beeline/config/config.hpp>
#include <beeline/edge/parse.hpp>
#include <beeline/guest/parse.hpp>
#include <beeline/guest/tables.hpp>
#include <beeline/local/parse.hpp>
#include <beeline/local/tables.hpp>

#include <fuzz/check_policy.hpp>

namespace {

using namespace beeline;

std::vector<policy::Set> named(const std::vector<policy::Set> &sets) {
    std::vector<policy::Set> result;
    std::copy_if(sets.begin(), sets.end(), std::back_inserter(result),
                 [](const policy::Set &set) { return !set.name.starts_with('$'); });
    return result;
}

void check_guest(const guest::Policy &guest) {
    fuzz::demand(guest.address4 || guest.address6, "an address", guest.name);
    for (const auto &address : {guest.address4, guest.address6})
        if (address)
            fuzz::demand(guest::read_address(kernel::to_string(*address)) == *address, "an address that reads back",
                         kernel::to_string(*address));
    for (const guest::Publish &publish : guest.publish)
        fuzz::demand(guest::read_publish(guest::to_text(publish)) == publish, "a port that reads back",
                     guest::to_text(publish));
    fuzz::demand(policy::check_device(guest.host_device).has_value(), "a device of the host", guest.host_device);
    const auto tables = guest::compile(guest);
    fuzz::demand(!tables || (!tables->in.empty() && !tables->out.empty()), "rows of both directions", guest.name);
}

void check_local(const local::Policy &policy) {
    const local::Binding everywhere{.counter = {}, .cgroup = [](const std::string &path) {
                                        return Result<std::pair<std::uint64_t, std::uint32_t>>(std::in_place,
                                                                                               path.size(), 1U);
                                    }};
    const auto tables = local::compile(policy, everywhere);
    fuzz::demand(!tables || (!tables->rows.empty() && (tables->rows.back().flags & BL_LOCAL_FALLBACK) != 0),
                 "a last row that takes everything", "");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    const auto [config, diagnostics] = config::parse(text, "/nonexistent/fuzz.toml");
    fuzz::check_diagnostics(diagnostics);
    fuzz::demand(config.has_value() != rules::has_errors(diagnostics), "a config or an error", "");
    if (!config)
        return 0;
    if (config->local) {
        fuzz::check_rules(config->local->rules, local::parse_rules, named(config->local->sets), config->local->sets);
        check_local(*config->local);
    }
    if (config->edge)
        fuzz::check_rules(config->edge->rules, edge::parse_rules, named(config->edge->sets), config->edge->sets);
    for (const guest::Policy &guest : config->guests) {
        fuzz::check_rules(guest.rules, guest::parse_rules, named(guest.sets), guest.sets);
        check_guest(guest);
    }
    return 0;
}
