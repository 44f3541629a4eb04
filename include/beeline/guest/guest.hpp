// SPDX-License-Identifier: Apache-2.0
//
// The guests of this host: network namespaces, containers and virtual machines, each behind a device of its own whose
// programs judge what goes in and out. All state is pinned below one directory; any process may do any of it, one at a
// time (the directory is locked meanwhile). Packets never wait for any of it.
//
// What the kernel is given for a guest:
//  - In L3 (netkit) the address stands on the device as it is written, with its network, and the default routes lead to
//    the device: there are no neighbours to ask for.
//  - In L2 and veth nobody answers for neighbours, so that the address stands alone (/32, /128) and everything goes to
//    a gateway, 169.254.1.1 and fe80::1 unless the policy names others: these are addresses of the host's end, and both
//    ends know each other's MAC by permanent neighbour entries.
//  - On the host a route to each address, and forwarding on the guest's own device, so that programs may ask for routes
//    in its name. No other setting of the host changes.
//  - A tap is somebody else's: programs are attached to it, and nothing else is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <beeline/guest.h>
#include <beeline/guest/asker.hpp>
#include <beeline/guest/policy.hpp>
#include <beeline/live/status.hpp>
#include <beeline/result.hpp>

namespace beeline::guest {

using live::HookProgram;
using live::RuleStatus;

/// What a guest's device turned out to be; BL_GUEST_* in the kernel.
enum class Wiring : std::uint8_t { netkit_l3, netkit_l2, veth, tap };
[[nodiscard]] std::string_view name(Wiring wiring);

struct GuestStatus {
    std::string name;
    std::uint32_t slot = 0;
    bool attached = true; ///< False: its device, a link or the namespace is gone; maintain() will remove it.
    bool runtime = false; ///< Came by add(); an up() leaves it.
    Place place;
    std::string netns; ///< Path; empty for a tap.
    Wiring wiring = Wiring::netkit_l3;
    std::string why; ///< Why it is veth under mode = auto; empty otherwise.
    std::string device, host_device;
    std::uint32_t ifindex = 0; ///< Of the host's end.
    std::uint32_t mtu = 0;     ///< Of the guest's end, IP bytes.
    std::vector<kernel::IpPrefix> addresses;
    std::optional<kernel::Mac> mac;                              ///< Of the guest's end; none in L3.
    std::vector<std::pair<std::string, std::string>> attributes; ///< Of netkit as read back: {"scrub", "none"}.
    std::vector<std::string> ignored;                            ///< Asked for, but this kernel does not know it.
    bool masquerade = false;
    std::vector<Publish> publish;
    std::vector<RuleStatus> rules;
    std::vector<HookProgram> hooks; ///< All programs on its host's end, in order.
    std::uint64_t flows = 0;        ///< Directions of flows that it began or that were begun to it.
};

struct UplinkStatus {
    std::string name;
    std::uint32_t ifindex = 0;
    bool attached = true;
    std::optional<kernel::IpAddress> address4, address6; ///< What masquerade uses.
    std::uint32_t mtu = 0;
    std::vector<HookProgram> hooks; ///< tcx ingress.
};

struct Status {
    std::string file;                              ///< Config file it came from.
    std::chrono::system_clock::time_point since{}; ///< Of the last up().
    std::uint32_t generation = 0;                  ///< Counts changes of guests, rules, ports and uplinks.
    bool uplinks_auto = false;                     ///< Uplinks are those of the default routes.
    policy::Range<std::uint16_t> masquerade_ports;
    std::uint32_t flows = 0, flows_most = 0; ///< Directions of flows in the table, and its size.
    std::vector<UplinkStatus> uplinks;
    std::vector<GuestStatus> guests;                        ///< By slot.
    std::vector<std::pair<std::string, std::uint64_t>> odd; ///< BL_GUEST_R_* counters by name.
};

struct UpOptions {
    std::string file; ///< Shown by status.
};

/// What up() did.
struct UpReport {
    bool first = false;                                        ///< Nothing was up before.
    std::vector<std::string> added, removed, rewired, changed; ///< Names. rewired: its device was made anew.
    std::vector<std::string> warnings;                         ///< Things that will bite, each with its remedy.
};

/// The difference between settings and what is live.
struct Plan {
    bool live = false;
    std::vector<std::string> added, removed, rewired, changed; ///< Names of guests, as in UpReport.
    std::vector<std::string> uplinks_added, uplinks_removed;
    bool settings = false; ///< Masquerade's ports change.
    [[nodiscard]] bool empty() const {
        return live && added.empty() && removed.empty() && rewired.empty() && changed.empty() &&
               uplinks_added.empty() && uplinks_removed.empty() && !settings;
    }
};

/// What maintain() found to do.
struct Maintained {
    std::vector<std::string> gone;    ///< Guests whose namespace or device had vanished; they are cleaned away.
    std::vector<std::string> uplinks; ///< Uplinks that came, went or have other addresses.
    std::uint64_t flows_ended = 0, entries_expired = 0; ///< Of the sets.
    std::vector<std::string> warnings;
};

class [[nodiscard]] Guests {
public:
    /// pins: directory on a bpffs (config `pins`). Nothing is made or locked yet.
    [[nodiscard]] static Result<Guests> open(std::filesystem::path pins);

    /// True when guests are up below pins, whatever their version.
    [[nodiscard]] Result<bool> is_up() const;

    /// Makes the host's guests exactly these, besides those of add(): first time or reload. Rules of a guest that stays
    /// are swapped without touching its device; counters of rules that stay go on. A guest whose device, address,
    /// namespace or MTU is another one is wired anew. All or nothing; on an error the host is as it was.
    [[nodiscard]] Result<UpReport> up(const HostSettings &settings, const std::vector<Policy> &policies,
                                      const UpOptions &options = {});
    /// One more, which stays over every up() until remove(). Kind::conflict when the name is taken.
    [[nodiscard]] Result<GuestStatus> add(const Policy &policy);
    /// False: there was none of that name.
    [[nodiscard]] Result<bool> remove(const std::string &name);
    /// Removes all guests and everything else. Works on state of another version too. False: there was nothing.
    [[nodiscard]] Result<bool> down();

    [[nodiscard]] Result<Status> status() const;
    [[nodiscard]] Result<Plan> plan(const HostSettings &settings, const std::vector<Policy> &policies) const;

    /// What the daemon does once a second: removes guests whose namespace or device is gone, follows the uplinks'
    /// addresses, MTU and default routes, ends flows that are over. Nothing is up: does nothing.
    [[nodiscard]] Result<Maintained> maintain();

    /// The live programs, to be asked about packets; guests that come later are not known to it.
    [[nodiscard]] Result<Asker> asker() const { return Asker::of_live(pins_); }

    /// A set that guests' rules name. entry: text of one entry; lifetime: nothing means for ever. Adding again changes
    /// the lifetime. Flows are judged anew. Entries stay over every up() as long as some guest's rules name the set.
    [[nodiscard]] Result<> set_add(const std::string &set, const std::string &entry,
                                   std::optional<std::chrono::seconds> lifetime);
    /// False: it was not there.
    [[nodiscard]] Result<bool> set_del(const std::string &set, const std::string &entry);
    /// Entries that are past their time are left out.
    [[nodiscard]] Result<std::vector<live::SetEntry>> set_list(const std::string &set) const;
    /// Names of the sets, without those of long lists in rules.
    [[nodiscard]] Result<std::vector<std::string>> sets() const;

private:
    explicit Guests(std::filesystem::path pins) : pins_(std::move(pins)) {}
    std::filesystem::path pins_;
};

} // namespace beeline::guest
