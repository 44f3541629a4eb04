// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <beeline/guest.h>
#include <beeline/guest/parse.hpp>
#include <beeline/rules/words.hpp>

#include "config/guest_section.hpp"
#include "config/sections.hpp"

namespace beeline::config {

namespace {

void read_uplinks(const Section &section, std::vector<std::string> &uplinks) {
    if (!section.has("uplinks"))
        return;
    const std::size_t said_before = section.document().diagnostics().size();
    const std::vector<rules::SourceString> names = section.one_or_more("uplinks");
    if (names.size() == 1 && names.front().text() == "auto")
        return;
    if (names.empty() && section.document().diagnostics().size() == said_before)
        section.error("uplinks", "'uplinks' is empty", "expected \"auto\" or devices, for example [\"eth0\"]");
    for (const rules::SourceString &name : names) {
        if (const auto good = policy::check_device(name.text()); !good)
            section.error(name, good.error().what, good.error().remedy);
        else if (std::find(uplinks.begin(), uplinks.end(), name.text()) != uplinks.end())
            section.error(name, fmt::format("{} twice in 'uplinks'", rules::in_quotes(name.text())));
        else
            uplinks.push_back(name.text());
    }
    if (uplinks.size() > BL_GUEST_MAX_UPLINKS)
        section.error("uplinks", fmt::format("{} uplinks", uplinks.size()),
                      fmt::format("at most {}", BL_GUEST_MAX_UPLINKS));
}

} // namespace

guest::HostSettings read_guest_settings(const Section &section) {
    guest::HostSettings settings;
    section.only({"uplinks", "masquerade_ports", "flows"});
    read_uplinks(section, settings.uplinks);
    if (const auto text = section.string("masquerade_ports")) {
        const auto ports = rules::read_interval(text->text(), {1, 65535}, {});
        if (ports)
            settings.masquerade_ports = {static_cast<std::uint16_t>(ports->low),
                                         static_cast<std::uint16_t>(ports->high)};
        else
            section.error(*text, ports.error().what,
                          rules::joined(ports.error().remedy, "for example masquerade_ports = \"61000-65535\""));
    }
    if (const auto flows = section.integer("flows", {guest::kMinFlows, guest::kMaxFlows}))
        settings.flows = static_cast<std::uint32_t>(*flows);
    return settings;
}

std::vector<guest::Policy> read_guests(const Section &file, const std::vector<policy::Set> &sets,
                                       const guest::HostSettings &settings) {
    std::vector<guest::Policy> guests;
    Taken taken;
    for (const toml::table *table : file.tables("guest")) {
        const Section section(file.document(), *table, "[[guest]]");
        if (guests.size() == BL_GUEST_MAX) {
            section.error("", fmt::format("more than {} guests", BL_GUEST_MAX));
            break;
        }
        guests.push_back(read_guest(section, sets, settings, taken));
    }
    if (taken.ports.size() > BL_GUEST_MAX_PORTS)
        file.error("guest", fmt::format("{} published ports", taken.ports.size()),
                   fmt::format("at most {}", BL_GUEST_MAX_PORTS));
    return guests;
}

} // namespace beeline::config
