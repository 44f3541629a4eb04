// SPDX-License-Identifier: Apache-2.0
#include "naive.hpp"

#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <beeline/kernel/link.hpp>
#include <beeline/kernel/skeleton.hpp>
#include <naive.skel.h>

#include <netns/local/naive_key.h>

namespace beeline::conformance {
namespace {

/// Address and port of one side, into the words of a key.
bool fill(const sockaddr_storage &from, __u32 (&address)[4], __u32 &port) {
    if (from.ss_family == AF_INET6) {
        sockaddr_in6 in6{};
        std::memcpy(&in6, &from, sizeof in6);
        std::memcpy(address, &in6.sin6_addr, sizeof address);
        port = ntohs(in6.sin6_port);
        return true;
    }
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    address[0] = in.sin_addr.s_addr;
    port = ntohs(in.sin_port);
    return from.ss_family == AF_INET;
}

std::optional<naive_key> key_of(int fd) {
    sockaddr_storage local{}, remote{};
    socklen_t local_size = sizeof local, remote_size = sizeof remote;
    naive_key key{};
    if (::getsockname(fd, reinterpret_cast<sockaddr *>(&local), &local_size) != 0 ||
        ::getpeername(fd, reinterpret_cast<sockaddr *>(&remote), &remote_size) != 0)
        return std::nullopt;
    if (!fill(local, key.local, key.local_port) || !fill(remote, key.remote, key.remote_port))
        return std::nullopt;
    return key;
}

class Naive : public Accelerator {
public:
    Naive(kernel::Loaded<naive_bpf> object, kernel::Link verdict, kernel::Link filing)
        : object_(std::move(object)), verdict_(std::move(verdict)), filing_(std::move(filing)) {}

    [[nodiscard]] bool has_short_cut() const override { return true; }

    [[nodiscard]] bool on_short_cut(int fd) const override {
        const auto key = key_of(fd);
        __u64 cookie = 0;
        return key && bpf_map_lookup_elem(bpf_map__fd(object_.maps().sockets), &*key, &cookie) == 0;
    }

    [[nodiscard]] std::string reason(int fd) const override { return on_short_cut(fd) ? "" : "absent"; }

    [[nodiscard]] std::uint64_t redirected(int fd) const override {
        const auto key = key_of(fd);
        std::uint64_t bytes = 0;
        if (key)
            bpf_map_lookup_elem(bpf_map__fd(object_.maps().redirected), &*key, &bytes);
        return bytes;
    }

    /// A sender that is not filed sends by TCP.
    void hold(int fd) const override {
        if (const auto key = key_of(fd))
            bpf_map_delete_elem(bpf_map__fd(object_.maps().sockets), &*key);
    }

    void let_go(int fd) const override {
        const auto value = static_cast<__u64>(fd);
        if (const auto key = key_of(fd))
            bpf_map_update_elem(bpf_map__fd(object_.maps().sockets), &*key, &value, BPF_ANY);
    }

private:
    kernel::Loaded<naive_bpf> object_;
    kernel::Link verdict_, filing_;
};

} // namespace

Result<std::unique_ptr<Accelerator>> start_naive(const kernel::Cgroup &cgroup) {
    BL_TRY(auto opened, kernel::Opened<naive_bpf>::open());
    BL_TRY(auto object, std::move(opened).load());
    BL_TRY(auto verdict, kernel::Link::attach_sockmap(bpf_program__fd(object.progs().naive_send),
                                                      bpf_map__fd(object.maps().sockets), BPF_SK_MSG_VERDICT));
    BL_TRY(auto filing,
           kernel::Link::attach_cgroup(bpf_program__fd(object.progs().naive_file), cgroup.fd(), BPF_CGROUP_SOCK_OPS));
    return std::make_unique<Naive>(std::move(object), std::move(verdict), std::move(filing));
}

} // namespace beeline::conformance
