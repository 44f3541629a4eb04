// SPDX-License-Identifier: Apache-2.0
#include "guest/record.hpp"

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/text_map.hpp>

#include "live/record.hpp"

namespace beeline::guest {
namespace {

using kernel::to_string; // of a Mac, which is an array
using nlohmann::json;

/// Thrown by readers, as nlohmann's own errors are, and caught with them.
template <class T>
T must(Result<T> value) {
    if (!value)
        throw json::other_error::create(501, value.error().message(), static_cast<json *>(nullptr));
    return *std::move(value);
}

template <class T>
json optional_text(const std::optional<T> &value) {
    return value ? json(to_string(*value)) : json(nullptr);
}
template <class T>
json optional_number(const std::optional<T> &value) {
    return value ? json(*value) : json(nullptr);
}
template <class T>
std::optional<T> read_number(const json &value) {
    return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}
std::optional<kernel::IpPrefix> read_prefix(const json &value) {
    return value.is_null() ? std::nullopt : std::optional(must(kernel::IpPrefix::parse(value.get<std::string>())));
}
std::optional<kernel::IpAddress> read_ip(const json &value) {
    return value.is_null() ? std::nullopt : std::optional(must(kernel::IpAddress::parse(value.get<std::string>())));
}
std::optional<kernel::Mac> read_mac(const json &value) {
    return value.is_null() ? std::nullopt : std::optional(must(kernel::parse_mac(value.get<std::string>())));
}

json to_json(const Asked &asked) {
    return {{"by", static_cast<int>(asked.place.by)},
            {"place", asked.place.name},
            {"device", asked.device},
            {"host_device", asked.host_device},
            {"mode", static_cast<int>(asked.mode)},
            {"address4", optional_text(asked.address4)},
            {"address6", optional_text(asked.address6)},
            {"gateway4", optional_text(asked.gateway4)},
            {"gateway6", optional_text(asked.gateway6)},
            {"mtu", optional_number(asked.mtu)},
            {"mac", optional_text(asked.mac)},
            {"headroom", optional_number(asked.headroom)},
            {"tailroom", optional_number(asked.tailroom)},
            {"scrub", asked.scrub}};
}

Asked asked_from(const json &record) {
    Asked asked;
    asked.place = {.by = static_cast<Place::By>(record.at("by").get<int>()), .name = record.at("place")};
    record.at("device").get_to(asked.device);
    record.at("host_device").get_to(asked.host_device);
    asked.mode = static_cast<Mode>(record.at("mode").get<int>());
    asked.address4 = read_prefix(record.at("address4"));
    asked.address6 = read_prefix(record.at("address6"));
    asked.gateway4 = read_ip(record.at("gateway4"));
    asked.gateway6 = read_ip(record.at("gateway6"));
    asked.mtu = read_number<std::uint32_t>(record.at("mtu"));
    asked.mac = read_mac(record.at("mac"));
    asked.headroom = read_number<std::uint16_t>(record.at("headroom"));
    asked.tailroom = read_number<std::uint16_t>(record.at("tailroom"));
    record.at("scrub").get_to(asked.scrub);
    return asked;
}

json to_json(const Wired &wired) {
    return {{"netns", wired.netns},
            {"netns_inode", wired.netns_inode},
            {"wiring", static_cast<int>(wired.wiring)},
            {"why", wired.why},
            {"ifindex", wired.ifindex},
            {"mtu", wired.mtu},
            {"mac", optional_text(wired.mac)},
            {"host_mac", optional_text(wired.host_mac)},
            {"attributes", wired.attributes},
            {"ignored", wired.ignored},
            {"carries_mark", wired.carries_mark}};
}

Wired wired_from(const json &record) {
    Wired wired;
    record.at("netns").get_to(wired.netns);
    record.at("netns_inode").get_to(wired.netns_inode);
    wired.wiring = static_cast<Wiring>(record.at("wiring").get<int>());
    record.at("why").get_to(wired.why);
    record.at("ifindex").get_to(wired.ifindex);
    record.at("mtu").get_to(wired.mtu);
    wired.mac = read_mac(record.at("mac"));
    wired.host_mac = read_mac(record.at("host_mac"));
    record.at("attributes").get_to(wired.attributes);
    record.at("ignored").get_to(wired.ignored);
    record.at("carries_mark").get_to(wired.carries_mark);
    return wired;
}

json to_json(const Ruled &ruled) {
    json record = {{"digest", ruled.digest},
                   {"open", ruled.open},
                   {"out_counter", ruled.out_counter},
                   {"in_counter", ruled.in_counter}};
    live::add_rules(ruled, record);
    return record;
}

Ruled ruled_from(const json &record) {
    Ruled ruled;
    live::read_rules(ruled, record);
    record.at("digest").get_to(ruled.digest);
    record.at("open").get_to(ruled.open);
    record.at("out_counter").get_to(ruled.out_counter);
    record.at("in_counter").get_to(ruled.in_counter);
    return ruled;
}

json to_json(const Record &record) {
    json publish = json::array();
    for (const Publish &one : record.publish)
        publish.push_back(to_text(one));
    return {{"abi", record.abi},
            {"name", record.name},
            {"slot", record.slot},
            {"runtime", record.runtime},
            {"asked", to_json(record.asked)},
            {"wired", to_json(record.wired)},
            {"ruled", to_json(record.ruled)},
            {"masquerade", record.masquerade},
            {"publish", std::move(publish)}};
}

void read_into(Record &record, const json &from) {
    record.name = from.at("name");
    record.slot = from.at("slot");
    record.runtime = from.at("runtime");
    record.asked = asked_from(from.at("asked"));
    record.wired = wired_from(from.at("wired"));
    record.ruled = ruled_from(from.at("ruled"));
    record.masquerade = from.at("masquerade");
    for (const json &one : from.at("publish"))
        record.publish.push_back(must(read_publish(one.get<std::string>())));
}

json to_json(const HostRecord &record) {
    return {{"abi", record.abi},     {"file", record.file},       {"since", record.since},
            {"netns", record.netns}, {"uplinks", record.uplinks}, {"flows", record.flows}};
}

void read_into(HostRecord &record, const json &from) {
    from.at("file").get_to(record.file);
    from.at("since").get_to(record.since);
    from.at("netns").get_to(record.netns);
    from.at("uplinks").get_to(record.uplinks);
    from.at("flows").get_to(record.flows);
}

template <class T>
Result<T> read(const char *pin, const std::filesystem::path &directory) {
    return live::read_record<T>(pin, directory, [](T &record, const json &from) { read_into(record, from); });
}

template <class T>
Result<> write(const T &record, const char *pin, const std::filesystem::path &directory) {
    return kernel::repin_text(pin, live::text_of(to_json(record)), directory / pin);
}

} // namespace

Asked asked_of(const Policy &policy) {
    return {.place = policy.place,
            .device = policy.device,
            .host_device = policy.host_device,
            .mode = policy.mode,
            .address4 = policy.address4,
            .address6 = policy.address6,
            .gateway4 = policy.gateway4,
            .gateway6 = policy.gateway6,
            .mtu = policy.mtu,
            .mac = policy.mac,
            .headroom = policy.headroom,
            .tailroom = policy.tailroom,
            .scrub = policy.scrub};
}

Result<> write_record(const HostRecord &record, const std::filesystem::path &directory) {
    return write(record, kHostPin, directory);
}

Result<> write_record(const Record &record, const std::filesystem::path &directory) {
    return write(record, kRecordPin, directory);
}

Result<HostRecord> read_host(const std::filesystem::path &directory) {
    return read<HostRecord>(kHostPin, directory);
}

Result<Record> read_guest(const std::filesystem::path &directory) {
    return read<Record>(kRecordPin, directory);
}

} // namespace beeline::guest
