// SPDX-License-Identifier: Apache-2.0
//
// Ports that the host itself listens on are not published.
#include <fmt/format.h>

#include "guest_test.hpp"
#include "lab/socket.hpp"

namespace beeline::guest {
namespace {

using testing::HasSubstr, testing::StartsWith;

class GuestListener : public GuestTest {
protected:
    /// A socket of the host that takes what comes to this address and port.
    kernel::UniqueFd listen(const std::string &address, lab::Transport transport) {
        const auto at = lab::SocketAddress::make(address, 8080);
        auto socket = at ? scene_->host->within([&] { return lab::open_server(*at, transport, {}); })
                         : std::unexpected(at.error());
        if (!socket)
            ADD_FAILURE() << socket.error().message();
        return socket ? *std::move(socket) : kernel::UniqueFd();
    }
    static Text publishing(const std::string &port) {
        Text text = web();
        text.publish = {port};
        return text;
    }
};

TEST_P(GuestListener, port_is_refused_by_up_and_by_add) {
    for (const auto &[transport, proto] : {std::pair(lab::Transport::tcp, "TCP"), {lab::Transport::udp, "UDP"}}) {
        const std::string word = transport == lab::Transport::tcp ? "tcp" : "udp";
        for (const char *address : {"0.0.0.0", "10.9.0.1", "::", "fd09::1"}) {
            const auto socket = listen(address, transport);
            const std::string port = "8080:80/" + word;
            const std::string words = fmt::format("guest web: published port {}: the host itself listens on {} port "
                                                  "8080 (address {})",
                                                  port, proto, address);
            const auto refused = scene_->up({publishing(port)});
            ASSERT_FALSE(refused.has_value()) << words;
            EXPECT_EQ(refused.error().kind, Kind::conflict);
            EXPECT_THAT(refused.error().message(), HasSubstr(words));
            EXPECT_THAT(refused.error().remedy, StartsWith("publish another port"));
            expect_as_before();
            ASSERT_OK(scene_->up({db()}));
            const auto one_more = scene_->add(publishing(port));
            ASSERT_FALSE(one_more.has_value()) << words;
            EXPECT_EQ(one_more.error().kind, Kind::conflict);
            ASSERT_OK(scene_->down());
        }
    }
}

TEST_P(GuestListener, elsewhere_does_not_matter) {
    const auto tcp = listen("10.9.0.1", lab::Transport::tcp);
    const auto loopback = listen("127.0.0.1", lab::Transport::udp), other = listen("::1", lab::Transport::udp);
    for (const char *port : {"8080:80/udp", "8081:80", "10.9.0.9:8080:80", "[fd09::1]:8080:80"}) {
        EXPECT_TRUE(scene_->up({publishing(port)}).has_value()) << port;
    }
    EXPECT_FALSE(scene_->up({publishing("10.9.0.1:8080:80")}).has_value());
}

TEST_P(GuestListener, that_comes_after_the_port_was_published_refuses_no_reload) {
    ASSERT_OK(scene_->up({publishing("8080:80")}));
    const auto late = listen("0.0.0.0", lab::Transport::tcp);
    Text changed = publishing("8080:80");
    changed.rules = {"in -> drop"};
    EXPECT_TRUE(scene_->up({changed}).has_value());
    ASSERT_OK(scene_->up({web()}));
    EXPECT_FALSE(scene_->up({publishing("8080:80")}).has_value());
}

INSTANTIATE_TEST_SUITE_P(By, GuestListener, every_mode(), mode_name);

} // namespace
} // namespace beeline::guest
