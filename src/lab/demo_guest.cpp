// SPDX-License-Identifier: Apache-2.0
//
// Scene: two network namespaces as guests of a host, and the world beyond it. Next to it, two others behind a router
// with plain veth.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <beeline/config/config.hpp>
#include <beeline/guest/guest.hpp>
#include <beeline/kernel/features.hpp>

#include "lab/demo_router.hpp"
#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

constexpr std::uint16_t kOpen = 7998, kClosed = 7997, kPublished = 8080;
const std::string kApp = "10.88.0.2", kApp6 = "fd88::2", kWeb = "10.88.0.3", kWeb6 = "fd88::3";
const std::string kHost = "10.9.0.1", kHost6 = "fd09::1", kWorld = "10.9.0.2", kWorld6 = "fd09::2";
const std::string kAllowed = "in proto {tcp, udp} dport 7998 -> pass", kForbidden = "in -> drop";

/// [[guest]] app and web. The world is told no way to them.
struct Scenery {
    const Node *host, *world, *app, *web;
    guest::Guests guests;
    std::filesystem::path pins;
    std::vector<std::string> devices; ///< Of the host and the guests, before.

    [[nodiscard]] Result<std::vector<std::string>> devices_now() const {
        std::vector<std::string> all;
        for (const Node *node : {host, app, web}) {
            BL_TRY(const auto some, node->within(devices_here));
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }
    [[nodiscard]] Result<guest::Status> status() const {
        return host->within([this] { return guests.status(); });
    }
};

Result<Scenery> build_scenery(Stage &stage) {
    BL_TRY(const Node *host, stage.lab.add("host"));
    BL_TRY(const Node *world, stage.lab.add("world"));
    BL_TRY(const Node *app, stage.lab.add("app"));
    BL_TRY(const Node *web, stage.lab.add("web"));
    BL_CHECK(stage.lab.cable({.node = host, .device = "up0", .addresses = {kHost + "/24", kHost6 + "/64"}},
                             {.node = world, .device = "w0", .addresses = {kWorld + "/24", kWorld6 + "/64"}}));
    const auto pins = stage.lab.bpffs() / "guest";
    BL_TRY(auto guests, guest::Guests::open(pins));
    Scenery scenery{host, world, app, web, std::move(guests), pins, {}};
    BL_TRY(scenery.devices, scenery.devices_now());
    return scenery;
}

/// Both guests as a user writes them.
Result<config::Config> config_of(const Scenery &scenery) {
    const std::string text =
        fmt::format("[guests]\nuplinks = ['up0']\n"
                    "[[guest]]\nname = 'app'\nnetns = '{0}'\naddress = ['{1}/24', '{2}/64']\nmasquerade = true\n"
                    "[[guest]]\nname = 'web'\nnetns = '{3}'\naddress = ['{4}/24', '{5}/64']\nmasquerade = true\n"
                    "publish = ['{6}:{7}/tcp', '{6}:{7}/udp']\nrules = ['{8}', '{9}']\n",
                    scenery.app->netns().name(), kApp, kApp6, scenery.web->netns().name(), kWeb, kWeb6, kPublished,
                    kOpen, kAllowed, kForbidden);
    auto [config, diagnostics] = config::parse(text, "lab.toml");
    if (!config)
        return fail(Kind::config, 0, diagnostics.front().one_line());
    return std::move(*config);
}

Result<> bring_up(Stage &stage, Scenery &scenery) {
    BL_TRY(const auto config, config_of(scenery));
    BL_TRY(const auto done, scenery.host->within([&] {
        return scenery.guests.up(config.guest_settings, config.guests, {.file = config.file});
    }));
    BL_CHECK(stage.objects.note(scenery.pins));
    for (const std::string &warning : done.warnings)
        stage.report.line("note: " + warning);
    BL_TRY(const auto status, scenery.status());
    for (const guest::GuestStatus &one : status.guests) {
        stage.report.line(fmt::format("guest {} got {}", one.name, guest::name(one.wiring)));
        if (!one.why.empty())
            stage.report.quote(one.why.substr(0, one.why.find("; "))); // What would help is too much for a line.
    }
    return {};
}

/// Whether messages to an address and port are answered, over both transports.
Result<bool> answers(const Node &from, const std::string &address, std::uint16_t port, unsigned messages, bool wanted) {
    bool as_wanted = true;
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        BL_TRY(const Outcome outcome, exchange(from, {.address = address,
                                                      .port = port,
                                                      .transport = transport,
                                                      .messages = messages,
                                                      .timeout = std::chrono::milliseconds(wanted ? 1000 : 300),
                                                      .give_up_after = 1}));
        as_wanted = as_wanted && (wanted ? outcome.all_good(messages) : outcome.answered == 0);
    }
    return as_wanted;
}

