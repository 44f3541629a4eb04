// SPDX-License-Identifier: Apache-2.0
#include "config/guest_section.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <beeline/guest/parse.hpp>
#include <beeline/rules/words.hpp>

#include "config/sections.hpp"

namespace beeline::config {

namespace {

using guest::Mode;
using guest::Place;
using rules::SourceString;

class Reader {
public:
    Reader(const Section &section, const guest::HostSettings &settings, Taken &taken)
        : section_(section), settings_(settings), taken_(taken) {}

    guest::Policy read(const std::vector<policy::Set> &sets) {
        section_.only({"name", "netns", "container", "tap", "device", "host_device", "address", "gateway", "mode",
                       "mtu", "mac", "headroom", "tailroom", "scrub", "masquerade", "publish", "rules"});
        name();
        place();
        host_device();
        addresses();
        gateways();
        link();
        policy_.masquerade = section_.boolean("masquerade").value_or(false);
        for (const SourceString &text : section_.strings("publish"))
            publish(text);
        rules(sets);
        return std::move(policy_);
    }

private:
    void error(const SourceString &where, const Error &wrong) { section_.error(where, wrong.what, wrong.remedy); }

    /// A key that says what this guest cannot have.
    void refuse(std::string_view key, std::string_view why) {
        if (section_.has(key))
            section_.error(key, fmt::format("'{}' {}", key, why), "leave it out");
    }

    /// Notes that something is this guest's; the name of the guest that has it already, or null.
    const std::string *take(std::map<std::string, std::string> &what, const std::string &key) {
        const auto [at, fresh] = what.try_emplace(key, policy_.name);
        return fresh ? nullptr : &at->second;
    }

    void name() {
        const auto name = section_.string("name");
        if (!name) {
            if (!section_.has("name"))
                section_.error("name", "[[guest]] has no name", "for example: name = \"web\"");
            return;
        }
        policy_.name = name->text();
        policy_.where = name->span(0, name->text().size());
        if (const auto good = guest::check_name(policy_.name); !good)
            error(*name, good.error());
        else if (take(taken_.names, policy_.name) != nullptr)
            section_.error(*name, fmt::format("a second guest {}", rules::in_quotes(policy_.name)));
        else
            named_ = true;
    }

    void place() {
        constexpr std::pair<std::string_view, Place::By> kKeys[] = {
            {"netns", Place::By::netns}, {"container", Place::By::container}, {"tap", Place::By::tap}};
        std::size_t there = 0;
        for (const auto &[key, by] : kKeys) {
            if (!section_.has(key))
                continue;
            if (++there > 1)
                section_.error(key, fmt::format("'{}' beside another place", key),
                               "a guest is one of netns, container, tap");
            const auto value = section_.string(key);
            if (!value)
                continue;
            policy_.place = {by, value->text()};
            if (const auto good = guest::check_place(policy_.place); !good)
                error(*value, good.error());
        }
        if (there == 0)
            section_.error("netns", "[[guest]] does not say where it is",
                           "one of netns = \"NAME or path\", container = \"NAME or id\", tap = \"DEVICE\"");
        if (policy_.place.by == Place::By::tap) {
            policy_.device.clear();
            for (const std::string_view key : {"device", "host_device", "mode", "headroom", "tailroom", "scrub"})
                refuse(key, "is not for a tap, which is there already");
            return;
        }
        if (const auto device = section_.string("device")) {
            policy_.device = device->text();
            if (const auto good = policy::check_device(policy_.device); !good)
                error(*device, good.error());
        }
        if (there != 1 || policy_.place.name.empty())
            return;
        const std::string key = std::to_string(static_cast<int>(policy_.place.by)) + " " + namespace_name() + " ";
        if (const std::string *other = take(taken_.places, key + policy_.device))
            section_.error(policy_.place.by == Place::By::netns ? "netns" : "container",
                           fmt::format("guest {} is there under the device {}, too", rules::in_quotes(*other),
                                       rules::in_quotes(policy_.device)),
                           "give one of them another device");
    }

    /// `ip netns` keeps its names below /run/netns.
    [[nodiscard]] std::string namespace_name() const {
        std::string_view name = policy_.place.name;
        for (const std::string_view folder : {"/run/netns/", "/var/run/netns/"})
            if (policy_.place.by == Place::By::netns && name.starts_with(folder))
                name.remove_prefix(folder.size());
        return std::string(name);
    }

    void host_device() {
        const bool tap = policy_.place.by == Place::By::tap;
        policy_.host_device = tap ? policy_.place.name : guest::host_device_of(policy_.name);
        if (const auto device = section_.string("host_device"); device && !tap) {
            policy_.host_device = device->text();
            if (const auto good = policy::check_device(policy_.host_device); !good)
                return error(*device, good.error());
        }
        if (!named_ || policy_.host_device.empty()) // said already
            return;
        if (const std::string *other = take(taken_.host_devices, policy_.host_device))
            section_.error(tap ? "tap" : "host_device",
                           fmt::format("the host's device {} is that of guest {}, too",
                                       rules::in_quotes(policy_.host_device), rules::in_quotes(*other)),
                           tap ? "" : "write another name: host_device = \"...\"");
    }

