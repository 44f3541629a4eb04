// SPDX-License-Identifier: Apache-2.0
//
// The edge on this host: brought up, changed, looked at and taken down. All state is pinned below one directory; any
// process may do any of it, one at a time (the directory is locked meanwhile). Traffic never waits for any of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <beeline/edge/policy.hpp>
#include <beeline/edge/program.hpp>
#include <beeline/live/rule_plan.hpp>
#include <beeline/live/status.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

using live::HookProgram;
using live::RuleStatus;
using live::SetEntry;
using live::SetStatus;

/// A device that the edge is attached to.
struct DeviceStatus {
    std::string name;
    std::uint32_t ifindex = 0;
    Mode mode = Mode::native; ///< What it got: native, generic or offload.
    std::string why;          ///< Why not native under mode = auto; empty otherwise.
    bool attached = true;     ///< False: the device or the link is gone (the device was removed).
};

/// Where an AF_XDP socket has to be put to get what `xsk NAME` gives away: `map` is pinned, the index for receive queue
/// q is first + q. A reload that names it keeps it; the socket is out of the map when it is closed, or when the place
/// goes to another name.
struct XskStatus {
    std::string name;
    std::filesystem::path map;
    std::uint32_t first = 0;
    std::uint32_t queues = 0; ///< Queues from this one on are never asked for.
};

struct Status {
    std::uint32_t generation = 0;
    std::string file;                                       ///< Config file it came from.
    std::chrono::system_clock::time_point since{};          ///< When this generation went live.
    std::optional<std::chrono::seconds> rollback_in;        ///< Waiting for `confirm`.
    std::vector<DeviceStatus> devices;                      //
    std::vector<RuleStatus> rules;                          //
    std::vector<SetStatus> sets;                            //
    std::vector<XskStatus> xsks;                            //
    std::vector<std::pair<std::string, std::uint64_t>> odd; ///< BL_EDGE_R_* counters by name.
    std::vector<HookProgram> hooks;                         ///< All programs on our devices, in order.
};

struct UpOptions {
    std::string file;                            ///< Shown by status.
    std::optional<std::chrono::seconds> confirm; ///< Keep the old generation for a rollback until confirm().
};

/// What up() did.
struct UpReport {
    std::uint32_t generation = 0;
    bool first = false; ///< Nothing was up before.
    std::vector<DeviceStatus> devices;
    std::vector<std::string> warnings; ///< Things that will bite, each with its remedy.
};

/// The difference between a policy and what is live; empty vectors: no change.
struct Plan : live::RulePlan {
    bool live = false;
    std::vector<std::string> devices_added, devices_removed;
    [[nodiscard]] bool empty() const { return live && devices_added.empty() && devices_removed.empty() && no_change(); }
};

class [[nodiscard]] Edge {
public:
    /// pins: directory on a bpffs (config `pins`). Nothing is made or locked yet.
    [[nodiscard]] static Result<Edge> open(std::filesystem::path pins);

    /// True when an edge is up below pins, whatever its version.
    [[nodiscard]] Result<bool> is_up() const;

    /// Makes the host what the policy says: first time or reload. All or nothing; on an error the host is as it was.
    [[nodiscard]] Result<UpReport> up(const Policy &policy, const UpOptions &options);
    /// Drops the generation kept for a rollback. Kind::usage when none waits.
    [[nodiscard]] Result<> confirm();
    /// Back to the generation before, if `generation` is live and still waits; otherwise does nothing (false).
    [[nodiscard]] Result<bool> rollback(std::uint32_t generation);
    /// Detaches and removes everything. Works on state of another version too. False: there was nothing.
    [[nodiscard]] Result<bool> down();

    [[nodiscard]] Result<Status> status() const;
    [[nodiscard]] Result<Plan> plan(const Policy &policy) const;

    /// The live program with its rule texts, for explain and replay.
    struct Live {
        Program program;
        Kept kept;
        std::vector<std::string> texts;
        std::uint32_t generation = 0;
        std::vector<DeviceStatus> devices;
    };
    [[nodiscard]] Result<Live> live() const;

    /// entry: text of one entry. lifetime: nothing means for ever. Adding again changes the lifetime.
    [[nodiscard]] Result<> set_add(const std::string &set, const std::string &entry,
                                   std::optional<std::chrono::seconds> lifetime);
    /// False: it was not there.
    [[nodiscard]] Result<bool> set_del(const std::string &set, const std::string &entry);
    /// Does something with the set, and puts the entry back as it was when `then` fails: for whoever changes other
    /// parts' sets, too. `change` is set_add() or set_del() of this.
    [[nodiscard]] Result<> set_change(const std::string &set, const std::string &entry,
                                      const std::function<Result<>()> &change, const std::function<Result<>()> &then);
    /// Entries that are past their time are left out.
    [[nodiscard]] Result<std::vector<SetEntry>> set_list(const std::string &set) const;
    /// Names of the sets, without those of long lists in rules.
    [[nodiscard]] Result<std::vector<std::string>> sets() const;
    /// Removes entries past their time (they match nothing any more) from all sets; returns how many. The daemon calls
    /// this once a second.
    [[nodiscard]] Result<std::uint64_t> sweep();

private:
    explicit Edge(std::filesystem::path pins) : pins_(std::move(pins)) {}
    std::filesystem::path pins_;
};

} // namespace beeline::edge
