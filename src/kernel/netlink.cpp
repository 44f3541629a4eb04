// SPDX-License-Identifier: Apache-2.0
#include "kernel/netlink.hpp"

#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace beeline::kernel {

namespace {

/// The sentence of an extended acknowledgement, whose attributes begin offset bytes into the payload.
std::string extended_text(const nlmsghdr *message, std::size_t offset) {
    std::string text;
    if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || mnl_nlmsg_get_payload_len(message) < offset)
        return text;
    for_each_attribute(*message, offset, [&text](const nlattr &attribute) {
        if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_MSG &&
            mnl_attr_validate(&attribute, MNL_TYPE_NUL_STRING) >= 0)
            text = mnl_attr_get_str(&attribute);
    });
    return text;
}

/// code 0: an acknowledgement.
NetlinkRefusal refusal_of(const nlmsghdr *message) {
    if (message->nlmsg_type == NLMSG_DONE) { // a dump that failed says so at its end: an int, then the attributes
        if (mnl_nlmsg_get_payload_len(message) < sizeof(int))
            return {};
        return {-*static_cast<const int *>(mnl_nlmsg_get_payload(message)), extended_text(message, sizeof(int))};
    }
    const auto *error = static_cast<const nlmsgerr *>(mnl_nlmsg_get_payload(message));
    std::size_t offset = sizeof(nlmsgerr);
    if ((message->nlmsg_flags & NLM_F_CAPPED) == 0)
        offset += MNL_ALIGN(error->msg.nlmsg_len - MNL_NLMSG_HDRLEN);
    return {-error->error, extended_text(message, offset)};
}

} // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags)
    : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
        header_->nlmsg_flags |= NLM_F_ACK;
}

void NetlinkRequest::put(std::uint16_t attribute, std::string_view text) {
    mnl_attr_put_strz(header_, attribute, std::string(text).c_str());
}

std::unexpected<Error> NetlinkRefusal::error(std::string_view context) const {
    return fail_errno(code, text.empty() ? std::string(context) : fmt::format("{}: {}", context, text));
}

Result<Netlink> Netlink::open(int protocol) {
    Netlink netlink(mnl_socket_open2(protocol, SOCK_CLOEXEC));
    if (!netlink.socket_ || mnl_socket_bind(netlink.socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
        return fail_errno(errno, "open a netlink socket");
    int on = 1;
    // Both only make errors clearer (sentences; no copy of the request), so a refusal does not matter.
    (void)mnl_socket_setsockopt(netlink.socket_.get(), NETLINK_EXT_ACK, &on, sizeof on);
    (void)mnl_socket_setsockopt(netlink.socket_.get(), NETLINK_CAP_ACK, &on, sizeof on);
    return netlink;
}

std::expected<void, NetlinkRefusal> Netlink::talk(NetlinkRequest &request, const OnMessage &on_message) {
    nlmsghdr *header = request.header();
    header->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0)
        return std::unexpected(NetlinkRefusal{errno});
    const unsigned port = mnl_socket_get_portid(socket_.get());
    std::vector<char> buffer(32768); // the kernel's largest dump skb
    while (true) {
        const ssize_t received = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0)
            return std::unexpected(NetlinkRefusal{errno});
        int left = static_cast<int>(received);
        for (const auto *message = reinterpret_cast<const nlmsghdr *>(buffer.data()); mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left)) {
            if (!mnl_nlmsg_seq_ok(message, sequence_) || !mnl_nlmsg_portid_ok(message, port))
                continue; // the rest of an answer somebody gave up on
            if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
                NetlinkRefusal refusal = refusal_of(message);
                if (refusal.code == 0)
                    return {};
                return std::unexpected(std::move(refusal));
            }
            if (on_message)
                on_message(*message);
        }
    }
}

} // namespace beeline::kernel