/// IPv4 packets that the host's own stack has taken in: nobody but the guests and the world sends it any.
Result<std::int64_t> taken_in(const Scenery &scenery) {
    BL_TRY(const auto counters, scenery.host->within(read_stack_counters));
    const auto found = counters.find("IpInReceives");
    return found == counters.end() ? 0 : found->second;
}

Result<> without_the_host(Stage &stage, const Scenery &scenery) {
    BL_TRY(const std::int64_t before, taken_in(scenery));
    BL_TRY(const bool good, answers(*scenery.app, kWeb, kOpen, 200, true));
    BL_TRY(const std::int64_t after, taken_in(scenery));
    stage.report.check(good && after == before, "app to web: 400 messages and answers, none met the host's IP stack",
                       fmt::format("it took in {} packets", after - before));
    return {};
}

Result<> to_and_from_the_world(Stage &stage, const Scenery &scenery) {
    BL_TRY(const bool no_way, answers(*scenery.world, kWeb, kOpen, 1, false));
    stage.report.check(no_way, "the world has no route to the guests, only to the host");
    BL_TRY(const Meeting out, Meeting::arrange(stage, scenery.app, scenery.world, kWorld, kWorld6, kOpen));
    BL_CHECK(out.introduce(kOpen));
    BL_CHECK(out.prove(stage, "app to world", kOpen));
    BL_TRY(const bool v4, answers(*scenery.world, kHost, kPublished, 50, true));
    BL_TRY(const bool v6, answers(*scenery.world, kHost6, kPublished, 50, true));
    stage.report.check(v4 && v6, fmt::format("the world reaches web at port {} of the host, every byte", kPublished));
    return {};
}

Result<> forbidden(Stage &stage, const Scenery &scenery) {
    BL_TRY(const auto listening, EchoServer::start(*scenery.web, {.address = kWeb, .port = kClosed}));
    BL_TRY(const bool there, answers(*scenery.web, kWeb, kClosed, 1, true));
    BL_TRY(const bool silent, answers(*scenery.app, kWeb, kClosed, 1, false));
    BL_TRY(const auto status, scenery.status());
    const auto web = std::ranges::find(status.guests, "web", &guest::GuestStatus::name);
    const std::uint64_t packets = web == status.guests.end() || web->rules.size() < 2 ? 0 : web->rules[1].packets;
    stage.report.check(there && silent && packets > 0,
                       fmt::format("port {} listens, but app gets no answer: {} packets dropped", kClosed, packets),
                       !there   ? "nobody listens"
                       : silent ? "the rule counted none"
                                : "it answered");
    return {};
}

Result<> compare(Stage &stage, const Meeting &guests) {
    BL_TRY(const RouterPath plain, build_router_path(stage, "plain"));
    BL_TRY(const auto stock, plain.meeting.time(stage, kRouterPort));
    BL_TRY(const auto beeline, guests.time(stage, kOpen));
    Report &report = stage.report;
    report.line();
    report.row("64-byte round trip, one CPU", "UDP, us", "TCP, us [p1-p99]");
    show_round_trips(report, "veth and the host's routes", stock);
    show_round_trips(report, "Beeline guests", beeline);
    report.line();
    compare_round_trips(report, "guest to guest", stock, beeline);
    return {};
}

Result<> take_down(Stage &stage, Scenery &scenery) {
    BL_TRY(const bool was_up, scenery.host->within([&] { return scenery.guests.down(); }));
    BL_TRY(const auto devices, scenery.devices_now());
    stage.report.check(was_up && devices == scenery.devices && !std::filesystem::exists(scenery.pins),
                       "down: no device, program or pin of the guests is left",
                       fmt::format("{}", fmt::join(devices, ", ")));
    return {};
}

} // namespace

Result<> demo_guest(Stage &stage) {
    stage.report.scene("Guests: two network namespaces, their host and the world");
    if (const auto tcx = kernel::require(kernel::FeatureId::tcx); !tcx) {
        stage.report.skip("guests", tcx.error().message());
        return {};
    }
    BL_TRY(Scenery scenery, build_scenery(stage));
    stage.report.quote(fmt::format("publish = '{}:{}'    masquerade = true", kPublished, kOpen));
    stage.report.quote(kAllowed);
    stage.report.quote(kForbidden);
    BL_CHECK(bring_up(stage, scenery));
    {
        BL_TRY(const Meeting guests, Meeting::arrange(stage, scenery.app, scenery.web, kWeb, kWeb6, kOpen));
        BL_CHECK(guests.introduce(kOpen));
        BL_CHECK(guests.prove(stage, "app to web", kOpen));
        BL_CHECK(without_the_host(stage, scenery));
        BL_CHECK(to_and_from_the_world(stage, scenery));
        BL_CHECK(forbidden(stage, scenery));
        BL_CHECK(compare(stage, guests));
    }
    return take_down(stage, scenery);
}

} // namespace beeline::lab
