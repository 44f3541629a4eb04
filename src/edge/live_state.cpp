// SPDX-License-Identifier: Apache-2.0
#include "edge/live_state.hpp"

#include <beeline/kernel/netns.hpp>

#include "edge/transition.hpp"

namespace beeline::edge {
namespace {

std::unexpected<Error> none_up(const std::filesystem::path &pins) {
    return fail(Kind::host, 0, "no edge is up in " + pins.string(), "beeline up FILE");
}

} // namespace

Result<std::uint64_t> this_netns() {
    BL_TRY(const kernel::NetNs here, kernel::NetNs::current());
    return here.inode();
}

Result<> check_netns(const State &state, const std::filesystem::path &pins) {
    BL_TRY(const std::uint64_t here, this_netns());
    if (state.netns != here)
        return fail(Kind::conflict, 0,
                    "the edge pinned in " + pins.string() + " is that of network namespace " +
                        std::to_string(state.netns) + ", this is " + std::to_string(here),
                    "run beeline there, or use another directory (--pins); `beeline down` once that one is gone");
    return {};
}

Result<State> look(const std::filesystem::path &pins) {
    std::error_code error;
    const bool there = std::filesystem::exists(pins / kLive, error);
    if (error)
        return fail_errno(error.value(), "look at " + pins.string(), "run as root (sudo)");
    if (!there)
        return none_up(pins);
    BL_TRY(State state, read_state(pins / kLive));
    BL_CHECK(check_netns(state, pins));
    return state;
}

Result<std::optional<State>> live_state(kernel::PinDir &pins) {
    BL_TRY(const bool up, pins.exists(kLive));
    if (!up) {
        BL_CHECK(pins.remove(kPrevious)); // of a `down` that did not come so far
        return std::nullopt;
    }
    BL_TRY(State state, look(pins.root()));
    BL_CHECK(heal(pins, state));
    return state;
}

Result<State> need_state(kernel::PinDir &pins) {
    BL_TRY(auto state, live_state(pins));
    if (!state)
        return none_up(pins.root());
    return std::move(*state);
}

Result<> remove_unused(kernel::PinDir pins) {
    BL_TRY(const std::vector<std::string> names, pins.names());
    return names.empty() ? std::move(pins).remove_all() : Result<>{};
}

Result<kernel::PinDir> lock_live(const std::filesystem::path &pins) {
    std::error_code error;
    if (!std::filesystem::exists(pins / kLive, error))
        return none_up(pins);
    return kernel::PinDir::lock(pins, kLockWait);
}

} // namespace beeline::edge
