// SPDX-License-Identifier: Apache-2.0
#include "edge/transition.hpp"

#include <algorithm>

#include <beeline/kernel/typed_map.hpp>

#include "edge/slot.hpp"

namespace beeline::edge {
namespace {

class Transition {
public:
    Transition(kernel::PinDir &pins, const std::optional<State> &before, Next &next)
        : pins_(pins), before_(before), next_(next) {}

    Result<WentLive> run() {
        auto result = go();
        if (!result)
            give_back();
        // A fine point, and whoever takes the lock next does it again: no change fails for it.
        if (result)
            (void)settle(live(), next_.state, next_.kept, next_.program);
        else if (const auto old = before_ ? Program::from_pins(live()) : fail(Kind::host, 0, ""))
            (void)settle(live(), *before_, next_.kept, *old);
        return result;
    }

private:
    std::filesystem::path live() const { return pins_.live(kLive); }

    Result<WentLive> go() {
        BL_CHECK(take_devices());
        WentLive result;
        if (next_.policy != nullptr) {
            BL_TRY(auto netlink, kernel::RtNetlink::open());
            BL_TRY(result.warnings, foresee(*next_.policy, netlink, next_.state.devices));
        }
        result.devices = next_.state.devices;
        if (next_.keep_previous && before_)
            BL_CHECK(keep_previous());
        if (before_)
            BL_CHECK(use_slot(live(), *before_, next_.kept));
        if (auto done = commit(); !done) {
            if (next_.keep_previous)
                (void)pins_.remove(kPrevious);
            return std::unexpected(std::move(done).error());
        }
        return result;
    }

    /// Leaves devices that were taken as they were found.
    void give_back() {
        auto modes = kernel::Map<std::uint32_t, std::uint32_t>::share(next_.kept.fd("edge_modes"));
        for (Attached &device : taken_) {
            (void)device.link.detach();
            if (modes)
                (void)modes->erase(device.status.ifindex);
            for (const Evicted &evicted : device.evicted)
                evicted.put_back();
        }
        taken_.clear();
    }

    /// Our link on a device that was ours before and still is.
    std::optional<Attached> kept_device(const kernel::Device &device) const {
        if (!before_)
            return std::nullopt;
        for (const DeviceStatus &known : before_->devices) {
            if (known.name != device.name || known.ifindex != static_cast<std::uint32_t>(device.ifindex))
                continue;
            auto link = kernel::Link::from_pin(live() / link_pin(known.ifindex));
            if (!link)
                continue;
            const auto info = link->info();
            if (info && info->ifindex == known.ifindex)
                return Attached{known, std::move(*link)};
        }
        return std::nullopt;
    }

    Result<> take_devices() {
        for (const Wish &wish : next_.devices) {
            auto taken = take(wish);
            if (taken)
                continue;
            if (!next_.forgiving)
                return taken;
            next_.state.devices.push_back(left_out(wish, taken.error()));
        }
        return {};
    }

    Result<> take(const Wish &wish) {
        BL_TRY(auto netlink, kernel::RtNetlink::open());
        BL_TRY(const kernel::Device device, netlink.device(wish.name));
        if (auto known = kept_device(device)) {
            if (wish.mode != Mode::automatic && known->status.mode != wish.mode)
                return fail(Kind::conflict, 0, wish.name + " is attached in another mode",
                            "`beeline down` first: a device cannot change its mode without a gap");
            kept_.push_back(std::move(*known));
            next_.state.devices.push_back(kept_.back().status);
            return {};
        }
        // Before the first policy the slot is empty and edge_root passes by itself: one write then starts all devices.
        auto attached = attach(next_.kept.fd(before_ ? "edge_hold" : "edge_root"), device, wish.mode, next_.replace);
        if (!attached)
            return std::unexpected(std::move(attached).error().within("edge on " + wish.name));
        if (auto noted = note_mode(attached->status); !noted) {
            (void)attached->link.detach();
            for (const Evicted &evicted : attached->evicted)
                evicted.put_back();
            return noted;
        }
        next_.state.devices.push_back(attached->status);
        taken_.push_back(std::move(*attached));
        return {};
    }

    /// For the program: whether a frame that is redirected keeps its skb.
    Result<> note_mode(const DeviceStatus &device) {
        BL_TRY(auto modes, (kernel::Map<std::uint32_t, std::uint32_t>::share(next_.kept.fd("edge_modes"))));
        return modes.update(device.ifindex, device.mode == Mode::generic   ? BL_EDGE_MODE_GENERIC
                                            : device.mode == Mode::offload ? BL_EDGE_MODE_OFFLOAD
                                                                           : BL_EDGE_MODE_NATIVE);
    }

