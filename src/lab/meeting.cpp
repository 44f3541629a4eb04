// SPDX-License-Identifier: Apache-2.0
#include "lab/meeting.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "lab/stack_counters.hpp"

namespace beeline::lab {
namespace {

/// What came of one or several conversations.
struct Talk {
    bool good = true;
    std::string why; ///< Of the first one that was not good.
    std::uint64_t messages = 0, bytes = 0;
};

Result<> talk(Talk &all, const Node &from, const std::string &address, std::uint16_t port, Transport transport,
              unsigned messages, std::size_t max_udp) {
    const bool udp = transport == Transport::udp;
    BL_TRY(const Outcome outcome, exchange(from, {.address = address,
                                                  .port = port,
                                                  .transport = transport,
                                                  .messages = messages,
                                                  .max_bytes = udp ? max_udp : 20'000, // TCP: also GSO.
                                                  .seed = messages + port}));
    all.messages += outcome.answered;
    all.bytes += outcome.bytes;
    if (!outcome.all_good(messages) && all.good) {
        all.good = false;
        all.why = fmt::format("{} to {} port {}: {} of {} answered, {} damaged", udp ? "UDP" : "TCP", address, port,
                              outcome.answered, messages, outcome.damaged);
    }
    return {};
}

Result<Spread> time_one(const Stage &stage, const Node &from, const std::string &address, std::uint16_t port,
                        Transport transport) {
    const auto ask = [&](unsigned messages) {
        return exchange(from, {.address = address,
                               .port = port,
                               .transport = transport,
                               .messages = messages,
                               .min_bytes = 64,
                               .max_bytes = 64,
                               .cpu = stage.cpu});
    };
    BL_CHECK(ask(stage.quick ? 10 : 200)); // Caches, the branch predictor.
    BL_TRY(Outcome outcome, ask(stage.quick ? 100 : 4000));
    return spread_98(std::move(outcome.round_trip_us));
}

std::string median(const Spread &figure) {
    return figure.runs == 0 ? std::string("-") : fmt::format("{:.2f}", figure.median);
}

} // namespace

Result<Meeting> Meeting::arrange(const Stage &stage, const Node *client, const Node *server, const std::string &v4,
                                 const std::string &v6, std::uint16_t port) {
    Meeting meeting(client, server, {v4, v6});
    for (const std::string &address : meeting.addresses_) {
        BL_TRY(auto echo, EchoServer::start(*server, {.address = address, .port = port, .cpu = stage.cpu}));
        meeting.servers_.push_back(std::move(echo));
    }
    return meeting;
}

std::uint64_t Meeting::damaged() const {
    std::uint64_t sum = 0;
    for (const auto &echo : servers_)
        sum += echo->udp().damaged + echo->tcp().damaged;
    return sum;
}

Result<std::int64_t> Meeting::checksum_errors_of_both() const {
    BL_TRY(const auto at_client, client_->within(read_stack_counters));
    BL_TRY(const auto at_server, server_->within(read_stack_counters));
    return checksum_errors(at_client) + (client_ == server_ ? 0 : checksum_errors(at_server));
}

Result<> Meeting::prove(Stage &stage, std::string_view name, std::uint16_t port, std::size_t max_udp) const {
    BL_TRY(const std::int64_t errors_before, checksum_errors_of_both());
    const std::uint64_t damaged_before = damaged();
    Talk all;
    for (const std::string &address : addresses_) {
        for (const auto transport : {Transport::udp, Transport::tcp})
            BL_CHECK(talk(all, *client_, address, port, transport, stage.quick ? 20 : 100, max_udp));
    }
    // The servers close late: their peers' last ACKs carry complete checksums, and have to be right, too.
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    BL_TRY(const std::int64_t errors_after, checksum_errors_of_both());
    stage.report.check(
        all.good && damaged() == damaged_before,
        fmt::format("{}: {} messages, {} KB: the hashes agree at both ends", name, all.messages, all.bytes / 1000),
        all.good ? "the server received damaged ones" : all.why);
    stage.report.check(errors_after == errors_before, fmt::format("{}: InCsumErrors stayed 0", name),
                       fmt::format("{} more", errors_after - errors_before));
    return {};
}

Result<Meeting::RoundTrips> Meeting::time(const Stage &stage, std::uint16_t port) const {
    BL_TRY(const Spread udp, time_one(stage, *client_, v4(), port, Transport::udp));
    BL_TRY(const Spread tcp, time_one(stage, *client_, v4(), port, Transport::tcp));
    return RoundTrips{.udp = udp, .tcp = tcp};
}

Result<> Meeting::introduce(std::uint16_t port) const {
    for (const std::string &address : addresses_)
        BL_CHECK(exchange(*client_, {.address = address, .port = port, .messages = 3, .max_bytes = 64}));
    return {};
}

void show_round_trips(Report &report, const std::string &label, const Meeting::RoundTrips &times) {
    if (times.udp.runs != 0)
        report.row(label, text(times.udp), text(times.tcp));
}

void compare_round_trips(Report &report, const std::string &label, const Meeting::RoundTrips &stock,
                         const Meeting::RoundTrips &beeline) {
    report.compare({label + ", UDP RTT, us", median(stock.udp), median(beeline.udp), times(stock.udp, beeline.udp)});
    report.compare({label + ", TCP RTT, us", median(stock.tcp), median(beeline.tcp), times(stock.tcp, beeline.tcp)});
}

} // namespace beeline::lab
