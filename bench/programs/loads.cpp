// SPDX-License-Identifier: Apache-2.0
#include "programs/loads.hpp"

#include <chrono>
#include <cstdlib>

#include <fmt/format.h>

namespace beeline::programs {
namespace {

constexpr std::uint16_t kRedis = 6379, kFront = 7000, kMemcached = 11211, kPostgres = 5432, kNginx = 8080;
const std::string kPgbench = "usr/lib/postgresql/15/bin/pgbench";

/// The number behind a text that a program prints.
Result<double> rate(const Ended &ended, const std::string &before) {
    const std::string text = ended.out + ended.err;
    const std::size_t at = text.rfind(before);
    if (ended.status != 0 || at == std::string::npos)
        return fail(Kind::host, 0, fmt::format("exit status {}: {}", ended.status, text));
    return std::strtod(text.c_str() + at + before.size(), nullptr);
}

} // namespace

std::vector<std::string> Loads::rules() {
    return {fmt::format("dport {{{}, {}, {}, {}, {}}} -> accelerate", kRedis, kFront, kMemcached, kPostgres, kNginx)};
}

Result<std::unique_ptr<Loads>> Loads::start(Scene &scene) {
    auto loads = std::unique_ptr<Loads>(new Loads(scene));
    (void)scene.write("www/small", bytes(1000, 1));
    loads->servers_.push_back(start_redis(scene, kRedis));
    loads->servers_.push_back(start_haproxy(scene, kFront, kRedis));
    loads->servers_.push_back(start_memcached(scene, kMemcached));
    loads->servers_.push_back(start_memcached(scene, 0));
    loads->servers_.push_back(start_nginx(scene, fmt::format("server {{ listen 127.0.0.1:{}; }}", kNginx)));
    BL_TRY(auto postgres, start_postgres(scene, kPostgres));
    loads->servers_.push_back(std::move(postgres));
    for (const std::uint16_t port : {kRedis, kFront, kMemcached, kNginx})
        BL_CHECK(Client::connect(scene, port)); // listens
    const Ended made = scene.run(kPgbench, {"-h", "127.0.0.1", "-U", "postgres", "-i", "-q", "postgres"});
    if (made.status != 0)
        return fail(Kind::host, 0, "pgbench -i: " + made.err);
    return loads;
}

Result<double> Loads::redis(const std::vector<std::string> &to, std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), to.begin(), to.end());
    arguments.insert(arguments.end(), {"-q", "-c", "10"});
    return rate(scene_.run("usr/bin/redis-benchmark", arguments), "ET: ");
}

Result<double> Loads::wrk(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(),
                     {"-t", "1", "-c", "10", "-d", "1s", fmt::format("http://127.0.0.1:{}/small", kNginx)});
    return rate(scene_.run("usr/bin/wrk", arguments), "Requests/sec:");
}

Result<double> Loads::pgbench(Way way, std::vector<std::string> arguments) const {
    const std::string host = way == Way::unix ? scene_.path("postgres") : "127.0.0.1";
    arguments.insert(arguments.end(),
                     {"-h", host, "-U", "postgres", "-n", "-c", "4", "-j", "1", "-T", "1", "postgres"});
    return rate(scene_.run(kPgbench, arguments), "tps = ");
}

Result<double> Loads::memcached(Way way) const {
    constexpr int kTurns = 40000;
    BL_TRY(Client client,
           way == Way::unix ? Client::connect(scene_.path("memcached.sock")) : Client::connect(scene_, kMemcached));
    const std::string value = bytes(100, 1), reply = "VALUE k 0 100\r\n" + value + "\r\nEND\r\n";
    BL_TRY([[maybe_unused]] const auto stored, client.ask("set k 0 0 100\r\n" + value + "\r\n", 8));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kTurns; ++i) {
        BL_TRY(const std::string got, client.ask("get k\r\n", reply.size()));
        if (got != reply)
            return fail(Kind::host, 0, "memcached gave back another value");
    }
    return kTurns / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Load> Loads::all() const {
    const auto to_redis = [this](Way way) {
        return way == Way::unix ? std::vector<std::string>{"-s", scene_.path("redis.sock")}
                                : std::vector<std::string>{"-p", std::to_string(kRedis)};
    };
    const auto with_redis = [this, to_redis](std::vector<std::string> arguments) {
        return [this, to_redis, arguments](Way way) { return redis(to_redis(way), arguments); };
    };
    const std::vector<std::string> nginx = {"usr/sbin/nginx", "usr/bin/wrk"};
    return {
        {.name = "redis, GET 100 B",
         .unit = "requests/s",
         .run = with_redis({"-t", "get", "-d", "100", "-n", "40000"})},
        {.name = "redis, GET 100 B, 16 at a time",
         .unit = "requests/s",
         .run = with_redis({"-t", "get", "-d", "100", "-n", "200000", "-P", "16"})},
        {.name = "redis, SET 16 KiB",
         .unit = "requests/s",
         .run = with_redis({"-t", "set", "-d", "16384", "-n", "20000"})},
        {.name = "redis behind HAProxy (trusted), GET 100 B",
         .unit = "requests/s",
         .speaks_unix = false,
         .trusted = {"usr/sbin/haproxy"},
         .run =
             [this](Way) {
                 return redis({"-p", std::to_string(kFront)}, {"-t", "get", "-d", "100", "-n", "20000"});
             }},
        {.name = "memcached, get 100 B, one client",
         .unit = "requests/s",
         .run = [this](Way way) { return memcached(way); }},
        {.name = "PostgreSQL, pgbench -S -c 4",
         .unit = "transactions/s",
         .run = [this](Way way) { return pgbench(way, {"-S"}); }},
        {.name = "PostgreSQL, pgbench -c 4",
         .unit = "transactions/s",
         .run = [this](Way way) { return pgbench(way, {}); }},
        {.name = "nginx, wrk, keep-alive",
         .unit = "requests/s",
         .speaks_unix = false,
         .run = [this](Way) { return wrk({}); }},
        {.name = "nginx and wrk trusted, keep-alive",
         .unit = "requests/s",
         .speaks_unix = false,
         .trusted = nginx,
         .run = [this](Way) { return wrk({}); }},
        {.name = "nginx and wrk trusted, Connection: close",
         .unit = "requests/s",
         .speaks_unix = false,
         .trusted = nginx,
         .run =
             [this](Way) {
                 return wrk({"-H", "Connection: close"});
             }},
    };
}

} // namespace beeline::programs
