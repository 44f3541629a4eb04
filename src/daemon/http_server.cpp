// SPDX-License-Identifier: Apache-2.0
#include "daemon/http_server.hpp"

#include <cerrno>
#include <filesystem>
#include <thread>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>
#include <httplib.h>

#include <beeline/kernel/fd.hpp>

#include "daemon/routes.hpp"

namespace beeline::daemon {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::size_t kMaxBody = 64 * 1024;
/// A client that connects and says nothing holds a worker this long.
constexpr std::time_t kReadSeconds = 2;

/// Settings of both servers.
void set_up(httplib::Server &server) {
    server.new_task_queue = [] { return new httplib::ThreadPool(kWorkers); }; // httplib deletes it
    server.set_keep_alive_max_count(1);                                       // an idle client must not hold a worker
    server.set_read_timeout(kReadSeconds);
    server.set_write_timeout(kReadSeconds);
    server.set_payload_max_length(kMaxBody);
    // The default is SO_REUSEPORT, with which two daemons would share a port without a word.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // NOLINTNEXTLINE(performance-unnecessary-value-param): the type of the handler is theirs
    server.set_exception_handler([](const httplib::Request &, httplib::Response &response, std::exception_ptr) {
        response.status = 500; // nothing of ours throws: out of memory, for one
    });
}

Result<gid_t> group_id(const std::string &name) {
    const group *found = getgrnam(name.c_str());
    if (found == nullptr)
        return fail(Kind::config, 0, fmt::format("group: there is no group '{}'", name),
                    fmt::format("make it: groupadd --system {}", name));
    return found->gr_gid;
}

/// Removes what a daemon that died left behind.
Result<> make_way(const std::string &path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0)
        return {};
    if (!S_ISSOCK(status.st_mode))
        return fail(Kind::conflict, 0, path + " exists and is no socket", "remove it, or set socket in the config");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const kernel::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe.valid())
        return fail_errno(errno, "socket");
    if (connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0 || errno == EAGAIN)
        return fail(Kind::conflict, 0, "a daemon answers on " + path, "stop it first");
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail_errno(errno, "remove the stale socket " + path);
    return {};
}

} // namespace

struct HttpServer::State {
    httplib::Server server;
    std::string socket_path; ///< Empty: TCP.
    std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer &&) noexcept = default;

HttpServer::~HttpServer() {
    if (!state_)
        return;
    if (state_->thread.joinable()) {
        state_->server.stop();
        state_->thread.join();
    }
    if (!state_->socket_path.empty())
        unlink(state_->socket_path.c_str());
}

Result<HttpServer> HttpServer::open_control(const config::Control &control, Service &service) {
    const std::string &path = control.socket;
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return fail(Kind::config, ENAMETOOLONG, "socket " + path,
                    fmt::format("at most {} bytes", sizeof(sockaddr_un::sun_path) - 1));
    gid_t gid = getegid();
    if (!control.group.empty()) {
        BL_TRY(gid, group_id(control.group));
    }
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error)
        return fail_errno(error.value(), "make the directory of " + path);
    BL_CHECK(make_way(path));

    auto state = std::make_unique<State>();
    set_up(state->server);
    state->server.set_address_family(AF_UNIX);
    add_control_routes(state->server, service);
    const mode_t mask = umask(0177); // nobody but root until the group is set
    const bool bound = state->server.bind_to_port(path, 80);
    const int bind_error = errno;
    umask(mask);
    if (!bound)
        return fail_errno(bind_error, "control socket " + path);
    state->socket_path = path;
    if (chown(path.c_str(), static_cast<uid_t>(-1), gid) != 0)
        return fail_errno(errno, fmt::format("give {} to group {}", path, control.group));
    if (!control.group.empty() && chmod(path.c_str(), 0660) != 0)
        return fail_errno(errno, "chmod " + path);
    return HttpServer(std::move(state));
}

Result<HttpServer> HttpServer::open_metrics(const config::Metrics &metrics, Service &service) {
    auto state = std::make_unique<State>();
    set_up(state->server);
    add_metrics_routes(state->server, service);
    errno = 0;
    if (!state->server.bind_to_port(metrics.address, metrics.port))
        return fail(errno == EADDRINUSE ? Kind::conflict : Kind::host, errno,
                    fmt::format("metrics on {} port {}", metrics.address, metrics.port), "set metrics in the config");
    return HttpServer(std::move(state));
}

Result<> HttpServer::serve() {
    try {
        state_->thread = std::thread([server = &state_->server] { server->listen_after_bind(); });
    } catch (const std::system_error &error) {
        return fail_errno(error.code().value(), "start a thread");
    }
    // stop() before the loop runs would be forgotten.
    while (!state_->server.is_running())
        std::this_thread::yield();
    return {};
}

} // namespace beeline::daemon
