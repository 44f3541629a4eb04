// SPDX-License-Identifier: Apache-2.0
//
// One netlink conversation over libmnl, with the kernel's text of an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <libmnl/libmnl.h>

#include <beeline/result.hpp>

namespace beeline::kernel {

/// A request under construction; attributes go on with mnl_attr_put(request.header(), ...).
class NetlinkRequest {
public:
    /// flags: on top of NLM_F_REQUEST. Without NLM_F_DUMP an acknowledgement is asked for.
    NetlinkRequest(std::uint16_t type, std::uint16_t flags);
    NetlinkRequest(const NetlinkRequest &) = delete;
    NetlinkRequest &operator=(const NetlinkRequest &) = delete;

    [[nodiscard]] nlmsghdr *header() noexcept { return header_; }
    /// The fixed part behind the netlink header; once, before any attribute.
    template <class T>
    T &body() {
        return *static_cast<T *>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
    }
    void put(std::uint16_t attribute, std::string_view text);
    void put_u32(std::uint16_t attribute, std::uint32_t value) { mnl_attr_put_u32(header_, attribute, value); }

private:
    alignas(nlmsghdr) std::array<char, 4096> buffer_{};
    nlmsghdr *header_;
};

/// Calls f(const nlattr &) for the attributes behind the first offset bytes of the payload. (mnl_attr_for_each is C.)
template <class F>
void for_each_attribute(const nlmsghdr &message, std::size_t offset, F &&f) {
    const auto *attribute = static_cast<const nlattr *>(mnl_nlmsg_get_payload_offset(&message, offset));
    const auto *end = static_cast<const char *>(mnl_nlmsg_get_payload_tail(&message));
    for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char *>(attribute)));
         attribute = mnl_attr_next(attribute))
        f(*attribute);
}

/// The same for the attributes inside one.
template <class F>
void for_each_nested(const nlattr &nest, F &&f) {
    const auto *attribute = static_cast<const nlattr *>(mnl_attr_get_payload(&nest));
    const auto *end = reinterpret_cast<const char *>(attribute) + mnl_attr_get_payload_len(&nest);
    for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char *>(attribute)));
         attribute = mnl_attr_next(attribute))
        f(*attribute);
}

/// What the kernel said: an errno and, with luck, a sentence.
struct NetlinkRefusal {
    int code = 0;
    std::string text = {};
    [[nodiscard]] std::unexpected<Error> error(std::string_view context) const;
};

class Netlink {
public:
    using OnMessage = std::function<void(const nlmsghdr &)>;
    /// protocol: NETLINK_ROUTE, NETLINK_GENERIC.
    [[nodiscard]] static Result<Netlink> open(int protocol);

    /// Sends, and calls on_message for every message of the answer until the kernel says it is done. A dump that the
    /// kernel reports as inconsistent (NLM_F_DUMP_INTR) is returned as it is.
    [[nodiscard]] std::expected<void, NetlinkRefusal> talk(NetlinkRequest &request, const OnMessage &on_message = {});

private:
    struct Close {
        void operator()(mnl_socket *socket) const { mnl_socket_close(socket); }
    };
    explicit Netlink(mnl_socket *socket) : socket_(socket) {}
    std::unique_ptr<mnl_socket, Close> socket_;
    std::uint32_t sequence_ = 0;
};

} // namespace beeline::kernel
