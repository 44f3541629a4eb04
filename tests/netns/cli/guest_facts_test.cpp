// SPDX-License-Identifier: Apache-2.0
//
// What is said of guests, against what they do: doctor before they are up, the daemon's metrics and status while
// packets of known number and size go through. Run on the VM's kernel, too, which has netkit.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include <sys/socket.h>

#include <harness/need_feature.hpp>

#include "daemon/client.hpp"
#include "daemon/json.hpp"
#include "netns/cli/guest_host.hpp"

namespace beeline::cli_test {
namespace {

using namespace harness;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char *kMetrics = "127.0.0.1:9471";

class GuestFacts : public GuestHost {
protected:
    /// web by whatever this kernel has, with rules whose counters tell the packets apart.
    std::string automatic() const {
        return write("auto.toml",
                     "[host]\npins = \"" + pins() + "\"\nsocket = \"" + socket() + "\"\nmetrics = \"" + kMetrics +
                         "\"\n[guests]\nuplinks = \"va\"\n[[guest]]\nname = \"web\"\nnetns = \"" + path_of(*web_) +
                         "\"\naddress = \"10.88.0.2/24\"\nhost_device = \"blweb0\"\nrules = [\"out udp "
                         "dport 9 -> drop\", \"out udp dport 10 -> pass\", \"fallback -> pass\"]\n");
    }
    /// UDP packets of 60 bytes out of web's device.
    void sends(const kernel::UniqueFd &socket, std::uint16_t dport, unsigned count, const char *src = "10.88.0.2") {
        const Bytes frame =
            (Eth{} / Ip4{.src = src, .dst = "198.51.100.77"} / Udp{.dport = dport} / Payload(18)).bytes();
        for (unsigned i = 0; i < count; ++i) {
            const ssize_t sent = ::send(socket.get(), frame.data(), frame.size(), 0);
            // netkit tells the sender of a packet that its program drops.
            ASSERT_TRUE(sent == static_cast<ssize_t>(frame.size()) || errno == ENOBUFS) << std::strerror(errno);
        }
    }
    /// The values of a scrape by name and labels.
    std::map<std::string, double> scrape() const {
        const auto text = net_->within([&] {
            const std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe(
                popen("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9471; printf \"GET /metrics HTTP/1.0\\r\\n\\r\\n\" >&3; "
                      "cat <&3'",
                      "r"),
                pclose);
            std::string all;
            std::array<char, 4096> buffer{};
            while (const std::size_t got = pipe ? std::fread(buffer.data(), 1, buffer.size(), pipe.get()) : 0)
                all.append(buffer.data(), got);
            return all;
        });
        std::map<std::string, double> values;
        std::istringstream lines(text.value_or(""));
        for (std::string line; std::getline(lines, line);)
            if (const auto space = line.rfind(' '); line.starts_with("beeline_") && space != std::string::npos)
                values[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
        return values;
    }
};

TEST_F(GuestFacts, DoctorForetellsTheWiring) {
    const Json before = Json::parse(beeline({"doctor", "--json"}).out);
    Json part;
    for (const Json &one : before.at("parts"))
        if (one.at("name") == "guest")
            part = one;
    ASSERT_TRUE(part.is_object());
    expect(0, {"up", automatic()});
    const Json web = guests().at("guests").at(0);
    const std::string text = beeline({"doctor"}).out;
    if (web.at("wiring") == "veth") {
        EXPECT_FALSE(must_have(kernel::FeatureId::netkit)) << "this kernel has netkit: " << web.at("why");
        EXPECT_EQ(part.at("fitness"), "fallback");
        EXPECT_THAT(part.at("why").get<std::string>(), StartsWith("veth instead of netkit (Linux >= 6.7): "));
        EXPECT_THAT(web.at("why").get<std::string>(), testing::Ne(""));
        EXPECT_THAT(text, HasSubstr("\nguest   fallback: veth instead of netkit"));
    } else {
        EXPECT_EQ(web.at("wiring"), "netkit-l3");
        EXPECT_EQ(part.at("fitness"), "full");
        EXPECT_THAT(text, testing::ContainsRegex("\nguest   full"));
        if (must_have(kernel::FeatureId::netkit_scrub)) {
            EXPECT_EQ(part.at("why"), "");
        }
    }
}

TEST_F(GuestFacts, MetricsAndStatusCountWhatWasSent) {
    const auto running = daemon(automatic());
    ASSERT_TRUE(running->logged("guests are up")) << running->log();
    ASSERT_VALUE(const auto device, web_->within([] { return packet_socket("eth0"); }));
    const std::string web = "{guest=\"web\",rule=\"out udp dport ";
    const std::string spoofed = "beeline_guest_odd_total{reason=\"spoofed\"}";
    const double spoofed_before = scrape()[spoofed]; // of the guest's own stack
    sends(device, 9, 7);
    sends(device, 10, 5);
    sends(device, 10, 3, "10.88.0.77");
    EXPECT_TRUE(eventually([&] { return scrape()[spoofed] >= spoofed_before + 3; })) << "sent last";
    auto values = scrape();
    EXPECT_EQ(values["beeline_guest_up"], 1);
    EXPECT_EQ(values["beeline_guest_packets_total" + web + "9 -> drop\"}"], 7);
    EXPECT_EQ(values["beeline_guest_bytes_total" + web + "9 -> drop\"}"], 7 * 60);
    EXPECT_EQ(values["beeline_guest_packets_total" + web + "10 -> pass\"}"], 5);
    EXPECT_EQ(values["beeline_guest_bytes_total" + web + "10 -> pass\"}"], 5 * 60);
    EXPECT_EQ(values["beeline_guest_odd_total{reason=\"rule\"}"], 7);
    EXPECT_GE(values["beeline_guest_flows"], 2);
    ASSERT_VALUE(const auto json, daemon::Client(socket()).get("/v1/status"));
    const Json guest = json.at("guests").at("guests").at(0);
    EXPECT_EQ(values["beeline_guest_attached{guest=\"web\",wiring=\"" + guest.at("wiring").get<std::string>() + "\"}"],
              1);
    EXPECT_EQ(guest.at("rules").at(0).at("packets"), 7);
    EXPECT_EQ(guest.at("rules").at(0).at("bytes"), 7 * 60);
    EXPECT_EQ(guest.at("rules").at(1).at("packets"), 5);
    EXPECT_EQ(json.at("guests").at("odd").at("rule"), 7);
    running->signal(SIGTERM);
    EXPECT_EQ(running->wait(), 0);
}

TEST_F(GuestFacts, TopShowsThem) {
    expect(0, {"up", automatic()});
    ASSERT_VALUE(const auto device, web_->within([] { return packet_socket("eth0"); }));
    sends(device, 9, 7);
    const auto shown = [&] { return beeline({"top", "--once"}).out; };
    EXPECT_TRUE(eventually([&] { return guests().at("guests").at(0).at("rules").at(0).at("packets") == 7; }));
    EXPECT_THAT(shown(), testing::ContainsRegex("guest +by +pps .*drops +flows"));
    EXPECT_THAT(shown(), testing::ContainsRegex("web +(veth|netkit-l3) .* 0 +7 +[0-9]+"));
}

} // namespace
} // namespace beeline::cli_test
