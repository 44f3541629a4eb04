// SPDX-License-Identifier: Apache-2.0
//
// The guests' programs, to be asked about packets: the live ones, or those of policies that are attached to nothing.
// Opened once, asked as often as wanted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <beeline/guest.h>
#include <beeline/guest/policy.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

/// Names by BL_GUEST_R_* number.
[[nodiscard]] std::string_view reason_name(std::uint32_t reason);

/// Where a packet is seen.
enum class Seen : std::uint8_t {
    out,  ///< It comes out of the guest.
    in,   ///< The host's stack sends it to the guest.
    wire, ///< It comes in by an uplink.
};

/// What the loaded program says about one packet.
struct Verdict {
    std::int32_t action = 0;              ///< What the program returned: -1 next, 0 pass, 2 drop, 7 redirect.
    std::optional<std::uint32_t> rule;    ///< Of the guest's own rules, in the order of Policy::rules.
    std::uint32_t reason = 0;             ///< BL_GUEST_R_*; 0: none.
    std::string reason_name;              ///< The same, "none" for 0.
    std::uint32_t way = 0;                ///< BL_WAY_*.
    std::optional<std::uint32_t> to;      ///< Slot of the guest it goes to.
    std::uint32_t ifindex = 0;            ///< Device it goes out of.
    std::optional<std::uint32_t> to_rule; ///< Rule of that guest that decided.
};

/// A guest whose programs can be asked.
struct KnownGuest {
    struct Rule {
        std::string text;
        std::string file;       ///< Empty: not from a file.
        std::uint32_t line = 0; ///< The same: 0.
        std::uint32_t counter = 0;
    };
    std::string name;
    std::uint32_t slot = 0, ifindex = 0;
    std::vector<kernel::IpAddress> addresses;
    std::vector<Rule> rules;
};

struct KnownUplink {
    std::string name;
    std::uint32_t ifindex = 0;
};

class Rehearsal;

class [[nodiscard]] Asker {
public:
    /// What is live below pins. Kind::host when nothing is.
    [[nodiscard]] static Result<Asker> of_live(const std::filesystem::path &pins);
    /// Loads these policies; nothing is attached or pinned. Stand-ins of guests' devices and of uplinks are in a
    /// network namespace of the asker's own (so this wants CAP_SYS_ADMIN), with the host's addresses and a default
    /// route by the first uplink; the host's other routes are not known there.
    [[nodiscard]] static Result<Asker> of_policies(const HostSettings &settings, const std::vector<Policy> &policies);

    Asker(Asker &&) noexcept;
    Asker &operator=(Asker &&) noexcept;
    ~Asker();

    [[nodiscard]] const std::vector<KnownGuest> &guests() const;
    [[nodiscard]] const std::vector<KnownUplink> &uplinks() const;
    [[nodiscard]] const KnownGuest *find(std::string_view name) const; ///< Null: there is none.
    /// Kind::usage when there is none; the remedy lists those there are.
    [[nodiscard]] Result<const KnownGuest *> guest(std::string_view name) const;

    /// How a flow that begins with this packet would be judged. packet: from the Ethernet header on. No counter and no
    /// flow changes, and flows that there are have no say.
    [[nodiscard]] Result<Verdict> explain(Seen seen, const KnownGuest &guest, std::span<const std::byte> packet) const;
    [[nodiscard]] Result<Verdict> explain(const KnownUplink &uplink, std::span<const std::byte> packet) const;

    /// The same rules, addresses, ports and uplinks with flows and counters of their own, for packets one after the
    /// other: a packet follows the flow that earlier ones began. The asker must outlive it.
    [[nodiscard]] Result<Rehearsal> rehearse() const;

private:
    friend class Rehearsal;
    struct State;
    explicit Asker(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Runs the programs as traffic would, on nobody's traffic. Masquerade is left out: at a guest's device packets have
/// the guest's address. Time is that of the run: no flow of a capture ends because its packets are far apart.
class [[nodiscard]] Rehearsal {
public:
    struct Hits {
        std::uint64_t packets = 0, bytes = 0;
        bool operator==(const Hits &) const = default;
    };
    /// What was counted since the beginning.
    struct Counted {
        std::map<std::uint32_t, std::vector<Hits>> rules;      ///< By slot, by rule number.
        std::array<std::uint64_t, BL_GUEST_REASONS> reasons{}; ///< By BL_GUEST_R_*.
    };
    /// Longest frame that the kernel puts through such a program.
    static constexpr std::size_t kMaxFrame = 3400;
    /// The kernel refuses frames with nothing behind the Ethernet header, or with less than an IP header where the
    /// ethertype says IP (net/bpf/test_run.c).
    [[nodiscard]] static bool is_too_short(std::span<const std::byte> frame);

    Rehearsal(Rehearsal &&) noexcept;
    Rehearsal &operator=(Rehearsal &&) noexcept;
    ~Rehearsal();

    /// What the program returned: -1 next, 2 drop, 7 redirect. seen: out or in.
    [[nodiscard]] Result<std::int32_t> pass(Seen seen, const KnownGuest &guest, std::span<const std::byte> packet);
    [[nodiscard]] Result<Counted> counted() const;

private:
    friend class Asker;
    struct State;
    explicit Rehearsal(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::guest
