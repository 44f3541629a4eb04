// SPDX-License-Identifier: Apache-2.0
#include "daemon/client.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/format.h>
#include <httplib.h>

#include <beeline/kernel/fd.hpp>

#include "daemon/json.hpp"

namespace beeline::daemon {
namespace {

/// A reload of a large policy takes a while.
constexpr std::time_t kAnswerSeconds = 30;

/// Why connecting fails, which httplib does not tell; 0 when it works.
int connect_error(const std::string &path) {
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path)
        return ENAMETOOLONG;
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    const kernel::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() || connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return errno;
    return 0;
}

} // namespace

Result<Json> Client::get(const std::string &path) const {
    return request("GET", path, "");
}
Result<Json> Client::post(const std::string &path, const Json &body) const {
    return request("POST", path, body.dump());
}
Result<Json> Client::post(const std::string &path) const {
    return request("POST", path, "");
}
Result<Json> Client::remove(const std::string &path) const {
    return request("DELETE", path, "");
}

bool Client::reachable() const {
    return connect_error(socket_) == 0;
}

Result<Json> Client::request(const std::string &method, const std::string &path, const std::string &body) const {
    if (const int error = connect_error(socket_); error != 0)
        return fail_errno(error, "control socket " + socket_, "is the daemon running (beeline run)?");
    httplib::Client client(socket_);
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(kAnswerSeconds);
    const httplib::Result result = method == "GET"    ? client.Get(path)
                                   : method == "POST" ? client.Post(path, body, "application/json")
                                                      : client.Delete(path);
    if (!result)
        return fail(Kind::host, 0, fmt::format("control socket {}: {}", socket_, httplib::to_string(result.error())),
                    "is the daemon still running?");
    Json json = Json::parse(result->body, nullptr, false);
    if (json.is_discarded())
        return fail(Kind::state, 0, fmt::format("control socket {}: the answer is no JSON", socket_),
                    "is that Beeline's socket?");
    if (result->status != 200)
        return std::unexpected(error_from_json(json));
    return json;
}

std::string url_encoded(const std::string &text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                           c == '-' || c == '_';
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace beeline::daemon
