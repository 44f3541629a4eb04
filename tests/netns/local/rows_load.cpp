// SPDX-License-Identifier: Apache-2.0
//
// Much data of all sizes. BEELINE_LOCAL_BYTES: bytes in all of a row's ways and directions, 64 MB when not set.
#include <netns/local/flow.hpp>
#include <netns/local/row.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

namespace beeline::conformance {
namespace {

/// Of one direction of one connection when so many run.
std::size_t share(std::size_t directions) {
    const char *text = std::getenv("BEELINE_LOCAL_BYTES");
    const std::size_t all = text == nullptr ? 64'000'000 : std::strtoull(text, nullptr, 10);
    return all / all_ways().size() / directions;
}

bool has_default_bytes() {
    return std::getenv("BEELINE_LOCAL_BYTES") == nullptr;
}

/// "" or what went wrong.
std::string write_all(const End &end, std::uint64_t number, std::size_t size) {
    std::mt19937_64 random(number);
    Stream stream(number);
    end.here();
    while (stream.position() < size) {
        const std::size_t piece = std::min(random_size(random), size - stream.position());
        if (!end.all(stream.ahead(piece)))
            return fmt::format("{} after {} bytes", error_name(errno), stream.position());
        stream.advance(piece);
    }
    return "";
}

std::string read_all(const End &end, std::uint64_t number, std::size_t size) {
    std::mt19937_64 random(number + 1);
    Stream stream(number);
    std::vector<char> buffer(Stream::kLongest);
    end.here();
    while (stream.position() < size) {
        const std::size_t piece = std::min(random_size(random), size - stream.position());
        const ssize_t n = end.some(buffer.data(), piece);
        if (n <= 0)
            return fmt::format("{} after {} bytes", n == 0 ? "end" : error_name(errno), stream.position());
        if (!stream.check(std::string_view(buffer.data(), static_cast<std::size_t>(n))))
            return fmt::format("wrong bytes after {}", stream.position());
    }
    return "";
}

/// Four threads: each end reads and writes at once.
void full_duplex(Stage &stage) {
    if (!has_default_bytes())
        ::alarm(600);
    Pair pair = stage.settled();
    const std::size_t size = share(2);
    std::array<std::string, 4> results;
    {
        const std::array<std::jthread, 4> threads{std::jthread([&] { results[0] = write_all(pair.client, 1, size); }),
                                                  std::jthread([&] { results[1] = read_all(pair.server, 1, size); }),
                                                  std::jthread([&] { results[2] = write_all(pair.server, 2, size); }),
                                                  std::jthread([&] { results[3] = read_all(pair.client, 2, size); })};
    }
    for (const std::string &result : results)
        stage.notes.note("transfer: " + (result.empty() ? "intact" : result));
    pair.client.shutdown(SHUT_WR);
    pair.server.next(1);
}

/// All flows of one side, in one thread.
void loop(std::vector<Flow> &flows, const End &where) {
    where.here();
    // A cable that drops a packet again and again makes TCP wait for many seconds.
    while (pump(flows, std::chrono::seconds(60)))
        ;
}

void hundred_connections(Stage &stage) {
    if (!has_default_bytes())
        ::alarm(600);
    constexpr std::size_t kConnections = 100;
    std::vector<Pair> pairs;
    pairs.reserve(kConnections);
    for (std::size_t i = 0; i < kConnections; ++i)
        pairs.push_back(stage.connect());
    stage.settle(pairs.front());
    std::vector<Flow> clients, servers;
    const std::size_t size = share(2 * kConnections);
    for (std::size_t i = 0; i < kConnections; ++i) {
        const Stream there(2 * i), back(2 * i + 1);
        clients.push_back({pairs[i].client.fd(), there, back, std::mt19937_64(i), size, size});
        servers.push_back({pairs[i].server.fd(), back, there, std::mt19937_64(i + 1000), size, size});
    }
    {
        const std::jthread server([&] { loop(servers, pairs.front().server); });
        loop(clients, pairs.front().client);
    }
    for (const auto *side : {&clients, &servers})
        for (std::size_t i = 0; i < side->size(); ++i)
            if (const Flow &flow = (*side)[i]; !flow.complete())
                stage.notes.note(fmt::format("{} {}: sent {}, read {} of {} {}", side == &clients ? "client" : "server",
                                             i, flow.sending.position(), flow.reading.position(), size, flow.failure));
    stage.notes.note(fmt::format("clients that got all: {}", std::ranges::count_if(clients, &Flow::complete)));
    stage.notes.note(fmt::format("servers that got all: {}", std::ranges::count_if(servers, &Flow::complete)));
}

} // namespace

std::vector<Row> load_rows() {
    // Blocking sockets with a second thread: EAGAIN now and then.
    return {{.name = "full_duplex", .run = full_duplex, .naive = Naive::either},
            {.name = "hundred_connections", .run = hundred_connections, .naive = Naive::either}};
}

} // namespace beeline::conformance
