// SPDX-License-Identifier: Apache-2.0
#include "netns/cli/host.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <harness/assert.hpp>

namespace beeline::cli_test {

Result<kernel::UniqueFd> packet_socket(const char *device) {
    kernel::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return fail_errno(errno, "packet socket");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(device));
    if (bind(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        return fail_errno(errno, "bind a packet socket");
    return fd;
}

harness::Bytes udp(std::uint16_t dport) {
    using namespace harness;
    return (Eth{} / Ip4{} / Udp{.dport = dport} / Payload(18)).bytes();
}

void Host::SetUp() {
    BL_NEED_ROOT();
    ASSERT_VALUE(auto net, harness::TestNet::create("host"));
    net_.emplace(std::move(net));
    ASSERT_VALUE(auto neighbour, harness::TestNet::create("nbr"));
    neighbour_.emplace(std::move(neighbour));
    ASSERT_OK(harness::connect(*net_, "va", *neighbour_, "vb"));
    ASSERT_VALUE(auto bpffs, harness::TempBpffs::mount());
    bpffs_.emplace(std::move(bpffs));
    ASSERT_VALUE(auto sender, neighbour_->within([] { return packet_socket("vb"); }));
    sender_ = std::move(sender);
    std::string name = (std::filesystem::temp_directory_path() / "bl-cli-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
}

void Host::TearDown() {
    if (bpffs_)
        (void)beeline({"down"}); // links are gone with their pins, but not at once
    std::error_code error;
    if (!directory_.empty())
        std::filesystem::remove_all(directory_, error);
}

std::string Host::write(const std::string &name, const std::string &text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
}

std::string Host::capture(const std::vector<harness::Bytes> &frames, std::size_t snap) const {
    const auto word = [](std::size_t value) {
        std::string bytes;
        for (int shift = 0; shift < 32; shift += 8)
            bytes += static_cast<char>(value >> shift & 0xff);
        return bytes;
    };
    std::string text = word(0xa1b2c3d4) + std::string("\x02\0\x04\0", 4) + word(0) + word(0) + word(snap) + word(1);
    for (const harness::Bytes &frame : frames) {
        const std::size_t kept = std::min(snap, frame.size());
        text += word(1) + word(0) + word(kept) + word(frame.size());
        text.append(reinterpret_cast<const char *>(frame.data()), kept);
    }
    return write("capture.pcap", text);
}

std::string Host::config(const std::vector<std::string> &rules, const std::string &more,
                         const std::string &name) const {
    std::string text = "[host]\npins = \"" + pins() + "\"\nsocket = \"" + socket() + "\"\n" + more +
                       "\n[edge]\ndevices = [\"va\"]\nrules = [\n";
    for (const std::string &rule : rules)
        text += "  \"" + rule + "\",\n";
    return write(name, text + "]\n");
}

Ended Host::beeline(std::vector<std::string> arguments, How how) const {
    arguments.insert(arguments.begin(), {"--pins", pins()});
    if (!how.netns)
        how.netns = net_->netns().fd();
    return run_program(arguments, how);
}

void Host::expect(int status, const std::vector<std::string> &arguments, How how) const {
    const Ended ended = beeline(arguments, std::move(how));
    std::string command;
    for (const std::string &argument : arguments)
        command += " " + argument;
    EXPECT_EQ(ended.status, status) << "beeline" << command << "\n" << ended.out << ended.err;
}

std::unique_ptr<Background> Host::daemon(const std::string &config, const std::vector<std::string> &more) const {
    std::vector<std::string> arguments = {"run", "-c", config};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto started = std::make_unique<Background>(arguments, How{.netns = net_->netns().fd()});
    EXPECT_TRUE(started->logged("control socket")) << started->log();
    return started;
}

Json Host::status() const {
    const Ended ended = beeline({"status", "--json"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    Json json = Json::parse(ended.out, nullptr, false);
    return json.is_object() && json.contains("edge") ? json["edge"] : Json::object();
}

std::uint64_t Host::packets(const std::string &rule) const {
    for (const Json &one : status().value("rules", Json::array()))
        if (one.at("text") == rule)
            return one.at("packets");
    return ~std::uint64_t{0};
}

void Host::send(const harness::Bytes &frame, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        ASSERT_EQ(::send(sender_.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()))
            << std::strerror(errno);
}

bool Host::eventually_within(int seconds, const std::function<bool()> &condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < until) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return condition();
}

} // namespace beeline::cli_test
