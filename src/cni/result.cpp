// SPDX-License-Identifier: Apache-2.0
#include "cni/result.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <beeline/guest/parse.hpp>

namespace beeline::cni {
namespace {

/// "ips" of a result; an empty list where there is none.
const Json &ips_of(const Json &result) {
    static const Json none = Json::array();
    const auto found = result.find("ips");
    return found != result.end() && found->is_array() ? *found : none;
}

std::string text_of(const Json &object, const char *key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>()
                                                                             : std::string();
}

Json interfaces(const Request &request, const guest::GuestStatus &guest) {
    Json host = {{"name", guest.host_device}}, inside = {{"name", guest.device}, {"sandbox", request.netns}};
    // L3 devices have no address of their own; some runtimes want one all the same.
    inside["mac"] = guest.mac ? kernel::to_string(*guest.mac) : "00:00:00:00:00:00";
    if (request.version == "1.1.0")
        host["mtu"] = inside["mtu"] = guest.mtu;
    return Json::array({std::move(host), std::move(inside)});
}

} // namespace

Answer<> take_addresses(const Json &result, guest::Policy &policy) {
    for (const Json &ip : ips_of(result)) {
        const auto address = guest::read_address(text_of(ip, "address"));
        if (!address)
            return std::unexpected(failure(Code::config, address.error()));
        auto &place = address->address.v6 ? policy.address6 : policy.address4;
        if (place)
            return refuse(Code::unsupported_field,
                          fmt::format("IPAM gave a second {} address", address->address.v6 ? "IPv6" : "IPv4"),
                          "a guest has one of each family");
        place = *address;
    }
    if (!policy.address4 && !policy.address6)
        return refuse(Code::config, "the guest has no address", "ipam is missing, or gave none");
    return {};
}

Json add_result(const Request &request, const guest::GuestStatus &guest, const Json &ipam) {
    Json result = {{"cniVersion", request.version}, {"interfaces", interfaces(request, guest)}};
    Json ips = Json::array();
    for (Json ip : ips_of(ipam)) {
        ip["interface"] = 1;
        ip.erase("version");
        if (request.version.starts_with("0.")) // 0.3 and 0.4 name the family
            ip["version"] = text_of(ip, "address").find(':') == std::string::npos ? "4" : "6";
        ips.push_back(std::move(ip));
    }
    result["ips"] = std::move(ips);
    result["routes"] = ipam.contains("routes") ? ipam["routes"] : Json::array();
    if (ipam.contains("dns"))
        result["dns"] = ipam["dns"];
    else if (request.config.contains("dns"))
        result["dns"] = request.config["dns"];
    else
        result["dns"] = Json::object();
    return result;
}

Answer<> compare(const Request &request, const guest::GuestStatus &guest) {
    if (!guest.attached)
        return refuse(Code::host, fmt::format("{} is detached: its device or namespace is gone", guest.name));
    const Json previous = request.config.value("prevResult", Json::object());
    for (const Json &one : previous.value("interfaces", Json::array())) {
        const std::string name = text_of(one, "name");
        const bool inside = !text_of(one, "sandbox").empty();
        if (inside && name == request.attachment.device && name != guest.device)
            return refuse(Code::host, fmt::format("the interface is {} and not {}", guest.device, name));
    }
    for (const Json &ip : ips_of(previous)) {
        const auto address = guest::read_address(text_of(ip, "address"));
        const auto same = [&](const kernel::IpPrefix &there) { return address && there.address == address->address; };
        if (ip.value("interface", 1) == 1 && std::none_of(guest.addresses.begin(), guest.addresses.end(), same))
            return refuse(Code::host, fmt::format("the address {} is not there", text_of(ip, "address")));
    }
    return {};
}

Json error_result(const std::string &version, const Failure &failure) {
    Json result = {{"cniVersion", version.empty() ? versions().back() : version},
                   {"code", static_cast<unsigned>(failure.code)},
                   {"msg", failure.message}};
    if (!failure.details.empty())
        result["details"] = failure.details;
    return result;
}

Json version_result(const std::string &version) {
    return {{"cniVersion", version.empty() ? versions().back() : version}, {"supportedVersions", versions()}};
}

} // namespace beeline::cni
