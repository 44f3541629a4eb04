// SPDX-License-Identifier: Apache-2.0
#include "cli/local_view.hpp"

#include <algorithm>
#include <chrono>

#include <beeline/kernel/address.hpp>

#include "cli/duration.hpp"
#include "cli/guest_view.hpp"

namespace beeline::cli {
namespace {

std::string rule_number(std::uint32_t rule) {
    return rule == BL_LOCAL_NO_RULE ? "-" : std::to_string(rule + 1);
}

std::string place(const kernel::IpAddress &address, std::uint16_t port) {
    return address.v6 ? fmt::format("[{}]:{}", kernel::to_string(address), port)
                      : fmt::format("{}:{}", kernel::to_string(address), port);
}

/// "10.0.0.1:4000 psql(812)"
std::string end_text(const local::End &end, const local::End &other) {
    if (!end.here) // the first one that came knows where the other is
        return place(other.remote, other.remote_port);
    return place(end.local, end.local_port) + (end.process.empty() ? "" : fmt::format(" {}({})", end.process, end.pid));
}

/// "watched 3, on 12"
std::string states(const local::Status &status) {
    std::string text;
    for (std::size_t i = 0; i < local::kStates; ++i)
        if (status.by_state.at(i) != 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(status.by_state.at(i)),
                                local::name(static_cast<local::State>(i)));
    return text.empty() ? "none" : text;
}

void print_rules(Output &out, const local::Status &status) {
    Table table{{{"#", true},
                 {"connections", true},
                 {"short messages", true},
                 {"short bytes", true},
                 {"TCP messages", true},
                 {"TCP bytes", true},
                 {"line", true},
                 {"rule"}},
                {}};
    for (std::size_t i = 0; i < status.rules.size(); ++i) {
        const local::Rule &rule = status.rules[i];
        table.rows.push_back({std::to_string(i + 1), grouped(rule.connections), grouped(rule.short_messages),
                              grouped(rule.short_bytes), grouped(rule.tcp_messages), grouped(rule.tcp_bytes),
                              rule.line == 0 ? "" : std::to_string(rule.line), rule.text});
    }
    out.line();
    out.table(table);
}

} // namespace

void print_local(Output &out, const local::Status &status) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - status.since);
    out.print("[local] from {}, connections: {}", status.file, states(status));
    out.print("up since {} ({})", local_time(status.since), to_text(std::max(age, std::chrono::seconds(0))));
    out.print("proven after {} answers or {} reads; small: {} sends in a row below {} bytes; limit {} unread bytes",
              status.thresholds.min_turns, status.thresholds.min_receives, status.thresholds.run_length,
              grouped(status.thresholds.min_mean), grouped(status.limit));
    if (status.draining)
        out.line("going down: sockets hold bytes that their programs have not read yet", Style::warning);
    if (status.by_state[static_cast<std::size_t>(local::State::on)] != 0)
        out.line("tcpdump, ss and nftables do not see what takes the short cut (up --no-accelerate ADDRESS shows it)");
    print_rules(out, status);
    Table reasons{{{"on TCP because of"}, {"count", true}}, {}};
    for (const auto &[name, count] : status.reasons)
        reasons.rows.push_back({name, grouped(count)});
    if (reasons.rows.empty())
        return;
    out.line();
    out.table(reasons);
}

void print_connections(Output &out, const std::vector<local::Connection> &connections) {
    Table table{{{"state"},
                 {"why"},
                 {"rule", true},
                 {"from"},
                 {"to"},
                 {"short bytes", true},
                 {"back", true},
                 {"TCP bytes", true},
                 {"back", true}},
                {}};
    for (const local::Connection &connection : connections) {
        const bool turned = connection.ends[1].active;
        const local::End &from = connection.ends[turned ? 1 : 0], &to = connection.ends[turned ? 0 : 1];
        table.rows.push_back({std::string(local::name(connection.state)),
                              connection.reason.empty() ? "-" : connection.reason, rule_number(connection.rule),
                              end_text(from, to), end_text(to, from), grouped(from.short_bytes),
                              grouped(to.short_bytes), grouped(from.tcp_bytes), grouped(to.tcp_bytes)});
    }
    out.table(table);
}

} // namespace beeline::cli
