// SPDX-License-Identifier: Apache-2.0
#include "cni/request.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <beeline/kernel/pin_dir.hpp>

namespace beeline::cni {
namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Specification, "Network configuration format": what may stand in names and ids.
bool well_formed(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || c == '_' || c == '.' || c == '-'; });
}

/// What dev_valid_name() of the kernel takes, and no colon.
bool device_name(std::string_view text) {
    return !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == '/' || c == ':'; });
}

Answer<std::string> variable(const Environment &environment, const char *name) {
    auto value = environment(name);
    if (!value || value->empty())
        return refuse(Code::environment, fmt::format("{} is not set", name), "a container runtime sets it");
    return *std::move(value);
}

Answer<> read_config(const std::string &input, Request &request) {
    request.config = Json::parse(input, nullptr, false);
    if (!request.config.is_object())
        return refuse(Code::decode, "the network configuration on standard input is no JSON object");
    const Json &config = request.config;
    if (config.contains("cniVersion") && !config["cniVersion"].is_string())
        return refuse(Code::decode, "cniVersion is no text");
    request.version = config.value("cniVersion", "0.1.0");
    const auto &known = versions();
    if (std::find(known.begin(), known.end(), request.version) == known.end())
        return refuse(Code::version, fmt::format("cniVersion {} is not spoken here", request.version),
                      fmt::format("one of {}", fmt::join(known, ", ")));
    if (!config.contains("name") || !config["name"].is_string() || !well_formed(config["name"].get<std::string>()))
        return refuse(Code::config, "name of the network is missing or malformed",
                      "a letter or digit, then letters, digits, '_', '.' and '-'");
    request.network = config["name"];
    if (config.contains("pins") && !config["pins"].is_string())
        return refuse(Code::config, "pins is no text", "a directory on a bpffs");
    request.pins = config.value("pins", std::string(kernel::kDefaultPinRoot));
    return {};
}

Answer<> read_attachment(const Environment &environment, Request &request) {
    BL_TRY(auto container, variable(environment, "CNI_CONTAINERID"));
    BL_TRY(auto device, variable(environment, "CNI_IFNAME"));
    if (!well_formed(container))
        return refuse(Code::environment, fmt::format("CNI_CONTAINERID '{}' is malformed", container));
    if (!device_name(device))
        return refuse(Code::environment, fmt::format("CNI_IFNAME '{}' cannot be a device", device),
                      "at most 15 bytes, no blank, '/' or ':'");
    request.attachment = {std::move(container), std::move(device)};
    request.netns = environment("CNI_NETNS").value_or("");
    if (request.netns.empty() && request.command != "DEL")
        return refuse(Code::environment, "CNI_NETNS is not set");
    return {};
}

} // namespace

Failure failure(Code code, const Error &error) {
    return {.code = error.kind == Kind::conflict && code == Code::host ? Code::exists : code,
            .message = error.what,
            .details = error.remedy};
}

const std::vector<std::string> &versions() {
    static const std::vector<std::string> all{"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
    return all;
}

Answer<Request> read_request(const Environment &environment, const std::string &input) {
    Request request;
    BL_TRY(auto command, variable(environment, "CNI_COMMAND"));
    request.command = std::move(command);
    if (!one_of(request.command, {"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"}))
        return refuse(Code::environment, fmt::format("unknown CNI_COMMAND '{}'", request.command),
                      "ADD, DEL, CHECK, GC, STATUS or VERSION");
    if (request.command == "VERSION")
        return request;
    BL_CHECK(read_config(input, request));
    if (request.command == "CHECK" && request.version.starts_with("0.3"))
        return refuse(Code::version, "CHECK came with 0.4.0 of the specification");
    if (one_of(request.command, {"GC", "STATUS"}) && request.version != "1.1.0")
        return refuse(Code::version, request.command + " came with 1.1.0 of the specification");
    if (one_of(request.command, {"ADD", "DEL", "CHECK"}))
        BL_CHECK(read_attachment(environment, request));
    return request;
}

} // namespace beeline::cni
