// SPDX-License-Identifier: Apache-2.0
//
// The verbs of the specification. All state is Beeline's own and IPAM's: the plugin keeps none.
#include "cni/verbs.hpp"

#include <set>

#include <fmt/format.h>

#include <beeline/guest/guest.hpp>

#include "cni/ipam.hpp"
#include "cni/result.hpp"

namespace beeline::cni {
namespace {

using guest::Guests;

Answer<Guests> open(const Request &request) {
    auto guests = Guests::open(request.pins);
    if (!guests)
        return std::unexpected(failure(Code::not_available, guests.error()));
    return *std::move(guests);
}

Answer<std::vector<guest::GuestStatus>> all(const Guests &guests) {
    const auto up = guests.is_up();
    if (!up)
        return std::unexpected(failure(Code::host, up.error()));
    if (!*up)
        return std::vector<guest::GuestStatus>();
    auto status = guests.status();
    if (!status)
        return std::unexpected(failure(Code::host, status.error()));
    return std::move(status->guests);
}

Answer<std::optional<guest::GuestStatus>> find(const Guests &guests, const std::string &name) {
    BL_TRY(auto there, all(guests));
    for (guest::GuestStatus &one : there)
        if (one.name == name)
            return std::optional(std::move(one));
    return std::optional<guest::GuestStatus>();
}

/// The first guest of a host brings up what all of them share.
Answer<> bring_up(Guests &guests, const Request &request) {
    const auto up = guests.is_up();
    if (!up)
        return std::unexpected(failure(Code::host, up.error()));
    if (*up)
        return {};
    BL_TRY(const guest::HostSettings settings, read_settings(request));
    if (const auto done = guests.up(settings, {}); !done)
        return std::unexpected(failure(Code::host, done.error()));
    return {};
}

Answer<Json> attach(const Request &request, const Json &ipam) {
    BL_TRY(guest::Policy policy, read_policy(request));
    BL_CHECK(take_addresses(ipam, policy));
    BL_TRY(Guests guests, open(request));
    BL_CHECK(bring_up(guests, request));
    const auto added = guests.add(policy);
    if (!added)
        return std::unexpected(failure(Code::host, added.error()));
    return add_result(request, *added, ipam);
}

Answer<Json> add(const Request &request, const Environment &environment) {
    if (request.config.contains("prevResult"))
        return refuse(Code::config, "this plugin makes the interface: it comes first in a list");
    BL_TRY(const Guests guests, open(request));
    BL_TRY(const auto there, find(guests, request.guest()));
    if (there)
        return refuse(
            Code::exists,
            fmt::format("container {} has {} already", request.attachment.container, request.attachment.device),
            "DEL first");
    BL_TRY(const Json ipam, call_ipam(request, environment, request.config));
    auto result = attach(request, ipam);
    if (!result) { // what IPAM gave out goes back; its own failure to take it would hide ours
        Request back = request;
        back.command = "DEL";
        (void)call_ipam(back, environment, request.config);
    }
    return result;
}

/// Idempotent, and complete: whatever is left of the attachment goes, and what is not there is no error.
Answer<Json> del(const Request &request, const Environment &environment) {
    BL_TRY(const Json ignored, call_ipam(request, environment, request.config));
    BL_TRY(Guests guests, open(request));
    if (const auto removed = guests.remove(request.guest()); !removed)
        return std::unexpected(failure(Code::host, removed.error()));
    return Json();
}

Answer<Json> check(const Request &request, const Environment &environment) {
    if (!request.config.contains("prevResult"))
        return refuse(Code::config, "CHECK without prevResult");
    BL_TRY(const Guests guests, open(request));
    BL_TRY(const auto there, find(guests, request.guest()));
    if (!there)
        return refuse(Code::unknown_container, fmt::format("container {} has no {} here", request.attachment.container,
                                                           request.attachment.device));
    BL_CHECK(compare(request, *there));
    BL_TRY(const Json ignored, call_ipam(request, environment, request.config));
    return Json();
}

/// Removes what the runtime does not know any more, and says so to IPAM. Goes on after an error, as it must.
Answer<Json> gc(const Request &request, const Environment &environment) {
    std::set<std::string> valid;
    for (const Json &one : request.config.value("cni.dev/valid-attachments", Json::array()))
        if (one.is_object())
            valid.insert(guest_name(request.network, {one.value("containerID", ""), one.value("ifname", "")}));
    BL_TRY(Guests guests, open(request));
    BL_TRY(const auto there, all(guests));
    std::optional<Failure> first;
    for (const guest::GuestStatus &one : there) {
        if (!one.name.starts_with(name_prefix(request.network)) || valid.contains(one.name))
            continue;
        if (const auto removed = guests.remove(one.name); !removed && !first)
            first = failure(Code::host, removed.error());
    }
    if (const auto called = call_ipam(request, environment, request.config); !called && !first)
        first = called.error();
    if (first)
        return std::unexpected(*std::move(first));
    return Json();
}

Answer<Json> status(const Request &request, const Environment &environment) {
    BL_TRY(const Guests guests, open(request));
    if (const auto up = guests.is_up(); !up)
        return std::unexpected(failure(Code::not_available, up.error()));
    const auto called = call_ipam(request, environment, request.config);
    // IPAM plugins of before 1.1.0 do not know the verb: that says nothing about their state.
    if (!called && called.error().code != Code::environment && called.error().code != Code::version)
        return std::unexpected(called.error());
    return Json();
}

Answer<Json> dispatch(const Request &request, const Environment &environment) {
    if (request.command == "ADD")
        return add(request, environment);
    if (request.command == "DEL")
        return del(request, environment);
    if (request.command == "CHECK")
        return check(request, environment);
    if (request.command == "GC")
        return gc(request, environment);
    return status(request, environment);
}

} // namespace

Outcome serve(const Environment &environment, const std::string &input) {
    // Even of a request that cannot be served the runtime wants the answer in its version.
    const Json config = Json::parse(input, nullptr, false);
    const std::string version = config.is_object() && config.contains("cniVersion") && config["cniVersion"].is_string()
                                    ? config["cniVersion"].get<std::string>()
                                    : std::string();
    const auto request = read_request(environment, input);
    if (!request)
        return {.output = error_result(version, request.error()).dump() + "\n", .failed = true};
    if (request->command == "VERSION")
        return {.output = version_result(version).dump() + "\n"};
    const auto answer = dispatch(*request, environment);
    if (!answer)
        return {.output = error_result(version, answer.error()).dump() + "\n", .failed = true};
    return {.output = answer->is_null() ? std::string() : answer->dump() + "\n"};
}

} // namespace beeline::cni