    void addresses() {
        const std::size_t said_before = section_.document().diagnostics().size();
        const std::vector<SourceString> texts = section_.one_or_more("address");
        if (texts.empty() && section_.document().diagnostics().size() == said_before)
            section_.error("address", "[[guest]] has no address", "for example: address = \"10.88.0.2/24\"");
        for (const SourceString &text : texts) {
            const auto address = guest::read_address(text.text());
            if (!address) {
                error(text, address.error());
                continue;
            }
            auto &field = address->address.v6 ? policy_.address6 : policy_.address4;
            if (field)
                section_.error(text, fmt::format("a second {} address", address->address.v6 ? "IPv6" : "IPv4"),
                               "a guest has at most one of each family");
            else if (const std::string *other = take(taken_.addresses, kernel::to_string(address->address)))
                section_.error(text, fmt::format("{} is the address of guest {}, too",
                                                 kernel::to_string(address->address), rules::in_quotes(*other)));
            field = *address;
        }
    }

    void gateways() {
        for (const SourceString &text : section_.one_or_more("gateway")) {
            const auto gateway = guest::read_gateway(text.text());
            if (!gateway) {
                error(text, gateway.error());
                continue;
            }
            const std::string_view family = gateway->v6 ? "IPv6" : "IPv4";
            const auto &own = gateway->v6 ? policy_.address6 : policy_.address4;
            auto &field = gateway->v6 ? policy_.gateway6 : policy_.gateway4;
            if (field)
                section_.error(text, fmt::format("a second {} gateway", family), "there is one for each address");
            else if (!own)
                section_.error(text, fmt::format("an {} gateway without an {} address", family, family));
            else if (own->address == *gateway)
                section_.error(text, "the gateway is the guest itself");
            field = *gateway;
        }
    }

    void link() {
        if (const auto mode = section_.choice("mode", {"auto", "netkit-l3", "netkit-l2", "veth"}))
            policy_.mode = static_cast<Mode>(*mode);
        if (const auto mtu = section_.integer("mtu", {guest::kMinMtu, guest::kMaxMtu}))
            policy_.mtu = static_cast<std::uint32_t>(*mtu);
        if (const auto room = section_.integer("headroom", {0, 65535}))
            policy_.headroom = static_cast<std::uint16_t>(*room);
        if (const auto room = section_.integer("tailroom", {0, 65535}))
            policy_.tailroom = static_cast<std::uint16_t>(*room);
        policy_.scrub = section_.boolean("scrub").value_or(policy_.scrub);
        if (const auto text = section_.string("mac"))
            mac(*text);
        else if (policy_.place.by == Place::By::tap && !section_.has("mac"))
            section_.error("tap", "a tap without the 'mac' of its machine",
                           "frames go to it by that address; for example mac = \"52:54:00:12:34:56\"");
        if (policy_.mode == Mode::veth && policy_.place.by != Place::By::tap)
            for (const std::string_view key : {"headroom", "tailroom", "scrub"})
                refuse(key, "is for netkit, not for veth");
    }

    void mac(const SourceString &text) {
        const auto mac = rules::read_mac(text.text());
        if (!mac)
            return error(text, mac.error());
        const bool zero = *mac == rules::Mac{};
        if (zero || ((*mac)[0] & 1) != 0)
            return section_.error(
                text,
                fmt::format("{} is {}", rules::in_quotes(text.text()), zero ? "no address" : "a multicast address"),
                "a device has one of its own, for example 02:00:5e:10:00:01");
        if (policy_.place.by != Place::By::tap && (policy_.mode == Mode::automatic || policy_.mode == Mode::netkit_l3))
            return section_.error(text, "a MAC address, but netkit in L3 mode has none",
                                  "write mode = \"netkit-l2\" or \"veth\"");
        policy_.mac = *mac;
    }

    void publish(const SourceString &text) {
        const auto read = guest::read_publish(text.text());
        if (!read)
            return error(text, read.error());
        if (read->address && !(read->address->v6 ? policy_.address6 : policy_.address4))
            return section_.error(text,
                                  fmt::format("{} is published, but the guest has no {} address",
                                              kernel::to_string(*read->address), read->address->v6 ? "IPv6" : "IPv4"));
        const auto &own = settings_.masquerade_ports;
        if (read->host_port >= own.low && read->host_port <= own.high)
            return section_.error(text, fmt::format("the host's port {} is one of masquerade_ports", read->host_port),
                                  fmt::format("these are {}-{}; change them in [guests]", own.low, own.high));
        for (const auto &[other, whose] : taken_.ports)
            if (guest::overlap(*read, other))
                return section_.error(text,
                                      fmt::format("guest {} has published {}", rules::in_quotes(whose),
                                                  rules::in_quotes(guest::to_text(other))),
                                      "one port of the host leads to one guest");
        taken_.ports.emplace_back(*read, policy_.name);
        policy_.publish.push_back(*read);
    }

    void rules(const std::vector<policy::Set> &sets) {
        policy::ParsedRules parsed =
            guest::parse_rules(section_.strings("rules"), sets, section_.document().diagnostics());
        policy_.rules = std::move(parsed.rules);
        policy_.sets = sets_of(policy_.rules, sets);
        std::move(parsed.sets.begin(), parsed.sets.end(), std::back_inserter(policy_.sets));
    }

    const Section &section_;
    const guest::HostSettings &settings_;
    Taken &taken_;
    guest::Policy policy_;
    bool named_ = false; ///< By a name of its own.
};

} // namespace

guest::Policy read_guest(const Section &section, const std::vector<policy::Set> &sets,
                         const guest::HostSettings &settings, Taken &taken) {
    return Reader(section, settings, taken).read(sets);
}

} // namespace beeline::config
