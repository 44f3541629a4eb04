// SPDX-License-Identifier: Apache-2.0
//
// A host as a config file describes it: its edge and its guests together. The file is the whole truth: a part that it
// does not have is taken down, but guests that came by Guests::add() stay.
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
#include <beeline/result.hpp>

namespace beeline::host {

struct UpOptions {
    std::string file; ///< Shown by status.
    /// Keep the edge's old generation for a rollback until confirm(). Guests have no such trial.
    std::optional<std::chrono::seconds> confirm;
};

/// What up() did. A part that the file does not have, and that was not up, is in none of it.
struct UpReport {
    std::optional<edge::UpReport> edge;
    std::optional<guest::UpReport> guests;
    bool edge_down = false, guests_down = false; ///< Taken down, as the file does not have it.
};

/// The difference between a config and what is live.
struct Plan {
    std::optional<edge::Plan> edge;              ///< There when the file has [edge].
    std::optional<guest::Plan> guests;           ///< There when it has guests, or some came at run time.
    bool edge_down = false, guests_down = false; ///< Would be taken down.
    [[nodiscard]] bool live() const {
        return edge_down || guests_down || (edge && edge->live) || (guests && guests->live);
    }
    [[nodiscard]] bool empty() const {
        return !edge_down && !guests_down && (!edge || edge->empty()) && (!guests || guests->empty());
    }
};

/// Nothing: that part is not up.
struct Status {
    std::optional<edge::Status> edge;
    std::optional<guest::Status> guests;
};

/// What down() took away.
struct Down {
    bool edge = false, guests = false;
};

class [[nodiscard]] Host {
public:
    /// pins: directory on a bpffs (config `pins`). Nothing is made or locked yet.
    [[nodiscard]] static Result<Host> open(const std::filesystem::path &pins);

    /// Kind::config when the file has neither an edge nor guests.
    [[nodiscard]] static Result<> check(const config::Config &config);
    /// Makes the host what the file says: first time or reload. All or nothing over both parts: the edge is on trial
    /// until the guests are up, and is rolled back when they fail. Two of these at a time are no accident of theirs:
    /// each part has its own lock, and the second one meets the edge's trial (Kind::conflict).
    [[nodiscard]] Result<UpReport> up(const config::Config &config, const UpOptions &options);
    [[nodiscard]] Result<Plan> plan(const config::Config &config) const;
    /// Takes both parts down, also when one of them fails.
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

private:
    Host(edge::Edge edge, guest::Guests guests) : edge_(std::move(edge)), guests_(std::move(guests)) {}
    Result<> change_guests(const config::Config &config, const std::string &file, UpReport &report);
    edge::Edge edge_;
    guest::Guests guests_;
};

} // namespace beeline::host
