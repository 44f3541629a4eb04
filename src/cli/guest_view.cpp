// SPDX-License-Identifier: Apache-2.0
#include "cli/guest_view.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/address.hpp>

#include "cli/duration.hpp"

namespace beeline::cli {
namespace {

std::string joined(const std::vector<std::string> &words, const char *between = " ") {
    std::string text;
    for (const std::string &word : words)
        text += (text.empty() ? "" : between) + word;
    return text;
}

std::string addresses(const guest::GuestStatus &guest) {
    std::vector<std::string> texts;
    for (const kernel::IpPrefix &address : guest.addresses)
        texts.push_back(kernel::to_string(address));
    return joined(texts);
}

/// How the guest and the world meet: "masquerade, 8080:80".
std::string meets(const guest::GuestStatus &guest) {
    std::vector<std::string> words;
    if (guest.masquerade)
        words.emplace_back("masquerade");
    for (const guest::Publish &port : guest.publish)
        words.push_back(guest::to_text(port));
    return words.empty() ? "-" : joined(words, ", ");
}

std::string place(const guest::GuestStatus &guest) {
    constexpr std::array<const char *, 3> kWords = {"netns", "container", "tap"};
    return fmt::format("{} {}", kWords[static_cast<std::size_t>(guest.place.by)], guest.place.name);
}

/// What is out of the ordinary.
void print_notes(Output &out, const guest::GuestStatus &guest, const std::string &before) {
    if (!guest.attached)
        out.line(before + "gone: its device or namespace was removed (beeline run cleans it away)", Style::warning);
    if (!guest.why.empty())
        out.line(fmt::format("{}{}: {}", before, guest::name(guest.wiring), guest.why), Style::warning);
    for (const std::string &name : guest.ignored)
        out.line(fmt::format("{}this kernel does not know {}", before, name), Style::warning);
}

void add_rules(Table &table, const guest::GuestStatus &guest, bool named) {
    for (std::size_t i = 0; i < guest.rules.size(); ++i) {
        const guest::RuleStatus &rule = guest.rules[i];
        std::vector<std::string> row = {std::to_string(i + 1), grouped(rule.packets), grouped(rule.bytes),
                                        rule.line == 0 ? "" : std::to_string(rule.line), rule.text};
        if (named)
            row.insert(row.begin(), guest.name);
        table.rows.push_back(std::move(row));
    }
}

void print_rules(Output &out, const std::vector<guest::GuestStatus> &guests) {
    Table table{{{"guest"}, {"#", true}, {"packets", true}, {"bytes", true}, {"line", true}, {"rule"}}, {}};
    for (const guest::GuestStatus &guest : guests)
        add_rules(table, guest, true);
    if (table.rows.empty())
        return;
    out.line();
    out.table(table);
}

void print_uplinks(Output &out, const guest::Status &status) {
    Table table{{{"uplink"}, {"state"}, {"IPv4"}, {"IPv6"}, {"mtu", true}}, {}};
    const auto text = [](const std::optional<kernel::IpAddress> &address) {
        return address ? kernel::to_string(*address) : std::string("-");
    };
    for (const guest::UplinkStatus &uplink : status.uplinks)
        table.rows.push_back({uplink.name, uplink.attached ? "attached" : "gone", text(uplink.address4),
                              text(uplink.address6), std::to_string(uplink.mtu)});
    out.line();
    if (table.rows.empty())
        out.line("no uplinks: guests reach this host and each other only", Style::warning);
    else
        out.table(table);
}

void add_hooks(Table &table, const std::vector<guest::HookProgram> &hooks) {
    for (const guest::HookProgram &hook : hooks)
        table.rows.push_back({hook.device, hook.hook, hook.program, hook.ours ? "beeline" : "another's"});
}

void print_hooks(Output &out, Table table) {
    table.columns = {{"device"}, {"hook"}, {"program"}, {"whose"}};
    if (table.rows.empty())
        return;
    out.line();
    out.table(table);
}

} // namespace

std::string local_time(std::chrono::system_clock::time_point time) {
    const std::time_t at = std::chrono::system_clock::to_time_t(time);
    std::tm local{};
    localtime_r(&at, &local);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
    return text.data();
}

void print_odd(Output &out, const std::vector<std::pair<std::string, std::uint64_t>> &odd, bool all) {
    Table table{{{"odd"}, {"count", true}}, {}};
    for (const auto &[name, count] : odd)
        if (all || count != 0)
            table.rows.push_back({name, grouped(count)});
    if (table.rows.empty())
        return;
    out.line();
    out.table(table);
}

void print_guest_table(Output &out, const std::vector<guest::GuestStatus> &guests) {
    Table table{
        {{"guest"}, {"wiring"}, {"device"}, {"host device"}, {"address"}, {"mtu", true}, {"flows", true}, {"world"}},
        {}};
    for (const guest::GuestStatus &guest : guests)
        table.rows.push_back({guest.name + (guest.runtime ? "+" : ""), std::string(guest::name(guest.wiring)),
                              guest.device.empty() ? "-" : guest.device, guest.host_device, addresses(guest),
                              std::to_string(guest.mtu), grouped(guest.flows), meets(guest)});
    out.table(table);
    for (const guest::GuestStatus &guest : guests)
        print_notes(out, guest, guest.name + ": ");
    if (std::ranges::count(guests, true, &guest::GuestStatus::runtime) != 0)
        out.line("+ came at run time: it stays over every up until beeline guest del");
}

void print_guests(Output &out, const guest::Status &status, bool all) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - status.since);
    out.print("{} from {}, {} of {} flow entries", plural(status.guests.size(), "guest"), status.file,
              grouped(status.flows), grouped(status.flows_most));
    out.print("up since {} ({})", local_time(status.since), to_text(std::max(age, std::chrono::seconds(0))));
    if (!status.guests.empty()) {
        out.line();
        print_guest_table(out, status.guests);
    }
    print_rules(out, status.guests);
    print_uplinks(out, status);
    Table hooks;
    for (const guest::GuestStatus &guest : status.guests)
        add_hooks(hooks, guest.hooks);
    for (const guest::UplinkStatus &uplink : status.uplinks)
        add_hooks(hooks, uplink.hooks);
    print_hooks(out, std::move(hooks));
    print_odd(out, status.odd, all);
}

void print_guest(Output &out, const guest::GuestStatus &guest) {
    const auto line = [&out](const char *what, const std::string &text) {
        if (!text.empty())
            out.print("{:<12}{}", what, text);
    };
    line("guest", guest.name);
    line("from", guest.runtime ? "run time: it stays over every up until beeline guest del" : "the config file");
    line("place", place(guest));
    line("namespace", guest.netns);
    line("wiring", std::string(guest::name(guest.wiring)));
    line("device", guest.device);
    line("host device", fmt::format("{} (ifindex {})", guest.host_device, guest.ifindex));
    line("address", addresses(guest));
    line("mac", guest.mac ? kernel::to_string(*guest.mac) : "");
    line("mtu", std::to_string(guest.mtu));
    for (const auto &[name, value] : guest.attributes)
        line("netkit", name + " " + value);
    line("world", meets(guest));
    line("flows", grouped(guest.flows));
    print_notes(out, guest, "");
    Table rules{{{"#", true}, {"packets", true}, {"bytes", true}, {"line", true}, {"rule"}}, {}};
    add_rules(rules, guest, false);
    out.line();
    out.table(rules);
    Table hooks;
    add_hooks(hooks, guest.hooks);
    print_hooks(out, std::move(hooks));
}

} // namespace beeline::cli