    /// ifindex 0: no device has it, so it is never taken for attached.
    static DeviceStatus left_out(const Wish &wish, const Error &error) {
        return {.name = wish.name, .ifindex = 0, .mode = wish.mode, .why = error.message(), .attached = false};
    }

    /// The old program and its record, without links: a rollback attaches what is missing then.
    Result<> keep_previous() {
        BL_TRY(const Program old, Program::from_pins(live()));
        BL_CHECK(pins_.remove(kPrevious));
        BL_TRY(auto stage, pins_.stage(kPrevious));
        BL_CHECK(old.pin(stage.path()));
        BL_CHECK(write_state(*before_, stage.path()));
        BL_TRY(auto committed, std::move(stage).commit());
        return std::move(committed).finish();
    }

    Result<> commit() {
        BL_TRY(auto stage, pins_.stage(kLive));
        BL_CHECK(next_.kept.pin(stage.path()));
        BL_CHECK(next_.program.pin(stage.path()));
        BL_CHECK(write_state(next_.state, stage.path()));
        for (const std::vector<Attached> *list : {&kept_, &taken_})
            for (const Attached &device : *list)
                BL_CHECK(device.link.pin(stage.path() / link_pin(device.status.ifindex)));
        BL_TRY(auto committed, std::move(stage).commit());
        if (auto switched = switch_over(committed.old()); !switched) {
            if (committed.old())
                (void)restore(*committed.old());
            (void)std::move(committed).undo();
            return switched;
        }
        let_go(committed.old());
        return std::move(committed).finish();
    }

    /// Devices that leave pass everything before the new policy is there, those that come until it is: none of them
    /// is ever judged by a policy that is not theirs.
    Result<> switch_over(const std::optional<std::filesystem::path> &old) {
        BL_CHECK(set_leaving(old, "edge_hold"));
        BL_CHECK(put_in_slot(next_.kept.fd("edge_progs"), next_.program.fd("edge_policy")));
        return start_taken();
    }

    /// The links in the old directory of devices that the new generation has not.
    std::vector<std::pair<std::uint32_t, kernel::Link>> leaving(const std::optional<std::filesystem::path> &old) const {
        std::vector<std::pair<std::uint32_t, kernel::Link>> links;
        if (!before_ || !old)
            return links;
        for (const DeviceStatus &device : before_->devices) {
            const bool stays = std::any_of(next_.state.devices.begin(), next_.state.devices.end(),
                                           [&](const DeviceStatus &now) { return now.ifindex == device.ifindex; });
            auto link = stays ? fail(Kind::host, 0, "") : kernel::Link::from_pin(*old / link_pin(device.ifindex));
            if (link)
                links.emplace_back(device.ifindex, std::move(*link));
        }
        return links;
    }

    Result<> set_leaving(const std::optional<std::filesystem::path> &old, const char *program) {
        for (auto &[ifindex, link] : leaving(old))
            if (const auto info = link.info(); info && info->ifindex == ifindex) // else the device is gone
                BL_CHECK(link.update(next_.kept.fd(program)));
        return {};
    }

    Result<> start_taken() {
        if (before_)
            for (Attached &device : taken_)
                BL_CHECK(device.link.update(next_.kept.fd("edge_root")));
        return {};
    }

    Result<> restore(const std::filesystem::path &old) {
        BL_TRY(const Program program, Program::from_pins(old));
        BL_CHECK(put_in_slot(next_.kept.fd("edge_progs"), program.fd("edge_policy")));
        return set_leaving(old, "edge_root");
    }

    /// Detaches devices that the new generation has not. Nothing here can fail the change any more: a link that cannot
    /// be detached belongs to a device that is gone, and its pin goes with the old directory.
    void let_go(const std::optional<std::filesystem::path> &old) {
        auto modes = kernel::Map<std::uint32_t, std::uint32_t>::share(next_.kept.fd("edge_modes"));
        for (auto &[ifindex, link] : leaving(old)) {
            (void)link.detach();
            if (modes)
                (void)modes->erase(ifindex);
        }
    }

    kernel::PinDir &pins_;
    const std::optional<State> &before_;
    Next &next_;
    std::vector<Attached> kept_, taken_;
};

} // namespace

Result<WentLive> go_live(kernel::PinDir &pins, const std::optional<State> &before, Next next) {
    return Transition(pins, before, next).run();
}

} // namespace beeline::edge
