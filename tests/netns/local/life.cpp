// SPDX-License-Identifier: Apache-2.0
#include "life.hpp"

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include <harness/names.hpp>

namespace beeline::conformance {
namespace {

using local::Connection;

constexpr std::chrono::seconds kPatience{60};

bool wait_readable(int fd) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, std::chrono::milliseconds(kPatience).count()) == 1;
}

bool one_way(int from, int to) {
    const std::string message(64, 'm');
    std::string got;
    if (::send(from, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
        return false;
    while (got.size() < message.size()) {
        const std::string more = read_now(to, message.size() - got.size());
        if (more.empty())
            return false;
        got += more;
    }
    return got == message;
}

std::uint64_t cookie_of(int fd) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

} // namespace

Result<kernel::UniqueFd> listen_here() {
    kernel::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<sockaddr *>(&to), sizeof to) != 0 ||
        ::listen(fd.get(), 4096) != 0)
        return fail_errno(errno, "listen on 127.0.0.1");
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_in in{};
    socklen_t size = sizeof in;
    return ::getsockname(fd, reinterpret_cast<sockaddr *>(&in), &size) == 0 ? ntohs(in.sin_port) : 0;
}

Result<Link> connect_here(int listener) {
    sockaddr_in to{};
    socklen_t size = sizeof to;
    Link link{.client = kernel::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), .server = {}};
    if (::getsockname(listener, reinterpret_cast<sockaddr *>(&to), &size) != 0 ||
        ::connect(link.client.get(), reinterpret_cast<sockaddr *>(&to), size) != 0)
        return fail_errno(errno, "connect");
    link.server = kernel::UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!link.server.valid() || ::fcntl(link.client.get(), F_SETFL, O_NONBLOCK) != 0)
        return fail_errno(errno, "accept");
    return link;
}

Result<std::vector<Link>> connect_here(int listener, std::size_t count) {
    std::vector<Link> links;
    while (links.size() < count) {
        BL_TRY(Link link, connect_here(listener));
        links.push_back(std::move(link));
    }
    return links;
}

std::string read_now(int fd, std::size_t size) {
    std::string data(size, '.');
    if (!wait_readable(fd))
        return "";
    const ssize_t n = ::recv(fd, data.data(), size, MSG_DONTWAIT);
    data.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return data;
}

bool exchange(const Link &link, int times) {
    for (int i = 0; i < times; ++i)
        if (!one_way(link.client.get(), link.server.get()) || !one_way(link.server.get(), link.client.get()))
            return false;
    return true;
}

bool until(const std::function<bool()> &condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

Traffic::Traffic(const std::vector<Link> &links) {
    for (std::size_t i = 0; i < links.size(); ++i) {
        const Stream there(2 * i), back(2 * i + 1);
        flows_.push_back(
            {.fd = links[i].client.get(), .sending = there, .reading = back, .random = std::mt19937_64(i)});
        flows_.push_back(
            {.fd = links[i].server.get(), .sending = back, .reading = there, .random = std::mt19937_64(i + 1000)});
    }
    thread_ = std::jthread([this](const std::stop_token &stop) {
        while (!stop.stop_requested() && pump(flows_, kPatience)) {
            std::uint64_t read = 0;
            for (const Flow &flow : flows_)
                read += flow.reading.position();
            read_ = read;
        }
    });
}

bool Traffic::carries(std::uint64_t bytes) {
    const std::uint64_t end = read_ + bytes;
    for (std::uint64_t before = read_; before < end; before = read_)
        if (!until([&] { return read_ > before; }))
            return false;
    return true;
}

std::string Traffic::finish() {
    thread_.request_stop();
    thread_.join();
    for (std::size_t i = 0; i < flows_.size(); ++i) {
        flows_[i].to_send = flows_[i].sending.position();
        flows_[i ^ 1].to_read = flows_[i].to_send;
    }
    while (pump(flows_, kPatience))
        ;
    for (std::size_t i = 0; i < flows_.size(); ++i)
        if (!flows_[i].complete())
            return fmt::format("end {}: read {} of {} bytes {}", i, flows_[i].reading.position(), flows_[i].to_read,
                               flows_[i].failure);
    return "";
}

void LocalLife::SetUp() {
    BL_NEED_ROOT();
    ASSERT_VALUE(kernel::Cgroup home, kernel::Cgroup::of_process(::getpid()));
    home_.emplace(std::move(home));
    ASSERT_VALUE(kernel::Cgroup cgroup, kernel::Cgroup::create("/" + harness::unique_name("life")));
    cgroup_.emplace(std::move(cgroup));
    cgroup_cleanup_.emplace(harness::Leftover::cgroup, cgroup_->directory());
    ASSERT_OK(cgroup_->add(0));
    ASSERT_VALUE(harness::TempBpffs bpffs, harness::TempBpffs::mount());
    bpffs_.emplace(std::move(bpffs));
    pins_ = bpffs_->path() / "beeline";
    ASSERT_VALUE(local::Local local, local::Local::open(pins_));
    local_.emplace(std::move(local));
}

void LocalLife::TearDown() {
    tending_ = {};
    if (local_)
        (void)local_->down(std::chrono::seconds(0)); // the bpffs takes the rest with it
    if (home_)
        ASSERT_OK(home_->add(0));
}

Result<local::UpReport> LocalLife::up(const std::vector<std::string> &rules) {
    BL_TRY(policy_, policy_in(*cgroup_, rules));
    policy_.connections = room_;
    return local_->up(policy_);
}

Result<> LocalLife::tend() {
    BL_TRY(local::Tender tender, local::Tender::open(pins_));
    tending_ = tending(std::move(tender));
    return {};
}

std::vector<Connection> LocalLife::connections() const {
    const auto status = local_->status();
    return status ? status->connections : std::vector<Connection>{};
}

std::size_t LocalLife::count(local::State state) const {
    const auto all = connections();
    return static_cast<std::size_t>(std::ranges::count(all, state, &Connection::state));
}

std::size_t LocalLife::filed() const {
    std::size_t ends = 0;
    for (const Connection &connection : connections())
        ends += static_cast<std::size_t>(std::ranges::count(connection.ends, true, &local::End::filed));
    return ends;
}

std::uint64_t LocalLife::redirected() const {
    std::uint64_t bytes = 0;
    for (const Connection &connection : connections())
        bytes += connection.ends[0].short_bytes + connection.ends[1].short_bytes;
    return bytes;
}

std::uint64_t LocalLife::reason(const std::string &name) const {
    const auto status = local_->status();
    if (status)
        for (const auto &[known, count] : status->reasons)
            if (known == name)
                return count;
    return 0;
}

std::uint64_t LocalLife::redirected(const Link &link) const {
    const std::uint64_t cookie = cookie_of(link.client.get());
    for (const Connection &connection : connections())
        for (const local::End &end : connection.ends)
            if (end.cookie == cookie)
                return end.short_bytes;
    return 0;
}

bool LocalLife::takes_the_short_cut(const Link &link) const {
    return exchange(link, 5) && until([&] { return !exchange(link) || redirected(link) > 0; }) && exchange(link);
}

} // namespace beeline::conformance
