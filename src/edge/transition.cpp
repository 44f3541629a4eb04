// SPDX-License-Identifier: Apache-2.0
#include "edge/transition.hpp"

#include <algorithm>
#include <map>

#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/typed_map.hpp>

namespace beeline::edge {
namespace {

Result<> put_in_slot(int progs_fd, int prog_fd) {
    BL_TRY(const kernel::MapInfo info, kernel::map_info(progs_fd));
    const std::uint32_t zero = 0, value = static_cast<std::uint32_t>(prog_fd);
    return kernel::raw::update(progs_fd, info, &zero, &value, kernel::Update::any);
}

/// Id of the program in the slot; 0: empty.
Result<std::uint32_t> slot_id(int progs_fd) {
    BL_TRY(const kernel::MapInfo info, kernel::map_info(progs_fd));
    const std::uint32_t zero = 0;
    std::uint32_t id = 0;
    BL_TRY(const bool found, kernel::raw::lookup(progs_fd, info, &zero, std::as_writable_bytes(std::span(&id, 1))));
    return found ? id : 0;
}

class Transition {
public:
    Transition(kernel::PinDir &pins, const std::optional<State> &before, Next &next)
        : pins_(pins), before_(before), next_(next) {}

    Result<WentLive> run() {
        BL_CHECK(take_devices());
        WentLive result;
        if (next_.policy != nullptr) {
            BL_TRY(auto netlink, kernel::RtNetlink::open());
            BL_TRY(result.warnings, foresee(*next_.policy, netlink, next_.state.devices));
        }
        result.devices = next_.state.devices;
        if (next_.keep_previous && before_)
            BL_CHECK(keep_previous());
        auto done = commit();
        if (!done) {
            if (next_.keep_previous)
                (void)pins_.remove(kPrevious);
            return std::unexpected(std::move(done).error());
        }
        return result;
    }

private:
    std::filesystem::path live() const { return pins_.live(kLive); }

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
        BL_TRY(auto netlink, kernel::RtNetlink::open());
        BL_TRY(auto modes, (kernel::Map<std::uint32_t, std::uint32_t>::share(next_.kept.fd("edge_modes"))));
        // Before the first policy the slot is empty and edge_root passes by itself: one write then starts all devices.
        const int first_program = next_.kept.fd(before_ ? "edge_hold" : "edge_root");
        for (const std::string &name : next_.devices) {
            BL_TRY(const kernel::Device device, netlink.device(name));
            if (auto known = kept_device(device)) {
                if (next_.mode != Mode::automatic && known->status.mode != next_.mode)
                    return fail(Kind::conflict, 0, name + " is attached in another mode",
                                "`beeline down` first: a device cannot change its mode without a gap");
                kept_.push_back(std::move(*known));
                next_.state.devices.push_back(kept_.back().status);
                continue;
            }
            auto attached = attach(first_program, device, next_.mode, next_.replace);
            if (!attached)
                return std::unexpected(std::move(attached).error().within("edge on " + name));
            const std::uint32_t mode = attached->status.mode == Mode::generic   ? BL_EDGE_MODE_GENERIC
                                       : attached->status.mode == Mode::offload ? BL_EDGE_MODE_OFFLOAD
                                                                                : BL_EDGE_MODE_NATIVE;
            BL_CHECK(modes.update(attached->status.ifindex, mode));
            next_.state.devices.push_back(attached->status);
            taken_.push_back(std::move(*attached));
        }
        return {};
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
        if (auto swapped = put_in_slot(next_.kept.fd("edge_progs"), next_.program.fd("edge_policy")); !swapped) {
            (void)std::move(committed).undo();
            return swapped;
        }
        if (auto started = start_taken(); !started) {
            if (committed.old())
                (void)restore(*committed.old());
            (void)std::move(committed).undo();
            return started;
        }
        let_go(committed.old());
        return std::move(committed).finish();
    }

    Result<> start_taken() {
        if (before_)
            for (Attached &device : taken_)
                BL_CHECK(device.link.update(next_.kept.fd("edge_root")));
        return {};
    }

    Result<> restore(const std::filesystem::path &old) {
        BL_TRY(const Program program, Program::from_pins(old));
        return put_in_slot(next_.kept.fd("edge_progs"), program.fd("edge_policy"));
    }

    /// Detaches devices that the new generation has not. Nothing here can fail the change any more: a link that cannot
    /// be detached belongs to a device that is gone, and its pin goes with the old directory.
    void let_go(const std::optional<std::filesystem::path> &old) {
        if (!before_ || !old)
            return;
        auto modes = kernel::Map<std::uint32_t, std::uint32_t>::share(next_.kept.fd("edge_modes"));
        for (const DeviceStatus &device : before_->devices) {
            const bool stays = std::any_of(next_.state.devices.begin(), next_.state.devices.end(),
                                           [&](const DeviceStatus &now) { return now.ifindex == device.ifindex; });
            if (stays)
                continue;
            if (auto link = kernel::Link::from_pin(*old / link_pin(device.ifindex)))
                (void)link->detach();
            if (modes)
                (void)modes->erase(device.ifindex);
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

Result<> heal(const kernel::PinDir &pins) {
    const std::filesystem::path live = pins.live(kLive);
    BL_TRY(const Kept kept, Kept::from_pins(live));
    BL_TRY(const Program program, Program::from_pins(live));
    BL_TRY(const State state, read_state(live));
    BL_TRY(const kernel::ProgInfo meant, kernel::prog_info(program.fd("edge_policy")));
    BL_TRY(const std::uint32_t in_slot, slot_id(kept.fd("edge_progs")));
    if (in_slot != meant.id)
        BL_CHECK(put_in_slot(kept.fd("edge_progs"), program.fd("edge_policy")));
    BL_TRY(const kernel::ProgInfo root, kernel::prog_info(kept.fd("edge_root")));
    for (const DeviceStatus &device : state.devices) {
        auto link = kernel::Link::from_pin(live / link_pin(device.ifindex));
        if (!link)
            continue; // shown by status as not attached
        const auto info = link->info();
        if (info && info->ifindex != 0 && info->prog_id != root.id)
            BL_CHECK(link->update(kept.fd("edge_root")));
    }
    return {};
}

} // namespace beeline::edge
