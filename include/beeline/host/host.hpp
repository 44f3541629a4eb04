// SPDX-License-Identifier: Apache-2.0
//
// A host as a config file describes it: its edge, its guests and the short cut between its sockets together. The file
// is the whole truth: a part that it does not have is taken down, but guests that came by Guests::add() stay.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <beeline/config/config.hpp>
#include <beeline/edge/edge.hpp>
#include <beeline/guest/guest.hpp>
#include <beeline/local/local.hpp>
#include <beeline/result.hpp>

namespace beeline::host {

struct UpOptions {
    std::string file; ///< Shown by status.
    /// Keep the edge's old generation for a rollback until confirm(). The other parts have no such trial.
    std::optional<std::chrono::seconds> confirm;
};

/// What up() did. A part that the file does not have, and that was not up, is in none of it.
struct UpReport {
    std::optional<edge::UpReport> edge;
    std::optional<guest::UpReport> guests;
    std::optional<local::UpReport> local;
    bool edge_down = false, guests_down = false, local_down = false; ///< Taken down, as the file does not have it.
};

/// The difference between a config and what is live.
struct Plan {
    std::optional<edge::Plan> edge;    ///< There when the file has [edge].
    std::optional<guest::Plan> guests; ///< There when it has guests, or some came at run time.
    std::optional<local::Plan> local;  ///< There when it has [local].
    bool edge_down = false, guests_down = false, local_down = false; ///< Would be taken down.
    [[nodiscard]] bool live() const {
        return edge_down || guests_down || local_down || (edge && edge->live) || (guests && guests->live) ||
               (local && local->live);
    }
    [[nodiscard]] bool empty() const {
        return !edge_down && !guests_down && !local_down && (!edge || edge->empty()) && (!guests || guests->empty()) &&
               (!local || local->empty());
    }
};

/// Nothing: that part is not up.
struct Status {
    std::optional<edge::Status> edge;
    std::optional<guest::Status> guests;
    std::optional<local::Status> local;
    [[nodiscard]] bool nothing() const { return !edge && !guests && !local; }
    /// The config file of the last up(); empty: nothing is up.
    [[nodiscard]] std::string file() const {
        return edge ? edge->file : guests ? guests->file : local ? local->file : "";
    }
};

/// What down() took away.
struct Down {
    bool edge = false, guests = false, local = false;
};

class [[nodiscard]] Host {
public:
    /// pins: directory on a bpffs (config `pins`). Nothing is made or locked yet.
    [[nodiscard]] static Result<Host> open(const std::filesystem::path &pins);

    /// Kind::config when the file has none of the parts.
    [[nodiscard]] static Result<> check(const config::Config &config);
    /// Makes the host what the file says: first time or reload. All or nothing over all parts: whether [local] can be
    /// is asked first; then the edge is on trial until the guests are up, and is rolled back when they fail; [local]
    /// goes last, and what it may still fail for is want of memory. Two of these at a time are no accident of theirs:
    /// each part has its own lock, and the second one meets the edge's trial (Kind::conflict).
    [[nodiscard]] Result<UpReport> up(const config::Config &config, const UpOptions &options);
    [[nodiscard]] Result<Plan> plan(const config::Config &config) const;
    /// Takes all parts down, also when one of them fails. Kind::conflict when sockets hold unread bytes of the short
    /// cut (Local::down()).
    [[nodiscard]] Result<Down> down();
    [[nodiscard]] Result<Status> status() const;

    /// A set by its name, in every part whose rules name it: all of them or none. As of the parts' own functions.
    [[nodiscard]] Result<> set_add(const std::string &set, const std::string &entry,
                                   std::optional<std::chrono::seconds> lifetime);
    [[nodiscard]] Result<bool> set_del(const std::string &set, const std::string &entry);
    [[nodiscard]] Result<std::vector<live::SetEntry>> set_list(const std::string &set) const;

    [[nodiscard]] edge::Edge &edge() { return edge_; }
    [[nodiscard]] const edge::Edge &edge() const { return edge_; }
    [[nodiscard]] guest::Guests &guests() { return guests_; }
    [[nodiscard]] const guest::Guests &guests() const { return guests_; }
    [[nodiscard]] local::Local &local() { return local_; }
    [[nodiscard]] const local::Local &local() const { return local_; }

private:
    Host(edge::Edge edge, guest::Guests guests, local::Local local)
        : edge_(std::move(edge)), guests_(std::move(guests)), local_(std::move(local)) {}
    Result<> change_guests(const config::Config &config, const std::string &file, UpReport &report);
    Result<> change_others(const config::Config &config, const std::string &file, UpReport &report);
    edge::Edge edge_;
    guest::Guests guests_;
    local::Local local_;
};

} // namespace beeline::host
