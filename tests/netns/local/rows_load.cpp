// SPDX-License-Identifier: Apache-2.0
//
// Much data of all sizes. BEELINE_LOCAL_BYTES: bytes in all of a row's ways and directions, 64 MB when not set.
#include <netns/local/row.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
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

/// 1 B to 1 MiB, each magnitude as often as the others.
std::size_t random_size(std::mt19937_64 &random) {
    const double exponent = std::uniform_real_distribution<double>(0, 20)(random);
    return static_cast<std::size_t>(std::exp2(exponent));
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

/// One of many connections in an event loop: what this end still has to send and to read.
struct Flow {
    const End *end;
    Stream sending, reading;
    std::size_t size;
    std::mt19937_64 random;
    std::string failure; ///< Of a call; what it should have said is that there is nothing to do.

    [[nodiscard]] bool done() const {
        return !failure.empty() || (sending.position() == size && reading.position() == size);
    }

    void write() {
        const std::size_t piece = std::min(random_size(random), size - sending.position());
        const ssize_t n = ::send(end->fd(), sending.ahead(piece).data(), piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sending.advance(static_cast<std::size_t>(n));
        else if (errno != EAGAIN)
            failure = "send: " + error_name(errno);
    }
    void read(std::vector<char> &buffer) {
        const ssize_t n = ::recv(end->fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n > 0 && !reading.check(std::string_view(buffer.data(), static_cast<std::size_t>(n))))
            failure = "wrong bytes";
        else if (n == 0 || (n < 0 && errno != EAGAIN))
            failure = n == 0 ? "end" : "recv: " + error_name(errno);
    }
};

/// All flows of one side, in one thread.
void loop(std::vector<Flow> &flows) {
    std::vector<char> buffer(65536);
    std::vector<pollfd> entries(flows.size());
    flows.front().end->here();
    for (;;) {
        bool busy = false;
        for (std::size_t i = 0; i < flows.size(); ++i) {
            const Flow &flow = flows[i];
            const bool writes = !flow.done() && flow.sending.position() < flow.size;
            const bool reads = !flow.done() && flow.reading.position() < flow.size;
            entries[i] = {.fd = flow.done() ? -1 : flow.end->fd(),
                          .events = static_cast<short>((writes ? POLLOUT : 0) | (reads ? POLLIN : 0)),
                          .revents = 0};
            busy = busy || !flow.done();
        }
        // A cable that drops a packet again and again makes TCP wait for many seconds.
        if (!busy || ::poll(entries.data(), entries.size(), 60'000) <= 0)
            return;
        for (std::size_t i = 0; i < flows.size(); ++i) {
            if ((entries[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
                flows[i].read(buffer);
            if ((entries[i].revents & POLLOUT) != 0)
                flows[i].write();
        }
    }
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
        clients.push_back({&pairs[i].client, there, back, size, std::mt19937_64(i)});
        servers.push_back({&pairs[i].server, back, there, size, std::mt19937_64(i + 1000)});
    }
    {
        const std::jthread server([&] { loop(servers); });
        loop(clients);
    }
    const auto good = [size](const Flow &flow) {
        return flow.failure.empty() && flow.sending.position() == size && flow.reading.position() == size;
    };
    for (const auto *side : {&clients, &servers})
        for (std::size_t i = 0; i < side->size(); ++i)
            if (const Flow &flow = (*side)[i]; !good(flow))
                stage.notes.note(fmt::format("{} {}: sent {}, read {} of {} {}", flow.end->name(), i,
                                             flow.sending.position(), flow.reading.position(), size, flow.failure));
    stage.notes.note(fmt::format("clients that got all: {}", std::ranges::count_if(clients, good)));
    stage.notes.note(fmt::format("servers that got all: {}", std::ranges::count_if(servers, good)));
}

} // namespace

std::vector<Row> load_rows() {
    // Blocking sockets with a second thread: EAGAIN now and then.
    return {{.name = "full_duplex", .run = full_duplex, .naive = Naive::either},
            {.name = "hundred_connections", .run = hundred_connections, .naive = Naive::either}};
}

} // namespace beeline::conformance
