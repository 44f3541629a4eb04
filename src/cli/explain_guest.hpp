// SPDX-License-Identifier: Apache-2.0
//
// explain for guests: which rule of which guest decides a packet, and where it goes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "daemon/json.hpp"

namespace beeline::cli {

inline constexpr std::int32_t kGuestDrop = 2; ///< TCX_DROP, NETKIT_DROP

/// Where the packet is seen: out of or into a guest.
struct GuestPlace {
    std::string guest;
    bool out = false, into = false;
    [[nodiscard]] bool given() const { return !guest.empty() || out || into; }
};

/// What the programs said, in words.
struct GuestAnswer {
    struct Decided {
        std::string guest;
        std::uint32_t number = 0; ///< From 0.
        std::string text;
        std::uint32_t line = 0; ///< In the config file; 0: not from a file.
    };
    std::string packet, place, asked;
    std::vector<Decided> rules; ///< In the order in which they were asked.
    std::string outcome;
    std::int32_t action = 0; ///< As the program returned it.
    std::string reason;      ///< "none" or a name of BL_GUEST_R_*.
};
void print(Output &out, const GuestAnswer &answer);
[[nodiscard]] daemon::Json to_json(const GuestAnswer &answer);

/// Guests' programs, to be asked about packets: the live ones, or those of a file.
class [[nodiscard]] GuestAsker {
public:
    /// file: empty for the live ones.
    [[nodiscard]] static Result<GuestAsker> open(Context &context, const std::string &file = {});
    /// Kind::usage unless the place says a guest and one of out and into.
    [[nodiscard]] Result<GuestAnswer> ask(const GuestPlace &place, std::span<const std::byte> frame) const;
    /// Of a packet that comes in by this uplink.
    [[nodiscard]] Result<GuestAnswer> ask(const guest::KnownUplink &uplink, std::span<const std::byte> frame) const;
    /// Null: the guests have no such uplink.
    [[nodiscard]] const guest::KnownUplink *uplink(const std::string &device) const;
    [[nodiscard]] const guest::Asker &asker() const { return asker_; }
    /// "the live programs", "the programs of this file, loaded aside".
    [[nodiscard]] const std::string &asked() const { return asked_; }

private:
    GuestAsker(guest::Asker asker, std::string asked) : asker_(std::move(asker)), asked_(std::move(asked)) {}
    [[nodiscard]] GuestAnswer answer(const guest::KnownGuest *own, const guest::Verdict &verdict, guest::Seen seen,
                                     std::span<const std::byte> frame) const;
    [[nodiscard]] const guest::KnownGuest *by_slot(std::optional<std::uint32_t> slot) const;
    [[nodiscard]] std::string outcome(const guest::Verdict &verdict, guest::Seen seen) const;
    guest::Asker asker_;
    std::string asked_;
};

/// Of a packet that comes in by a device. Nothing: no guests are up, or it is no uplink of theirs.
[[nodiscard]] Result<std::optional<GuestAnswer>> ask_by_device(Context &context, const std::string &device,
                                                               std::span<const std::byte> frame);

} // namespace beeline::cli
