// SPDX-License-Identifier: Apache-2.0
//
// What a container runtime asks of a CNI plugin (CNI specification 1.1.0): the environment and the network
// configuration on standard input.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <beeline/guest/policy.hpp>
#include <beeline/result.hpp>

namespace beeline::cni {

using Json = nlohmann::json;

/// Error codes of the specification; ours begin at 100.
enum class Code : std::uint8_t {
    version = 1,
    unsupported_field = 2,
    unknown_container = 3,
    environment = 4,
    io = 5,
    decode = 6,
    config = 7,
    try_again = 11,
    not_available = 50,
    host = 100, ///< The host or its kernel refused.
    exists = 101,
};

struct Failure {
    Code code = Code::host;
    std::string message;
    std::string details;
};

template <class T = void>
using Answer = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> refuse(Code code, std::string message, std::string details = {}) {
    return std::unexpected(Failure{code, std::move(message), std::move(details)});
}
/// An error of the library, told to the runtime.
[[nodiscard]] Failure failure(Code code, const Error &error);

/// The versions that are spoken, oldest first.
[[nodiscard]] const std::vector<std::string> &versions();

/// An attachment: one container's interface.
struct Attachment {
    std::string container;
    std::string device;
};

/// Attachments of a network are guests whose names begin so.
[[nodiscard]] std::string name_prefix(std::string_view network);
/// The guest that an attachment is; the same for every verb.
[[nodiscard]] std::string guest_name(std::string_view network, const Attachment &attachment);
/// The host's end of it.
[[nodiscard]] std::string host_device(std::string_view network, const Attachment &attachment);

using Environment = std::function<std::optional<std::string>(const char *name)>;

struct Request {
    std::string command;
    Attachment attachment;
    std::string netns; ///< Path; empty where the verb allows that.
    Json config;
    std::string version; ///< cniVersion of the configuration.
    std::string network; ///< name of the configuration.
    std::string pins;    ///< Directory on a bpffs.
    [[nodiscard]] std::string guest() const { return guest_name(network, attachment); }
};

/// Checks that everything that the verb needs is there and well formed. VERSION needs no configuration.
[[nodiscard]] Answer<Request> read_request(const Environment &environment, const std::string &input);

/// The guest that the configuration describes, but for its addresses. config: keys mode, mtu, rules, masquerade,
/// runtimeConfig.portMappings, runtimeConfig.mac.
[[nodiscard]] Answer<guest::Policy> read_policy(const Request &request);
/// uplinks of the configuration; only looked at when no guests are up yet.
[[nodiscard]] Answer<guest::HostSettings> read_settings(const Request &request);

} // namespace beeline::cni
