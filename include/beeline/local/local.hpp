// SPDX-License-Identifier: Apache-2.0
//
// The short cut between sockets of this host. Its programs, maps and links are pinned below one directory; any process
// may do any of this, one at a time (the directory is locked meanwhile). Connections that are on the short cut stay
// there by themselves; a connection enters it, and edge-triggered readers are told of what came by TCP, when somebody
// runs a Tender, which is the daemon's business.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <beeline/kernel/address.hpp>
#include <beeline/live/rule_plan.hpp>
#include <beeline/live/status.hpp>
#include <beeline/local.h>
#include <beeline/local/policy.hpp>
#include <beeline/result.hpp>

namespace beeline::local {

struct UpOptions {
    std::string file; ///< Shown by status.
};

struct UpReport {
    bool first = false;   ///< Nothing was up before.
    bool changed = false; ///< Rules or settings are others now.
};

/// The difference between a policy and what is live.
struct Plan : live::RulePlan {
    bool live = false;
    bool settings = false; ///< limit, lowat or trusted change.
    [[nodiscard]] bool empty() const { return live && !settings && no_change(); }
};

struct Rule {
    std::string text;
    std::uint32_t line = 0;
    std::uint64_t connections = 0; ///< It chose so many, ever.
    std::uint64_t short_bytes = 0, short_messages = 0;
    std::uint64_t tcp_bytes = 0, tcp_messages = 0; ///< While both ends were able to use the short cut.
};

/// One end of a connection; numbers are of what it sent.
struct End {
    bool here = false;
    bool active = false; ///< It connected.
    bool filed = false;  ///< In the sockhash.
    std::uint64_t cookie = 0;
    kernel::IpAddress local, remote;
    std::uint16_t local_port = 0, remote_port = 0;
    std::uint32_t uid = 0;
    std::uint32_t pid = 0; ///< Of the process that read it; 0: not known.
    std::string process;   ///< Its name; empty: not known.
    std::uint32_t rule = BL_LOCAL_NO_RULE;
    std::uint64_t short_bytes = 0, short_messages = 0, tcp_bytes = 0, tcp_messages = 0;
};

enum class State : std::uint8_t { half, watched, wanted, on, tcp };
inline constexpr std::size_t kStates = 5;
[[nodiscard]] std::string_view name(State state);

struct Connection {
    State state = State::half;
    std::string reason;                    ///< With State::tcp.
    std::uint32_t rule = BL_LOCAL_NO_RULE; ///< That chose it.
    std::chrono::nanoseconds since{};      ///< CLOCK_MONOTONIC.
    std::array<End, 2> ends;
};

/// What connections are judged by (docs/local.md).
struct Thresholds {
    std::uint32_t run_length = 0;   ///< So many sends without an answer...
    std::uint32_t min_mean = 0;     ///< ...with a mean below so many bytes: TCP for good.
    std::uint32_t min_turns = 0;    ///< Proven after so many answers...
    std::uint32_t min_receives = 0; ///< ...or so many reads.
};

struct Status {
    std::string file;
    std::chrono::system_clock::time_point since{};
    bool draining = false;
    std::uint64_t limit = 0;
    std::uint32_t lowat = 0;
    Thresholds thresholds;
    std::vector<Rule> rules;
    std::vector<std::pair<std::string, std::uint64_t>> reasons; ///< BL_LOCAL_R_* by name; no zeros.
    std::array<std::uint64_t, kStates> by_state{};              ///< Connections.
    std::vector<Connection> connections;
};

/// What one run of the Tender did.
struct Tended {
    std::uint64_t programs = 0;        ///< Program files looked at.
    std::uint64_t filed = 0;           ///< Ends that entered...
    std::uint64_t left = 0;            ///< ...and that left.
    std::uint64_t waiting = 0;         ///< Ends that are to enter or leave as soon as they are read empty.
    std::uint64_t ends = 0;            ///< In the sockhash now.
    std::uint64_t woken = 0;           ///< Readers told again of what TCP has for them.
    std::vector<std::string> splicers; ///< Program files that were found to be able to splice,
    std::vector<std::string> counters; ///< and others that may ask FIONREAD.
};

/// Whether this host can have it: Kind::unsupported, or what require_bpffs() says.
[[nodiscard]] Result<> possible(const std::filesystem::path &pins);

class [[nodiscard]] Local {
public:
    /// pins: directory on a bpffs (config `pins`). Nothing is made or locked yet.
    [[nodiscard]] static Result<Local> open(std::filesystem::path pins);

    [[nodiscard]] Result<bool> is_up() const;
    /// First time or reload. Established connections of the first time are left alone; a reload sends those back to TCP
    /// that no rule chooses any more. On an error the host is as it was.
    [[nodiscard]] Result<UpReport> up(const Policy &policy, const UpOptions &options = {});
    /// Fails as up() would, short of what the kernel refuses to make; changes nothing.
    [[nodiscard]] Result<Plan> plan(const Policy &policy) const;
    /// Nothing is redirected any more; sockets leave as their programs have read what was; then everything is removed.
    /// Fails with Kind::conflict when that took longer than patience: what is left drains on, and down() may be called
    /// again. False: there was nothing.
    [[nodiscard]] Result<bool> down(std::chrono::milliseconds patience = std::chrono::seconds(10));
    [[nodiscard]] Result<Status> status() const;

private:
    explicit Local(std::filesystem::path pins) : pins_(std::move(pins)) {}
    std::filesystem::path pins_;
};

/// Lets proven connections onto the short cut, and off it again.
class [[nodiscard]] Tender {
public:
    /// Kind::state when nothing is up below pins.
    [[nodiscard]] static Result<Tender> open(const std::filesystem::path &pins);
    Tender(Tender &&) noexcept;
    Tender &operator=(Tender &&) noexcept;
    ~Tender();

    /// False: what it tends was taken down, or is another one now. It is of no use any more then.
    [[nodiscard]] bool current() const;
    /// Readable when there is something to do.
    [[nodiscard]] int fd() const;
    /// Does what there is to do. Call it when fd() is readable, when `waiting` was not 0 some milliseconds later, and
    /// once a second: events may have been lost. Takes at most a fifth of a CPU's time: what is put off for that
    /// counts as waiting.
    [[nodiscard]] Result<Tended> tend();

private:
    struct State;
    explicit Tender(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace beeline::local
